//! The flags of each command; their doc comments are the help page.
#![allow(
    clippy::doc_markdown,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments here are the help page"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Args, ValueEnum};

use super::many::{self, ShardFlag};
use crate::value::size::ByteSize;
use crate::value::stages::Stages;
use crate::value::{self, Header, Resolve, StatusSet, Wait};

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

/// Flags of `swarmline schema`.
#[derive(Debug, Args)]
pub struct SchemaFlags {
    /// The schema of scenario files
    #[arg(long)]
    pub scenario: bool,
}

/// Flags of `swarmline import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportFlags {
    /// Take over requests to other hosts too (HAR)
    #[arg(long)]
    pub all_hosts: bool,
    /// Take over pictures, fonts, style sheets and scripts too (HAR)
    #[arg(long)]
    pub assets: bool,
    /// Write Authorization, Cookie and the like down, in place of environment variables
    #[arg(long)]
    pub keep_secrets: bool,
    /// A HAR file, a file of curl commands, - for stdin, or a curl command, quoted or as it is
    #[arg(value_name = "FILE|-|COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub input: Vec<String>,
}

const IMPORT_EXAMPLES: &str = "\
Redirects are followed as a browser does. Examples:
  swarmline import recording.har > scenario.json
  swarmline import 'curl https://host/orders -H \"Accept: text/html\" --data-raw a=1' > scenario.json
  swarmline run -f scenario.json --dry-run";

/// Flags of `swarmline report`.
#[derive(Debug, Args)]
pub struct ReportFlags {
    /// Stream to read back: a file, compressed or not, or - for standard input; several are put side by side
    #[arg(value_name = "STREAM", required = true)]
    pub streams: Vec<PathBuf>,
    /// Stream of an earlier run, which the others are held against: exit 3 where something got worse
    #[arg(long, value_name = "STREAM")]
    pub baseline: Option<PathBuf>,
    /// How much worse than the baseline nobody minds
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = value::share, requires = "baseline")]
    pub tolerance: f64,
    /// What the run is held to now, in place of what it was held to then.
    #[command(flatten)]
    pub held_to: CheckFlags,
    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// What a run is held to, while it goes on or a week later.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct CheckFlags {
    /// What the run is held to, exit 3 where it is not met: 'p95 < 300ms', 'p99{GET /items} < 200ms',
    /// 'fail_ratio@steady < 1%', with ' abort' behind to stop the run when it is missed; repeatable
    #[arg(long = "check", value_name = "EXPR", help_heading = "Checks")]
    pub checks: Vec<String>,
    /// At least this many requests a second, as with locust-plugins
    #[arg(long, env = "LOCUST_CHECK_RPS", value_name = "N", value_parser = value::amount, help_heading = "Checks")]
    pub check_rps: Option<f64>,
    /// At most this share of failed requests, 0 to 1, as with locust-plugins
    #[arg(long, env = "LOCUST_CHECK_FAIL_RATIO", value_name = "X", value_parser = value::amount, help_heading = "Checks")]
    pub check_fail_ratio: Option<f64>,
    /// At most this mean response time in milliseconds, as with locust-plugins
    #[arg(long, env = "LOCUST_CHECK_AVG_RESPONSE_TIME", value_name = "MS", value_parser = value::amount,
          help_heading = "Checks")]
    pub check_avg_response_time: Option<f64>,
}

/// What `run`, `merge` and `report` leave behind for people, beside the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Outputs {
    /// Report as one HTML page that needs nothing else; {u}, {r} and {t} in its name become users, spawn rate and run
    /// time in seconds
    #[arg(long, env = "LOCUST_HTML", value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Locust's four CSV files, at the end: PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv,
    /// PREFIX_exceptions.csv
    #[arg(long, env = "LOCUST_CSV", value_name = "PREFIX", help_heading = "Output")]
    pub csv: Option<PathBuf>,
    /// Summary as one JSON document
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json_file: Option<PathBuf>,
    /// JUnit XML: the run, its failed requests and each check are a test
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Percentile distribution of the response times, as HdrHistogram's plotter reads it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub hgrm: Option<PathBuf>,
}

/// Flags of `swarmline run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own; the plan makes choices of them")]
pub struct RunFlags {
    /// What to ask for: '[METHOD ]URL-or-path'; @FILE or - reads one a line; of several, one at random each time
    #[arg(value_name = "REQUEST")]
    pub requests: Vec<String>,

