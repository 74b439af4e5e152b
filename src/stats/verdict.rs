//! What a run comes to.

use super::tally::Counts;
use crate::error::Exit;

/// What a run comes to, the worst that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every request was answered as wanted.
    Pass,
    /// Some request failed.
    Failures,
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
            Self::Invalid => "invalid",
        }
    }
}

/// A verdict and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not a pass; empty where it is.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Judges a run by its counts and by what went wrong with the generator itself (`faults`).
    #[must_use]
    pub fn of(counts: Counts, faults: &[String]) -> Self {
        let mut reasons = faults.to_vec();
        let mut verdict = if faults.is_empty() { Verdict::Pass } else { Verdict::Invalid };
        if counts.completed() == 0 {
            verdict = Verdict::Invalid;
            reasons.push("no request completed".to_owned());
        }
        if counts.failed > 0 {
            verdict = verdict.max(Verdict::Failures);
            reasons.push(format!("{} of {} requests failed", counts.failed, counts.completed()));
        }
        Self { verdict, reasons }
    }

    /// Nothing to complain of.
    #[must_use]
    pub const fn pass() -> Self {
        Self { verdict: Verdict::Pass, reasons: Vec::new() }
    }

    /// The exit code that goes with it.
    #[must_use]
    pub const fn exit(&self, on_failures: u8) -> Exit {
        match self.verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Failures => Exit::Failures(on_failures),
            Verdict::Invalid => Exit::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_applies_is_the_verdict() {
        let counts = |ok, failed| Counts { ok, failed, ..Counts::default() };
        let judge = |counts, faults: &[String]| Judgement::of(counts, faults).verdict;
        assert_eq!(judge(counts(1, 0), &[]), Verdict::Pass);
        assert_eq!(judge(counts(1, 1), &[]), Verdict::Failures);
        assert_eq!(judge(counts(0, 0), &[]), Verdict::Invalid);
        assert_eq!(judge(counts(1, 1), &["no free port".to_owned()]), Verdict::Invalid);
        let judgement = Judgement::of(counts(1, 1), &["no free port".to_owned()]);
        assert_eq!(judgement.reasons, ["no free port", "1 of 2 requests failed"]);
        assert_eq!(judgement.exit(7), Exit::Invalid);
    }
}
