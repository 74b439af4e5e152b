//! The `swarmline` command: parse, dispatch, exit code.

use std::process::ExitCode;

use swarmline::cli::{self, Command, Invocation};
use swarmline::command;
use swarmline::error::{Exit, Result};

fn main() -> ExitCode {
    let exit = dispatch().unwrap_or_else(|error| {
        command::tell(&format!("{error}"));
        error.exit()
    });
    ExitCode::from(exit.code())
}

fn dispatch() -> Result<Exit> {
    match cli::parse(std::env::args_os())? {
        Invocation::Text(text) => command::print(&text),
        Invocation::Command(Command::Run(flags), origins) => command::run(&flags, &origins),
        Invocation::Command(Command::Demo, _) => command::demo(),
        Invocation::Command(Command::Report(flags), _) => command::report(&flags),
        Invocation::Command(Command::Target(flags), _) => command::target(&flags),
        Invocation::Command(Command::Merge(flags), origins) => command::merge(&flags, &origins),
        Invocation::Command(Command::Import(flags), _) => command::import(&flags),
        Invocation::Command(Command::Schema(flags), _) => command::schema(&flags),
    }
}
