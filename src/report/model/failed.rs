//! Service times of failed requests by class, in compact form.

use crate::stats::packed::{PackedHistogram, PackedTimes};
use crate::stats::sum::Sum;
use crate::telemetry::claims::{Contradiction, TimesClaim};
use crate::telemetry::failed_claims::FailedClaims;
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::reader::facts::{HistogramFact, IntervalFact};
use crate::vocabulary::FailureClass;

/// Service times of failed requests, in the order in which the classes occurred. Minimum and maximum are those of all requests
/// of the intervals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedTimesSeen(Vec<(FailureClass, PackedTimes)>);

impl FailedTimesSeen {
    /// The times of each class.
    pub fn iter(&self) -> impl Iterator<Item = (FailureClass, &PackedTimes)> {
        self.0.iter().map(|(class, times)| (*class, times))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, times)| times.sum.count).sum()
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> PackedTimes {
        let mut total = PackedTimes::default();
        self.0.iter().for_each(|(_, times)| total.add(times));
        total
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(class, times)| self.of(*class).add(times));
    }

    fn of(&mut self, class: FailureClass) -> &mut PackedTimes {
        let at = self.0.iter().position(|(known, _)| *known == class).unwrap_or_else(|| {
            self.0.push((class, PackedTimes::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// The histograms of failed requests that follow an interval's line.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingFailures {
    claims: FailedClaims,
    times: FailedTimesSeen,
}

impl PendingFailures {
    /// Those that a line announces.
    pub(super) fn new(interval: &IntervalFact, all: TimesClaim) -> Self {
        let mut times = FailedTimesSeen::default();
        for (class, sum_us) in &interval.failed_service_us {
            let counts = interval.failed_by_class.iter().filter(|(known, _)| known == class);
            let count = counts.map(|(_, count)| count).sum();
            times.of(*class).sum.add(&Sum::of(count, u128::from(*sum_us), all.min_us, all.max_us));
        }
        Self { claims: FailedClaims::new(&interval.failed_by_class, &interval.failed_service_us, all), times }
    }

    /// Adds one of them.
    pub(super) fn add(&mut self, piece: &HistogramFact, parser: &mut HistogramParser) -> Result<(), &'static str> {
        let class = piece.class.unwrap_or(FailureClass::Other);
        let recorded = parser.read(&piece.histogram)?;
        if self.claims.add(class, &recorded) {
            self.times.of(class).histogram.add(&PackedHistogram::of_recorded(recorded.scale, recorded.slots));
        }
        Ok(())
    }

    /// The times, if the histograms agree with their line.
    pub(super) fn finish(&self) -> Result<FailedTimesSeen, Contradiction> {
        self.claims.check().map(|()| self.times.clone())
    }
}
