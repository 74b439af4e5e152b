//! How times are distributed, in microseconds.

use hdrhistogram::Histogram;

/// The longest time that a histogram tells apart, an hour in microseconds; longer ones count as an hour.
pub const LONGEST_US: u64 = 3_600_000_000;

/// How finely times are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 3 significant digits: 0.1 %, up to 184 KiB.
    Fine,
    /// 2 significant digits: 1 %, up to 23 KiB.
    Coarse,
}

/// An `HdrHistogram` from 1 µs to 1 h that starts small and grows with its largest value.
#[derive(Clone, Debug)]
pub struct TimeHistogram(Histogram<u64>);

impl TimeHistogram {
    /// An empty histogram.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        let digits = match precision {
            Precision::Fine => 3,
            Precision::Coarse => 2,
        };
        let created = Histogram::new_with_bounds(1, FIRST_HIGH_US, digits);
        let mut histogram = match created {
            Ok(histogram) => histogram,
            Err(why) => unreachable!("1 to {FIRST_HIGH_US} at {digits} digits is a range: {why}"),
        };
        histogram.auto(true);
        Self(histogram)
    }

    /// Counts one time. 0 counts as 1 µs, what is over an hour as an hour.
    pub fn record(&mut self, us: u64) {
        let recorded = self.0.record(us.clamp(1, LONGEST_US));
        assert!(recorded.is_ok(), "a growing histogram takes every value in its range");
    }

    /// Counts one time `count` times, as [`Self::record`] would.
    pub fn record_many(&mut self, us: u64, count: u64) {
        let recorded = self.0.record_n(us.clamp(1, LONGEST_US), count);
        assert!(recorded.is_ok(), "a growing histogram takes every value in its range");
    }

    /// Adds all that `other` has counted. Exact where both have the same precision; into a finer one, each time is
    /// taken for the highest that it may have been.
    pub fn add(&mut self, other: &Self) {
        let added = self.0.add(&other.0);
        assert!(added.is_ok(), "a growing histogram takes every value in its range");
    }

    /// Forgets all, and keeps the room.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// The histogram itself, to be written out.
    #[must_use]
    pub const fn inner(&self) -> &Histogram<u64> {
        &self.0
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The smallest time, as far as it is told apart, with at least `permille` thousandths of all at or below it; 0 when
    /// empty.
    #[must_use]
    pub fn percentile_us(&self, permille: u64) -> u64 {
        let all = self.0.len();
        if all == 0 {
            return 0;
        }
        let wanted = (u128::from(all) * u128::from(permille)).div_ceil(1000);
        self.at_place_us(u64::try_from(wanted).unwrap_or(u64::MAX))
    }

    /// The time, as far as it is told apart, at a place from 1 on among all that were counted, in ascending order; 0 when
    /// empty.
    #[must_use]
    pub fn at_place_us(&self, place: u64) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        // The crate multiplies by a float and rounds up, so 0.95 of 20 may become 20: ask for the middle of the place.
        self.0.value_at_quantile((place as f64 - 0.5) / self.0.len() as f64)
    }
}

/// Room at first: answers within 65 ms take 40 KiB at 3 digits, and most services stay there.
const FIRST_HIGH_US: u64 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_with_that_share_at_or_below() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        (1..=1000).for_each(|us| histogram.record(us));
        assert_eq!(histogram.percentile_us(500), 500);
        assert_eq!(histogram.percentile_us(990), 990);
        assert_eq!(histogram.percentile_us(1000), 1000);
        assert_eq!(TimeHistogram::new(Precision::Coarse).percentile_us(500), 0);
    }

    #[test]
    fn a_percentile_is_exact_for_every_count() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        for count in 1..=2000_u64 {
            // Each time is told apart from the others: the n-th smallest is n.
            histogram.record(count);
            for permille in [500, 900, 950, 990, 999, 1000] {
                let place = (count * permille).div_ceil(1000);
                assert_eq!(histogram.percentile_us(permille), place, "{permille} of {count}");
            }
        }
    }

    #[test]
    fn times_beyond_the_range_count_at_its_ends() {
        let mut histogram = TimeHistogram::new(Precision::Coarse);
        histogram.record(0);
        histogram.record(u64::MAX);
        assert_eq!(histogram.count(), 2);
        let hour = histogram.percentile_us(1000);
        assert!(hour.abs_diff(LONGEST_US) <= LONGEST_US / 100, "{hour}");
    }
}
