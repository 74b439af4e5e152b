//! The commands: what each puts together, and what it says to people.

mod merge;
mod report;
mod stdio;
mod try_out;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use crate::cli::{self, Command, Invocation, LogLevel, SettingSources, Variables};
use crate::cli::{CompletionsFlags, ImportFlags, ManFlags, RunFlags, SchemaFlags, TargetFlags, TryFlags};
use crate::clock::{Clock, Moment};
use crate::error::{Error, Exit, Result};
use crate::import::{self, Assets, Hosts, ImportOptions, Pauses, SecretHandling};
use crate::machine::memory::{self, MemoryLimits, UserNeeds};
use crate::plan::body_file::PIECE;
use crate::plan::engine::Environment;
use crate::plan::extract::Extraction;
use crate::plan::journey::Message;
use crate::plan::request_log::RequestLogPlan;
use crate::plan::url::Scheme;
use crate::plan::{Plan, ProcessContext, Sink, random};
use crate::plan::{dry_run, scenario};
use crate::publish;
use crate::publish::observer::Context;
use crate::report::collector::ReportCollector;
use crate::report::screen::{Screen, TerminalInfo};
use crate::report::terminal;
use crate::request_log::ending::LogEnd;
use crate::run::{self, Readers, StreamResult};
use crate::server::{self, Server};
use crate::telemetry;
pub use merge::merge;
pub use report::report;
pub use stdio::{print, tell};

/// `swarmline run`.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, exit 4 when the stream could not be written.
pub fn run(flags: &RunFlags, origins: &SettingSources) -> Result<Exit> {
    memory::save_address_space();
    let environment = environment();
    let surroundings = ProcessContext {
        stdout_is_terminal: io::stdout().is_terminal(),
        entropy: random::entropy(),
        environment: &environment,
    };
    let plan = Plan::from_flags(flags, origins, surroundings)?;
    let collector = ReportCollector::of_run(&plan)?;
    if flags.dry_run {
        let now = Clock::start_now().unix(Moment::START);
        return print(&dry_run::text(&plan, u64::try_from(now.as_millis()).unwrap_or(u64::MAX)));
    }
    let near = MemoryLimits::read().check(u64::from(plan.load().max_users()), needs(&plan))?;
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
    let observers = publish::observers(&Context { flags, plan: &plan, screen: &screen })?;
    let finished = run::run(&plan, Readers { collector: collector.tee(), observers })?;
    let exit = match &finished.stream {
        StreamResult::Whole => finished.exit(&plan),
        StreamResult::Closed if !collector.has_files() && plan.checks().is_empty() => return Ok(Exit::Pass),
        // The requested results are incomplete.
        StreamResult::Closed | StreamResult::Broken(_) => Exit::Invalid,
    };
    let model = collector.model();
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
    format!("requests: {} ({} records{lost})\n", log.path.display(), end.written)
}

/// The variables of the environment, but those that are not Unicode: no engine sets such a one.
fn environment() -> Environment {
    std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
}

/// `swarmline try`: one user does each task once, and every exchange is shown.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, or a class or task is unknown.
pub fn try_out(flags: &TryFlags, origins: &SettingSources) -> Result<Exit> {
    try_out::run(flags, origins, &environment())
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

/// `swarmline demo`: the main job on the embedded target.
///
/// # Errors
/// As [`run()`].
pub fn demo() -> Result<Exit> {
    const STREAM: &str = "swarmline-demo.ndjson";
    const PAGE: &str = "swarmline-demo.html";
    let server = Server::start(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let host = format!("http://{}", server.addr());
    tell(&format!("demo: 20 users load {host} (the embedded target) for 10 s"));
    // One endpoint fails on purpose, so failures do not change the exit code.
    let line = [
        "swarmline",
        "run",
        "--host",
        &host,
        "--users",
        "20",
        "--spawn-rate",
        "10",
        "--run-time",
        "10s",
        "--stop-timeout",
        "1s",
        "--wait",
        "10ms..100ms",
        "--interval",
        "1s",
        "--testplan",
        "demo",
        "--telemetry",
        STREAM,
        "--html",
        PAGE,
        "--exit-code-on-error",
        "0",
        "/ok",
        "/bytes/10000",
        "POST /echo",
        "/delay/120",
        "/status/500",
    ];
    // The demo ignores environment variables.
    let parsed = cli::parse(line.map(OsString::from), Variables::Ignored)?;
    let Invocation::Command(Command::Run(flags), origins) = parsed else {
        unreachable!("the line above is a run");
    };
    run(&flags, &origins)
}

/// `swarmline target`.
///
/// # Errors
/// The address cannot be listened on, or is not loopback without `--allow-remote`.
pub fn target(flags: &TargetFlags) -> Result<Exit> {
    server::check_listen(flags.listen, flags.allow_remote)?;
    let server = Server::start(flags.listen)?;
    tell(&format!("target listens on http://{}", server.addr()));
    server.wait()?;
    Ok(Exit::Pass)
}

/// `swarmline import`: the scenario on stdout, what was left out on stderr.
///
/// # Errors
/// The input cannot be read or understood.
pub fn import(flags: &ImportFlags) -> Result<Exit> {
    let scope = ImportOptions {
        hosts: if flags.all_hosts { Hosts::All } else { Hosts::First },
        assets: if flags.assets { Assets::Keep } else { Assets::LeaveOut },
        secrets: if flags.keep_secrets { SecretHandling::Keep } else { SecretHandling::FromEnvironment },
        pauses: if flags.no_pauses { Pauses::LeaveOut } else { Pauses::Keep },
    };
    let import = import::import(&flags.input, scope)?;
    for note in &import.notes {
        tell(&Error::usage("import", note).to_string());
    }
    let printed = print(&import.scenario)?;
    Ok(if import.is_whole { printed } else { Exit::Failures(1) })
}

/// `swarmline schema`.
///
/// # Errors
/// As [`print()`].
pub fn schema(flags: &SchemaFlags) -> Result<Exit> {
    print(if flags.scenario { scenario::SCHEMA } else { telemetry::SCHEMA })
}

/// `swarmline completions`.
///
/// # Errors
/// As [`print()`].
pub fn completions(flags: &CompletionsFlags) -> Result<Exit> {
    print(&cli::completions(flags.shell))
}

/// `swarmline man`.
///
/// # Errors
/// There is no such command; else as [`print()`].
pub fn man(flags: &ManFlags) -> Result<Exit> {
    print(&cli::manual_page(flags.command.as_deref())?)
}
