//! The commands: what each puts together, and what it says to people.

mod merge;
mod report;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

use crate::cli::{self, Command, Invocation, LogLevel, SettingSources, Variables};
use crate::cli::{CompletionsFlags, ImportFlags, ManFlags, RunFlags, SchemaFlags, TargetFlags};
use crate::clock::{Clock, Moment};
use crate::error::{Error, Exit, Result};
use crate::import::{self, Assets, Hosts, ImportOptions, SecretHandling};
use crate::machine::memory::{self, MemoryLimits, UserNeeds};
use crate::plan::extract::Extraction;
use crate::plan::journey::{Message, UserClass};
use crate::plan::request_log::RequestLogPlan;
use crate::plan::url::Scheme;
use crate::plan::{Plan, ProcessContext, Sink, random};
use crate::plan::{dry_run, scenario};
use crate::publish;
use crate::publish::observer::Context;
use crate::report::collector::ReportCollector;
use crate::report::screen::{self, Screen, TerminalInfo};
use crate::report::terminal;
use crate::request_log::ending::LogEnd;
use crate::run::{self, Readers, StreamResult};
use crate::server::{self, Server};
use crate::telemetry;
pub use merge::merge;
pub use report::report;

/// `swarmline run`.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, exit 4 when the stream could not be written.
pub fn run(flags: &RunFlags, origins: &SettingSources) -> Result<Exit> {
    memory::save_address_space();
    // What is not Unicode is no engine's.
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let environment = environment.collect();
    let surroundings = ProcessContext {
        stdout_is_terminal: io::stdout().is_terminal(),
        entropy: random::entropy(),
        environment: &environment,
    };
    let plan = Plan::from_flags(flags, origins, surroundings)?;
    let seen = ReportCollector::of_run(&plan)?;
    if flags.dry_run {
        let now = Clock::start_now().unix(Moment::START);
        return print(&dry_run::text(&plan, u64::try_from(now.as_millis()).unwrap_or(u64::MAX)));
    }
    let near = MemoryLimits::read().check(u64::from(plan.load().max_users()), needs(&plan))?;
    let variable = |name: &str| environment.get(name).map(String::as_str);
    let terminal = TerminalInfo { kind: variable("TERM"), no_colour: variable("NO_COLOR") };
    let people = Screen::open(plan.human_output(), terminal)?;
    for note in plan.notes() {
        people.print(LogLevel::Info, &format!("swarmline: {note}\n"));
    }
    seen.check()?;
    if let Some(near) = near {
        people.print(LogLevel::Warning, &format!("swarmline: memory: {near}\n"));
    }
    let observers = publish::observers(&Context { flags, plan: &plan, screen: &people })?;
    let finished = run::run(&plan, Readers { collector: seen.tee(), observers })?;
    let exit = match &finished.stream {
        StreamResult::Whole => finished.exit(&plan),
        StreamResult::Closed if !seen.has_files() && plan.checks().is_empty() => return Ok(Exit::Pass),
        // What was asked for says less than it was to say.
        StreamResult::Closed | StreamResult::Broken(_) => Exit::Invalid,
    };
    let model = seen.model();
    let log = finished.log.as_ref().zip(plan.request_log());
    if let StreamResult::Broken(error) = finished.stream {
        // What is wrong with the stream is said, and what was asked for is made as far as it can be.
        let _ = model.and_then(|model| seen.write(&model));
        return Err(error);
    }
    let model = model?;
    people.print(LogLevel::Info, &terminal::summary(&model, people.width()));
    people.print(LogLevel::Warning, &terminal::warnings(&model.run));
    if let Sink::File(path) | Sink::Gzip(path) = &plan.stream().sink {
        people.print(LogLevel::Info, &format!("stream: {}\n", path.display()));
    }
    if let Some((end, log)) = log {
        people.print(LogLevel::Info, &log_line(end, log));
    }
    people.print(LogLevel::Info, &seen.write(&model)?);
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

/// What a user of the plan takes.
fn needs(plan: &Plan) -> UserNeeds {
    let mut needs = UserNeeds::default();
    for step in plan.classes().iter().flat_map(UserClass::requests) {
        needs.tls |= step.message.origin().scheme() == Scheme::Https;
        needs.keeps_bodies |= step.rules.expect.needs_body() || step.extract.iter().any(Extraction::needs_body);
        if let Message::Templated(request) = &step.message {
            needs.request_bytes = needs.request_bytes.max(request.min_len() as u64);
        }
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
    // One endpoint fails on purpose, so failures are no reason for a bad exit code.
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
    // The demo is its own: no variable has a say in it.
    let parsed = cli::parse(line.map(OsString::from), Variables::Ignored)?;
    let Invocation::Command(Command::Run(flags), origins) = parsed else {
        unreachable!("the line above is a run");
    };
    run(&flags, &origins)
}

/// `swarmline target`.
///
/// # Errors
/// The address cannot be listened on, or is not loopback and nobody allowed that.
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
    };
    let import = import::import(&flags.input, scope)?;
    for note in &import.notes {
        tell(&Error::usage("import", note).to_string());
    }
    print(&import.scenario)
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

/// One line for people on stderr. A stderr that cannot be written changes nothing: nobody is told when nobody can be.
pub fn tell(line: &str) {
    screen::write_stderr(format!("swarmline: {line}\n"));
}

/// Prints a text on stdout. A reader that has seen enough is no error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<Exit> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Error::invalid("stdout", why)),
        _ => Ok(Exit::Pass),
    }
}
