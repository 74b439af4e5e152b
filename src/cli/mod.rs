//! Flags as typed, each on its own: no rule here needs two flags, those are the plan's.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags, reason = "doc comments here are the help page")]

mod refused;
pub mod stages;
pub mod value;

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::error::{Error, Result};
use stages::Stages;
use value::{Header, Resolve, StatusSet, Wait};

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
    /// Start the embedded target, load it for 10 s, show a table, leave the stream behind
    Demo,
    /// Run the embedded target on its own, to try things and to find what this host can generate
    Target(TargetFlags),
    /// Print the JSON Schema of the stream
    Schema,
}

/// Flags of `swarmline target`.
#[derive(Debug, Args)]
pub struct TargetFlags {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Allow an address that other hosts can reach
    #[arg(long)]
    pub allow_remote: bool,
}

/// Flags of `swarmline run`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own; the plan makes choices of them")]
pub struct RunFlags {
    /// What to ask for: '[METHOD ]URL-or-path'; @FILE or - reads one a line; of several, one at random each time
    #[arg(value_name = "REQUEST")]
    pub requests: Vec<String>,

    /// Base of relative requests
    #[arg(short = 'H', long, env = "LOCUST_HOST", value_name = "URL", value_parser = value::host, help_heading = "Load")]
    pub host: Option<String>,
    /// Concurrent users, each with its own connection; with --rate, the most there may be
    /// [default: 1; with --rate 1000]
    #[arg(short, long, env = "LOCUST_USERS", value_name = "N", help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: Option<u32>,
    /// Users started a second [default: 1]
    #[arg(short = 'r', long, env = "LOCUST_SPAWN_RATE", value_name = "R", value_parser = value::rate, help_heading = "Load")]
    pub spawn_rate: Option<f64>,
    /// Stop after this time, ramp included: 90, 300s, 20m, 1h30m, 500ms [default: forever]
    #[arg(short = 't', long, env = "LOCUST_RUN_TIME", value_name = "TIME", value_parser = value::positive_duration,
          help_heading = "Load")]
    pub run_time: Option<Duration>,
    /// Start exactly N requests and let them end; with -t, the first wins
    #[arg(short = 'n', long = "requests", value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          help_heading = "Load")]
    pub max_requests: Option<u64>,
    /// Open model: this many arrivals a second, whatever the answers do
    #[arg(long, value_name = "R", value_parser = value::rate, help_heading = "Load")]
    pub rate: Option<f64>,
    /// Spacing of arrivals [default: constant]
    #[arg(long, value_name = "constant|poisson", hide_possible_values = true, help_heading = "Load")]
    pub arrival: Option<Arrival>,
    /// Ramps as k6 writes them, 30s:100,2m:100,30s:0: of users from 0, or with --rate of the rate from R
    #[arg(long, value_name = "TIME:N,...", help_heading = "Load")]
    pub stages: Option<Stages>,
    /// What chance follows from: poisson arrivals, choices, think times [default: from the run id]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub seed: Option<u64>,
    /// Think time: 1s, 1s..3s, pacing:2s, throughput:0.5 [default: none]
    #[arg(long, value_name = "SPEC", default_value = "0", hide_default_value = true, help_heading = "Load")]
    pub wait: Wait,
    /// How long requests in flight may take to finish when the run time is over or a signal came
    #[arg(short, long, env = "LOCUST_STOP_TIMEOUT", value_name = "TIME", default_value = "0",
          value_parser = value::duration, help_heading = "Load")]
    pub stop_timeout: Duration,

    /// Method of requests that name none [default: GET, with a body POST]
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = value::method, help_heading = "Request")]
    pub method: Option<String>,
    /// Header of every request, repeatable; 'Name:' leaves out one that is sent by default
    #[arg(long = "header", value_name = "N: V", help_heading = "Request")]
    pub headers: Vec<Header>,
    /// Body of every request; @FILE takes the file's bytes as they are
    #[arg(short, long, value_name = "TEXT|@FILE", help_heading = "Request", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// JSON body of every request, with the headers that go with it
    #[arg(long, value_name = "TEXT|@FILE", help_heading = "Request", allow_hyphen_values = true)]
    pub json: Option<String>,
    /// Basic authentication
    #[arg(long, value_name = "NAME:PASS", value_parser = value::credentials, help_heading = "Request")]
    pub basic_auth: Option<String>,
    /// Statuses that are ok, such as 200,404,3xx [default: below 400]
    #[arg(long, value_name = "LIST", help_heading = "Request")]
    pub expect_status: Option<StatusSet>,
    /// Time for a whole request, redirects included
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = value::positive_duration,
          help_heading = "Request")]
    pub timeout: Duration,
    /// Redirects followed; 0: a redirect is the answer
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000),
          help_heading = "Request")]
    pub max_redirects: u16,

    /// Time for name lookup, connecting and TLS together
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::positive_duration,
          help_heading = "Connection")]
    pub connect_timeout: Duration,
    /// A new connection for every request
    #[arg(long, help_heading = "Connection")]
    pub no_keepalive: bool,
    /// Do not verify the server's certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,
    /// Trust the certificates in this PEM file in place of the built-in roots; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cacert: Vec<PathBuf>,
    /// Client certificate chain (PEM); its key too, where --key is not given
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub key: Option<PathBuf>,
    /// Connect to ADDR for this host and port; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDR", help_heading = "Connection")]
    pub resolve: Vec<Resolve>,
    /// Ask for a host's addresses again after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration, help_heading = "Connection")]
    pub dns_ttl: Duration,
    /// IPv4 only
    #[arg(short = '4', long, help_heading = "Connection")]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long, help_heading = "Connection")]
    pub ipv6: bool,

    /// Name of the test plan in the stream [default: the host]
    #[arg(long, env = "LOCUST_TESTPLAN_NAME", value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          help_heading = "Telemetry")]
    pub testplan: Option<String>,
    /// Tick of the telemetry
    #[arg(long, visible_alias = "lt-stats-recorder-interval", env = "LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL",
          value_name = "TIME", default_value = "3s", value_parser = value::positive_duration, help_heading = "Telemetry")]
    pub interval: Duration,
    /// Where the stream goes; - is stdout, .gz compresses
    /// [default: -; where stdout is a terminal swarmline-<run id>.ndjson]
    #[arg(long, env = "SWARMLINE_TELEMETRY", value_name = "PATH|-", help_heading = "Telemetry")]
    pub telemetry: Option<PathBuf>,
    /// Id of the run [default: 8 random hex digits]
    #[arg(long, env = "SWARMLINE_RUN_ID", value_name = "ID", value_parser = value::run_id, help_heading = "Telemetry")]
    pub run_id: Option<String>,

    /// Exit code when a request failed
    #[arg(long, env = "LOCUST_EXIT_CODE_ON_ERROR", value_name = "N", default_value_t = 1, help_heading = "Output")]
    pub exit_code_on_error: u8,
    /// No summary on stderr
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Text for people goes to this file instead of stderr
    #[arg(long, env = "LOCUST_LOGFILE", value_name = "FILE", help_heading = "Output")]
    pub logfile: Option<PathBuf>,
    /// Least level of text for people
    #[arg(
        short = 'L',
        long,
        env = "LOCUST_LOGLEVEL",
        value_name = "LEVEL",
        default_value = "info",
        ignore_case = true,
        help_heading = "Output"
    )]
    pub loglevel: LogLevel,
    /// Accepted as in Locust: the summary at the end is all that is printed anyway
    #[arg(long, env = "LOCUST_ONLY_SUMMARY", value_parser = FalseyValueParser::new(), help_heading = "Accepted from Locust")]
    pub only_summary: bool,
    /// Accepted as in Locust: there is no other way to run
    #[arg(long, env = "LOCUST_HEADLESS", value_parser = FalseyValueParser::new(), help_heading = "Accepted from Locust")]
    pub headless: bool,
    /// Accepted as with locust-telemetry: the stream is always written
    #[arg(long, env = "LOCUST_ENABLE_TELEMETRY_RECORDER", value_name = "json", value_delimiter = ',',
          value_parser = recorder, help_heading = "Accepted from Locust")]
    pub enable_telemetry_recorder: Vec<String>,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrival {
    /// Evenly.
    Constant,
    /// At random, as independent people come.
    Poisson,
}

