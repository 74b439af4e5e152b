//! A run, its reports, and what is published of it.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use super::environment::environment;
use super::stdio::print;
use crate::cli::{CapacityFlags, LogLevel, RunFlags, SettingSources};
use crate::clock::{Clock, Moment};
use crate::error::{Error, Exit, Result};
use crate::machine::memory::{self, MemoryLimits, UserNeeds};
use crate::machine::thread_switches;
use crate::plan::body_file::PIECE;
use crate::plan::dry_run;
use crate::plan::engine::Environment;
use crate::plan::extract::Extraction;
use crate::plan::journey::Message;
use crate::plan::otlp::OtlpChoice;
use crate::plan::request_log::RequestLogPlan;
use crate::plan::url::Scheme;
use crate::plan::web::WebPlan;
use crate::plan::{Plan, ProcessContext, Sink, random};
use crate::publish;
use crate::publish::feed::Feed;
use crate::publish::observer::{Context, Observer};
use crate::publish::publishers::{PublishPlan, Publishers, stop_requests};
use crate::report::collector::ReportCollector;
use crate::report::model::ReportModel;
use crate::report::screen::{Screen, TerminalInfo};
use crate::report::terminal;
use crate::request_log::ending::LogEnd;
use crate::run::{self, Finished, Readers, StreamResult};
use crate::value::count::counted;

/// `swarmline run`.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, exit 4 when the stream could not be written.
pub fn run(flags: &RunFlags, origins: &SettingSources) -> Result<Exit> {
    run_in(flags, origins, &environment())
}

/// `swarmline capacity`: a run whose rate is decided step by step.
///
/// # Errors
/// As [`run()`].
pub fn capacity(flags: &CapacityFlags, origins: &SettingSources) -> Result<Exit> {
    let environment = environment();
    prepare_threads();
    let plan = Plan::of_search(flags, origins, surroundings(&environment))?;
    run_plan(&plan, &flags.run, origins, &environment)
}

/// The same for a run to which the variables of other runs mean nothing: its metrics go nowhere.
pub(super) fn run_without_variables(flags: &RunFlags, origins: &SettingSources) -> Result<Exit> {
    let mut environment = environment();
    environment.retain(|name, _| !name.starts_with("OTEL_"));
    run_in(flags, origins, &environment)
}

fn run_in(flags: &RunFlags, origins: &SettingSources, environment: &Environment) -> Result<Exit> {
    prepare_threads();
    let plan = Plan::from_flags(flags, origins, surroundings(environment))?;
    run_plan(&plan, flags, origins, environment)
}

/// Settings of the C library that count for the threads started afterwards.
fn prepare_threads() {
    memory::save_address_space();
    // Where they cannot be ended, the run is the same and costs a little more.
    let _ = thread_switches::end_restartable_sequences();
}

fn surroundings(environment: &Environment) -> ProcessContext<'_> {
    ProcessContext { stdout_is_terminal: io::stdout().is_terminal(), entropy: random::entropy(), environment }
}

fn run_plan(plan: &Plan, flags: &RunFlags, origins: &SettingSources, environment: &Environment) -> Result<Exit> {
    let otlp = OtlpChoice::new(flags.publish.otlp.as_deref(), environment)?;
    let web = WebPlan::of_run(flags, origins)?;
    let collector = ReportCollector::of_run(plan)?;
    if flags.dry_run {
        let now = Clock::start_now().unix(Moment::START);
        return print(&dry_run::text(plan, u64::try_from(now.as_millis()).unwrap_or(u64::MAX)));
    }
    let near = MemoryLimits::read().check(u64::from(plan.load().max_users()), needs(plan))?;
    let variable = |name: &str| environment.get(name).map(String::as_str);
    let terminal = TerminalInfo { kind: variable("TERM"), no_colour: variable("NO_COLOR") };
    let screen = Screen::open(plan.human_output(), terminal)?;
    for note in plan.notes() {
        screen.print(LogLevel::Info, &format!("swarmline: {note}\n"));
    }
    collector.check()?;
    if let Some(near) = near {
        screen.print(LogLevel::Warning, &format!("swarmline: memory: {near}\n"));
    }
    let observers = publish::observers(&Context { flags, plan, screen: &screen })?;
    let otlp = otlp.plan(|why| screen.print(LogLevel::Warning, &format!("swarmline: {why}\n")));
    let publish = PublishPlan { web, otlp };
    let exit = if publish.is_empty() {
        let (_stop, stop_requests) = stop_requests();
        let readers = Readers { collector: collector.tee(), observers, stop_requests, exports: None };
        let finished = run::run(plan, readers)?;
        report(plan, &collector, &screen, finished, |_| {})
    } else {
        published(plan, collector, &screen, observers, publish)
    }?;
    match screen.finish() {
        Err(error) if exit <= error.exit() => Err(error),
        _ => Ok(exit),
    }
}

