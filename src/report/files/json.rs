//! The summary for programs: a JSON document, described by `schema/summary.schema.json`.
#![allow(clippy::struct_field_names, reason = "the names of the document")]

mod capacity;
mod confidence;
mod counts;
mod remarks;
mod warmup;

use capacity::SummaryCapacity;
use confidence::{SummaryComparison, SummaryConfidence};
use counts::SummaryCounts;
use remarks::{SummaryPart, SummaryStop};
use serde::Serialize;
use warmup::SummaryWarmup;

use crate::report::model::causes::ExchangeSeen;
use crate::report::model::{Numbers, PhaseSeen, ReportModel, RunData};
use crate::report::samples::SummarySamples;
use crate::report::shards::SummaryShard;
use crate::stats::timing_summary::{MeanTimings, TimesSummary, TimingSummary};
use crate::stats::unfinished::Bounds;
use crate::telemetry::reader::ending::RunEndFact;
use crate::telemetry::reader::failures::ErrorName;
use crate::vocabulary::ReasonKind;

/// Version of this format, from 1.
const SUMMARY_VERSION: u32 = 2;

#[derive(Serialize)]
struct Summary<'m> {
    summary_version: u32,
    version: &'m str,
    run_id: &'m str,
    testplan: &'m str,
    source_id: &'m str,
    plan_hash: &'m str,
    started_at: &'m str,
    seconds: f64,
    verdict: &'m str,
    exit_code: u8,
    reasons: Vec<SummaryReason<'m>>,
    troubles: Vec<String>,
    counts: SummaryCounts,
    /// Only of one shard of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<SummaryPart>,
    /// Only where a signal ended the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by_signal: Option<SummaryStop>,
    /// Left out of everything else but the phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    warmup: Option<SummaryWarmup>,
    total: &'m Figures,
    phases: Vec<SummaryPhase>,
    endpoints: Vec<SummaryEndpoint<'m>>,
    errors: Vec<SummaryError<'m>>,
    failed_exchanges: Vec<SummaryExchange<'m>>,
    checks: Vec<SummaryCheck<'m>>,
    warnings: Vec<SummaryWarning<'m>>,
    samples: SummarySamples<'m>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shards: Vec<SummaryShard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<SummaryCapacity<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<SummaryConfidence<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<SummaryComparison<'m>>,
}

#[derive(Serialize)]
struct SummaryReason<'m> {
    kind: &'static str,
    text: &'m str,
}

/// Times in milliseconds, rates per second.
#[derive(Serialize)]
struct Figures {
    requests: u64,
    failures: u64,
    rps: f64,
    failures_per_second: f64,
    average_content_length: f64,
    min: f64,
    avg: f64,
    p50: f64,
    p90: f64,
    p95: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
    /// Names of the times above that are lower bounds.
    lower_bounds: Vec<&'static str>,
    aborted: u64,
    unsent: u64,
    /// Left out if the stream is of an earlier version, which does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte: Option<FirstByte>,
    /// Also left out if no request completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
}

/// Times to the first byte.
#[derive(Serialize)]
struct FirstByte {
    #[serde(flatten)]
    times: TimeSpread,
    /// Names of the times above that are lower bounds.
    lower_bounds: Vec<&'static str>,
}

/// Mean time of a request in each phase.
#[derive(Serialize)]
struct Timings {
    connected: u64,
    dns: f64,
    connect: f64,
    tls: f64,
    first_byte: f64,
    body: f64,
}

#[derive(Serialize)]
struct SummaryPhase {
    phase: &'static str,
    seconds: f64,
    requests: u64,
    failures: u64,
    service: TimeSpread,
    response: TimeSpread,
}

#[derive(Serialize)]
struct TimeSpread {
    min: f64,
    avg: f64,
    p50: f64,
    p90: f64,
    p95: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
}

#[derive(Serialize)]
struct SummaryEndpoint<'m> {
    method: &'m str,
    name: &'m str,
    #[serde(flatten)]
    numbers: Figures,
}

