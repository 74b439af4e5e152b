//! What lines say of failures, as a reader takes it: why there were some, and whole exchanges.

use super::line::Telemetry;

/// Which error a line is about, as in the lines about errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ErrorName {
    pub method: String,
    pub name: String,
    pub error: String,
}

/// How often an error of an endpoint occurred.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ErrorRow {
    pub method: String,
    pub name: String,
    pub error: String,
    pub occurrences: u64,
    /// How often of these in the warm-up.
    pub warmup: u64,
    pub first_seen: f64,
    pub last_seen: f64,
}

impl ErrorRow {
    pub(super) fn of(line: &Telemetry<'_>) -> Self {
        Self {
            method: (*line.method).to_owned(),
            name: (*line.name).to_owned(),
            error: (*line.error).to_owned(),
            occurrences: line.occurrences,
            warmup: line.warmup_occurrences.min(line.occurrences),
            first_seen: line.first_seen,
            last_seen: line.last_seen,
        }
    }
}

/// A warning that concerns the validity of the numbers, or explains an error.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct WarningFact {
    pub kind: String,
    pub detail: String,
    /// The error that it explains.
    pub cause: Option<ErrorName>,
}

/// A part of a failed exchange.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ExchangeFact {
    pub error: ErrorName,
    pub exchange: u32,
    pub part: usize,
    pub text: String,
}
