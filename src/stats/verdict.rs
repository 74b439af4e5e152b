//! What a run comes to.

use super::check::Ruling;
use super::tally::Counts;
use crate::error::Exit;

/// What a run comes to, the worst that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every request was answered as wanted.
    Pass,
    /// Some request failed, and no check says what that is worth.
    Failures,
    /// A check was not met.
    CheckFailed,
    /// The numbers do not say what they seem to.
    Invalid,
}

impl Verdict {
    /// The word in `swarmline.event.run.end`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Failures => "failures",
            Self::CheckFailed => "check_failed",
            Self::Invalid => "invalid",
        }
    }
}

/// A verdict and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not a pass; empty where it is.
    pub reasons: Vec<String>,
    /// What became of each check.
    pub rulings: Vec<Ruling>,
}

impl Judgement {
    /// Judges a run by its counts, by what went wrong with the generator itself (`faults`), and by its checks.
    /// `unchecked` of the failed requests are nothing that a check is about.
    #[must_use]
    pub fn of(counts: Counts, faults: &[String], rulings: Vec<Ruling>, unchecked: u64) -> Self {
        let mut reasons = faults.to_vec();
        let mut verdict = if faults.is_empty() { Verdict::Pass } else { Verdict::Invalid };
        if counts.completed() == 0 {
            verdict = Verdict::Invalid;
            reasons.push("no request completed".to_owned());
        }
        if rulings.iter().any(|ruling| !ruling.met) {
            verdict = verdict.max(Verdict::CheckFailed);
            reasons.extend(rulings.iter().filter_map(Ruling::reason));
        }
        if unchecked > 0 {
            verdict = verdict.max(Verdict::Failures);
            reasons.push(format!("{} of {} requests failed", counts.failed, counts.completed()));
        }
        Self { verdict, reasons, rulings }
    }

    /// Nothing to complain of.
    #[must_use]
    pub const fn pass() -> Self {
        Self { verdict: Verdict::Pass, reasons: Vec::new(), rulings: Vec::new() }
    }

    /// The exit code that goes with it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::Check;

    fn ruling(met: bool) -> Ruling {
        Ruling { check: Check::parse("p95 < 300ms").unwrap(), value: Some(250_000.0), met }
    }

    #[test]
    fn the_worst_that_applies_is_the_verdict() {
        let counts = |ok, failed| Counts { ok, failed, ..Counts::default() };
        let fault = ["no free port".to_owned()];
        for (counts, faults, rulings, unchecked, verdict) in [
            (counts(1, 0), &[][..], vec![], 0, Verdict::Pass),
            (counts(1, 0), &[], vec![ruling(true)], 0, Verdict::Pass),
            (counts(1, 1), &[], vec![], 1, Verdict::Failures),
            (counts(1, 1), &[], vec![ruling(true)], 1, Verdict::Failures),
            (counts(1, 1), &[], vec![ruling(true)], 0, Verdict::Pass),
            (counts(1, 1), &[], vec![ruling(true), ruling(false)], 1, Verdict::CheckFailed),
            (counts(0, 0), &[], vec![ruling(false)], 0, Verdict::Invalid),
            (counts(1, 1), &fault, vec![ruling(false)], 1, Verdict::Invalid),
        ] {
            let judgement = Judgement::of(counts, faults, rulings, unchecked);
            assert_eq!(judgement.verdict, verdict, "{judgement:?}");
            assert_eq!(judgement.reasons.is_empty(), verdict == Verdict::Pass, "{judgement:?}");
        }
        let judgement = Judgement::of(counts(1, 1), &fault, vec![ruling(false)], 1);
        let missed = "check not met: p95 < 300ms, it is 250ms";
        assert_eq!(judgement.reasons, ["no free port", missed, "1 of 2 requests failed"]);
        assert_eq!(judgement.exit(7), Exit::Invalid);
        assert_eq!(Judgement::of(counts(1, 1), &[], vec![ruling(false)], 1).exit(7).code(), 3);
        assert_eq!(Judgement::of(counts(1, 1), &[], vec![], 1).exit(7), Exit::Failures(7));
    }
}
