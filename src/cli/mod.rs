//! Flags as typed, each on its own: no rule here needs two flags, those are the plan's.

mod capacity_flags;
mod complaint;
mod flags;
mod generate;
mod import_words;
mod other_flags;
mod outputs;
mod publish_flags;
mod other_tools;
mod refused;
mod roff;
mod try_flags;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, Result};
pub use capacity_flags::{CapacityFlags, SearchFlags};
pub use flags::{ArrivalSpacing, CheckFlags, LogLevel, RunFlags};
pub use generate::{completions, manual_page};
pub use other_flags::{
    CompletionsFlags, ImportFlags, ManFlags, MergeFlags, ReportFlags, SchemaFlags, TargetFlags, WatchFlags,
};
pub use outputs::{OutputFlag, Outputs};
pub use publish_flags::PublishFlags;
pub use try_flags::TryFlags;

/// HTTP load generator with Locust-style users, and telemetry that can be trusted and merged
#[derive(Debug, Parser)]
#[command(name = "swarmline", version, subcommand_required = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate load and write the telemetry stream
    Run(Box<RunFlags>),
    /// Search for the highest rate at which a service meets the checks
    Capacity(Box<CapacityFlags>),
    /// Run each task once with one user, and show every request, its response and what was expected
    Try(Box<TryFlags>),
    /// Load the embedded server for 10 seconds; print a summary, write a stream and a report
    Demo,
    /// Read streams: print the summary of a run, write its reports, compare runs
    Report(Box<ReportFlags>),
    /// Run the embedded server, for trying things out or measuring what this host can generate
    Target(TargetFlags),
    /// Merge the streams of all shards into one stream of the run
    Merge(Box<MergeFlags>),
    /// Serve the report of a growing stream as a web page: of a run in another process, or of a whole cluster
    Watch(Box<WatchFlags>),
    /// Print a scenario made from a locustfile, a browser's recording (HAR), curl commands, a Postman collection or an
    /// OpenAPI document
    Import(ImportFlags),
    /// Print the JSON Schema of the stream, or of scenario files
    Schema(SchemaFlags),
    /// Print a completion script for a shell
    Completions(CompletionsFlags),
    /// Print the manual page of swarmline, or of one of its commands
    Man(ManFlags),
}

/// Where a setting's value came from, most binding first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingSource {
    /// A flag of this command line.
    Flag,
    /// An environment variable.
    Env,
    /// The scenario file.
    File,
    /// Neither; the default applies.
    Default,
}

impl SettingSource {
    /// The name in the stream.
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

/// Where each flag got its value, by the flag's name in [`RunFlags`].
#[derive(Clone, Debug, Default)]
pub struct SettingSources {
    origins: HashMap<String, SettingSource>,
    /// Flags as people write them, with the variables that their values came from.
    variables: Vec<(Vec<String>, String)>,
}

impl SettingSources {
    /// Where the flag got its value.
    #[must_use]
    pub fn of(&self, flag: &str) -> SettingSource {
        self.origins.get(flag).copied().unwrap_or(SettingSource::Default)
    }

    /// The flags of the command line, by their names.
    fn given(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter(|(_, source)| **source == SettingSource::Flag).map(|(flag, _)| flag.as_str())
    }

    /// Notes that the scenario file sets a flag that is not set otherwise.
    pub fn set_file(&mut self, flag: &str) {
        self.origins.insert(flag.to_owned(), SettingSource::File);
    }

    /// The error about what the user wrote: the variable in place of the flag, where the value came from one.
    #[must_use]
    pub fn named(&self, error: Error) -> Error {
        error.renamed(|flag| {
            let found = self.variables.iter().find(|(names, _)| names.iter().any(|name| name == flag));
            found.map(|(_, variable)| variable.clone())
        })
    }

