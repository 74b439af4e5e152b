//! The commands: what each puts together, and what it says to people.

mod report;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};

use crate::cli::{self, Command, ImportFlags, Invocation, LogLevel, MergeFlags, Origins, RunFlags, TargetFlags};
use crate::error::{Error, Exit, Result};
use crate::import::{self, Assets, Hosts, Scope, Secrets};
use crate::machine::limits;
use crate::merge::{self, Merged, Rules};
use crate::plan::{People, Plan, Sink, Surroundings, random};
use crate::report::terminal;
use crate::run::{self, Stream, signals};
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
    let surroundings = Surroundings {
        stdout_is_terminal: io::stdout().is_terminal(),
        entropy: random::entropy(),
        environment: &environment.collect(),
    };
    let plan = Plan::from_flags(flags, origins, surroundings)?;
    let mut people = Voice::open(plan.people())?;
    for note in plan.notes() {
        people.say(LogLevel::Info, &format!("swarmline: {note}\n"));
    }
    let seen = Seen::new(&plan.stream().sink);
    let finished = run::run(&plan, seen.tee())?;
    match finished.stream {
        Stream::Whole => {}
        Stream::Closed => return Ok(Exit::Pass),
        Stream::Broken(error) => return Err(error),
    }
    people.say(LogLevel::Info, &terminal::summary(&seen.model()?));
    for notice in &finished.notices {
        people.say(LogLevel::Warning, &format!("swarmline: warning: {}\n", terminal::plain(notice)));
    }
    if let Sink::File(path) | Sink::Gzip(path) = &plan.stream().sink {
        people.say(LogLevel::Info, &format!("stream: {}\n", path.display()));
    }
    Ok(finished.exit(&plan))
}

/// Text for people: stderr, or a file.
struct Voice {
    out: Box<dyn io::Write>,
    least: LogLevel,
    quiet: bool,
}

impl Voice {
    fn open(people: &People) -> Result<Self> {
        let out: Box<dyn io::Write> = match &people.logfile {
            None => Box::new(io::stderr()),
            Some(path) => {
                let named = |why| Error::usage(format!("--logfile {}", path.display()), why);
                Box::new(File::options().append(true).create(true).open(path).map_err(named)?)
            }
        };
        Ok(Self { out, least: people.loglevel, quiet: people.quiet })
    }

    fn say(&mut self, level: LogLevel, text: &str) {
        if level >= self.least && !self.quiet {
            // Nobody is told when nobody can be told.
            let _ = self.out.write_all(text.as_bytes());
        }
    }
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

/// `swarmline merge`.
///
/// # Errors
/// As [`merge::merge()`].
pub fn merge(flags: &MergeFlags) -> Result<Exit> {
    signals::outlast_first()?;
    limits::raise_open_files();
    let rules = Rules { allow_missing: flags.allow_missing, exit_code_on_error: flags.exit_code_on_error };
    let Merged::Whole(outcome) = merge::merge(&flags.streams, &Sink::of(&flags.telemetry), rules)? else {
        return Ok(Exit::Pass);
    };
    for trouble in &outcome.troubles {
        tell(trouble);
    }
    if !flags.quiet {
        let (counts, (there, all)) = (outcome.counts, outcome.shards);
        tell(&format!(
            "{there} of {all} shards: sent {} = ok {} + failed {} + aborted {}; verdict: {}",
            counts.sent(),
            counts.ok,
            counts.failed,
            counts.aborted,
            outcome.judgement.verdict.as_str()
        ));
    }
    Ok(outcome.judgement.exit(flags.exit_code_on_error))
}

/// `swarmline import`: the scenario on stdout, what was left out on stderr.
///
/// # Errors
/// The input cannot be read or understood.
pub fn import(flags: &ImportFlags) -> Result<Exit> {
    let scope = Scope {
        hosts: if flags.all_hosts { Hosts::All } else { Hosts::First },
        assets: if flags.assets { Assets::Keep } else { Assets::LeaveOut },
        secrets: if flags.keep_secrets { Secrets::Keep } else { Secrets::FromEnvironment },
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
pub fn schema() -> Result<Exit> {
    print(telemetry::SCHEMA)
}

/// One line for people on stderr. A stderr that cannot be written changes nothing: nobody is told when nobody can be.
pub fn tell(line: &str) {
    let _ = io::stderr().write_all(format!("swarmline: {line}\n").as_bytes());
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
