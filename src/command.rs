//! The commands: what each puts together, and what it says to people.

mod environment;
mod merge;
mod report;
mod run;
mod stdio;
mod try_out;
mod watch;

use std::ffi::OsString;

use crate::cli::{self, Command, Invocation, SettingSources, Variables};
use crate::cli::{CompletionsFlags, ImportFlags, ManFlags, SchemaFlags, TargetFlags, TryFlags};
use crate::error::{Error, Exit, Result};
use crate::import::{self, Assets, Hosts, ImportOptions, Pauses, SecretHandling};
use crate::plan::scenario;
use crate::server::{self, Server};
use crate::telemetry;
use environment::environment;
pub use merge::merge;
pub use report::report;
pub use run::{capacity, run};
pub use stdio::{print, tell};
pub use watch::watch;

/// `swarmline try`: one user does each task once, and every exchange is shown.
///
/// # Errors
/// Exit 2 when the plan cannot be carried out, or a class or task is unknown.
pub fn try_out(flags: &TryFlags, origins: &SettingSources) -> Result<Exit> {
    try_out::run(flags, origins, &environment())
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
    run::run_without_variables(&flags, &origins)
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
    let import = import::import(&flags.input, scope, &flags.environment)?;
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
