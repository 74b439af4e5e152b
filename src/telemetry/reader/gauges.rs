//! What lines about a process and its host say.

use super::line::Telemetry;

/// A value in the unit of its line.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct GaugeFact {
    pub value: f64,
}

impl GaugeFact {
    pub(super) fn of(line: &Telemetry<'_>) -> Self {
        Self { value: line.value.unwrap_or_default() }
    }
}
