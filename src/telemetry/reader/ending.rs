//! What the last lines say, as a reader takes it: what had not ended, what became of the checks, and what the run came to.

use super::line::Telemetry;
use super::value::{self, CountedTimesValue, TimesValue};
use crate::stats::unfinished::JudgedTimes;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::answer::AnswerEvent;
use crate::telemetry::check_event::CheckEvent;
use crate::vocabulary::{Phase, ReasonKind, Verdict};

/// Unfinished requests of one endpoint that were due in one phase.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct UnfinishedFact {
    pub phase: Phase,
    pub method: String,
    pub name: String,
    pub aborted: u64,
    pub unsent: u64,
    pub overdue: u64,
    pub oldest_aborted_us: u64,
    pub oldest_unsent_us: u64,
    pub response: TimesValue,
    pub service: TimesValue,
    pub first_byte: CountedTimesValue,
    pub judged: JudgedTimes,
    pub judged_first_byte: Option<JudgedTimes>,
    pub response_histogram: Option<String>,
    pub service_histogram: Option<String>,
    pub first_byte_histogram: Option<String>,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct CheckSeen {
    pub check: String,
    pub met: bool,
    pub has_data: bool,
    pub value: f64,
    pub is_bound: bool,
    pub unit: String,
}

impl From<CheckEvent> for CheckSeen {
    fn from(said: CheckEvent) -> Self {
        let CheckEvent { check, met, has_data, value, is_bound, unit } = said;
        Self { check, met, has_data, value, is_bound, unit: unit.to_owned() }
    }
}

impl CheckSeen {
    /// The value in human-readable form, `312.5ms`, `1.25%` or `≥ 5.9s`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        self.has_data.then(|| crate::stats::check::value_text(self.value, &self.unit, self.is_bound))
    }
}

/// The last line.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct RunEndFact {
    pub ok: u64,
    pub failed: u64,
    pub aborted: u64,
    /// 0 in version 1, which does not tell.
    pub unsent: u64,
    pub overdue: u64,
    pub redirects: u64,
    pub reopened: u64,
    /// Left out in version 1, whose rates are over the time to the last request.
    pub load_seconds: Option<f64>,
    /// Left out where everything had ended, and in version 1.
    pub judged: Option<JudgedTimes>,
    /// The same for times to the first byte; left out also where those of some requests are not known.
    pub judged_first_byte: Option<JudgedTimes>,
    pub verdict: Verdict,
    pub reasons: Vec<ReasonFact>,
    /// What a search for capacity has found, if the run is one.
    pub capacity: Option<AnswerEvent>,
    pub exit_code: u8,
}

impl RunEndFact {
    pub(super) fn of(line: &Telemetry<'_>) -> Self {
        Self {
            ok: line.ok,
            failed: line.failed,
            aborted: line.aborted,
            unsent: line.unsent,
            overdue: line.overdue,
            redirects: line.redirects,
            reopened: line.reopened,
            load_seconds: line.load_seconds,
            judged: line.judged,
            judged_first_byte: line.judged_first_byte,
            verdict: line.verdict.0.unwrap_or(Verdict::Invalid),
            reasons: line.reasons.iter().map(ReasonFact::of).collect(),
            capacity: line.capacity.clone(),
            exit_code: line.exit_code,
        }
    }

    /// The reasons as sentences.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.reasons.iter().map(|reason| reason.text.as_str()).collect()
    }
}

/// A reason for the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonFact {
    /// What it is about; `None` where the stream is of version 1, which does not tell, or of a later one.
    pub kind: Option<ReasonKind>,
    /// A sentence.
    pub text: String,
}

impl From<VerdictReason> for ReasonFact {
    fn from(VerdictReason { kind, text }: VerdictReason) -> Self {
        Self { kind: Some(kind), text }
    }
}

impl ReasonFact {
    fn of(line: &value::ReasonValue<'_>) -> Self {
        Self { kind: line.kind(), text: line.text().to_owned() }
    }
}
