//! Flags as typed, each on its own: no rule here needs two flags, those are the plan's.

mod flags;
pub mod many;
mod refused;
pub mod size;
pub mod stages;
pub mod value;

use std::collections::HashMap;
use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, Result};
pub use flags::{Arrival, CheckFlags, ImportFlags, LogLevel, Outputs, ReportFlags, RunFlags, SchemaFlags, TargetFlags};
pub use many::MergeFlags;

/// HTTP load with Locust-style users on plain OS threads, and telemetry that can be trusted.
#[derive(Debug, Parser)]
#[command(name = "swarmline", version, subcommand_required = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate load and write the stream
    Run(Box<RunFlags>),
    /// Start the embedded target, load it for 10 s, show a table, leave stream and report behind
    Demo,
    /// Read streams back: print the summary as at the end of the run, make the reports of a run
    Report(Box<ReportFlags>),
    /// Run the embedded target on its own, to try things and to find what this host can generate
    Target(TargetFlags),
    /// Make the master's stream out of the streams of all shards
    Merge(Box<MergeFlags>),
    /// Print a scenario made of a browser's recording (HAR) or of curl commands
    Import(ImportFlags),
    /// Print the JSON Schema of the stream, or of scenario files
    Schema(SchemaFlags),
}

/// Where a setting's value came from, most binding first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of this command line.
    Flag,
    /// An environment variable.
    Env,
    /// The scenario file.
    File,
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// The word in the stream.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Env => "env",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// Where each flag of `run` got its value, by the flag's name in [`RunFlags`].
#[derive(Clone, Debug, Default)]
pub struct Origins(HashMap<String, Origin>);

impl Origins {
    /// Where the flag got its value.
    #[must_use]
    pub fn of(&self, flag: &str) -> Origin {
        self.0.get(flag).copied().unwrap_or(Origin::Default)
    }

    /// Notes that the scenario file says what nobody else said.
    pub fn set_file(&mut self, flag: &str) {
        self.0.insert(flag.to_owned(), Origin::File);
    }

    fn from_matches(matches: &ArgMatches) -> Self {
        let origin = |id: &str| match matches.value_source(id) {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Env,
            _ => Origin::Default,
        };
        Self(matches.ids().map(|id| (id.as_str().to_owned(), origin(id.as_str()))).collect())
    }
}

/// What the command line asked for.
#[derive(Debug)]
pub enum Invocation {
    /// Do this.
    Command(Command, Origins),
    /// Print this text on stdout and end: help or version.
    Text(String),
}

/// Reads the command line (`arguments`, the program's name first) and the environment.
///
/// # Errors
/// One line that names the flag, exit 2.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation> {
    let mut matches = match Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Invocation::Text(error.render().to_string()));
        }
        Err(error) => return Err(one_line(&error)),
    };
    let origins = matches.subcommand().map(|(_, run)| Origins::from_matches(run)).unwrap_or_default();
    let cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| one_line(&error))?;
    Ok(Invocation::Command(cli.command, origins))
}

/// Makes one line of clap's several: the sentence, then its tips.
fn one_line(error: &clap::Error) -> Error {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        || error.kind() == ErrorKind::MissingSubcommand
    {
        return Error::usage(
            "command missing",
            "expected run, demo, report, target, merge, import or schema; try swarmline --help",
        );
    }
    let what = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    // Only what clap does not take for a value of another flag: `-d --master` is a body.
    if let Some((flag, hint)) =
        what.as_deref().filter(|_| error.kind() == ErrorKind::UnknownArgument).and_then(refused::instead_of)
    {
        return Error::usage(flag, hint);
    }
    let has_value = error.get(ContextKind::InvalidValue).is_some_and(|value| !value.to_string().is_empty());
    if what.as_deref().is_some_and(|what| what.starts_with("--json")) && !has_value {
        return Error::usage("--json", "needs a body; Locust's --json (statistics) is in the stream, see --telemetry");
    }
    let mut text = error.render().to_string();
    if let Some(value) = error.get(ContextKind::InvalidValue).map(ToString::to_string).filter(|v| v.contains('\n')) {
        // The sentence ends at a line break, and this one is not its end.
        text = text.replace(&value, &value.escape_debug().to_string());
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let sentence = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let tips = lines.filter_map(|line| line.strip_prefix("tip: "));
    let why = tips.fold(sentence, |line, tip| format!("{line}; {tip}"));
    match what {
        Some(flag) => Error::usage(flag.split(' ').next().unwrap_or(&flag), without_flag(&why, &flag)),
        None => Error::usage("command line", why),
    }
}

/// `invalid value 'x' for '--users <N>': reason` says the flag a second time; leave it out.
fn without_flag(sentence: &str, flag: &str) -> String {
    sentence.replace(&format!(" for '{flag}'"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        let arguments = line.split_whitespace().map(OsString::from);
        parse(arguments).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn a_wrong_value_is_one_line_that_names_the_flag() {
        assert_eq!(error("swarmline run -u x /ok"), "--users: invalid value 'x': invalid digit found in string");
        assert!(error("swarmline run -t often /ok").starts_with("--run-time: "));
        assert!(error("swarmline run --userz 3 /ok").contains("--users"));
        assert!(error("swarmline").contains("run, demo, report, target, merge, import or schema"));
        assert!(!error("swarmline run -r 0 /ok").contains('\n'));
    }

    #[test]
    fn flags_of_locust_that_mean_nothing_here_say_what_to_do() {
        for flag in ["--master", "--worker", "--processes=4", "--web-port", "--reset-stats", "--config=x", "--http2"] {
            assert!(error(&format!("swarmline run {flag}")).len() > flag.len() + 10, "{flag}");
        }
        assert!(error("swarmline run --enable-telemetry-recorder otel /ok").contains("otel"));
        assert!(error("swarmline run /ok --json").contains("Locust's --json"));
    }

    #[test]
    fn the_command_line_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
