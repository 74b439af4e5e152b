//! One kind of time: count, exact sum and ends, and how it is distributed.

use std::time::Duration;

use super::histogram::{Precision, TimeHistogram};
use super::packed::PackedTimes;
use super::scale::Scale;
use super::sum::Sum;

/// Microseconds of a duration, at least 1: nothing on a network takes no time, and a histogram begins there.
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
    /// None yet.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self { sum: Sum::default(), histogram: TimeHistogram::new(precision) }
    }

    /// Counts one, in microseconds.
    pub fn record(&mut self, us: u64) {
        self.sum.record(us);
        self.histogram.record(us);
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.sum.add(&other.sum);
        self.histogram.add(&other.histogram);
    }

    /// Adds count, sum and ends of times counted elsewhere; [`Self::add_recorded`] brings how they are distributed.
    pub fn add_sum(&mut self, sum: &Sum) {
        self.sum.add(sum);
    }

    /// Adds to the distribution times that were counted elsewhere, in slots of a scale, in ascending order.
    pub fn add_recorded(&mut self, scale: Scale, slots: &[(u64, u64)]) {
        self.histogram.add_recorded(scale, slots);
    }

    /// Adds times at rest.
    pub fn add_packed(&mut self, other: &PackedTimes) {
        self.sum.add(&other.sum);
        for (us, count) in other.histogram.iter() {
            self.histogram.record_many(us, count);
        }
    }

    /// Forgets all, and keeps the room.
    pub fn clear(&mut self) {
        self.sum = Sum::default();
        self.histogram.clear();
    }

    /// Count, exact sum and ends.
    #[must_use]
    pub const fn sum(&self) -> &Sum {
        &self.sum
    }

    /// The distribution.
    #[must_use]
    pub const fn histogram(&self) -> &TimeHistogram {
        &self.histogram
    }

    /// The percentile in microseconds that has `permille` thousandths of all at or below it, which may lie up to its precision above the truth, so within the
    /// exact ends; 0 without any.
    #[must_use]
    pub fn percentile_us(&self, permille: u64) -> u64 {
        if self.sum.count == 0 {
            return 0;
        }
        self.histogram.percentile_us(permille).clamp(self.sum.min_us(), self.sum.max_us)
    }

    /// Several of these in ascending order, at the price of one.
    #[must_use]
    pub fn percentiles_us<const N: usize>(&self, permille: [u64; N]) -> [u64; N] {
        if self.sum.count == 0 {
            return [0; N];
        }
        self.histogram.percentiles_us(permille).map(|us| us.clamp(self.sum.min_us(), self.sum.max_us))
    }

    /// The time in microseconds at a place from 1 on among all in ascending order, within the exact ends; 0 without any.
    #[must_use]
    pub fn at_place_us(&self, place: u64) -> u64 {
        if self.sum.count == 0 {
            return 0;
        }
        self.histogram.at_place_us(place).clamp(self.sum.min_us(), self.sum.max_us)
    }
}