#[derive(Serialize)]
struct SummaryError<'m> {
    method: &'m str,
    name: &'m str,
    error: &'m str,
    occurrences: u64,
    first_seen: f64,
    last_seen: f64,
    /// What a response had beside what was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'m str>,
}

#[derive(Serialize)]
struct SummaryExchange<'m> {
    time: &'m str,
    source_id: &'m str,
    method: &'m str,
    name: &'m str,
    error: &'m str,
    text: &'m str,
}

#[derive(Serialize)]
struct SummaryCheck<'m> {
    check: &'m str,
    met: bool,
    has_data: bool,
    value: f64,
    is_bound: bool,
    unit: &'m str,
}

#[derive(Serialize)]
struct SummaryWarning<'m> {
    time: &'m str,
    kind: &'m str,
    detail: &'m str,
}

/// The JSON Schema (2020-12) that describes the document.
pub const SCHEMA: &str = include_str!("../../../schema/summary.schema.json");

/// The complete document, ending with a line break.
#[must_use]
pub fn document(model: &ReportModel) -> String {
    let ReportModel { identity, troubles, run, .. } = model;
    let end = run.end.as_ref();
    let total = Figures::of(&run.total_numbers());
    let summary = Summary {
        summary_version: SUMMARY_VERSION,
        version: &run.plan.version,
        run_id: &identity.run_id,
        testplan: &identity.testplan,
        source_id: &identity.source_id,
        plan_hash: &run.plan.hash,
        started_at: run.plan.started_at.as_deref().unwrap_or_default(),
        seconds: run.seconds(),
        verdict: end.map_or("unknown", |end| end.verdict.as_str()),
        // A truncated stream means that the run is invalid.
        exit_code: end.map_or(4, |end| end.exit_code),
        reasons: end.map_or_else(Vec::new, reasons),
        troubles: troubles.sentences(),
        counts: SummaryCounts::of(run),
        shard: run.plan.shard.map(SummaryPart::from),
        stopped_by_signal: run.stopped_by_signal().map(SummaryStop::from),
        warmup: run.warmup().map(|warmup| SummaryWarmup::of(&warmup)),
        total: &total,
        phases: run.phases.iter().map(phase).collect(),
        endpoints: endpoints(run),
        errors: errors(run),
        failed_exchanges: run.causes.exchanges().iter().map(exchange).collect(),
        checks: checks(run),
        warnings: warnings(run),
        samples: SummarySamples::of(&run.samples),
        shards: run.shards.iter().map(SummaryShard::of).collect(),
        capacity: SummaryCapacity::of(run),
        confidence: model.confidence.as_ref().map(|confidence| SummaryConfidence::of(confidence, run)),
        comparison: model.comparison.as_ref().map(SummaryComparison::of),
    };
    let text = serde_json::to_string_pretty(&summary);
    assert!(text.is_ok(), "a summary has string keys and finite numbers only");
    text.unwrap_or_default() + "\n"
}

fn reasons(end: &RunEndFact) -> Vec<SummaryReason<'_>> {
    let kind = |kind: Option<ReasonKind>| kind.map_or("unknown", ReasonKind::as_str);
    end.reasons.iter().map(|reason| SummaryReason { kind: kind(reason.kind), text: &reason.text }).collect()
}

fn phase(seen: &PhaseSeen) -> SummaryPhase {
    SummaryPhase {
        phase: seen.phase.as_str(),
        seconds: seen.duration_ms as f64 / 1000.0,
        requests: seen.counts.completed(),
        failures: seen.counts.failed,
        service: (&TimesSummary::from(&seen.service)).into(),
        response: (&TimesSummary::from(&seen.response)).into(),
    }
}

fn endpoints(run: &RunData) -> Vec<SummaryEndpoint<'_>> {
    let endpoint = |endpoint| {
        let numbers = Figures::of(&run.numbers(endpoint)?);
        Some(SummaryEndpoint { method: &endpoint.method, name: &endpoint.name, numbers })
    };
    run.endpoints.iter().filter_map(endpoint).collect()
}

