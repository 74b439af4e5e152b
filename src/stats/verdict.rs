//! The verdict on a run, and its reasons.

use super::check::CheckResult;
use super::judged_counts::JudgedCounts;
use super::unfinished::UnfinishedCounts;
use crate::error::Exit;
use crate::value::count::counted;
use crate::vocabulary::{ReasonKind, Verdict};

/// Why a run without a single outcome is invalid.
const NOTHING_COMPLETED: &str = "no request completed";

/// The same of a run whose requests all completed in its warm-up.
const ONLY_WARMUP: &str = "no request completed after the warm-up";

/// A reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictReason {
    /// The subject, for programs.
    pub kind: ReasonKind,
    /// A sentence for people.
    pub text: String,
}

impl VerdictReason {
    /// A reason of this kind.
    #[must_use]
    pub fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Everything a run is judged by.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Its requests, without those of the warm-up.
    pub requests: JudgedCounts,
    /// Faults, apart from the counts, that make the run invalid.
    pub faults: Vec<VerdictReason>,
    /// The result of each check.
    pub check_results: Vec<CheckResult>,
    /// Failed requests that no check covers.
    pub unchecked: u64,
    /// Requests that were planned but not sent, because the data for them was used up.
    pub without_data: u64,
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// The reasons, the worst first.
    pub reasons: Vec<VerdictReason>,
    /// The result of each check.
    pub check_results: Vec<CheckResult>,
}

impl Assessment {
    /// Judges a run.
    #[must_use]
    pub fn of(evidence: Evidence) -> Self {
        let Evidence { requests, faults, check_results, unchecked, without_data } = evidence;
        let JudgedCounts { counts, answered, unfinished, warmup } = requests;
        let is_missed = check_results.iter().any(|result| !result.met);
        let mut verdict = if faults.is_empty() { Verdict::Pass } else { Verdict::Invalid };
        let mut reasons = faults;
        if answered == 0 {
            verdict = Verdict::Invalid;
            let text = match counts.completed() {
                0 if warmup > 0 => ONLY_WARMUP.to_owned(),
                0 => NOTHING_COMPLETED.to_owned(),
                1 => "the only request got no response".to_owned(),
                completed => format!("none of {completed} requests got a response"),
            };
            reasons.push(VerdictReason::new(ReasonKind::NoAnswer, text));
        }
        let due = counts.sent() + unfinished.unsent;
        if unfinished.is_too_much(due) {
            // If a lower bound already misses a check, it is a failure of the service, not of the
            // measurement.
            verdict = verdict.max(if is_missed { Verdict::CheckFailed } else { Verdict::Invalid });
            reasons.push(VerdictReason::new(ReasonKind::Unfinished, overdue_text(&unfinished, due)));
        }
        if is_missed {
            verdict = verdict.max(Verdict::CheckFailed);
            let missed = check_results.iter().filter_map(CheckResult::reason);
            reasons.extend(missed.map(|text| VerdictReason::new(ReasonKind::Check, text)));
        }
        if unchecked > 0 {
            verdict = verdict.max(Verdict::Failures);
            let text = format!("{} of {} failed", counts.failed, counted(counts.completed(), "request"));
            reasons.push(VerdictReason::new(ReasonKind::Failures, text));
        }
        if without_data > 0 {
            let text = match without_data {
                1 => "1 request was not sent: the data for it was used up".to_owned(),
                more => format!("{more} requests were not sent: the data for them was used up"),
            };
            reasons.push(VerdictReason::new(ReasonKind::DataEnd, text));
        }
        Self { verdict, reasons, check_results }
    }

    /// The same for a run that a signal ended, which may have come before its start.
    #[must_use]
    pub fn ended_by_signal(mut self) -> Self {
        for reason in self.reasons.iter_mut().filter(|reason| reason.text == NOTHING_COMPLETED) {
            reason.text = format!("{NOTHING_COMPLETED} before a signal ended the run");
        }
        self
    }

    /// A run without complaints.
    #[must_use]
    pub const fn pass() -> Self {
        Self { verdict: Verdict::Pass, reasons: Vec::new(), check_results: Vec::new() }
    }

    /// The exit code for this verdict.
    #[must_use]
    pub const fn exit(&self, on_failures: u8) -> Exit {
        match self.verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Failures => Exit::Failures(on_failures),
            Verdict::CheckFailed => Exit::CheckFailed,
            Verdict::Invalid => Exit::Invalid,
        }
    }
}

