//! Converts unfinished requests to lines: one for each endpoint and phase in which they were due.

use super::fitting::Fitting;
use super::intervals::Span;
use super::own_records::UnfinishedMetric;
use super::record::RecordBody;
use crate::plan::endpoint::Endpoint;
use crate::stats::times::Times;
use crate::stats::unfinished::{Judged, Unfinished};
use crate::vocabulary::HistogramKind;

/// The lines about one endpoint's unfinished requests; `span` is the time of the load, `judged` the endpoint's times
/// over all phases.
#[must_use]
pub fn lines(span: &Span, endpoint: &Endpoint, unfinished: &Unfinished, judged: Judged) -> Vec<RecordBody> {
    let Unfinished { counts, response, service, first_byte, .. } = unfinished;
    let mut metric = UnfinishedMetric {
        phase: unfinished.phase,
        method: endpoint.method.clone(),
        name: endpoint.name.clone(),
        aborted: counts.aborted,
        unsent: counts.unsent,
        overdue: counts.overdue,
        oldest_aborted_us: counts.oldest_aborted_us,
        oldest_unsent_us: counts.oldest_unsent_us,
        response: response.sum().into(),
        service: service.sum().into(),
        first_byte: first_byte.sum().into(),
        judged: judged.response,
        judged_first_byte: judged.first_byte,
        response_histogram: None,
        service_histogram: None,
        first_byte_histogram: None,
        histogram_lines: 0,
    };
    let mut fitting = Fitting::new(&metric, 3, (&span.start, &span.end), endpoint);
    let mut place = |times: &Times, kind| (times.sum().count > 0).then(|| fitting.fit(times, kind)).flatten();
    metric.response_histogram = place(response, HistogramKind::UnfinishedResponse);
    metric.service_histogram = place(service, HistogramKind::UnfinishedService);
    metric.first_byte_histogram = place(first_byte, HistogramKind::UnfinishedFirstByte);
    let further = fitting.further();
    metric.histogram_lines = further.len();
    std::iter::once(RecordBody::Unfinished(Box::new(metric))).chain(further).collect()
}
