//! What lines say, as a report takes it: only what it needs.

use super::ending::{CheckSeen, RunEndFact, UnfinishedFact};
use super::failures::{ErrorName, ErrorRow, ExchangeFact, WarningFact};
use super::gauges::GaugeFact;
use super::line::{Key, Line, Telemetry};
use super::sample::sample;
use super::shards::ShardFact;
use super::value::{self, CountedTimesValue, ShardValue, Text, TimesValue, TimingsValue};
use crate::stats::tally::Statistics;
use crate::stats::timing_summary::TimingSummary;
use crate::stats::timings::Timings;
use crate::telemetry::samples::SampleEvent;
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::{Direction, EndReason, FailureClass, HistogramKind, LineKind, Phase, StatsType, Status};

/// The content of a line.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is the line of the same name in the wire types")]
pub enum Fact {
    TestStart,
    SpawnComplete(SpawnComplete),
    TestStop(TestStopFact),
    CpuWarning(GaugeFact),
    Cpu(GaugeFact),
    Mem(GaugeFact),
    Network(Direction, GaugeFact),
    Current(StatsFact),
    Final(StatsFact),
    Endpoint(StatsFact),
    EndpointError(ErrorRow),
    Config(Box<ConfigFact>),
    Interval(Box<IntervalFact>),
    Histogram(HistogramFact),
    Health(Box<HealthFact>),
    Warning(WarningFact),
    Sample(Box<SampleEvent>),
    Unfinished(Box<UnfinishedFact>),
    Exchange(Box<ExchangeFact>),
    Shard(ShardFact),
    Step(Box<StepEvent>),
    Check(CheckSeen),
    RunEnd(RunEndFact),
    /// Of no use to a reader, or of a later version.
    Other,
}

impl Fact {
    /// The content of a line, after its checks.
    #[must_use]
    pub fn of(line: &Line<'_>) -> Self {
        let line = &line.telemetry;
        let Some(kind) = line.kind() else { return Self::Other };
        match kind {
            LineKind::TestStart => Self::TestStart,
            LineKind::SpawnComplete => Self::SpawnComplete(SpawnComplete { user_count: line.user_count }),
            LineKind::TestStop => Self::TestStop(TestStopFact {
                stopped_at: text(&line.stopped_at),
                reason: line.reason.0.unwrap_or(EndReason::Signal),
            }),
            LineKind::CpuWarning => Self::CpuWarning(GaugeFact::of(line)),
            LineKind::Cpu => Self::Cpu(GaugeFact::of(line)),
            LineKind::Mem => Self::Mem(GaugeFact::of(line)),
            LineKind::Network => {
                line.direction.0.map_or(Self::Other, |direction| Self::Network(direction, GaugeFact::of(line)))
            }
            LineKind::Stats => match (line.stats_type.0, line.status.0) {
                (Some(StatsType::Current), _) => Self::Current(StatsFact::of(line)),
                (Some(StatsType::Final), _) => Self::Final(StatsFact::of(line)),
                (Some(StatsType::Endpoint), Some(Status::Success)) => Self::Endpoint(StatsFact::of(line)),
                (Some(StatsType::Endpoint), Some(Status::Error)) => Self::EndpointError(ErrorRow::of(line)),
                _ => Self::Other,
            },
            LineKind::Config => Self::Config(Box::new(ConfigFact::of(line))),
            LineKind::Interval => Self::Interval(Box::new(IntervalFact::of(line))),
            LineKind::Histogram => line.histogram_kind().map_or(Self::Other, |kind| {
                let (method, name, histogram) = (text(&line.method), text(&line.name), text(&line.histogram));
                Self::Histogram(HistogramFact { method, name, kind, class: line.failure_class(), histogram })
            }),
            LineKind::Health => Self::Health(Box::new(HealthFact::of(line))),
            LineKind::Warning => Self::Warning(WarningFact::of(line)),
            LineKind::Sample => Self::Sample(Box::new(sample(line))),
            LineKind::Unfinished => Self::Unfinished(Box::new(UnfinishedFact::of(line))),
            LineKind::Exchange => Self::Exchange(Box::new(ExchangeFact::of(line))),
            LineKind::Shard => ShardFact::of(line).map_or(Self::Other, Self::Shard),
            LineKind::Step => line.step.clone().map_or(Self::Other, Self::Step),
            LineKind::Check => Self::Check(CheckSeen::of(line)),
            LineKind::RunEnd => Self::RunEnd(RunEndFact::of(line)),
        }
    }
}

