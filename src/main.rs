//! The `swarmline` command: parse, dispatch, exit code.

use std::process::ExitCode;

use swarmline::cli::{self, Command, Invocation, Variables};
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
    let variable = |name: &str| std::env::var_os(name);
    let (command, origins) = match cli::parse(std::env::args_os(), Variables::Heeded(&variable))? {
        Invocation::Text(text) => return command::print(&text),
        Invocation::Command(command, origins) => (command, origins),
    };
    let done = match command {
        Command::Run(flags) => command::run(&flags, &origins),
        Command::Demo => command::demo(),
        Command::Capacity(flags) => command::capacity(&flags, &origins),
        Command::Try(flags) => command::try_out(&flags, &origins),
        Command::Report(flags) => command::report(&flags),
        Command::Target(flags) => command::target(&flags),
        Command::Merge(flags) => command::merge(&flags, &origins),
        Command::Watch(flags) => command::watch(&flags),
        Command::Import(flags) => command::import(&flags),
        Command::Schema(flags) => command::schema(&flags),
        Command::Completions(flags) => command::completions(&flags),
        Command::Man(flags) => command::man(&flags),
    };
    done.map_err(|error| origins.named(error))
}
