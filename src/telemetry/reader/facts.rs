//! What lines say, as a reader takes it: only what some reader needs, numbers of either kind, unknown keys passed over.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::ending::{CheckSeen, RunEnd, Unfinished};
use crate::stats::tally::Statistics;
use crate::vocabulary::{EndReason, HistogramKind, LineKind, Phase, StatsType, Status};

/// What a line says.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is the line of the same name in the wire types")]
pub enum Fact {
    TestStart,
    SpawnComplete(SpawnComplete),
    TestStop(TestStop),
    CpuWarning(Gauge),
    Cpu(Gauge),
    Mem(Gauge),
    Current(Row),
    Final(Row),
    Endpoint(Row),
    EndpointError(ErrorRow),
    Config(Box<Config>),
    Interval(Box<Interval>),
    Histogram(Piece),
    Health(Box<Health>),
    Warning(Warning),
    Unfinished(Box<Unfinished>),
    Check(CheckSeen),
    RunEnd(RunEnd),
    /// Of no use to a reader, or of a later version.
    Other,
}

/// What every line says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) telemetry_name: String,
    stats_type: String,
    status: String,
    pub(super) source: String,
    pub(super) source_id: String,
    pub(super) run_id: String,
    pub(super) testplan: String,
    pub(super) tick: Option<u64>,
    pub(super) seq: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Line<T> {
    #[serde(default)]
    pub(super) time: String,
    pub(super) telemetry: T,
}

/// What the line with this head and text says.
///
/// # Errors
/// A key is missing or of another type.
pub(super) fn fact(head: &Head, text: &str) -> serde_json::Result<Fact> {
    let Some(kind) = LineKind::parse(&head.telemetry_name) else { return Ok(Fact::Other) };
    Ok(match kind {
        LineKind::TestStart => Fact::TestStart,
        LineKind::SpawnComplete => Fact::SpawnComplete(body(text)?),
        LineKind::TestStop => Fact::TestStop(body(text)?),
        LineKind::CpuWarning => Fact::CpuWarning(body(text)?),
        LineKind::Cpu => Fact::Cpu(body(text)?),
        LineKind::Mem => Fact::Mem(body(text)?),
        LineKind::Network => Fact::Other,
        LineKind::Stats => match (StatsType::parse(&head.stats_type), Status::parse(&head.status)) {
            (Some(StatsType::Current), _) => Fact::Current(body(text)?),
            (Some(StatsType::Final), _) => Fact::Final(body(text)?),
            (Some(StatsType::Endpoint), Some(Status::Success)) => Fact::Endpoint(body(text)?),
            (Some(StatsType::Endpoint), Some(Status::Error)) => Fact::EndpointError(body(text)?),
            _ => Fact::Other,
        },
        LineKind::Config => Fact::Config(Box::new(body(text)?)),
        LineKind::Interval => Fact::Interval(Box::new(body(text)?)),
        LineKind::Histogram => Fact::Histogram(body(text)?),
        LineKind::Health => Fact::Health(Box::new(body(text)?)),
        LineKind::Warning => Fact::Warning(body(text)?),
        LineKind::Unfinished => Fact::Unfinished(Box::new(body(text)?)),
        LineKind::Check => Fact::Check(body(text)?),
        LineKind::RunEnd => Fact::RunEnd(body(text)?),
    })
}

/// A count that sums of can still be made: JSON's whole numbers are exact up to there (RFC 8259 section 6).
const MOST_COUNT: u64 = 1 << 53;

pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<u64, D::Error> {
    let count = u64::deserialize(from)?;
    if count > MOST_COUNT { Err(D::Error::custom("a count beyond all reason")) } else { Ok(count) }
}

fn body<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str::<Line<T>>(text).map(|line| line.telemetry)
}

/// The number of users asked for has been reached.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct SpawnComplete {
    pub user_count: u32,
}

/// Load has ended.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct TestStop {
    pub stopped_at: String,
    pub reason: EndReason,
}

/// A value in the unit of its line.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Gauge {
    pub value: f64,
    #[serde(default)]
    pub available_cpus: f64,
}

/// Statistics of all requests, or of one endpoint.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// Empty on a line about all.
    pub method: String,
    /// `Aggregated` on a line about all.
    pub name: String,
    /// Users; 0 on a line about one endpoint.
    #[serde(default)]
    pub user_count: u32,
    /// The numbers.
    #[serde(flatten)]
    pub statistics: Statistics,
}

/// One error of one endpoint.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ErrorRow {
    pub method: String,
    pub name: String,
    pub error: String,
    #[serde(deserialize_with = "count")]
    pub occurrences: u64,
    pub first_seen: f64,
    pub last_seen: f64,
}

/// The plan and where it runs; a part of it.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Config {
    pub schema_version: u32,
    pub version: String,
    pub plan_hash: String,
    pub settings: Vec<Setting>,
    #[serde(default)]
    pub targets: Vec<Target>,
    pub available_cpus: Option<f64>,
    pub started_at: Option<String>,
}

/// One setting as resolved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Setting {
    pub key: String,
    pub value: String,
    pub origin: String,
}

/// A host that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Target {
    pub host: String,
    pub addresses: Vec<String>,
}

/// What happened at one endpoint between two ticks.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Interval {
    pub interval_start: String,
    pub interval_end: String,
    pub phase: Phase,
    pub method: String,
    pub name: String,
    #[serde(deserialize_with = "count")]
    pub ok: u64,
    #[serde(deserialize_with = "count")]
    pub failed: u64,
    pub failed_by_class: BTreeMap<String, u64>,
    #[serde(deserialize_with = "count")]
    pub aborted: u64,
    /// 0 in version 1, which does not tell.
    #[serde(default, deserialize_with = "count")]
    pub completed_after_stop: u64,
    #[serde(default, deserialize_with = "count")]
    pub failed_after_stop: u64,
    #[serde(deserialize_with = "count")]
    pub redirects: u64,
    #[serde(deserialize_with = "count")]
    pub reopened: u64,
    #[serde(deserialize_with = "count")]
    pub bytes_sent: u64,
    #[serde(deserialize_with = "count")]
    pub bytes_received: u64,
    pub service: Times,
    pub response: Times,
    pub connections: Connections,
    pub service_histogram: Option<String>,
    pub response_histogram: Option<String>,
    pub response_is_service: bool,
    pub histogram_lines: usize,
}

/// Exact sum and ends of times.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Times {
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
}

/// New connections.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Connections {
    #[serde(deserialize_with = "count")]
    pub count: u64,
}

/// A piece of a histogram.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Piece {
    pub method: String,
    pub name: String,
    pub kind: HistogramKind,
    pub histogram: String,
}

/// Whether the generator tells the truth.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Health {
    pub interval_start: String,
    pub interval_end: String,
    pub late_sends: u64,
    pub lateness_p50_us: u64,
    pub lateness_p99_us: u64,
    pub lateness_max_us: u64,
    pub intended_rate: Option<f64>,
    pub in_flight: u64,
    pub users: u32,
    pub users_wanted: u32,
    pub throttled_ms: f64,
}

/// Something that a reader of the numbers must know of.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Warning {
    pub kind: String,
    pub detail: String,
}
