//! Single requests in the outputs for terminals and programs: the slowest, and the first that failed.

use std::fmt::Write as _;

use serde::Serialize;

use super::model::samples::{Samples, response_ms};
use super::plain::{columns, fitted, plain};
use super::table::ms;
use crate::telemetry::samples::SampleEvent;

/// Maximum number of requests that a terminal shows.
const MAX_SHOWN: usize = 5;

/// The requests of a summary for programs.
#[derive(Serialize)]
pub(super) struct SummarySamples<'m> {
    slowest: Vec<SummarySample<'m>>,
    slowest_traced: Vec<SummarySample<'m>>,
    first_failed: Vec<SummarySample<'m>>,
}

/// Times in milliseconds since the start of the run.
#[derive(Serialize)]
struct SummarySample<'m> {
    method: &'m str,
    name: &'m str,
    due: f64,
    sent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte: Option<f64>,
    done: f64,
    response_time: f64,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'m str>,
}

impl<'m> SummarySamples<'m> {
    /// The requests of a run.
    pub(super) fn of(samples: &'m Samples) -> Self {
        let all = |samples: &'m [SampleEvent]| samples.iter().map(SummarySample::of).collect();
        Self {
            slowest: all(&samples.slowest),
            slowest_traced: all(&samples.traced),
            first_failed: all(&samples.failed),
        }
    }
}

impl<'m> SummarySample<'m> {
    fn of(event: &'m SampleEvent) -> Self {
        Self {
            method: &event.method,
            name: &event.name,
            due: event.due_ms,
            sent: event.sent_ms,
            first_byte: event.first_byte_ms,
            done: event.done_ms,
            response_time: response_ms(event),
            result: event.result.as_str(),
            status: event.status_code,
            error: event.error.as_deref(),
            trace_id: event.trace_id.as_deref(),
        }
    }
}

/// The slowest traced requests with their trace ids, for a terminal; empty if no request was traced, as what these
/// requests are good for is to be looked up.
#[must_use]
pub(super) fn traced(samples: &Samples, width: Option<usize>) -> String {
    if samples.traced.is_empty() {
        return String::new();
    }
    let shown = &samples.traced[..samples.traced.len().min(MAX_SHOWN)];
    let times: Vec<String> = shown.iter().map(|event| ms(response_ms(event))).collect();
    let time = times.iter().map(String::len).max().unwrap_or(0).max("ms".len());
    let names: Vec<String> = shown.iter().map(|event| plain(&format!("{} {}", event.method, event.name))).collect();
    let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0).max("Endpoint".len());
    // The trace id is what a person copies, so it is never cut.
    let name = width.map_or(widest, |width| widest.min(width.saturating_sub(time + 34).max("Endpoint".len())));
    let mut text = format!("\nSlowest traced requests\n{:>time$} {} Trace id\n", "ms", fitted("Endpoint", name));
    let _ = writeln!(text, "{}|{}|{}", "-".repeat(time), "-".repeat(name), "-".repeat(32));
    for ((event, took), title) in shown.iter().zip(&times).zip(&names) {
        let id = plain(event.trace_id.as_deref().unwrap_or_default());
        let _ = writeln!(text, "{took:>time$} {} {id}", fitted(title, name));
    }
    text
}