fn text(text: &Text<'_>) -> String {
    (**text).to_owned()
}

fn optional(text: Option<&Text<'_>>) -> Option<String> {
    text.map(self::text)
}

/// The requested number of users has been reached.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct SpawnComplete {
    pub user_count: u32,
}

/// The load has ended.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct TestStopFact {
    pub stopped_at: String,
    pub reason: EndReason,
}

/// Statistics of all requests, or of one endpoint.
#[derive(Clone, Debug)]
pub struct StatsFact {
    /// Empty on a line about all.
    pub method: String,
    /// `Aggregated` on a line about all.
    pub name: String,
    /// Users; 0 on a line about one endpoint.
    pub user_count: u32,
    /// The numbers.
    pub statistics: Statistics,
    /// Time to the first byte and where the time went; only at the end, and not in a stream of an earlier version.
    pub timing: Option<TimingSummary>,
    /// Bytes of response bodies in the warm-up.
    pub warmup_content_bytes: u64,
}

impl StatsFact {
    fn of(line: &Telemetry<'_>) -> Self {
        let statistics = Statistics {
            num_requests: line.num_requests,
            num_failures: line.num_failures,
            min_response_time: line.min_response_time,
            max_response_time: line.max_response_time,
            current_rps: line.current_rps,
            current_fail_per_sec: line.current_fail_per_sec,
            avg_response_time: line.avg_response_time,
            total_rps: line.total_rps,
            total_fail_per_sec: line.total_fail_per_sec,
            avg_content_length: line.avg_content_length,
            percentile_50: line.percentile_50,
            percentile_90: line.percentile_90,
            percentile_95: line.percentile_95,
            percentile_99: line.percentile_99,
            percentile_99_9: line.percentile_99_9,
        };
        let timing = line
            .timings
            .map(|timings| TimingSummary::new(timings.timings(), line.first_byte.count(), line.first_byte.summary()));
        Self {
            method: text(&line.method),
            name: text(&line.name),
            user_count: line.user_count,
            statistics,
            timing,
            warmup_content_bytes: line.warmup_content_bytes,
        }
    }
}

/// The plan and where it runs; a part of it.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ConfigFact {
    pub schema_version: u32,
    pub version: String,
    pub plan_hash: String,
    pub settings: Vec<SettingFact>,
    pub targets: Vec<TargetFact>,
    pub available_cpus: Option<f64>,
    pub shard: Option<ShardValue>,
    pub started_at: Option<String>,
}

impl ConfigFact {
    fn of(line: &Telemetry<'_>) -> Self {
        let setting = |setting: &value::SettingValue<'_>| SettingFact {
            key: text(&setting.key),
            value: text(&setting.value),
            origin: text(&setting.origin),
        };
        let target = |target: &value::Target<'_>| TargetFact {
            host: text(&target.host),
            addresses: target.addresses.iter().map(text).collect(),
        };
        Self {
            schema_version: line.schema_version,
            version: text(&line.version),
            plan_hash: text(&line.plan_hash),
            settings: line.settings.iter().map(setting).collect(),
            targets: line.targets.iter().map(target).collect(),
            available_cpus: line.has(Key::available_cpus).then_some(line.available_cpus),
            shard: line.shard,
            started_at: line.has(Key::started_at).then(|| text(&line.started_at)),
        }
    }
}

/// One resolved setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct SettingFact {
    pub key: String,
    pub value: String,
    pub origin: String,
}

/// A host that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct TargetFact {
    pub host: String,
    pub addresses: Vec<String>,
}

/// Results of one endpoint between two ticks.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct IntervalFact {
    pub interval_start: String,
    pub interval_end: String,
    pub phase: Phase,
    pub method: String,
    pub name: String,
    pub ok: u64,
    pub failed: u64,
    pub failed_by_class: Vec<(FailureClass, u64)>,
    pub aborted: u64,
    pub completed_after_stop: u64,
    pub failed_after_stop: u64,
    pub redirects: u64,
    pub reopened: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub service: TimesValue,
    pub response: TimesValue,
    pub first_byte: CountedTimesValue,
    /// `None` in a stream of an earlier version, whose `first_byte` is then of no use either.
    pub timings: Option<Timings>,
    pub failed_service_us: Vec<(FailureClass, u64)>,
    pub connections: u64,
    pub service_histogram: Option<String>,
    pub response_histogram: Option<String>,
    pub first_byte_histogram: Option<String>,
    pub response_is_service: bool,
    pub histogram_lines: usize,
}

