//! Converts intervals to lines: what happened at each endpoint, with histograms in the line or, if too long, in parts.

use super::fitting::Fitting;
use super::own_records::{IntervalMetric, WireConnections, WireSum, WireTimes};
use super::record::RecordBody;
use crate::plan::endpoint::Endpoint;
use crate::stats::interval::{ConnectionTimes, Interval};
use crate::stats::sum::Sum;
use crate::stats::times::Times;
use crate::vocabulary::{HistogramKind, Phase};

/// The period and the phase of an interval.
#[derive(Clone, Debug)]
pub struct Span {
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// The phase that it belongs to.
    pub phase: Phase,
}

/// The lines about one endpoint's interval.
#[must_use]
pub fn lines(span: &Span, endpoint: &Endpoint, interval: &Interval) -> Vec<RecordBody> {
    let mut metric = metric(span, endpoint, interval);
    let mut fitting = Fitting::new(&metric, 2, (&span.start, &span.end), endpoint);
    if interval.completed() > 0 {
        metric.service_histogram = fitting.fit(interval.service(), HistogramKind::Service);
        if !interval.response_is_service() {
            metric.response_histogram = fitting.fit(interval.response(), HistogramKind::Response);
        }
    }
    let further = fitting.further();
    metric.histogram_lines = further.len();
    std::iter::once(RecordBody::Interval(Box::new(metric))).chain(further).collect()
}

fn metric(span: &Span, endpoint: &Endpoint, interval: &Interval) -> IntervalMetric {
    let service = times(interval.service());
    IntervalMetric {
        interval_start: span.start.clone(),
        interval_end: span.end.clone(),
        phase: span.phase,
        method: endpoint.method.clone(),
        name: endpoint.name.clone(),
        ok: interval.ok,
        failed: interval.failures(),
        failed_by_class: interval.failed.iter().copied().collect(),
        aborted: interval.aborted,
        completed_after_stop: interval.after_stop.completed,
        failed_after_stop: interval.after_stop.failed,
        redirects: interval.redirects,
        reopened: interval.reopened,
        bytes_sent: interval.bytes_sent,
        bytes_received: interval.bytes_received,
        response: if interval.response_is_service() { service.clone() } else { times(interval.response()) },
        service,
        first_byte: sum(&interval.first_byte),
        connections: connections(&interval.connections),
        service_histogram: None,
        response_histogram: None,
        response_is_service: interval.response_is_service(),
        histogram_lines: 0,
    }
}

fn times(times: &Times) -> WireTimes {
    let sum = times.sum();
    let [p50_us, p90_us, p95_us, p99_us, p99_9_us] = times.percentiles_us([500, 900, 950, 990, 999]);
    WireTimes {
        sum_us: whole(sum.sum_us),
        min_us: sum.min_us(),
        max_us: sum.max_us,
        p50_us,
        p90_us,
        p95_us,
        p99_us,
        p99_9_us,
    }
}

pub(super) fn sum(sum: &Sum) -> WireSum {
    WireSum { count: sum.count, sum_us: whole(sum.sum_us), min_us: sum.min_us(), max_us: sum.max_us }
}

fn connections(made: &ConnectionTimes) -> WireConnections {
    WireConnections { count: made.count, dns: sum(&made.dns), connect: sum(&made.connect), tls: sum(&made.tls) }
}

/// Enough for 584,000 years of microseconds.
fn whole(us: u128) -> u64 {
    u64::try_from(us).unwrap_or(u64::MAX)
}
