//! The flags of `run`, some of which other commands share; their doc comments are the help page.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments here are the help page"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Args, ValueEnum};

use super::outputs::Outputs;
use super::publish_flags::PublishFlags;
use crate::value::shard::ShardFlag;
use crate::value::share::Share;
use crate::value::size::ByteSize;
use crate::value::stages::Stages;
use crate::value::wall_time::wall_time;
use crate::value::{self, Header, Resolve, StatusSet, Wait};

/// Checks that a run must meet, while it goes on or a week later.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct CheckFlags {
    /// Exit with code 3 unless this condition holds, such as 'p95 < 300ms'; repeatable
    ///
    /// METRIC[{METHOD NAME}][@PHASE] OPERATOR VALUE [abort]. METRIC is p50, p90, p95, p99, p99.9, min, avg or max (in
    /// us, ms or s), fail_ratio, failures, requests or rps. Times count from when a request was due; with service. in
    /// front, from when it was sent. PHASE is warmup, ramp, steady, down or drain; without one, the warm-up is left out. With abort the run stops as soon as the
    /// condition is violated.
    ///
    /// Examples: 'p99{GET /items} < 200ms', 'fail_ratio@steady < 1%', 'rps@steady >= 500', 'failures == 0 abort'
    #[arg(long = "check", value_name = "EXPR", help_heading = "Checks")]
    pub checks: Vec<String>,
    /// Require at least N requests per second, as in locust-plugins
    #[arg(long, env = "LOCUST_CHECK_RPS", value_name = "N", value_parser = value::amount, help_heading = "Checks")]
    pub check_rps: Option<f64>,
    /// Allow at most this share of failed requests, 0 to 1, as in locust-plugins
    #[arg(long, env = "LOCUST_CHECK_FAIL_RATIO", value_name = "X", value_parser = value::share::ratio,
          help_heading = "Checks")]
    pub check_fail_ratio: Option<f64>,
    /// Allow at most this mean response time in milliseconds, as in locust-plugins
    #[arg(long, env = "LOCUST_CHECK_AVG_RESPONSE_TIME", value_name = "MS", value_parser = value::amount,
          help_heading = "Checks")]
    pub check_avg_response_time: Option<f64>,
}

/// Flags of `swarmline run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own; the plan makes choices of them")]
pub struct RunFlags {
    /// Requests to send: '[METHOD ]URL-or-path', @FILE or - (standard input) with one per line
    ///
    /// Of several, a user picks one at random each time, all with the same probability. A path such as /items needs
    /// --host. In a file, blank lines and lines that begin with # are skipped.
    ///
    /// Examples: /items, 'POST /orders', https://example.com/health, @requests.txt
    #[arg(value_name = "REQUEST")]
    pub requests: Vec<String>,

    /// Scenario file (JSON) with classes of users and their requests; flags override its settings
    #[arg(short = 'f', long, env = "SWARMLINE_SCENARIO", value_name = "FILE", help_heading = "Scenario")]
    pub scenario: Option<PathBuf>,
    /// Run only tasks that have one of these tags
    #[arg(short = 'T', long, env = "LOCUST_TAGS", value_name = "TAG", num_args = 1.., help_heading = "Scenario")]
    pub tags: Vec<String>,
    /// Leave out tasks that have one of these tags
    #[arg(short = 'E', long, env = "LOCUST_EXCLUDE_TAGS", value_name = "TAG", num_args = 1.., help_heading = "Scenario")]
    pub exclude_tags: Vec<String>,
    /// Print the settings and an example of each request, secrets masked, and send nothing
    #[arg(long, help_heading = "Scenario")]
    pub dry_run: bool,

