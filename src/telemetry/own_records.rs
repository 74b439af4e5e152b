//! Records of the kinds of lines that are swarmline's own, field by field; those that the Python plugin has too are in
//! [`record`](super::record).
//!
//! As there, these are the parts of a line after the six keys that every line has; the order of
//! fields is their order on the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::AnswerEvent;
use super::wire_times::{WireConnections, WireCountedTimes, WireSum, WireTimes, WireTimings};
use super::wire_warmup::WireWarmupTotals;
use crate::stats::unfinished::JudgedTimes;
use crate::vocabulary::{FailureClass, HistogramKind, Phase, ReasonKind, Verdict};

/// The resolved plan, and where it runs.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Version of this format, from 1.
    pub schema_version: u32,
    /// Version of swarmline.
    pub version: &'static str,
    /// SHA-256 of the plan.
    pub plan_hash: String,
    /// Number of this line among those of the event, from 1.
    pub part: usize,
    /// Number of lines of the event.
    pub parts: usize,
    /// The resolved settings.
    pub settings: Vec<WireSetting>,
    /// Where and when it runs; only in the first part.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub environment: Option<RunEnvironment>,
}

/// One resolved setting.
#[derive(Clone, Debug, Serialize)]
pub struct WireSetting {
    /// The flag's long name.
    pub key: Cow<'static, str>,
    /// The value; a secret is `***`.
    pub value: String,
    /// `flag`, `env` or `default`.
    pub origin: Cow<'static, str>,
}

/// Where and when a plan runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunEnvironment {
    /// The shard that this process runs; left out for a run on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<WireShard>,
    /// The number of shards; only in a merged stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Hosts that requests go to, with the addresses known at the start.
    pub targets: Vec<Target>,
    /// CPUs that the process may use.
    pub available_cpus: f64,
    /// Maximum open files of the process.
    pub open_files_limit: u64,
    /// Maximum memory of the process in bytes; left out if there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Start of the run by the wall clock.
    pub started_at: String,
    /// Start of the run by the host's monotonic clock, in seconds.
    pub started_monotonic: f64,
}

/// One of the processes that together make a run.
#[derive(Clone, Debug, Serialize)]
pub struct WireShard {
    /// Its number, from 0.
    pub index: u32,
    /// The number of shards.
    pub count: u32,
    /// The engine that set it; left out if it was set by flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<&'static str>,
}

/// A host that requests go to.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// Host and port as in the URL.
    pub host: String,
    /// Addresses known at the start; empty if the lookup took too long, and if the route needs none.
    pub addresses: Vec<String>,
}

/// A warning that concerns the validity of the numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    /// Its kind, for programs.
    pub kind: &'static str,
    /// A sentence, for people.
    pub detail: String,
    /// The error that it explains, if it is about one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub cause: Option<WireError>,
}

/// An error of an endpoint, as in the lines about errors.
#[derive(Clone, Debug, Serialize)]
pub struct WireError {
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// `<class>: <status or short text>`.
    pub error: String,
}

/// A part of a failed exchange, as text.
#[derive(Clone, Debug, Serialize)]
pub struct ExchangeEvent {
    /// The error that it ended with.
    #[serde(flatten)]
    pub error: WireError,
    /// Number of the exchange in the run or shard, from 1.
    pub exchange: u32,
    /// Number of this part, from 1.
    pub part: usize,
    /// Number of parts.
    pub parts: usize,
    /// Its text, without secrets: what was sent, received, expected and found.
    pub text: String,
}

/// The last line.
#[derive(Clone, Debug, Serialize)]
pub struct RunEnd {
    /// Lines of the stream, this one included.
    pub lines: u64,
    /// Requests and arrivals due: sent and unsent.
    pub due: u64,
    /// Requests started: completed and aborted.
    pub sent: u64,
    /// Arrivals of the open model that were due but never sent.
    pub unsent: u64,
    /// Aborted and unsent requests that were overdue.
    pub overdue: u64,
    /// Requests completed: ok and failed.
    pub completed: u64,
    /// Succeeded.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Aborted by the end of the run.
    pub aborted: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened because the server had closed them while idle.
    pub reopened: u64,
    /// Those of the above that belong to the warm-up; left out if none do.
    #[serde(flatten)]
    pub warmup: Option<WireWarmupTotals>,
    /// Duration of the load in seconds, over which rates are computed: until the stop, or with `-n` until the last
    /// request ended.
    pub load_seconds: f64,
    /// Times of all requests as they are judged; left out if no request was unfinished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedTimes>,
    /// The same for times to the first byte; also left out if those of some completed requests are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged_first_byte: Option<JudgedTimes>,
    /// Checks that were met.
    pub checks_met: usize,
    /// Checks that were missed, including those without data.
    pub checks_missed: usize,
    /// Judges the run.
    pub verdict: Verdict,
    /// The reasons for the verdict.
    pub reasons: Vec<WireReason>,
    /// What a search for capacity has found; left out in other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<AnswerEvent>,
    /// Exit code of the process.
    pub exit_code: u8,
}

/// A reason for the verdict.
#[derive(Clone, Debug, Serialize)]
pub struct WireReason {
    /// Its kind, for programs.
    pub kind: ReasonKind,
    /// A sentence, for people.
    pub text: String,
}

