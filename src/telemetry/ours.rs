//! Our own lines, field by field: what the plugin lacks.
//!
//! As in [`record`](super::record): the part of a line after the six keys that every line has; order of fields is order
//! on the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::stats::unfinished::JudgedTimes;
use crate::vocabulary::{FailureClass, HistogramKind, Phase, ReasonKind, Verdict};

/// The plan as resolved, and where it runs.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Version of this format, from 1.
    pub schema_version: u32,
    /// Version of swarmline.
    pub version: &'static str,
    /// SHA-256 of what makes the plan.
    pub plan_hash: String,
    /// Number of this line among those of the event, from 1.
    pub part: usize,
    /// How many lines the event has.
    pub parts: usize,
    /// Settings as resolved.
    pub settings: Vec<WireSetting>,
    /// Where and when it runs; in the first part.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// One setting as resolved.
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
pub struct Place {
    /// Which part of the run this is; left out for a run on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<WireShard>,
    /// How many shards there are; of all of them together only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Hosts that are asked, with the addresses known at the start.
    pub targets: Vec<Target>,
    /// CPUs that the process may use.
    pub available_cpus: f64,
    /// Open files that the process may have.
    pub open_files_limit: u64,
    /// Memory that the process may have, in bytes; left out where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Start of the run by the wall clock.
    pub started_at: String,
    /// Start of the run by the host's monotonic clock, in seconds.
    pub started_monotonic: f64,
}

/// One of the processes that make a run together.
#[derive(Clone, Debug, Serialize)]
pub struct WireShard {
    /// Its number, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
    /// The engine that told it; left out where a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<&'static str>,
}

/// A host that is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// Host and port as in the URL.
    pub host: String,
    /// Addresses known at the start; empty where a name server has not answered yet, and where the route asks none.
    pub addresses: Vec<String>,
}

/// Something that a reader of the numbers must know of.
#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    /// Which kind, for programs.
    pub kind: &'static str,
    /// A sentence, for people.
    pub detail: String,
}

/// What became of a check.
#[derive(Clone, Debug, Serialize)]
pub struct CheckEvent {
    /// The check as written.
    pub check: String,
    /// Whether it was met.
    pub met: bool,
    /// Whether there was any request to judge it by; without, it is not met, and the value is 0.
    pub has_data: bool,
    /// The value reached.
    pub value: f64,
    /// Whether the value is a lower bound, made larger by requests that had not ended.
    pub is_bound: bool,
    /// `ms`, `1/s`, `ratio` (a share of 1) or `requests`.
    pub unit: &'static str,
}

/// The last line.
#[derive(Clone, Debug, Serialize)]
pub struct RunEnd {
    /// Lines of the stream, this one included.
    pub lines: u64,
    /// Requests and arrivals that were due: sent and unsent.
    pub due: u64,
    /// Requests begun: completed and aborted.
    pub sent: u64,
    /// Arrivals of the open model that were due and never sent.
    pub unsent: u64,
    /// Those of the aborted and unsent ones that were overdue.
    pub overdue: u64,
    /// Requests that came to an end: ok and failed.
    pub completed: u64,
    /// Answered as wanted.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Ended by the end of the run.
    pub aborted: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened that the server had closed while idle.
    pub reopened: u64,
    /// Time of the load in seconds, which rates are over: until the stop; with `-n` until the last request ended.
    pub load_seconds: f64,
    /// Times of all requests as they are judged; left out where everything had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedTimes>,
    /// Checks that were met.
    pub checks_met: usize,
    /// Checks that were not, those without data among them.
    pub checks_missed: usize,
    /// What the run comes to.
    pub verdict: Verdict,
    /// Why it is what it is.
    pub reasons: Vec<WireReason>,
    /// Exit code of the process.
    pub exit_code: u8,
}

/// Why a run comes to what it does.
#[derive(Clone, Debug, Serialize)]
pub struct WireReason {
    /// What it is about, for programs.
    pub kind: ReasonKind,
    /// A sentence, for people.
    pub text: String,
}