    /// Base URL of requests that are given as a path, such as http://127.0.0.1:8080
    #[arg(short = 'H', long, env = "LOCUST_HOST", value_name = "URL", value_parser = value::host, help_heading = "Load")]
    pub host: Option<String>,
    /// Concurrent users, each with its own connection; with --rate, the maximum [default: 1; with --rate 1000]
    #[arg(short, long, env = "LOCUST_USERS", value_name = "N", help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: Option<u32>,
    /// Users to start per second [default: 1]
    #[arg(short = 'r', long, env = "LOCUST_SPAWN_RATE", value_name = "R", value_parser = value::rate, help_heading = "Load")]
    pub spawn_rate: Option<f64>,
    /// Stop after this time, ramp-up included: 90 (seconds), 300s, 20m, 1h30m, 500ms [default: no limit]
    #[arg(short = 't', long, env = "LOCUST_RUN_TIME", value_name = "TIME", value_parser = value::positive_duration,
          help_heading = "Load")]
    pub run_time: Option<Duration>,
    /// Leave the requests of the first part of the run out of what is reported and checked: 30s, 1m [default: none]
    ///
    /// It is part of --run-time and --requests, and is made of whole ticks (--interval). The stream counts its requests, and
    /// says how many there were.
    #[arg(long, env = "SWARMLINE_WARMUP", value_name = "TIME", value_parser = value::positive_duration,
          help_heading = "Load")]
    pub warmup: Option<Duration>,
    /// Send exactly N requests and stop when they have ended
    ///
    /// Together with --run-time, whichever comes first ends the run.
    #[arg(short = 'n', long = "requests", value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          help_heading = "Load")]
    pub max_requests: Option<u64>,
    /// Open model: requests (or tasks of a scenario) to start per second, however slow the responses are
    ///
    /// Response times count from when a request was due, so that time spent waiting for a free user is part of them.
    #[arg(long, value_name = "R", value_parser = value::rate, help_heading = "Load")]
    pub rate: Option<f64>,
    /// Intervals between arrivals of --rate: all the same (constant) or random (poisson) [default: constant]
    #[arg(long, value_name = "constant|poisson", hide_possible_values = true, help_heading = "Load")]
    pub arrival: Option<ArrivalSpacing>,
    /// Load over time as ramps, such as 30s:100,2m:100,30s:0
    ///
    /// Each stage changes the load evenly to N users within TIME; with --rate, to N arrivals per second. It starts from
    /// 0 users, or from R arrivals. A TIME of 0s jumps. The run ends with the last stage.
    #[arg(long, value_name = "TIME:N,...", help_heading = "Load")]
    pub stages: Option<Stages>,
    /// Seed for random choices: Poisson arrivals, task selection, think times [default: derived from the run id]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub seed: Option<u64>,
    /// Think time of a user between two tasks: 1s, 1s..3s, pacing:2s, throughput:0.5 [default: none]
    ///
    /// 1s..3s draws a time evenly from the range. pacing:2s starts a task every 2 seconds, or at once if the last one
    /// took longer; throughput:0.5 is the same, given as tasks per second.
    #[arg(long, value_name = "SPEC", default_value = "0", hide_default_value = true, help_heading = "Load")]
    pub wait: Wait,
    /// Time that requests in flight get to finish when the run ends or is interrupted
    #[arg(short, long, env = "LOCUST_STOP_TIMEOUT", value_name = "TIME", default_value = "0",
          value_parser = value::duration, help_heading = "Load")]
    pub stop_timeout: Duration,

    /// Method of requests that name none [default: GET; with a body POST]
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = value::method, help_heading = "Request")]
    pub method: Option<String>,
    /// Header of every request, such as 'Accept: text/html'; repeatable
    ///
    /// As in curl, 'Name:' removes a header that is sent by default, and 'Name;' sends one with an empty value.
    #[arg(long = "header", value_name = "N: V", help_heading = "Request")]
    pub headers: Vec<Header>,
    /// Body of every request; @FILE sends the contents of a file unchanged
    ///
    /// Its Content-Type is application/x-www-form-urlencoded unless --header sets another.
    #[arg(short, long, value_name = "TEXT|@FILE", help_heading = "Request", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// JSON body of every request, with the matching Content-Type and Accept headers; @FILE reads a file
    #[arg(long, value_name = "TEXT|@FILE", help_heading = "Request", allow_hyphen_values = true)]
    pub json: Option<String>,
    /// User name and password for basic authentication
    #[arg(long, value_name = "NAME:PASS", value_parser = value::credentials, help_heading = "Request")]
    pub basic_auth: Option<String>,
    /// Status codes that count as success, such as 200,404,3xx [default: below 400]
    #[arg(long, value_name = "LIST", help_heading = "Request")]
    pub expect_status: Option<StatusSet>,
    /// Maximum time for a request, redirects included
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = value::positive_duration,
          help_heading = "Request")]
    pub timeout: Duration,
    /// Maximum number of redirects to follow; with 0 the redirect itself is the response
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000),
          help_heading = "Request")]
    pub max_redirects: u16,
    /// Maximum size of a response body that is read as JSON, after decompression
    ///
    /// Only bodies that an expectation or extraction needs as a whole are kept; a longer one fails the request. Units:
    /// KB, MB, GB, and K, M, G or KiB, MiB, GiB for powers of 1024.
    #[arg(long, value_name = "SIZE", default_value = "8MiB", help_heading = "Request")]
    pub max_body: ByteSize,
    /// Send a W3C traceparent header with this share of the requests, such as 1% or 0.01
    ///
    /// The header marks the request as sampled, so that its trace is kept: the stream and the report name the ids of slow
    /// requests. The other requests carry no header, so the service's own sampling decides. A request that already has
    /// a traceparent header is sent unchanged.
    #[arg(long, value_name = "SHARE", help_heading = "Request")]
    pub traceparent: Option<Share>,

    /// Maximum time for name lookup, TCP connect and TLS handshake together
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::positive_duration,
          help_heading = "Connection")]
    pub connect_timeout: Duration,
    /// Open a new connection for every request
    #[arg(long, help_heading = "Connection")]
    pub no_keepalive: bool,
    /// Do not verify the server's certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,
    /// Trust the certificates in this PEM file in place of the system's; repeatable
    ///
    /// A server's own certificate can be among them.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cacert: Vec<PathBuf>,
    /// Client certificate chain (PEM), and its private key if --key is not given
    #[arg(long, value_name = "FILE", value_parser = value::certificate, help_heading = "Connection")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub key: Option<PathBuf>,
    /// Proxy: http://[NAME:PASS@]HOST:PORT, or the same with socks5:// or socks5h://
    ///
    /// An HTTP proxy gets plain HTTP requests with their whole URL, and CONNECT for HTTPS. With socks5 names are looked
    /// up here, with socks5h by the proxy. Proxy variables of the environment are ignored.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,
    /// Connect to this Unix domain socket instead of TCP, for every request
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    pub unix_socket: Option<PathBuf>,
    /// Connect to ADDR[,ADDR...] for this host and port, as in curl; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDR", help_heading = "Connection")]
    pub resolve: Vec<Resolve>,
    /// Look up a host name again after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = value::duration, help_heading = "Connection")]
    pub dns_ttl: Duration,
    /// Use IPv4 only
    #[arg(short = '4', long, help_heading = "Connection")]
    pub ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = "Connection")]
    pub ipv6: bool,

    /// Name of the test plan in the stream [default: the scenario's name, else the host]
    #[arg(long, env = "LOCUST_TESTPLAN_NAME", value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          help_heading = "Telemetry")]
    pub testplan: Option<String>,
    /// Interval of the telemetry, at least 100ms
    #[arg(long, visible_alias = "lt-stats-recorder-interval", env = "LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL",
          value_name = "TIME", default_value = "3s", value_parser = value::positive_duration, help_heading = "Telemetry")]
    pub interval: Duration,
    /// File for the stream; - for standard output [default: -; on a terminal swarmline-<run id>.ndjson]
    ///
    /// A name that ends in .gz is compressed. In the name %s is replaced by the number of the shard.
    #[arg(long, env = "SWARMLINE_TELEMETRY", value_name = "PATH|-", help_heading = "Telemetry")]
    pub telemetry: Option<PathBuf>,
    /// Log every request to this file: .ndjson for JSON lines, .jtl for JMeter's CSV; .gz may follow
    ///
    /// JMeter's CSV is what Taurus and Jenkins' Performance plugin read. If the disk is slower than the load, records are
    /// lost and counted; the load is never slowed. In the name %s is replaced by the number of the shard.
    #[arg(long, value_name = "FILE", help_heading = "Telemetry")]
    pub log_requests: Option<PathBuf>,
    /// Log only this share of the requests, such as 1% [default: all of them]
    ///
    /// In .ndjson all requests that failed are logged, and each record has a weight: the number of requests that it stands
    /// for.
    #[arg(long, value_name = "SHARE", help_heading = "Telemetry")]
    pub log_share: Option<Share>,
    /// Id of the run, the same for all shards [default: 8 random hex digits; with --shard auto derived from the
    /// engine's job]
    #[arg(long, env = "SWARMLINE_RUN_ID", value_name = "ID", value_parser = value::run_id, help_heading = "Telemetry")]
    pub run_id: Option<String>,

    /// Number of this process, from 0, and how many share the run, such as 0/4; auto asks the engine
    ///
    /// auto takes both from the variables of Slurm, Open MPI, PMI, AWS Batch or Kubernetes; auto/N gives the total
    /// where they do not tell it. All shards need the same flags and run id. swarmline merge joins their streams.
    #[arg(long, env = "SWARMLINE_SHARD", value_name = "I/N|auto|auto/N", help_heading = "Many hosts")]
    pub shard: Option<ShardFlag>,
    /// Start at this time: RFC 3339, such as 2026-11-23T10:00:00Z, or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = wall_time, help_heading = "Many hosts")]
    pub start_at: Option<Duration>,
    /// Start when the wall clock reaches the next multiple of this time, such as 1m
    ///
    /// All shards that are started before that time begin together.
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration, help_heading = "Many hosts")]
    pub start_align: Option<Duration>,
    /// Wait until the host accepts a connection, at most this long, before the run starts; such as 60s
    ///
    /// For a service that has just been started. The wait is not part of the run. If the host has not accepted a connection
    /// by then, no request is sent, and the exit code is 4.
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration, help_heading = "Load")]
    pub await_host: Option<Duration>,

    /// The checks of the run.
    #[command(flatten)]
    pub checks: CheckFlags,

    /// What is published while the run goes on.
    #[command(flatten)]
    pub publish: PublishFlags,

    /// What to leave behind.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Show N failed exchanges (request and response, secrets masked) of each endpoint and error; at most 200 in total
    ///
    /// They are printed at the end of the run and kept in the stream, so reports can show them later.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200), help_heading = "Output")]
    pub debug_failures: Option<u32>,
    /// Exit code when a request failed, 0 to 255
    #[arg(long, env = "LOCUST_EXIT_CODE_ON_ERROR", value_name = "N", default_value_t = 1, help_heading = "Output")]
    pub exit_code_on_error: u8,
    /// Print nothing to standard error except the error that ends the run
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Print the summary at the end, and no progress
    #[arg(long, env = "LOCUST_ONLY_SUMMARY", value_parser = FalseyValueParser::new(), help_heading = "Output")]
    pub only_summary: bool,
    /// Append progress, summary and log messages to this file instead of standard error
    #[arg(long, env = "LOCUST_LOGFILE", value_name = "FILE", help_heading = "Output")]
    pub logfile: Option<PathBuf>,
    /// Minimum level of log messages
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
    /// No live page, even if LOCUST_WEB_PORT is set; without that variable, accepted without effect
    #[arg(long, env = "LOCUST_HEADLESS", value_parser = FalseyValueParser::new(), help_heading = "Accepted from Locust")]
    pub headless: bool,
    /// Accepted as in locust-telemetry: the stream is always written
    #[arg(long, env = "LOCUST_ENABLE_TELEMETRY_RECORDER", value_name = "json", value_delimiter = ',',
          value_parser = recorder, help_heading = "Accepted from Locust")]
    pub enable_telemetry_recorder: Vec<String>,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArrivalSpacing {
    /// Evenly.
    Constant,
    /// At random, as independent people come.
    Poisson,
}

impl ArrivalSpacing {
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
    /// Progress.
    Info,
    /// What you should know.
    #[value(alias = "warn")]
    Warning,
    /// What ended the run.
    Error,
    /// The same as error.
    Critical,
}

const EXAMPLES: &str = "\
Examples:
  swarmline run -u 20 -t 10s http://127.0.0.1:8080/ok
  swarmline run -H http://127.0.0.1:8080 -u 100 -r 10 -t 5m /items 'POST /orders' --json @order.json
  swarmline run -f scenario.json --telemetry s.ndjson --html report.html --check 'p95 < 300ms'";

fn recorder(text: &str) -> std::result::Result<String, String> {
    match text {
        "json" => Ok(text.to_owned()),
        "otel" => Err("the otel recorder is not supported; use --otlp URL".to_owned()),
        _ => Err("only json is supported".to_owned()),
    }
}
