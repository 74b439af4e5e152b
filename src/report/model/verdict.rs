//! Judging a run from its stream, by the function that also judges it at its end.

use std::time::Duration;

use super::run_data::RunData;
use super::seen::EndpointSeen;
use crate::plan::check::Check;
use crate::stats::check::unchecked_failures;
use crate::stats::verdict::{Assessment, Evidence, VerdictReason};
use crate::telemetry::ending::check_events;
use crate::telemetry::reader::ending::{CheckSeen, ReasonFact, RunEndFact};
use crate::telemetry::reader::troubles::StreamTroubles;
use crate::vocabulary::{ReasonKind, Verdict};

impl RunData {
    /// Replaces the stream's verdict by one for `checks`, which the check set was made from.
    pub(super) fn judge(&mut self, checks: &[Check], troubles: &StreamTroubles) {
        self.pass_unfinished_to_checks();
        let failures = self.failed_by_endpoint();
        let unchecked = unchecked_failures(checks, failures.iter().map(|(title, failed)| (title.as_str(), *failed)));
        let load_time = self.load_time();
        let (counts, unfinished) = (self.all_counts(), self.all_unfinished());
        let (faults, notes) = self.stream_reasons(troubles);
        let mut assessment = Assessment::of(Evidence {
            requests: self.judged_counts(),
            faults,
            check_results: self.check_set.results(load_time),
            unchecked,
            without_data: 0,
        });
        assessment.reasons.extend(notes);
        let (judged, judged_first_byte) =
            self.end.as_ref().map_or((None, None), |end| (end.judged, end.judged_first_byte));
        let on_failures = self.plan.setting("exit-code-on-error").and_then(|code| code.parse().ok()).unwrap_or(1);
        self.checks = check_events(&assessment).map(CheckSeen::from).collect();
        self.end = Some(RunEndFact {
            ok: counts.ok,
            failed: counts.failed,
            aborted: counts.aborted,
            unsent: unfinished.unsent,
            overdue: unfinished.overdue,
            redirects: counts.redirects,
            reopened: counts.reopened,
            load_seconds: Some(load_time.as_secs_f64()),
            judged,
            judged_first_byte,
            verdict: assessment.verdict,
            capacity: self.end.as_ref().and_then(|end| end.capacity.clone()),
            exit_code: assessment.exit(on_failures).code(),
            reasons: assessment.reasons.into_iter().map(ReasonFact::from).collect(),
        });
    }

    /// Reasons in the stream that do not follow from its numbers: those that made the run invalid, and those worth
    /// knowing.
    fn stream_reasons(&self, troubles: &StreamTroubles) -> (Vec<VerdictReason>, Vec<VerdictReason>) {
        let end = self.end.iter();
        let is_invalid = |end: &&RunEndFact| end.verdict == Verdict::Invalid;
        let reasons = || end.clone().flat_map(|end| &end.reasons);
        let mut faults: Vec<VerdictReason> = end
            .clone()
            .filter(is_invalid)
            .flat_map(|end| &end.reasons)
            .filter_map(|reason| {
                // Version 1 has no kinds: each of its reasons may be one that the numbers do not show.
                let kind = reason.kind.unwrap_or(ReasonKind::Generator);
                kind.is_fault().then(|| VerdictReason::new(kind, reason.text.as_str()))
            })
            .collect();
        if troubles.is_loss() {
            faults.push(VerdictReason::new(ReasonKind::Stream, "the stream is not whole"));
        }
        let notes = reasons().filter(|reason| reason.kind == Some(ReasonKind::DataEnd));
        (faults, notes.map(|reason| VerdictReason::new(ReasonKind::DataEnd, reason.text.as_str())).collect())
    }

    /// Each endpoint's name in checks, and how many of its requests failed.
    pub(in crate::report) fn failed_by_endpoint(&self) -> Vec<(String, u64)> {
        let failed = |endpoint| self.statistics(endpoint).map_or(0, |row| row.num_failures);
        self.endpoints.iter().map(|endpoint| (endpoint.title(), failed(endpoint))).collect()
    }

    /// Requests that got a complete response, whether it was ok or not.
    pub(super) fn answered(&self) -> u64 {
        let classes = self.endpoints.iter().flat_map(EndpointSeen::judged_failed_by_class);
        let unanswered: u64 = classes.filter(|(class, _)| !class.is_response_class()).map(|(_, count)| count).sum();
        self.counts().completed().saturating_sub(unanswered)
    }

    /// Duration of the load, over which the stream computes its total rate. Version 1 of the format does not contain
    /// it.
    fn load_time(&self) -> Duration {
        let total = self.total();
        let told = self.end.as_ref().and_then(|end| end.load_seconds);
        let seconds = told.unwrap_or_else(|| total.num_requests as f64 / total.total_rps);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}
