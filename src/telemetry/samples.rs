//! The lines about single requests: the slowest and the first failed ones of a tick.

use serde::Serialize;

use super::text::{MAX_NAME, clipped};
use crate::clock::{Clock, Moment};
use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::stats::samples::Sample;
use crate::vocabulary::{RequestResult, SampleKind};

/// A request that is an example. Times are in milliseconds since the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleEvent {
    /// What of, among the requests of its endpoint in this tick.
    pub kinds: Vec<SampleKind>,
    /// Method of the endpoint.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// When it was due.
    pub due_ms: f64,
    /// When it was sent.
    pub sent_ms: f64,
    /// When the first byte of its last response arrived, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
    /// When it was over.
    pub done_ms: f64,
    /// How it ended.
    pub result: RequestResult,
    /// Status of its last response, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its trace id, if it carried one of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// The line about a sample of an endpoint.
#[must_use]
pub fn event(plan: &Plan, clock: &Clock, endpoint: Endpoint, sample: Sample) -> SampleEvent {
    let Sample { outcome, kinds } = sample;
    let traffic = outcome.traffic();
    let tracing = plan.tracing().filter(|_| outcome.is_traced());
    SampleEvent {
        kinds,
        method: endpoint.method,
        name: endpoint.name,
        due_ms: milliseconds(outcome.due()),
        sent_ms: milliseconds(outcome.sent()),
        first_byte_ms: traffic.first_byte.map(milliseconds),
        done_ms: milliseconds(outcome.done()),
        result: outcome.ending().result(),
        status_code: (traffic.status > 0).then_some(traffic.status),
        error: outcome.ending().failure().map(|failure| clipped(&failure.text(), MAX_NAME).into_owned()),
        trace_id: tracing.map(|tracing| tracing.ids(clock.unix(Moment::START), outcome.id()).trace_id()),
    }
}

/// Milliseconds since the start, with the digits of whole microseconds.
fn milliseconds(moment: Moment) -> f64 {
    (moment.nanos() / 1000) as f64 / 1000.0
}