impl IntervalFact {
    fn of(line: &Telemetry<'_>) -> Self {
        Self {
            interval_start: text(&line.interval_start),
            interval_end: text(&line.interval_end),
            phase: line.phase(),
            method: text(&line.method),
            name: text(&line.name),
            ok: line.ok,
            failed: line.failed,
            failed_by_class: line.failed_by_class.to_vec(),
            aborted: line.aborted,
            completed_after_stop: line.completed_after_stop,
            failed_after_stop: line.failed_after_stop,
            redirects: line.redirects,
            reopened: line.reopened,
            bytes_sent: line.bytes_sent,
            bytes_received: line.bytes_received,
            service: line.service,
            response: line.response,
            first_byte: line.first_byte,
            timings: line.timings.map(TimingsValue::timings),
            failed_service_us: line.failed_service_us.to_vec(),
            connections: line.connections.count,
            service_histogram: optional(line.service_histogram.as_ref()),
            response_histogram: optional(line.response_histogram.as_ref()),
            first_byte_histogram: optional(line.first_byte_histogram.as_ref()),
            response_is_service: line.response_is_service,
            histogram_lines: line.histogram_lines,
        }
    }
}

/// A piece of a histogram.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct HistogramFact {
    pub method: String,
    pub name: String,
    pub kind: HistogramKind,
    pub class: Option<FailureClass>,
    pub histogram: String,
}

/// Whether the generator's numbers can be trusted.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct HealthFact {
    pub interval_start: String,
    pub interval_end: String,
    /// `None` in a line of an earlier version.
    pub phase: Option<Phase>,
    pub lateness_p50_us: u64,
    pub lateness_p99_us: u64,
    pub lateness_max_us: u64,
    pub intended_rate: Option<f64>,
    pub in_flight: u64,
    pub users_wanted: u32,
    pub throttled_ms: f64,
}

impl HealthFact {
    fn of(line: &Telemetry<'_>) -> Self {
        Self {
            interval_start: text(&line.interval_start),
            interval_end: text(&line.interval_end),
            phase: line.stated_phase(),
            lateness_p50_us: line.lateness_p50_us,
            lateness_p99_us: line.lateness_p99_us,
            lateness_max_us: line.lateness_max_us,
            intended_rate: line.intended_rate,
            in_flight: line.in_flight,
            users_wanted: line.users_wanted,
            throttled_ms: line.throttled_ms,
        }
    }
}

impl ErrorName {
    fn of(line: &Telemetry<'_>) -> Self {
        Self { method: text(&line.method), name: text(&line.name), error: text(&line.error) }
    }
}

impl WarningFact {
    fn of(line: &Telemetry<'_>) -> Self {
        let cause = line.has(Key::error).then(|| ErrorName::of(line));
        Self { kind: text(&line.kind), detail: text(&line.detail), cause }
    }
}

impl ExchangeFact {
    fn of(line: &Telemetry<'_>) -> Self {
        let error = ErrorName::of(line);
        Self { error, exchange: line.exchange, part: line.part, text: text(&line.text) }
    }
}

impl UnfinishedFact {
    fn of(line: &Telemetry<'_>) -> Self {
        Self {
            phase: line.phase(),
            method: text(&line.method),
            name: text(&line.name),
            aborted: line.aborted,
            unsent: line.unsent,
            overdue: line.overdue,
            oldest_aborted_us: line.oldest_aborted_us,
            oldest_unsent_us: line.oldest_unsent_us,
            response: line.response,
            service: line.service,
            first_byte: line.first_byte,
            judged: line.judged.unwrap_or_default(),
            judged_first_byte: line.judged_first_byte,
            response_histogram: optional(line.response_histogram.as_ref()),
            service_histogram: optional(line.service_histogram.as_ref()),
            first_byte_histogram: optional(line.first_byte_histogram.as_ref()),
        }
    }
}

impl CheckSeen {
    fn of(line: &Telemetry<'_>) -> Self {
        Self {
            check: text(&line.check),
            met: line.met,
            has_data: line.has_data,
            value: line.value.unwrap_or_default(),
            is_bound: line.is_bound,
            unit: text(&line.unit),
        }
    }
}