    fn from_matches(matches: &ArgMatches, command: &clap::Command) -> Self {
        let origin = |id: &str| match matches.value_source(id) {
            Some(ValueSource::CommandLine) => SettingSource::Flag,
            Some(ValueSource::EnvVariable) => SettingSource::Env,
            _ => SettingSource::Default,
        };
        let origins = matches.ids().map(|id| (id.as_str().to_owned(), origin(id.as_str()))).collect();
        let variable = |argument: &clap::Arg| {
            let variable = argument.get_env()?.to_str()?.to_owned();
            let is_env = matches.value_source(argument.get_id().as_str()) == Some(ValueSource::EnvVariable);
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            is_env.then(|| (long.into_iter().chain(short).collect(), variable))
        };
        Self { origins, variables: command.get_arguments().filter_map(variable).collect() }
    }
}

/// What the command line asked for.
#[derive(Debug)]
pub enum Invocation {
    /// Do this.
    Command(Command, SettingSources),
    /// Print this text on stdout and end: help or version.
    Text(String),
}

/// The environment, as far as flags come from it.
#[derive(Clone, Copy)]
pub enum Variables<'e> {
    /// A variable's value, if it has one. An empty variable is as one that is not set.
    Heeded(&'e dyn Fn(&str) -> Option<OsString>),
    /// The command line is all there is.
    Ignored,
}

impl Variables<'_> {
    fn has(self, name: &OsStr) -> bool {
        match self {
            Self::Heeded(value) => name.to_str().and_then(value).is_some_and(|value| !value.is_empty()),
            Self::Ignored => false,
        }
    }
}

/// Reads the command line (`arguments`, the program's name first) and the environment.
///
/// # Errors
/// One line that names the flag or variable, exit 2.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, variables: Variables<'_>) -> Result<Invocation> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_set = |argument: &clap::Arg| argument.get_env().is_some_and(|name| variables.has(name));
    let definition = definition(Cli::command(), is_set);
    if let [_, command, rest @ ..] = &*arguments
        && let Some(run) = definition.find_subcommand(command).filter(|_| command == "run" || command == "capacity")
    {
        refused::misread_flags(rest, run)?;
    }
    if let Some(import) =
        definition.find_subcommand("import").filter(|_| arguments.get(1).is_some_and(|it| it == "import"))
    {
        import_words::flags_first(&mut arguments, import);
    }
    let mut matches = match matches(&definition, &arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // With all variables, set or not.
            let whole = command_line().try_get_matches_from(&arguments);
            return Ok(Invocation::Text(whole.map_or_else(|error| error.render().to_string(), |_| String::new())));
        }
        Err(error) => return Err(complaint(&error, &definition, &arguments)),
    };
    let origins = matches.subcommand().and_then(|(name, of_command)| {
        Some(SettingSources::from_matches(of_command, definition.find_subcommand(name)?))
    });
    let cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| complaint(&error, &definition, &arguments))?;
    let origins = origins.unwrap_or_default();
    match (&cli.command, variables) {
        (Command::Run(_), Variables::Heeded(value)) => refused::variables(value)?,
        (Command::Capacity(_), variables) => {
            capacity_flags::refuse_others(origins.given())?;
            if let Variables::Heeded(value) = variables {
                refused::variables(value)?;
            }
        }
        (Command::Try(_), _) => try_flags::refuse_others(origins.given())?,
        _ => {}
    }
    Ok(Invocation::Command(cli.command, origins))
}

/// The definition of the whole command line, for tests that walk over every flag.
#[must_use]
pub fn command_line() -> clap::Command {
    definition(Cli::command(), |_| true)
}

