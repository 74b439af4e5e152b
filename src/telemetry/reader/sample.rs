//! An example of the requests of a tick, as its line says.

use super::line::Telemetry;
use crate::telemetry::samples::SampleEvent;
use crate::vocabulary::RequestResult;

/// What a line about a request says. Kinds of a later version are left out.
#[must_use]
pub fn sample(line: &Telemetry<'_>) -> SampleEvent {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    SampleEvent {
        kinds: line.kinds.iter().filter_map(|kind| kind.0).collect(),
        method: (*line.method).to_owned(),
        name: (*line.name).to_owned(),
        due_ms: line.due_ms,
        sent_ms: line.sent_ms,
        first_byte_ms: line.first_byte_ms,
        done_ms: line.done_ms,
        result: line.result.0.unwrap_or(RequestResult::Aborted),
        status_code: line.status_code,
        error: text(&line.error),
        trace_id: text(&line.trace_id),
    }
}