impl Arrival {
    /// The word of the flag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        }
    }
}

/// Least importance of text for people, with Locust's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What a person should know of.
    #[value(alias = "warn")]
    Warning,
    /// What ended the work.
    Error,
    /// As error.
    Critical,
}

const EXAMPLES: &str = "\
Examples:
  swarmline run -u 20 -t 10s http://127.0.0.1:8080/ok
  swarmline run -H http://127.0.0.1:8080 -u 100 -r 10 -t 5m --telemetry s.ndjson /items 'POST /orders' --json @order.json";

fn recorder(text: &str) -> std::result::Result<String, String> {
    match text {
        "json" => Ok(text.to_owned()),
        "otel" => Err("the otel recorder is not spoken; ship the JSON stream with your collector".to_owned()),
        _ => Err("only json is known".to_owned()),
    }
}

/// Where a setting's value came from, most binding first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of this command line.
    Flag,
    /// An environment variable.
    Env,
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
            Self::Default => "default",
        }
    }
}

/// Where each flag of `run` got its value, by the flag's name in [`RunFlags`].
#[derive(Debug, Default)]
pub struct Origins(HashMap<String, Origin>);

impl Origins {
    /// Where the flag got its value.
    #[must_use]
    pub fn of(&self, flag: &str) -> Origin {
        self.0.get(flag).copied().unwrap_or(Origin::Default)
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
        return Error::usage("command missing", "expected run, demo, target or schema; try swarmline --help");
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
    if let Some(file) = what.as_deref().filter(|what| *what == "-f" || *what == "--scenario") {
        return Error::usage(file, "there are no locustfiles here; give the requests on the command line");
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
        assert!(error("swarmline").contains("run, demo, target or schema"));
        assert!(!error("swarmline run -r 0 /ok").contains('\n'));
    }

    #[test]
    fn flags_of_locust_that_mean_nothing_here_say_what_to_do() {
        for flag in ["--master", "--worker", "--processes=4", "--web-port", "--reset-stats", "--config=x", "--http2"] {
            assert!(error(&format!("swarmline run {flag}")).len() > flag.len() + 10, "{flag}");
        }
        assert!(error("swarmline run --enable-telemetry-recorder otel /ok").contains("otel"));
        assert!(error("swarmline run /ok --json").contains("Locust's --json"));
        assert!(error("swarmline run -f locustfile.py").contains("locustfiles"));
    }

    #[test]
    fn the_command_line_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