/// The definition of the command line of `cli`, with the variables of these arguments only. What a variable holds is not shown.
fn definition(cli: clap::Command, has_variable: impl Fn(&clap::Arg) -> bool) -> clap::Command {
    let argument = |argument: clap::Arg| {
        let is_heeded = has_variable(&argument);
        let argument = argument.hide_env_values(true);
        if is_heeded { argument } else { argument.env(None::<&'static str>) }
    };
    let of_command = |command: clap::Command| match command.get_name() {
        "try" => try_flags::hide_others(command),
        "capacity" => capacity_flags::hide_others(command),
        _ => command,
    };
    let mut definition = cli.mut_subcommands(|command| of_command(command).mut_args(&argument));
    definition.build();
    definition
}

fn matches(definition: &clap::Command, arguments: &[OsString]) -> std::result::Result<ArgMatches, clap::Error> {
    let error = match definition.clone().try_get_matches_from(arguments) {
        Ok(matches) => return Ok(matches),
        Err(error) => error,
    };
    let Some(joined) = complaint::with_negative_value(arguments) else { return Err(error) };
    match matches(definition, &joined) {
        Err(other) if other.kind() != ErrorKind::ValueValidation => Err(error),
        as_value => as_value,
    }
}

/// Finds out whether a variable is to blame, and says what is wrong.
fn complaint(error: &clap::Error, definition: &clap::Command, arguments: &[OsString]) -> Error {
    let variable = complaint::of_environment(error, definition).and_then(|argument| {
        let id = argument.get_id();
        let without = self::definition(Cli::command(), |other| other.get_id() != id && is_in(definition, other));
        let is_same = matches(&without, arguments).is_err_and(|other| other.to_string() == error.to_string());
        argument.get_env().filter(|_| !is_same)?.to_str()
    });
    let name = arguments.get(1).and_then(|name| name.to_str());
    let command = name.and_then(|name| definition.find_subcommand(name)).unwrap_or(definition);
    complaint::one_line(error, variable, command)
}

/// Whether the variable of an argument is heeded in a definition.
fn is_in(definition: &clap::Command, argument: &clap::Arg) -> bool {
    let arguments = definition.get_subcommands().flat_map(clap::Command::get_arguments);
    let mut same = arguments.filter(|other| other.get_id() == argument.get_id());
    same.any(|other| other.get_env().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        let arguments = line.split_whitespace().map(OsString::from);
        parse(arguments, Variables::Ignored).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn a_wrong_value_is_one_line_that_names_the_flag() {
        assert_eq!(error("swarmline run -u x /ok"), "--users: invalid value 'x': expected a whole number");
        assert!(error("swarmline run -t often /ok").starts_with("--run-time: "));
        assert!(error("swarmline run --userz 3 /ok").contains("--users"));
        assert!(error("swarmline").contains("merge, watch, import, schema, completions or man"));
        assert!(!error("swarmline run -r 0 /ok").contains('\n'));
    }

    #[test]
    fn unsupported_flags_of_locust_give_the_alternative() {
        for flag in ["--master", "--worker", "--processes=4", "--web-login", "--reset-stats", "--config=x", "--http2"] {
            assert!(error(&format!("swarmline run {flag}")).len() > flag.len() + 10, "{flag}");
        }
        assert!(error("swarmline run --enable-telemetry-recorder otel /ok").contains("otel"));
        assert!(error("swarmline run /ok --json").contains("Locust's --json"));
    }

    #[test]
    fn a_short_secret_is_not_masked_within_words_of_a_message() {
        for password in ["x", "ted", "PASS"] {
            let told = error(&format!("swarmline run --basic-auth {password} /ok"));
            let expected = if password == "PASS" { "NAME:***WORD" } else { "NAME:PASSWORD" };
            assert!(told.contains("expected") && told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_flag_of_another_command_is_refused_without_a_wrong_suggestion() {
        assert_eq!(
            error("swarmline report --web-port 1 x"),
            "--web-port: report has no live page; swarmline watch has"
        );
        assert!(
            !error("swarmline report --quiet x").contains("did you mean"),
            "{}",
            error("swarmline report --quiet x")
        );
        assert!(error("swarmline run --userz 3 /ok").contains("did you mean '--users'?"));
    }

    #[test]
    fn the_command_line_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
