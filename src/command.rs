//! The commands: what each puts together, and what it says to people.

mod report;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

use crate::cli::{self, Command, Invocation, LogLevel, Origins, RunFlags, TargetFlags};
use crate::error::{Error, Exit, Result};
use crate::plan::{Plan, Sink, Surroundings, random};
use crate::report::progress::Goal;
use crate::report::screen::{self, Screen, Terminal};
use crate::report::terminal;
use crate::run::{self, Stream};
use crate::target::{self, Target};
use crate::telemetry;
use report::Seen;
pub use report::report;

/// `swarmline run`.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, exit 4 when the stream could not be written.
pub fn run(flags: &RunFlags, origins: &Origins) -> Result<Exit> {
    // What is not Unicode is no engine's.
    let environment = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let environment = environment.collect();
    let surroundings = Surroundings {
        stdout_is_terminal: io::stdout().is_terminal(),
        entropy: random::entropy(),
        environment: &environment,
    };
    let plan = Plan::from_flags(flags, origins, surroundings)?;
    let load = plan.load();
    let goal = Goal { time: load.run_time.or(load.end()), requests: load.requests };
    let variable = |name: &str| environment.get(name).map(String::as_str);
    let terminal = Terminal { kind: variable("TERM"), no_colour: variable("NO_COLOR") };
    let people = Screen::open(plan.people(), goal, terminal)?;
    for note in plan.notes() {
        people.say(LogLevel::Info, &format!("swarmline: {note}\n"));
    }
    let seen = Seen::new(&plan.stream().sink);
    let finished = run::run(&plan, seen.tee(), people.show())?;
    match finished.stream {
        Stream::Whole => {}
        Stream::Closed => return Ok(Exit::Pass),
        Stream::Broken(error) => return Err(error),
    }
    people.say(LogLevel::Info, &terminal::summary(&seen.model()?, people.width()));
    if let Sink::File(path) | Sink::Gzip(path) = &plan.stream().sink {
        people.say(LogLevel::Info, &format!("stream: {}\n", path.display()));
    }
    Ok(finished.exit(&plan))
}

/// `swarmline demo`: the main job on the embedded target.
///
/// # Errors
/// As [`run()`].
pub fn demo() -> Result<Exit> {
    const STREAM: &str = "swarmline-demo.ndjson";
    let target = Target::start(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let host = format!("http://{}", target.addr());
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
        "--exit-code-on-error",
        "0",
        "/ok",
        "/bytes/10000",
        "POST /echo",
        "/delay/120",
        "/status/500",
    ];
    let Invocation::Command(Command::Run(flags), origins) = cli::parse(line.map(OsString::from))? else {
        unreachable!("the line above is a run");
    };
    run(&flags, &origins)
}

/// `swarmline target`.
///
/// # Errors
/// The address cannot be listened on, or is not loopback and nobody allowed that.
pub fn target(flags: &TargetFlags) -> Result<Exit> {
    target::check_listen(flags.listen, flags.allow_remote)?;
    let target = Target::start(flags.listen)?;
    tell(&format!("target listens on http://{}", target.addr()));
    target.wait()?;
    Ok(Exit::Pass)
}

/// `swarmline schema`.
///
/// # Errors
/// As [`print()`].
pub fn schema() -> Result<Exit> {
    print(telemetry::SCHEMA)
}

/// One line for people on stderr. A stderr that cannot be written changes nothing: nobody is told when nobody can be.
pub fn tell(line: &str) {
    screen::whisper(format!("swarmline: {line}\n"));
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
