//! The open model: when arrivals are due, independent of responses.

use std::time::Duration;

use super::curve::{self, Curve, ONE};
use crate::plan::random::Random;
use crate::plan::shard::Shard;
use crate::value::stages::Stages;
use crate::vocabulary::Phase;

/// The times at which arrivals are due: those of the whole run, or those of one shard, at the same times as
/// in the whole run.
#[derive(Clone, Debug)]
pub struct Arrivals {
    curve: Curve,
    spacing: Spacing,
    shard: Shard,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Evenly: arrival n is due when the integral of the rate is n; the first is due at the start.
    Constant,
    /// Like independent visitors, with exponentially distributed gaps: a Poisson process whose rate may
    /// change.
    Poisson {
        /// The same seed gives the same arrivals.
        seed: u64,
    },
}

impl Arrivals {
    /// A constant rate of `rate` arrivals per second without end, at most one per nanosecond.
    #[must_use]
    pub fn constant(rate: f64, spacing: Spacing) -> Self {
        Self { curve: Curve::constant(rate), spacing, shard: Shard::WHOLE }
    }

    /// Starts at `rate` arrivals per second and goes through the stages.
    #[must_use]
    pub fn stages(rate: f64, stages: &Stages, spacing: Spacing) -> Self {
        Self { curve: Curve::stages(rate, stages), spacing, shard: Shard::WHOLE }
    }

    /// The arrivals of one shard.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// When each arrival is due, since the start of the run, in order.
    #[must_use]
    pub fn due(&self) -> DueTimes<'_> {
        let source = ArrivalSource::new(self.spacing);
        DueTimes { curve: &self.curve, source, shard: self.shard, others_before: u64::from(self.shard.index()) }
    }

    /// Arrivals per second at `at`.
    #[must_use]
    pub fn rate(&self, at: Duration) -> f64 {
        self.curve.value(at) / f64::from(self.shard.count())
    }

    /// Arrivals due before `at`, as the integral of the rate. Rounded up, it is exact for constant spacing;
    /// for Poisson spacing it is the mean, and for a shard its proportional part.
    #[must_use]
    pub fn arrivals_due(&self, at: Duration) -> f64 {
        as_count(self.curve.amount(at)) / f64::from(self.shard.count())
    }

    /// The end of the stages; `None` if the load has no end.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        self.curve.end()
    }

    /// The first time at which the rate is constant; `None` if it never is.
    #[must_use]
    pub fn plateau(&self) -> Option<Duration> {
        self.curve.plateau()
    }

    /// The phase at a time.
    #[must_use]
    pub fn phase(&self, at: Duration) -> Phase {
        self.phase_of(at, at)
    }

    /// The phase that takes up most of the interval `[from, until)`; in a tie the first of ramp, down,
    /// steady. For an empty interval, the phase at `from`.
    #[must_use]
    pub fn phase_of(&self, from: Duration, until: Duration) -> Phase {
        self.curve.phase(from, until)
    }
}

/// The times at which arrivals are due, in order. Skipping arrivals only costs the generation of their random
/// numbers.
#[derive(Clone, Debug)]
pub struct DueTimes<'curve> {
    curve: &'curve Curve,
    source: ArrivalSource,
    shard: Shard,
    /// Number of other shards' arrivals before this shard's next one.
    others_before: u64,
}

/// An amount of the rate's integral as a number of arrivals.
pub(super) fn as_count(amount: u128) -> f64 {
    // Whole part and fraction are converted separately, so that a whole number stays whole.
    (amount / ONE) as f64 + (amount % ONE) as f64 / ONE as f64
}

/// The amounts of the rate's integral at which arrivals are due.
#[derive(Clone, Debug)]
pub(super) enum ArrivalSource {
    Constant { next: u128 },
    Poisson { random: Random, amount: u128 },
}

impl ArrivalSource {
    pub(super) const fn new(spacing: Spacing) -> Self {
        match spacing {
            Spacing::Constant => Self::Constant { next: 0 },
            Spacing::Poisson { seed } => Self::Poisson { random: Random::seeded(seed), amount: 0 },
        }
    }

    /// Skips `skipped` arrivals and returns the value of the rate's integral at which the next one is due.
    /// The value saturates at 2^127, which no finite curve reaches.
    pub(super) fn amount(&mut self, skipped: u64) -> u128 {
        match self {
            Self::Constant { next } => {
                let arrival = next.saturating_add(u128::from(skipped));
                *next = arrival.saturating_add(1);
                arrival.saturating_mul(ONE)
            }
            Self::Poisson { random, amount } => {
                for _ in 0..=skipped {
                    // Exponential with mean 1, by inversion; the argument of the logarithm is above 0.
                    let gap = -(1.0 - random.unit()).ln();
                    *amount = amount.saturating_add(curve::whole(gap * ONE as f64));
                }
                *amount
            }
        }
    }
}

impl Iterator for DueTimes<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.nth(0)
    }

    fn nth(&mut self, skipped: usize) -> Option<Duration> {
        let count = u64::from(self.shard.count());
        let passed_over = (skipped as u64).saturating_mul(count).saturating_add(self.others_before);
        self.others_before = count - 1;
        self.curve.reached(self.source.amount(passed_over))
    }
}

#[cfg(test)]
mod tests;