fn errors(run: &RunData) -> Vec<SummaryError<'_>> {
    let mut errors = Vec::new();
    for row in &run.errors {
        let (occurrences, first_seen, last_seen) = (row.occurrences, row.first_seen, row.last_seen);
        errors.push(SummaryError {
            method: &row.method,
            name: &row.name,
            error: &row.error,
            occurrences,
            first_seen,
            last_seen,
            explanation: run.causes.explanation(&row.method, &row.name, &row.error),
        });
    }
    errors
}

fn exchange(seen: &ExchangeSeen) -> SummaryExchange<'_> {
    let ErrorName { method, name, error } = &seen.error;
    SummaryExchange { time: &seen.time, source_id: &seen.source_id, method, name, error, text: &seen.text }
}

fn checks(run: &RunData) -> Vec<SummaryCheck<'_>> {
    let mut checks = Vec::new();
    for seen in &run.checks {
        let (met, has_data) = (seen.met, seen.has_data);
        checks.push(SummaryCheck {
            check: &seen.check,
            met,
            has_data,
            value: seen.value,
            is_bound: seen.is_bound,
            unit: &seen.unit,
        });
    }
    checks
}

fn warnings(run: &RunData) -> Vec<SummaryWarning<'_>> {
    let mut warnings = Vec::new();
    for notice in &run.warnings {
        warnings.push(SummaryWarning { time: &notice.time, kind: &notice.kind, detail: &notice.detail });
    }
    warnings
}

impl Figures {
    fn of(numbers: &Numbers) -> Self {
        let Numbers { statistics: row, bounds, unfinished, timing } = numbers;
        Self {
            requests: row.num_requests,
            failures: row.num_failures,
            rps: row.total_rps,
            failures_per_second: row.total_fail_per_sec,
            average_content_length: row.avg_content_length,
            min: row.min_response_time,
            avg: row.avg_response_time,
            p50: row.percentile_50,
            p90: row.percentile_90,
            p95: row.percentile_95,
            p99: row.percentile_99,
            p99_9: row.percentile_99_9,
            max: row.max_response_time,
            lower_bounds: lower_bounds(*bounds),
            aborted: unfinished.aborted,
            unsent: unfinished.unsent,
            first_byte: timing.as_ref().map(FirstByte::of),
            timings: timing.as_ref().and_then(Timings::of),
        }
    }
}

/// Names of the times that are lower bounds.
fn lower_bounds(bounds: Bounds) -> Vec<&'static str> {
    let bounds = [
        ("avg", bounds.avg),
        ("p50", bounds.percentile_50),
        ("p90", bounds.percentile_90),
        ("p95", bounds.percentile_95),
        ("p99", bounds.percentile_99),
        ("p99_9", bounds.percentile_99_9),
        ("max", bounds.max),
    ];
    bounds.into_iter().filter(|(_, is_bound)| *is_bound).map(|(name, _)| name).collect()
}

impl FirstByte {
    fn of(timing: &TimingSummary) -> Self {
        Self { times: (&timing.first_byte).into(), lower_bounds: lower_bounds(timing.bounds) }
    }
}

impl Timings {
    fn of(timing: &TimingSummary) -> Option<Self> {
        let MeanTimings { dns, connect, tls, first_byte, body } = timing.mean()?;
        Some(Self { connected: timing.timings.connecting.requests, dns, connect, tls, first_byte, body })
    }
}

impl From<&TimesSummary> for TimeSpread {
    fn from(times: &TimesSummary) -> Self {
        let millis = |us: u64| us as f64 / 1000.0;
        Self {
            min: millis(times.min_us),
            avg: millis(times.avg_us),
            p50: millis(times.p50_us),
            p90: millis(times.p90_us),
            p95: millis(times.p95_us),
            p99: millis(times.p99_us),
            p99_9: millis(times.p99_9_us),
            max: millis(times.max_us),
        }
    }
}