    /// Scenario file (JSON): journeys of several kinds of users; flags win over it
    #[arg(short = 'f', long, env = "SWARMLINE_SCENARIO", value_name = "FILE", help_heading = "Scenario")]
    pub scenario: Option<PathBuf>,
    /// Only tasks with one of these tags
    #[arg(short = 'T', long, env = "LOCUST_TAGS", value_name = "TAG", num_args = 1.., help_heading = "Scenario")]
    pub tags: Vec<String>,
    /// No tasks with one of these tags
    #[arg(short = 'E', long, env = "LOCUST_EXCLUDE_TAGS", value_name = "TAG", num_args = 1.., help_heading = "Scenario")]
    pub exclude_tags: Vec<String>,
    /// Print the plan and an example of each request, secrets masked; send nothing
    #[arg(long, help_heading = "Scenario")]
    pub dry_run: bool,

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
    /// Longest body that is kept, decoded, where an expectation or extraction needs all of it (JSON)
    #[arg(long, value_name = "SIZE", default_value = "8MiB", help_heading = "Request")]
    pub max_body: ByteSize,

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
    /// Trust the certificates in this PEM file, servers' own ones too, in place of the system's; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cacert: Vec<PathBuf>,
    /// Client certificate chain (PEM); its key too, where --key is not given
    #[arg(long, value_name = "FILE", value_parser = value::certificate, help_heading = "Connection")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub key: Option<PathBuf>,
    /// Proxy, never taken from the environment: http://[NAME:PASS@]HOST:PORT (plain HTTP by the whole URL, HTTPS by
    /// CONNECT), socks5:// (names looked up here) or socks5h:// (by the proxy)
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,
    /// Connect to this Unix socket in place of TCP, for every request
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    pub unix_socket: Option<PathBuf>,
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

    /// Name of the test plan in the stream [default: the scenario's name, else the host]
    #[arg(long, env = "LOCUST_TESTPLAN_NAME", value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          help_heading = "Telemetry")]
    pub testplan: Option<String>,
    /// Tick of the telemetry
    #[arg(long, visible_alias = "lt-stats-recorder-interval", env = "LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL",
          value_name = "TIME", default_value = "3s", value_parser = value::positive_duration, help_heading = "Telemetry")]
    pub interval: Duration,
    /// Where the stream goes; - is stdout, .gz compresses, %s becomes the shard's number
    /// [default: -; where stdout is a terminal swarmline-<run id>.ndjson]
    #[arg(long, env = "SWARMLINE_TELEMETRY", value_name = "PATH|-", help_heading = "Telemetry")]
    pub telemetry: Option<PathBuf>,
    /// Id of the run, the same for all shards [default: 8 random hex digits; with --shard auto from the engine's job]
    #[arg(long, env = "SWARMLINE_RUN_ID", value_name = "ID", value_parser = value::run_id, help_heading = "Telemetry")]
    pub run_id: Option<String>,

    /// This process is number I, from 0, of N that make the run together; auto: as Slurm, Open MPI, PMI, AWS Batch or
    /// Kubernetes say, with N where they give no total
    #[arg(long, env = "SWARMLINE_SHARD", value_name = "I/N|auto|auto/N", help_heading = "Many hosts")]
    pub shard: Option<ShardFlag>,
    /// Start at this time: RFC 3339 or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = many::wall_time, help_heading = "Many hosts")]
    pub start_at: Option<Duration>,
    /// Start at the next multiple of this time on the wall clock, as the other shards do
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration, help_heading = "Many hosts")]
    pub start_align: Option<Duration>,

    /// The checks of the run.
    #[command(flatten)]
    pub held_to: CheckFlags,

    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Exit code when a request failed
    #[arg(long, env = "LOCUST_EXIT_CODE_ON_ERROR", value_name = "N", default_value_t = 1, help_heading = "Output")]
    pub exit_code_on_error: u8,
    /// Nothing on stderr but what ended the work
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Nothing on stderr while the run goes on, only the summary at its end
    #[arg(long, env = "LOCUST_ONLY_SUMMARY", value_parser = FalseyValueParser::new(), help_heading = "Output")]
    pub only_summary: bool,
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
