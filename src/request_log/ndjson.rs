//! Records of requests as JSON, one object a line.

use serde::Serialize;

use super::endpoints::Endpoints;
use crate::clock::{Clock, Elapsed, Moment, rfc3339};
use crate::outcome::{Ending, Failure, Outcome};
use crate::plan::trace::Tracing;
use crate::stats::times::micros;
use crate::value::share::Share;
use crate::vocabulary::RequestResult;

/// A request. Times that end in `_us` are whole microseconds since the start of the run, or lengths.
#[derive(Serialize)]
struct Record<'r> {
    time: String,
    method: &'r str,
    name: &'r str,
    user: u32,
    request: u32,
    due_us: u64,
    sent_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_us: Option<u64>,
    done_us: u64,
    response_us: u64,
    service_us: u64,
    result: RequestResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    bytes_sent: u64,
    bytes_received: u64,
    content_length: u64,
    redirects: u16,
    reopened: u16,
    connections: u16,
    dns_us: u64,
    connect_us: u64,
    tls_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    weight: f64,
}

/// Writes records as JSON.
#[derive(Debug)]
pub(super) struct Ndjson {
    pub(super) endpoints: Endpoints,
    pub(super) clock: Clock,
    pub(super) tracing: Option<Tracing>,
    pub(super) share: Share,
}

impl Ndjson {
    /// Writes the line about a request.
    pub(super) fn write(&self, outcome: &Outcome, into: &mut Vec<u8>) {
        let (traffic, ending) = (outcome.traffic(), outcome.ending());
        let (method, name) = self.endpoints.get(outcome.endpoint());
        let tracing = self.tracing.as_ref().filter(|_| outcome.is_traced());
        let connecting = &traffic.connecting;
        let record = Record {
            time: rfc3339(self.clock.unix(outcome.due())),
            method,
            name,
            user: outcome.id().user(),
            request: outcome.id().number(),
            due_us: since_start(outcome.due()),
            sent_us: since_start(outcome.sent()),
            first_byte_us: traffic.first_byte.map(since_start),
            done_us: since_start(outcome.done()),
            response_us: micros(outcome.response_time()),
            service_us: micros(outcome.service_time()),
            result: ending.result(),
            status_code: (traffic.status > 0).then_some(traffic.status),
            error: ending.failure().map(Failure::text),
            bytes_sent: traffic.bytes_out,
            bytes_received: traffic.bytes_in,
            content_length: traffic.content_length,
            redirects: traffic.redirects,
            reopened: traffic.reopened,
            connections: connecting.connections,
            dns_us: length(connecting.dns),
            connect_us: length(connecting.connect),
            tls_us: length(connecting.tls),
            trace_id: tracing.map(|t| t.ids(self.clock.unix(Moment::START), outcome.id()).trace_id()),
            // Those that did not end as they should are all there.
            weight: if ending == Ending::Ok { self.share.weight() } else { 1.0 },
        };
        let written = serde_json::to_writer(&mut *into, &record);
        assert!(written.is_ok(), "a record has string keys and finite numbers only");
        into.push(b'\n');
    }
}

fn since_start(moment: Moment) -> u64 {
    moment.nanos() / 1000
}

fn length(elapsed: Elapsed) -> u64 {
    u64::try_from(elapsed.duration().as_micros()).unwrap_or(u64::MAX)
}