fn overdue_text(unfinished: &UnfinishedCounts, due: u64) -> String {
    let UnfinishedCounts { aborted, unsent, overdue, .. } = unfinished;
    let oldest = (unfinished.oldest_us() as f64 / 1e5).round() / 10.0;
    let (requests, were) = (counted(due, "request"), if *overdue == 1 { "was" } else { "were" });
    format!(
        "{overdue} of {requests} {were} overdue when the run ended (cut off {aborted}, never sent {unsent}, the oldest \
         after {oldest} s); with a longer --stop-timeout those that were sent could end"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::Check;
    use crate::stats::check::CheckValue;
    use crate::stats::tally::Counts;

    fn result(met: bool) -> CheckResult {
        let value = Some(CheckValue { number: 250_000.0, is_bound: false });
        CheckResult { check: Check::parse("p95 < 300ms").unwrap(), value, met }
    }

    fn evidence(ok: u64, failed: u64, check_results: Vec<CheckResult>, unchecked: u64) -> Evidence {
        let counts = Counts { ok, failed, ..Counts::default() };
        let requests = JudgedCounts { counts, answered: ok + failed, ..JudgedCounts::default() };
        Evidence { requests, check_results, unchecked, ..Evidence::default() }
    }

    #[test]
    fn the_worst_applicable_verdict_wins() {
        let faults = vec![VerdictReason::new(ReasonKind::Generator, "no free port")];
        let mut unanswered = evidence(0, 80, vec![result(true)], 0);
        unanswered.requests.answered = 0;
        for (evidence, verdict) in [
            (evidence(1, 0, vec![], 0), Verdict::Pass),
            (evidence(1, 0, vec![result(true)], 0), Verdict::Pass),
            (evidence(1, 1, vec![], 1), Verdict::Failures),
            (evidence(1, 1, vec![result(true)], 1), Verdict::Failures),
            (evidence(1, 1, vec![result(true)], 0), Verdict::Pass),
            (evidence(1, 1, vec![result(true), result(false)], 1), Verdict::CheckFailed),
            (evidence(0, 0, vec![result(false)], 0), Verdict::Invalid),
            (unanswered, Verdict::Invalid),
            (Evidence { faults: faults.clone(), ..evidence(1, 1, vec![result(false)], 1) }, Verdict::Invalid),
        ] {
            let assessment = Assessment::of(evidence);
            assert_eq!(assessment.verdict, verdict, "{assessment:?}");
            assert_eq!(assessment.reasons.is_empty(), verdict == Verdict::Pass, "{assessment:?}");
        }
        let assessment = Assessment::of(Evidence { faults, ..evidence(1, 1, vec![result(false)], 1) });
        let missed = "check not met: p95 < 300ms, it is 250ms";
        let texts: Vec<&str> = assessment.reasons.iter().map(|reason| reason.text.as_str()).collect();
        assert_eq!(texts, ["no free port", missed, "1 of 2 requests failed"]);
        assert_eq!(assessment.exit(7), Exit::Invalid);
        assert_eq!(Assessment::of(evidence(1, 1, vec![result(false)], 1)).exit(7).code(), 3);
        assert_eq!(Assessment::of(evidence(1, 1, vec![], 1)).exit(7), Exit::Failures(7));
    }

    #[test]
    fn too_many_unfinished_requests_are_not_valid_unless_a_check_is_missed_already() {
        let unfinished = |overdue| UnfinishedCounts { aborted: overdue, overdue, ..UnfinishedCounts::default() };
        let with = |overdue, check_results| {
            let mut evidence = evidence(95, 0, check_results, 0);
            evidence.requests.counts.aborted = overdue;
            evidence.requests.unfinished = unfinished(overdue);
            Assessment::of(evidence)
        };
        for (assessment, verdict) in [
            (with(5, vec![]), Verdict::Pass),
            (with(6, vec![]), Verdict::Invalid),
            (with(6, vec![result(true)]), Verdict::Invalid),
            (with(6, vec![result(false)]), Verdict::CheckFailed),
        ] {
            assert_eq!(assessment.verdict, verdict, "{assessment:?}");
        }
        assert_eq!(with(6, vec![]).reasons[0].kind, ReasonKind::Unfinished);
    }

    #[test]
    fn a_run_whose_requests_were_all_in_the_warmup_is_not_valid() {
        let mut evidence = evidence(0, 0, vec![], 0);
        evidence.requests.warmup = 5;
        let assessment = Assessment::of(evidence);
        assert_eq!((assessment.verdict, assessment.reasons[0].text.as_str()), (Verdict::Invalid, ONLY_WARMUP));
    }

    #[test]
    fn requests_without_data_are_reported_and_not_an_error() {
        let assessment = Assessment::of(Evidence { without_data: 3, ..evidence(2, 0, vec![], 0) });
        assert_eq!(assessment.verdict, Verdict::Pass);
        assert_eq!(assessment.reasons[0].text, "3 requests were not sent: the data for them was used up");
    }
}