/// A run that others follow while it goes on.
fn published(
    plan: &Plan,
    mut collector: ReportCollector,
    screen: &Screen,
    observers: Vec<Box<dyn Observer>>,
    publish: PublishPlan,
) -> Result<Exit> {
    let linger = publish.web.as_ref().map_or(Duration::ZERO, |web| web.linger);
    let feed = Feed::new(collector.follow());
    let (stop, stop_requests) = stop_requests();
    let say = |text: &str| screen.print(LogLevel::Info, &format!("swarmline: {text}\n"));
    let publishers = Publishers::start(&feed, plan.testplan(), publish, Some(stop.clone()), say)?;
    let readers =
        Readers { collector: feed.tee(collector.tee()), observers, stop_requests, exports: publishers.exports() };
    let finished = run::run(plan, readers)?;
    // A channel without senders would have stopped the run, and without a page there is no other one.
    drop(stop);
    let after = finished.after.clone();
    after.begin();
    let was_killed = finished.exit(plan) == Exit::Killed;
    let exit = report(plan, &collector, screen, finished, |model| feed.finish(model.clone()));
    // A stream that its reader closed has no report; its pages get what there is.
    if let Ok(model) = collector.model() {
        feed.finish(model);
    }
    publishers.finish_pages();
    if was_killed {
        return exit;
    }
    if let Some((level, sentence)) = publishers.push_last(after.second()).map(|end| end.sentence()) {
        screen.print(level, &sentence);
    }
    if !linger.is_zero() {
        say(&format!("the live page stays for {} s; a signal ends that", linger.as_secs_f64()));
        after.wait(linger);
    }
    exit
}

/// The reports of a run that has ended; `publish` is given its model as soon as there is one.
fn report(
    plan: &Plan,
    collector: &ReportCollector,
    screen: &Screen,
    finished: Finished,
    publish: impl FnOnce(&ReportModel),
) -> Result<Exit> {
    let exit = match &finished.stream {
        StreamResult::Whole => finished.exit(plan),
        StreamResult::Closed if !collector.has_files() && plan.checks().is_empty() => return Ok(Exit::Pass),
        // The requested results are incomplete.
        StreamResult::Closed | StreamResult::Broken(_) => Exit::Invalid,
    };
    let model = collector.model();
    if let Ok(model) = &model {
        publish(model);
    }
    let log = finished.log.as_ref().zip(plan.request_log());
    if let StreamResult::Broken(error) = finished.stream {
        // The error of the stream is reported; write the requested reports from what there is.
        let _ = model.and_then(|model| collector.write(&model));
        return Err(error);
    }
    let model = model?;
    screen.print(LogLevel::Info, &terminal::exchanges(&model.run));
    screen.print(LogLevel::Info, &terminal::summary(&model, screen.width()));
    screen.print(LogLevel::Warning, &terminal::warnings(&model.run));
    if let Sink::File(path) | Sink::Gzip(path) = &plan.stream().sink {
        screen.print(LogLevel::Info, &format!("stream: {}\n", path.display()));
    }
    if let Some((end, log)) = log {
        screen.print(LogLevel::Info, &log_line(end, log));
    }
    screen.print(LogLevel::Info, &collector.write(&model)?);
    // As a report that cannot be written: an output that was asked for is not whole, though the run is.
    match log.and_then(|(end, log)| Some((end.failure.as_ref()?, log))) {
        Some((why, log)) => Err(Error::invalid(format!("--log-requests {}", log.path.display()), why)),
        None => Ok(exit),
    }
}

/// Where the log of requests is, and how much of it.
fn log_line(end: &LogEnd, log: &RequestLogPlan) -> String {
    let lost = if end.lost > 0 { format!("; {} more were lost", end.lost) } else { String::new() };
    format!("requests: {} ({}{lost})\n", log.path.display(), counted(end.written, "record"))
}

/// What memory a user of the plan needs.
fn needs(plan: &Plan) -> UserNeeds {
    let mut needs = UserNeeds::default();
    for step in plan.requests() {
        needs.tls |= step.message.origin().scheme() == Scheme::Https;
        needs.keeps_bodies |= step.rules.expect.needs_body() || step.extract.iter().any(Extraction::needs_body);
        let (bytes, has_files) = match &step.message {
            Message::Fixed(request) => (0, !request.wire().files().is_empty()),
            Message::Templated(request) => (request.min_len(), request.has_files()),
        };
        let piece = if has_files { PIECE } else { 0 };
        needs.request_bytes = needs.request_bytes.max((bytes + piece) as u64);
    }
    needs
}