/// What had not ended of one endpoint, due in one phase: requests that were cut off, and arrivals that were never sent.
/// The sums over all of these lines are what the run was judged by beside the completed requests.
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
    /// Arrivals that were due and never sent.
    pub unsent: u64,
    /// Those of both that are older than a second, and requests also than the longest completed one of the endpoint.
    pub overdue: u64,
    /// Age of the oldest request, from sending to the cut; 0 without any.
    pub oldest_aborted_us: u64,
    /// Wait of the oldest arrival, from due to the end of the load; 0 without any.
    pub oldest_unsent_us: u64,
    /// From due to the cut or, of arrivals, to the end of the load.
    pub response: WireSum,
    /// From sending to the cut.
    pub service: WireSum,
    /// The same of requests without a first byte of an answer.
    pub first_byte: WireSum,
    /// Times of all requests of the endpoint, in every phase, as they are judged: the same in each of its lines.
    pub judged: JudgedTimes,
    /// `HdrHistogram` V2 + DEFLATE in base64, in microseconds; left out where it is empty or does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_histogram: Option<String>,
    /// The same of service times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_histogram: Option<String>,
    /// The same of those without a first byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_histogram: Option<String>,
    /// Lines that follow with pieces of histograms which did not fit.
    pub histogram_lines: usize,
}

/// What happened at one endpoint between two ticks. The sum of these is the run, count by count.
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
    /// Answered as wanted.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Failed, by class.
    pub failed_by_class: BTreeMap<FailureClass, u64>,
    /// Ended by the end of the run.
    pub aborted: u64,
    /// Answered or failed after the load had ended: among the others, and in no rate.
    pub completed_after_stop: u64,
    /// Failed then.
    pub failed_after_stop: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened that the server had closed while idle.
    pub reopened: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received, redirects' own included.
    pub bytes_received: u64,
    /// From sending to the last byte.
    pub service: WireTimes,
    /// From when it was due to the last byte.
    pub response: WireTimes,
    /// From sending to the first byte of the last answer.
    pub first_byte: WireSum,
    /// New connections and what they took.
    pub connections: WireConnections,
    /// `HdrHistogram` V2 + DEFLATE in base64, of service times in microseconds; left out where it does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_histogram: Option<String>,
    /// The same of response times; left out also where each response time was the service time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_histogram: Option<String>,
    /// Whether each response time was the service time: the service histogram is both.
    pub response_is_service: bool,
    /// Lines that follow with pieces of histograms which did not fit.
    pub histogram_lines: usize,
}

/// Times of one kind, in microseconds.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each says what it is")]
pub struct WireTimes {
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
}

/// Count, sum and ends of times in microseconds; all 0 without any.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each says what it is")]
pub struct WireSum {
    pub count: u64,
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
}

/// New connections and what they took.
#[derive(Clone, Debug, Serialize)]
pub struct WireConnections {
    /// How many came about.
    pub count: u64,
    /// Name lookups, failed ones included.
    pub dns: WireSum,
    /// TCP handshakes with what is said to a proxy, failed ones included.
    pub connect: WireSum,
    /// TLS handshakes, failed ones included.
    pub tls: WireSum,
}

/// A piece of a histogram: complete in itself; the pieces of one interval, endpoint and kind add up to the whole.
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
    /// Number of this piece, from 1.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
    /// `HdrHistogram` V2 + DEFLATE in base64, microseconds.
    pub histogram: String,
}

/// Whether the generator tells the truth.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// When the interval began.
    pub interval_start: String,
    /// When it ended.
    pub interval_end: String,
    /// Requests of this interval that were sent over 10 ms after they were due, though a user was free.
    pub late_sends: u64,
    /// How long after it was due a request was sent: half of them at most this.
    pub lateness_p50_us: u64,
    /// 90 %.
    pub lateness_p90_us: u64,
    /// 99 %.
    pub lateness_p99_us: u64,
    /// The latest.
    pub lateness_max_us: u64,
    /// Arrivals a second that were due in this interval; left out in the closed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_rate: Option<f64>,
    /// Requests a second that ended in this interval.
    pub achieved_rate: f64,
    /// Requests begun so far.
    pub sent: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Age of the oldest of them.
    pub oldest_in_flight_ms: f64,
    /// Users that run.
    pub users: u32,
    /// Users that there should be at this moment; in the open model those that run.
    pub users_wanted: u32,
    /// Outcomes that the aggregator has not taken yet.
    pub outcome_queue: usize,
    /// Ticks since the last line of this kind that were joined to this one, as the writer was behind.
    pub ticks_joined: u64,
    /// CPU of the aggregator thread, percent of one core.
    pub aggregator_cpu_percent: f64,
    /// CPU of the writer thread, percent of one core.
    pub writer_cpu_percent: f64,
    /// Time in this interval in which the cgroup's quota held the process back; 0 without a quota.
    pub throttled_ms: f64,
    /// Open file descriptors; 0 where the system does not say cheaply.
    pub open_files: u64,
    /// Most that the process may have.
    pub open_files_limit: u64,
}
