//! Times of one kind: count, exact sum, minimum and maximum, and the distribution.

use std::time::Duration;

use super::histogram::{Precision, TimeHistogram};
use super::packed::{PackedHistogram, PackedTimes, rank};
use super::scale::Scale;
use super::sum::Sum;

/// Microseconds of a duration, at least 1: nothing on a network takes no time, and a histogram starts at 1.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    // 292,000 years fit.
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// Times of one kind.
#[derive(Clone, Debug)]
pub struct Times {
    sum: Sum,
    histogram: TimeHistogram,
}

impl Times {
    /// An empty set.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self { sum: Sum::default(), histogram: TimeHistogram::new(precision) }
    }

    /// Counts one time in microseconds.
    pub fn record(&mut self, us: u64) {
        self.sum.record(us);
        self.histogram.record(us);
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.sum.add(&other.sum);
        self.histogram.add(&other.histogram);
    }

    /// Adds count, sum, minimum and maximum of times counted elsewhere; [`Self::add_recorded`] adds their
    /// distribution.
    pub fn add_sum(&mut self, sum: &Sum) {
        self.sum.add(sum);
    }

    /// Adds times counted elsewhere to the distribution, by slot of a scale, in ascending order.
    pub fn add_recorded(&mut self, scale: Scale, slots: &[(u64, u64)]) {
        self.histogram.add_recorded(scale, slots);
    }

    /// Adds times in packed form.
    pub fn add_packed(&mut self, other: &PackedTimes) {
        self.sum.add(&other.sum);
        self.histogram.add_fine_slots(other.histogram.slots());
    }

    /// All times in packed form.
    #[must_use]
    pub fn to_packed(&self) -> PackedTimes {
        PackedTimes { sum: self.sum, histogram: PackedHistogram::of_slots(self.histogram.fine_slots()) }
    }

    /// Clears everything and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.sum = Sum::default();
        self.histogram.clear();
    }

    /// Count, exact sum, minimum and maximum.
    #[must_use]
    pub const fn sum(&self) -> &Sum {
        &self.sum
    }

    /// The distribution.
    #[must_use]
    pub const fn histogram(&self) -> &TimeHistogram {
        &self.histogram
    }

    /// The percentile in microseconds with `permille` thousandths of all at or below it. A slot's value may
    /// be above the true time by up to the precision, so the result is clamped to the exact minimum and
    /// maximum; 0 if empty.
    #[must_use]
    pub fn percentile_us(&self, permille: u64) -> u64 {
        if self.sum.count == 0 {
            return 0;
        }
        self.histogram.percentile_us(permille).clamp(self.sum.min_us(), self.sum.max_us)
    }

    /// Several percentiles in ascending order, at the cost of one.
    #[must_use]
    pub fn percentiles_us<const N: usize>(&self, permille: [u64; N]) -> [u64; N] {
        if self.sum.count == 0 {
            return [0; N];
        }
        self.histogram.percentiles_us(permille).map(|us| us.clamp(self.sum.min_us(), self.sum.max_us))
    }

    /// The same for millionths instead of thousandths.
    #[must_use]
    pub fn percentiles_per_million_us<const N: usize>(&self, per_million: [u64; N]) -> [u64; N] {
        if self.sum.count == 0 {
            return [0; N];
        }
        let ranks = per_million.map(|per_million| rank(self.histogram.count(), per_million));
        self.histogram.values_at_ranks_us(ranks).map(|us| us.clamp(self.sum.min_us(), self.sum.max_us))
    }

    /// The time in microseconds with a given rank, from 1, in ascending order, clamped to the exact minimum
    /// and maximum; 0 if empty.
    #[must_use]
    pub fn value_at_rank_us(&self, place: u64) -> u64 {
        if self.sum.count == 0 {
            return 0;
        }
        self.histogram.value_at_rank_us(place).clamp(self.sum.min_us(), self.sum.max_us)
    }
}
