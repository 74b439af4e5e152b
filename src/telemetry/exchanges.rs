//! Lines about what a failed request and its response were.

use super::own_records::{ExchangeEvent, Warning, WireError};
use super::record::RecordBody;
use super::text::{MAX_METHOD, MAX_NAME, clipped, pieces};
use crate::event::{Explanation, FailedExchange};
use crate::outcome::Failure;
use crate::plan::Plan;
use crate::plan::endpoint::EndpointId;

/// The kind of the warnings that explain an error.
pub const EXPLANATION: &str = "not_as_expected";

/// Maximum bytes of a part of an exchange, as JSON: with all other fields at their longest it fits a line, also one that
/// `merge` passes on.
const MAX_PART: usize = 1900;

/// The lines of a failed exchange.
#[must_use]
pub fn lines(plan: &Plan, exchange: &FailedExchange) -> Vec<RecordBody> {
    let error = error(plan, exchange.endpoint, exchange.failure);
    let texts = pieces(&exchange.text, MAX_PART);
    let parts = texts.len();
    let line = |(part, text): (usize, &str)| ExchangeEvent {
        error: error.clone(),
        exchange: exchange.number,
        part,
        parts,
        text: text.to_owned(),
    };
    (1..).zip(texts).map(line).map(|line| RecordBody::Exchange(Box::new(line))).collect()
}

/// The line that explains an error.
#[must_use]
pub fn explanation(plan: &Plan, explanation: &Explanation) -> RecordBody {
    let detail = clipped(&explanation.text, MAX_NAME).into_owned();
    let cause = Some(error(plan, explanation.endpoint, explanation.failure));
    RecordBody::Warning(Warning { kind: EXPLANATION, detail, cause })
}

fn error(plan: &Plan, endpoint: EndpointId, failure: Failure) -> WireError {
    let endpoint = &plan.endpoints()[endpoint.0 as usize];
    WireError {
        method: clipped(&endpoint.method, MAX_METHOD).into_owned(),
        name: clipped(&endpoint.name, MAX_NAME).into_owned(),
        error: clipped(&failure.text(), MAX_NAME).into_owned(),
    }
}
