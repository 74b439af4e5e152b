//! The contract's lines, field by field: what every reader of `locust-telemetry` knows.
//!
//! A struct here is the part of a line that comes after the six keys which every line has. Order of fields is order on
//! the wire. Times are milliseconds, rates a second, unless the name says otherwise.

use serde::Serialize;

use super::ours::{CheckEvent, Config, Health, HistogramPiece, IntervalMetric, RunEnd, UnfinishedMetric, Warning};
use crate::clock::Moment;
use crate::vocabulary::{EndReason, LineKind, StatsType, Status};

/// A line before it gets its envelope and number.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was made.
    pub at: Moment,
    /// Number of the tick that it belongs to.
    pub tick: Option<u64>,
    /// What it says.
    pub body: Body,
}

/// What a line says.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// Before the first user.
    TestStart {},
    /// The number of users asked for has been reached.
    SpawnComplete {
        /// That number.
        user_count: u32,
    },
    /// Load has ended, before the final lines.
    TestStop(TestStop),
    /// The process used over 90 % of the CPUs it may use over one interval; percent of those CPUs.
    CpuWarning(Gauge),
    /// CPU of this process, percent of one core.
    Cpu(Cpu),
    /// Resident memory of this process in MiB.
    Mem(Gauge),
    /// Bytes of all interfaces of the host.
    Network(Network),
    /// Statistics of all requests, so far or final.
    Stats(Stats),
    /// One error of one endpoint.
    EndpointError(EndpointError),
    /// Statistics of one endpoint.
    EndpointStats(EndpointStats),
    /// The plan and where it runs.
    Config(Box<Config>),
    /// What happened at one endpoint between two ticks.
    Interval(Box<IntervalMetric>),
    /// A piece of a histogram that did not fit.
    Histogram(HistogramPiece),
    /// Whether the generator tells the truth.
    Health(Box<Health>),
    /// Something that a reader of the numbers must know of.
    Warning(Warning),
    /// What had not ended of one endpoint.
    Unfinished(Box<UnfinishedMetric>),
    /// What became of a check.
    Check(CheckEvent),
    /// The last line.
    RunEnd(RunEnd),
}

impl Body {
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
            Self::Unfinished(_) => LineKind::Unfinished,
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
    /// Percent of one core: over 100 possible, as psutil counts.
    pub value: f64,
    /// `percent`.
    pub unit: &'static str,
    /// CPUs that the process may use.
    pub available_cpus: f64,
}

/// Bytes of all interfaces of the host, in one direction.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// Since boot.
    pub value: u64,
    /// `bytes`.
    pub unit: &'static str,
    /// `sent` or `recv`.
    pub direction: &'static str,
    /// Since the tick before.
    pub delta: u64,
}

/// Load has ended.
#[derive(Clone, Debug, Serialize)]
pub struct TestStop {
    /// The true time and a second: the dashboards' links need the final lines within their range.
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
}

/// The statistics as on the wire; see [`Statistics`](crate::stats::tally::Statistics) for their meaning.
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
    /// End of the first such request, Unix seconds.
    pub first_seen: f64,
    /// End of the last such request, Unix seconds.
    pub last_seen: f64,
}
