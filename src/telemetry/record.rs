//! The lines that `locust-telemetry` defines, field by field, as every reader of it knows them.
//!
//! A struct here is the part of a line after the six keys that every line has. The order of fields is their order on
//! the wire. Times are in milliseconds, rates per second, unless the name says otherwise.

use serde::Serialize;

use super::own_records::{
    CheckEvent, Config, ExchangeEvent, Health, HistogramPiece, IntervalMetric, RunEnd, UnfinishedMetric, Warning,
};
use super::samples::SampleEvent;
use super::shard_metric::ShardMetric;
use super::wire_times::{WireCountedTimes, WireTimings};
use super::wire_warmup::WireWarmup;
use crate::clock::Moment;
use crate::stats::tally::Statistics;
use crate::vocabulary::{Direction, EndReason, LineKind, StatsType, Status};

/// The content of a line, before it gets its envelope and number.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was made.
    pub at: Moment,
    /// Number of the tick that it belongs to.
    pub tick: Option<u64>,
    /// Its content.
    pub body: RecordBody,
}

/// The content of a line.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum RecordBody {
    /// Before the first user.
    TestStart {},
    /// The requested number of users has been reached.
    SpawnComplete {
        /// The number of users.
        user_count: u32,
    },
    /// The load has ended; precedes the final lines.
    TestStop(TestStop),
    /// In one interval the process used over 90 % of the CPUs that it may use; percent of those CPUs.
    CpuWarning(Gauge),
    /// CPU of this process, percent of one core.
    Cpu(Cpu),
    /// Resident memory of this process in MiB.
    Mem(Gauge),
    /// Bytes on all interfaces of the host.
    Network(Network),
    /// Statistics of all requests, so far or final.
    Stats(Stats),
    /// One error of one endpoint.
    EndpointError(EndpointError),
    /// Statistics of one endpoint.
    EndpointStats(EndpointStats),
    /// The plan and where it runs.
    Config(Box<Config>),
    /// Results of one endpoint between two ticks.
    Interval(Box<IntervalMetric>),
    /// A part of a histogram that did not fit.
    Histogram(HistogramPiece),
    /// Whether the generator's numbers can be trusted.
    Health(Box<Health>),
    /// A warning that concerns the validity of the numbers.
    Warning(Warning),
    /// An example of the requests of one endpoint.
    Sample(Box<SampleEvent>),
    /// Unfinished requests of one endpoint.
    Unfinished(Box<UnfinishedMetric>),
    /// One shard of a merged run.
    Shard(Box<ShardMetric>),
    /// A part of a failed exchange.
    Exchange(Box<ExchangeEvent>),
    /// The result of a check.
    Check(CheckEvent),
    /// The last line.
    RunEnd(RunEnd),
}

impl RecordBody {
    /// Which kind of line it is.
    #[must_use]
    pub const fn kind(&self) -> LineKind {
        match self {
            Self::TestStart {} => LineKind::TestStart,
            Self::SpawnComplete { .. } => LineKind::SpawnComplete,
            Self::TestStop(_) => LineKind::TestStop,
            Self::CpuWarning(_) => LineKind::CpuWarning,
            Self::Cpu(_) => LineKind::Cpu,
            Self::Mem(_) => LineKind::Mem,
            Self::Network(_) => LineKind::Network,
            Self::Stats(_) | Self::EndpointError(_) | Self::EndpointStats(_) => LineKind::Stats,
            Self::Config(_) => LineKind::Config,
            Self::Interval(_) => LineKind::Interval,
            Self::Histogram(_) => LineKind::Histogram,
            Self::Health(_) => LineKind::Health,
            Self::Warning(_) => LineKind::Warning,
            Self::Sample(_) => LineKind::Sample,
            Self::Unfinished(_) => LineKind::Unfinished,
            Self::Shard(_) => LineKind::Shard,
            Self::Exchange(_) => LineKind::Exchange,
            Self::Check(_) => LineKind::Check,
            Self::RunEnd(_) => LineKind::RunEnd,
        }
    }
}

/// A value and its unit.
#[derive(Clone, Debug, Serialize)]
pub struct Gauge {
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
}

