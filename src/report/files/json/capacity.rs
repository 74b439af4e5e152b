//! A search for capacity in the summary for programs.

use serde::Serialize;

use crate::report::capacity;
use crate::report::model::RunData;
use crate::telemetry::answer::AnswerEvent;
use crate::telemetry::steps::StepEvent;

/// A search for capacity.
#[derive(Serialize)]
pub(super) struct SummaryCapacity<'m> {
    /// What was found, or is known so far, in a sentence.
    sentence: String,
    /// Left out if the stream was cut off before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'m AnswerEvent>,
    steps: &'m [StepEvent],
}

impl<'m> SummaryCapacity<'m> {
    /// That of a run; `None` where it is not a search.
    pub(super) fn of(run: &'m RunData) -> Option<Self> {
        let answer = run.end.as_ref().and_then(|end| end.capacity.as_ref());
        Some(Self { sentence: capacity::answer(run)?, answer, steps: &run.steps })
    }
}
