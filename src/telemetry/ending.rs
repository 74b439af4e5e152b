//! The end of a run in the stream: the lines about its checks, and the last line.

use std::time::Duration;

use super::answer::AnswerEvent;
use super::check_event::CheckEvent;
use super::own_records::{RunEnd, WireReason};
use super::record::RecordBody;
use super::text::{MAX_NAME, clipped};
use crate::clock::Moment;
use crate::stats::aggregate::EndpointKey;
use crate::stats::check::CheckResult;
use crate::stats::judged_counts::WarmupTotals;
use crate::stats::tally::{Counts, Tally};
use crate::stats::unfinished::{Judged, Unfinished, UnfinishedCounts};
use crate::stats::verdict::{Assessment, VerdictReason};
use crate::vocabulary::EndReason;

/// Maximum reasons in the last line; earlier lines have the details of the others.
const MAX_REASONS: usize = 4;

/// Maximum bytes of a check as JSON: a line minus its envelope and the other keys.
const MAX_CHECK_BYTES: usize = 2048;

/// How and when a run ended.
#[derive(Clone, Debug)]
pub struct RunEnding {
    /// When the last user had ended.
    pub at: Moment,
    /// When the stop began.
    pub stopped_at: Moment,
    /// Why the stop began.
    pub reason: EndReason,
    /// Users when the stop began.
    pub users: u32,
    /// When the load ended: rates are computed from the start of the run to here.
    pub load_end: Moment,
    /// Unfinished requests by endpoint and phase.
    pub unfinished: Vec<(EndpointKey, Unfinished)>,
    /// The assessment of the run.
    pub assessment: Assessment,
    /// What a search for capacity has found, if the run is one.
    pub answer: Option<AnswerEvent>,
    /// Exit code of the process.
    pub exit_code: u8,
}

impl RunEnding {
    /// A line for each check, and the last line.
    pub(super) fn bodies(&self, whole: &Tally) -> impl Iterator<Item = RecordBody> + use<> {
        let warmup = WarmupTotals::of(whole, self.unfinished.iter().map(|(_, part)| (part.phase, &part.counts)));
        let mut unfinished = UnfinishedCounts::default();
        self.unfinished.iter().for_each(|(_, part)| unfinished.add(&part.counts));
        let judged = (unfinished.total() > 0).then(|| Judged::of(whole, self.unfinished.iter().map(|(_, part)| part)));
        let load_time = self.load_end.since_start();
        let answer = self.answer.clone();
        let totals = EndTotals { counts: whole.counts(), unfinished, warmup, judged, load_time, answer };
        last_lines(&self.assessment, self.exit_code, &totals)
    }
}

/// Totals for the last line.
#[derive(Clone, Debug)]
pub struct EndTotals {
    /// Requests by outcome.
    pub counts: Counts,
    /// Unfinished requests.
    pub unfinished: UnfinishedCounts,
    /// Those of them that belong to the warm-up; `None` if none do.
    pub warmup: Option<WarmupTotals>,
    /// Times with unfinished requests included; `None` if no request was unfinished.
    pub judged: Option<Judged>,
    /// Duration of the load, over which rates are computed.
    pub load_time: Duration,
    /// What a search for capacity has found, if the run is one.
    pub answer: Option<AnswerEvent>,
}

/// A line for each check, and the last line.
pub fn last_lines(
    assessment: &Assessment,
    exit_code: u8,
    totals: &EndTotals,
) -> impl Iterator<Item = RecordBody> + use<> {
    let Assessment { verdict, reasons, check_results } = assessment;
    let EndTotals { counts, unfinished, warmup, judged, load_time, answer } = totals;
    let met = check_results.iter().filter(|result| result.met).count();
    let end = RunEnd {
        // Filled in by the writer, which counts the lines.
        lines: 0,
        due: counts.sent() + unfinished.unsent,
        sent: counts.sent(),
        unsent: unfinished.unsent,
        overdue: unfinished.overdue,
        completed: counts.completed(),
        ok: counts.ok,
        failed: counts.failed,
        aborted: counts.aborted,
        redirects: counts.redirects,
        reopened: counts.reopened,
        warmup: warmup.map(Into::into),
        load_seconds: load_time.as_secs_f64(),
        judged: judged.map(|judged| judged.response),
        judged_first_byte: judged.and_then(|judged| judged.first_byte),
        checks_met: met,
        checks_missed: check_results.len() - met,
        verdict: *verdict,
        reasons: limited(reasons),
        capacity: answer.clone(),
        exit_code,
    };
    let checks: Vec<RecordBody> = check_results.iter().map(|result| RecordBody::Check(check_event(result))).collect();
    checks.into_iter().chain([RecordBody::RunEnd(end)])
}

/// As many as fit, and how many more there are.
fn limited(reasons: &[VerdictReason]) -> Vec<WireReason> {
    let wire = |VerdictReason { kind, text }: &VerdictReason| WireReason {
        kind: *kind,
        text: clipped(text, MAX_NAME).into_owned(),
    };
    if reasons.len() <= MAX_REASONS {
        return reasons.iter().map(wire).collect();
    }
    let (told, rest) = reasons.split_at(MAX_REASONS - 1);
    let more = VerdictReason::new(rest[0].kind, format!("and {} more reasons", rest.len()));
    told.iter().chain([&more]).map(wire).collect()
}

/// The event for each check.
pub fn check_events(assessment: &Assessment) -> impl Iterator<Item = CheckEvent> {
    assessment.check_results.iter().map(check_event)
}

fn check_event(result: &CheckResult) -> CheckEvent {
    CheckEvent::of(result, MAX_CHECK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::ReasonKind;

    #[test]
    fn reasons_that_do_not_fit_are_counted() {
        let reason = |number| VerdictReason::new(ReasonKind::Check, format!("reason {number}"));
        let reasons: Vec<VerdictReason> = (1..=6).map(reason).collect();
        let texts = |reasons| limited(reasons).into_iter().map(|reason| reason.text).collect::<Vec<_>>();
        assert_eq!(texts(&reasons[..4]), ["reason 1", "reason 2", "reason 3", "reason 4"]);
        assert_eq!(texts(&reasons), ["reason 1", "reason 2", "reason 3", "and 3 more reasons"]);
    }
}