/// Unfinished requests of one endpoint that were due in one phase: requests cut off, and arrivals never sent. The sums
/// over all of these lines are what the run was judged by, together with the completed requests.
#[derive(Clone, Debug, Serialize)]
pub struct UnfinishedMetric {
    /// The phase in which they were due.
    pub phase: Phase,
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// Requests that were cut off.
    pub aborted: u64,
    /// Arrivals due but never sent.
    pub unsent: u64,
    /// Those of both that are older than a second; requests must also be older than the endpoint's longest completed
    /// one.
    pub overdue: u64,
    /// Age of the oldest request, from sending to the cut; 0 if there is none.
    pub oldest_aborted_us: u64,
    /// Waiting time of the oldest arrival, from its due time to the end of the load; 0 if there is none.
    pub oldest_unsent_us: u64,
    /// From the due time to the cut or, for arrivals, to the end of the load.
    pub response: WireSum,
    /// From sending to the cut.
    pub service: WireSum,
    /// The same for requests that received no first byte.
    pub first_byte: WireSum,
    /// Times of all requests of the endpoint, in all phases, as they are judged: the same in each of its lines.
    pub judged: JudgedTimes,
    /// The same for times to the first byte; left out if those of some completed requests are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged_first_byte: Option<JudgedTimes>,
    /// `HdrHistogram` V2 + DEFLATE in base64, in microseconds; left out if it is empty or does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_histogram: Option<String>,
    /// The same for service times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_histogram: Option<String>,
    /// The same for requests without a first byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_histogram: Option<String>,
    /// Number of following lines with parts of histograms that did not fit.
    pub histogram_lines: usize,
}

/// What happened at one endpoint between two ticks. The sum of all of these is the run, for every count.
#[derive(Clone, Debug, Serialize)]
pub struct IntervalMetric {
    /// When the interval began.
    pub interval_start: String,
    /// When it ended.
    pub interval_end: String,
    /// The phase that it belongs to.
    pub phase: Phase,
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// Succeeded.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Failed, by class.
    pub failed_by_class: BTreeMap<FailureClass, u64>,
    /// Aborted by the end of the run.
    pub aborted: u64,
    /// Completed after the load had ended: included in the counts above, but in no rate.
    pub completed_after_stop: u64,
    /// Failed after the load had ended.
    pub failed_after_stop: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened because the server had closed them while idle.
    pub reopened: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received, including those of redirects.
    pub bytes_received: u64,
    /// Service times: from sending to the last byte.
    pub service: WireTimes,
    /// From the due time to the last byte.
    pub response: WireTimes,
    /// From sending to the first byte of the last response or, without one, to the end; left out if a shard's stream is of
    /// an earlier version, which lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<WireCountedTimes>,
    /// Where the time of the completed requests went; left out with `first_byte`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings: Option<WireTimings>,
    /// Sums of the service times of failed requests, by class; their histograms are in lines of their own. Left out without
    /// a failed request, and if a shard's stream is of an earlier version, which lacks them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_service_us: BTreeMap<FailureClass, u64>,
    /// New connections and the time they took, those of aborted requests included.
    pub connections: WireConnections,
    /// `HdrHistogram` V2 + DEFLATE in base64, of service times in microseconds; left out if it does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_histogram: Option<String>,
    /// The same for response times; also left out if each response time equals the service time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_histogram: Option<String>,
    /// The same for times to the first byte, with 2 significant digits; also left out with `first_byte`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_histogram: Option<String>,
    /// Whether each response time equals the service time: the service histogram is then for both.
    pub response_is_service: bool,
    /// Number of following lines with histograms: parts of those that did not fit, and those of failed requests.
    pub histogram_lines: usize,
}

/// A part of a histogram, complete in itself; the parts of one interval, endpoint, kind and class add up to the total.
#[derive(Clone, Debug, Serialize)]
pub struct HistogramPiece {
    /// When the interval began.
    pub interval_start: String,
    /// When it ended.
    pub interval_end: String,
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// Which times it has.
    pub kind: HistogramKind,
    /// How the requests failed, in a histogram of failed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// Number of this part, from 1.
    pub part: usize,
    /// Number of parts.
    pub parts: usize,
    /// `HdrHistogram` V2 + DEFLATE in base64, microseconds.
    pub histogram: String,
}

/// Whether the generator's numbers can be trusted.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// When the interval began.
    pub interval_start: String,
    /// When it ended.
    pub interval_end: String,
    /// The phase that it belongs to, whether or not a request ended in it; `None` in a line of an earlier version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Requests of this interval that were sent over 10 ms after their due time although a user was free.
    pub late_sends: u64,
    /// Median of how long after its due time a request was sent.
    pub lateness_p50_us: u64,
    /// 90th percentile of it.
    pub lateness_p90_us: u64,
    /// 99th percentile of it.
    pub lateness_p99_us: u64,
    /// Maximum of it.
    pub lateness_max_us: u64,
    /// Arrivals per second due in this interval; left out in the closed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_rate: Option<f64>,
    /// Requests per second sent in this interval.
    pub achieved_rate: f64,
    /// Requests started so far.
    pub sent: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Age of the oldest request in flight.
    pub oldest_in_flight_ms: f64,
    /// Users running.
    pub users: u32,
    /// Users that should be running now, or that should have been when the load ended if it ended in this interval; in the
    /// open model, those running.
    pub users_wanted: u32,
    /// Outcomes waiting for the aggregator.
    pub outcome_queue: usize,
    /// Ticks since the last line of this kind that were merged into this one because the writer was behind.
    pub ticks_joined: u64,
    /// CPU of the aggregator thread, percent of one core.
    pub aggregator_cpu_percent: f64,
    /// CPU of the writer thread, percent of one core.
    pub writer_cpu_percent: f64,
    /// Time in this interval for which the cgroup's quota held back the process; 0 without a quota.
    pub throttled_ms: f64,
    /// Open file descriptors; 0 if the system cannot report it cheaply.
    pub open_files: u64,
    /// Maximum open files of the process.
    pub open_files_limit: u64,
    /// Pushes of metrics (`--otlp`) so far that failed; left out where nothing is pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_failed: Option<u64>,
    /// Data points that the backend refused so far; left out in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_rejected: Option<u64>,
}
