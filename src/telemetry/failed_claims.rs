//! Consistency of the histograms of failed requests with the line that they belong to.

use super::claims::{Contradiction, Distribution, TimesClaim};
use super::hdr::decode::Recorded;
use crate::vocabulary::FailureClass;

/// What an interval's line claims of its failed requests, and what the histograms that follow contain, by class.
#[derive(Clone, Debug, Default)]
pub struct FailedClaims(Vec<(FailureClass, ClassClaim)>);

#[derive(Clone, Copy, Debug)]
struct ClassClaim {
    count: u64,
    times: TimesClaim,
    found: Distribution,
}

impl FailedClaims {
    /// The claims of a line: failures and sums of their times, both by class, and the times of all requests. A line of an
    /// earlier version has no sums, and no histograms follow.
    #[must_use]
    pub fn new(failed: &[(FailureClass, u64)], sums_us: &[(FailureClass, u64)], all: TimesClaim) -> Self {
        let total = |of: &[(FailureClass, u64)], class| {
            let counts = of.iter().filter(|(known, _)| *known == class);
            counts.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
        };
        let mut claims = Self::default();
        for (class, _) in sums_us {
            if claims.of(*class).is_none() {
                let times = TimesClaim { sum_us: total(sums_us, *class), ..all };
                let claim = ClassClaim { count: total(failed, *class), times, found: Distribution::default() };
                claims.0.push((*class, claim));
            }
        }
        claims
    }

    /// Adds the content of a histogram; returns whether the line claims one of this class.
    pub fn add(&mut self, class: FailureClass, recorded: &Recorded<'_>) -> bool {
        let Some(claim) = self.of(class) else { return false };
        claim.found.add(recorded);
        true
    }

    /// Checks that the histograms are those that were claimed.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check(&self) -> Result<(), Contradiction> {
        self.0.iter().try_for_each(|(_, claim)| claim.found.check_against(claim.count, claim.times))
    }

    fn of(&mut self, class: FailureClass) -> Option<&mut ClassClaim> {
        self.0.iter_mut().find(|(known, _)| *known == class).map(|(_, claim)| claim)
    }
}