/// CPU of this process.
#[derive(Clone, Debug, Serialize)]
pub struct Cpu {
    /// Percent of one core; may exceed 100, as in psutil.
    pub value: f64,
    /// `percent`.
    pub unit: &'static str,
    /// CPUs that the process may use.
    pub available_cpus: f64,
}

/// Bytes on all interfaces of the host, in one direction.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// Since boot.
    pub value: u64,
    /// `bytes`.
    pub unit: &'static str,
    /// `sent` or `recv`.
    pub direction: Direction,
    /// Since the previous tick.
    pub delta: u64,
}

/// The load has ended.
#[derive(Clone, Debug, Serialize)]
pub struct TestStop {
    /// The true time plus a second: the dashboards' links need the final lines within their range.
    pub end_time: String,
    /// The true time.
    pub stopped_at: String,
    /// Why it ended.
    pub reason: EndReason,
}

/// Statistics of all requests.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Current or final.
    pub stats_type: StatsType,
    /// Users.
    pub user_count: u32,
    /// The statistics.
    #[serde(flatten)]
    pub statistics: WireStatistics,
    /// Times to the first byte; only at the end, and if those of all requests are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<WireCountedTimes>,
    /// Where the time went; left out with `first_byte`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings: Option<WireTimings>,
    /// Those of the requests that were in the warm-up; only at the end, and if there were any.
    #[serde(flatten)]
    pub warmup: Option<WireWarmup>,
}

/// Statistics of one endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointStats {
    /// Of an endpoint.
    pub stats_type: StatsType,
    /// Success.
    pub status: Status,
    /// The statistics.
    #[serde(flatten)]
    pub statistics: WireStatistics,
    /// Times to the first byte; only at the end, and if those of all requests are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<WireCountedTimes>,
    /// Where the time went; left out with `first_byte`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings: Option<WireTimings>,
    /// Those of the requests that were in the warm-up; left out if none were.
    #[serde(flatten)]
    pub warmup: Option<WireWarmup>,
}

/// The statistics in wire format; see [`Statistics`](crate::stats::tally::Statistics) for their meaning.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each is the field of the same name of Statistics")]
pub struct WireStatistics {
    pub method: String,
    pub name: String,
    pub num_requests: u64,
    pub num_failures: u64,
    pub min_response_time: f64,
    pub max_response_time: f64,
    pub current_rps: f64,
    pub current_fail_per_sec: f64,
    pub avg_response_time: f64,
    pub median_response_time: f64,
    pub total_rps: f64,
    pub total_fail_per_sec: f64,
    pub avg_content_length: f64,
    pub percentile_95: f64,
    pub percentile_99: f64,
    pub percentile_50: f64,
    pub percentile_90: f64,
    pub percentile_99_9: f64,
}

impl WireStatistics {
    /// Statistics of this endpoint, or of all requests.
    pub(super) fn new(method: String, name: String, statistics: &Statistics) -> Self {
        Self {
            method,
            name,
            num_requests: statistics.num_requests,
            num_failures: statistics.num_failures,
            min_response_time: statistics.min_response_time,
            max_response_time: statistics.max_response_time,
            current_rps: statistics.current_rps,
            current_fail_per_sec: statistics.current_fail_per_sec,
            avg_response_time: statistics.avg_response_time,
            median_response_time: statistics.percentile_50,
            total_rps: statistics.total_rps,
            total_fail_per_sec: statistics.total_fail_per_sec,
            avg_content_length: statistics.avg_content_length,
            percentile_95: statistics.percentile_95,
            percentile_99: statistics.percentile_99,
            percentile_50: statistics.percentile_50,
            percentile_90: statistics.percentile_90,
            percentile_99_9: statistics.percentile_99_9,
        }
    }
}

/// One error of one endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointError {
    /// Of an endpoint.
    pub stats_type: StatsType,
    /// Error.
    pub status: Status,
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// `<class>: <status or short text>`.
    pub error: String,
    /// How often.
    pub occurrences: u64,
    /// How often in the warm-up; left out if it did not occur there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_occurrences: Option<u64>,
    /// End of the first such request, Unix seconds.
    pub first_seen: f64,
    /// End of the last such request, Unix seconds.
    pub last_seen: f64,
}
