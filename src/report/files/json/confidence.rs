//! Intervals of confidence, and the comparison with other runs, in the summary.

use serde::Serialize;

use crate::report::model::steady::Confidence;
use crate::report::model::{BuildComparison, RunData};
use crate::stats::build_comparison::{Compared, Finding, Measure};
use crate::stats::confidence::{Estimates, Figure, LEVEL};

/// How certain the figures of the steady phase are.
#[derive(Serialize)]
pub(super) struct SummaryConfidence<'m> {
    level: f64,
    ticks: usize,
    seconds: f64,
    total: Intervals,
    endpoints: Vec<EndpointIntervals<'m>>,
    not_steady: Vec<SummaryDrift>,
}

/// Times in milliseconds, the rate per second; a figure without an interval is left out.
#[derive(Default, Serialize)]
struct Intervals {
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<Interval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<Interval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Interval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg: Option<Interval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rps: Option<Interval>,
}

#[derive(Serialize)]
struct Interval {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct EndpointIntervals<'m> {
    method: &'m str,
    name: &'m str,
    #[serde(flatten)]
    intervals: Intervals,
}

#[derive(Serialize)]
struct SummaryDrift {
    figure: &'static str,
    first_third: f64,
    last_third: f64,
}

/// Two builds compared.
#[derive(Serialize)]
pub(super) struct SummaryComparison<'m> {
    baseline: &'m [String],
    runs: &'m [String],
    tolerance: f64,
    worse: usize,
    endpoints: Vec<ComparedBlock<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Vec<ComparedFigure>>,
    notes: &'m [String],
}

#[derive(Serialize)]
struct ComparedBlock<'m> {
    endpoint: &'m str,
    figures: Vec<ComparedFigure>,
}

/// Times in milliseconds, the rate per second; shares and changes as fractions of 1.
#[derive(Serialize)]
struct ComparedFigure {
    figure: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<f64>,
    /// Half of the interval of confidence of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<f64>,
    finding: &'static str,
}

impl<'m> SummaryConfidence<'m> {
    pub(super) fn of(confidence: &Confidence, run: &'m RunData) -> Self {
        let endpoint = |(endpoint, estimates): (&'m crate::report::model::EndpointSeen, &Estimates)| {
            EndpointIntervals { method: &endpoint.method, name: &endpoint.name, intervals: Intervals::of(estimates) }
        };
        let drift = |drift: &crate::stats::steadiness::Drift| SummaryDrift {
            figure: figure_name(drift.figure),
            first_third: shown(drift.figure, drift.first),
            last_third: shown(drift.figure, drift.last),
        };
        Self {
            level: LEVEL,
            ticks: confidence.ticks,
            seconds: confidence.seconds,
            total: Intervals::of(&confidence.all),
            endpoints: run.endpoints.iter().zip(&confidence.endpoints).map(endpoint).collect(),
            not_steady: confidence.drifts.iter().map(drift).collect(),
        }
    }
}

impl Intervals {
    fn of(estimates: &Estimates) -> Self {
        let interval = |figure: Figure| {
            let estimate = estimates[figure.index()]?;
            let (low, high) = estimate.interval(LEVEL);
            let shown = |value| shown(figure, value);
            Some(Interval { value: shown(estimate.value()), low: shown(low), high: shown(high) })
        };
        Self {
            p50: interval(Figure::P50),
            p95: interval(Figure::P95),
            p99: interval(Figure::P99),
            avg: interval(Figure::Mean),
            rps: interval(Figure::Rate),
        }
    }
}

impl<'m> SummaryComparison<'m> {
    pub(super) fn of(comparison: &'m BuildComparison) -> Self {
        let figures = |rows: &[Compared]| rows.iter().map(ComparedFigure::of).collect::<Vec<_>>();
        let block = |endpoint: &'m crate::report::model::comparison::ComparedEndpoint| ComparedBlock {
            endpoint: &endpoint.title,
            figures: figures(&endpoint.rows),
        };
        Self {
            baseline: &comparison.baseline,
            runs: &comparison.runs,
            tolerance: comparison.tolerance,
            worse: comparison.worse(),
            endpoints: comparison.endpoints.iter().map(block).collect(),
            total: comparison.all.as_ref().map(|rows| figures(rows)),
            notes: &comparison.notes,
        }
    }
}

impl ComparedFigure {
    fn of(row: &Compared) -> Self {
        let (name, unit): (_, fn(f64) -> f64) = match row.measure {
            Measure::Figure(Figure::Rate) => (figure_name(Figure::Rate), |rate| rate),
            Measure::Figure(figure) => (figure_name(figure), |us| us / 1000.0),
            Measure::FailRatio => ("fail_ratio", |share| share),
        };
        Self {
            figure: name,
            baseline: row.baseline.map(unit),
            value: row.value.map(unit),
            change: row.difference.map(|difference| difference.change()),
            margin: row.difference.map(|difference| difference.margin()).filter(|margin| margin.is_finite()),
            finding: finding_name(row.finding),
        }
    }
}

const fn figure_name(figure: Figure) -> &'static str {
    match figure {
        Figure::P50 => "p50",
        Figure::P95 => "p95",
        Figure::P99 => "p99",
        Figure::Mean => "avg",
        Figure::Rate => "rps",
    }
}

const fn finding_name(finding: Finding) -> &'static str {
    match finding {
        Finding::Worse => "worse",
        Finding::Better => "better",
        Finding::Same => "same",
        Finding::CannotTell => "cannot_tell",
        Finding::TooFew => "too_few",
        Finding::NotJudged => "not_judged",
    }
}

/// Microseconds as milliseconds; a rate as it is.
fn shown(figure: Figure, value: f64) -> f64 {
    if figure == Figure::Rate { value } else { value / 1000.0 }
}
