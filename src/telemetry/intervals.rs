//! Converts intervals to lines: what happened at each endpoint, with histograms in the line or, if too long, in parts.

use std::collections::BTreeMap;

use super::fitting::Fitting;
use super::own_records::IntervalMetric;
use super::record::RecordBody;
use super::wire_times::WireTimes;
use crate::plan::endpoint::Endpoint;
use crate::stats::interval::Interval;
use crate::vocabulary::{FailureClass, HistogramKind, Phase};

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
    let mut fitting = Fitting::new(&metric, 3, (&span.start, &span.end), endpoint);
    if interval.completed() > 0 {
        metric.service_histogram = fitting.fit(interval.service(), HistogramKind::Service);
        if !interval.response_is_service() {
            metric.response_histogram = fitting.fit(interval.response(), HistogramKind::Response);
        }
        if let Some(times) = interval.first_byte.of_all(interval.completed()) {
            metric.first_byte_histogram = fitting.fit(times, HistogramKind::FirstByte);
        }
        for times in interval.failed_times.of_all(&interval.failed).into_iter().flatten() {
            fitting.put_failed(&times.histogram, times.class);
        }
    }
    let further = fitting.further();
    metric.histogram_lines = further.len();
    std::iter::once(RecordBody::Interval(Box::new(metric))).chain(further).collect()
}

fn metric(span: &Span, endpoint: &Endpoint, interval: &Interval) -> IntervalMetric {
    let service = WireTimes::from(interval.service());
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
        response: if interval.response_is_service() { service.clone() } else { interval.response().into() },
        service,
        first_byte: interval.first_byte.of_all(interval.completed()).map(Into::into),
        timings: interval.first_byte.timings(interval.service().sum()).map(Into::into),
        failed_service_us: failed_service_us(interval),
        connections: (&interval.connections).into(),
        service_histogram: None,
        response_histogram: None,
        first_byte_histogram: None,
        response_is_service: interval.response_is_service(),
        histogram_lines: 0,
    }
}

fn failed_service_us(interval: &Interval) -> BTreeMap<FailureClass, u64> {
    let times = interval.failed_times.of_all(&interval.failed).into_iter().flatten();
    times.map(|times| (times.class, u64::try_from(times.sum_us).unwrap_or(u64::MAX))).collect()
}
