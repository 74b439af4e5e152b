//! The line about the result of a check.

use serde::Serialize;

use super::text::clipped;
use crate::stats::check::CheckResult;

/// The result of a check.
#[derive(Clone, Debug, Serialize)]
pub struct CheckEvent {
    /// The check as written.
    pub check: String,
    /// Whether it was met.
    pub met: bool,
    /// Whether there were any requests to judge it by; without, it is missed, and the value is 0.
    pub has_data: bool,
    /// The value reached.
    pub value: f64,
    /// Whether the value is a lower bound, raised by unfinished requests.
    pub is_bound: bool,
    /// `ms`, `1/s`, `ratio` (a share of 1) or `requests`.
    pub unit: &'static str,
}

impl CheckEvent {
    /// The event for a result, with a text of at most so many bytes as JSON.
    #[must_use]
    pub fn of(result: &CheckResult, max_bytes: usize) -> Self {
        let (value, unit) = result.wire_value();
        Self {
            check: clipped(result.check.text(), max_bytes).into_owned(),
            met: result.met,
            has_data: result.value.is_some(),
            value,
            is_bound: result.value.is_some_and(|value| value.is_bound),
            unit,
        }
    }
}
