//! The open model: when arrivals are due, whatever the answers do.

use std::time::Duration;

use super::Phase;
use super::curve::{self, Curve, ONE};
use crate::plan::random::Random;
use crate::plan::shard::Shard;
use crate::value::stages::Stages;

/// When arrivals are due: those of the whole run, or those of a shard, at the times that they have in the whole run.
#[derive(Clone, Debug)]
pub struct Arrivals {
    curve: Curve,
    spacing: Spacing,
    shard: Shard,
}

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Evenly: arrival n is due when the integral of the rate is n, the first at once.
    Constant,
    /// As independent visitors come, with exponentially distributed gaps: a Poisson process whose rate may change.
    Poisson {
        /// The same seed gives the same arrivals.
        seed: u64,
    },
}

impl Arrivals {
    /// `rate` arrivals a second for ever, at most one a nanosecond.
    #[must_use]
    pub fn constant(rate: f64, spacing: Spacing) -> Self {
        Self { curve: Curve::constant(rate), spacing, shard: Shard::WHOLE }
    }

    /// From `rate` arrivals a second through the stages.
    #[must_use]
    pub fn stages(rate: f64, stages: &Stages, spacing: Spacing) -> Self {
        Self { curve: Curve::stages(rate, stages), spacing, shard: Shard::WHOLE }
    }

    /// Those of them that are the shard's own.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// When each arrival is due, since the start of the run and in order.
    #[must_use]
    pub fn due(&self) -> Due<'_> {
        let source = match self.spacing {
            Spacing::Constant => Source::Constant { next: 0 },
            Spacing::Poisson { seed } => Source::Poisson { random: Random::seeded(seed), amount: 0 },
        };
        Due { curve: &self.curve, source, shard: self.shard, before: u64::from(self.shard.index()) }
    }

    /// Arrivals a second at `at`.
    #[must_use]
    pub fn rate(&self, at: Duration) -> f64 {
        self.curve.value(at) / f64::from(self.shard.count())
    }

    /// Arrivals due before `at`, the integral of the rate until then; for constant spacing the whole number above is
    /// exact, for Poisson spacing it is the mean, and for a shard its even part.
    #[must_use]
    pub fn intended(&self, at: Duration) -> f64 {
        let amount = self.curve.amount(at);
        // Whole and fraction apart, so that a whole number stays one.
        let whole = (amount / ONE) as f64 + (amount % ONE) as f64 / ONE as f64;
        whole / f64::from(self.shard.count())
    }

    /// When the stages are over; `None` where the load goes on for ever.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        self.curve.end()
    }

    /// When the rate is constant for the first time; `None` where it never is.
    #[must_use]
    pub fn reached(&self) -> Option<Duration> {
        self.curve.plateau()
    }

    /// The phase at a time.
    #[must_use]
    pub fn phase(&self, at: Duration) -> Phase {
        self.phase_of(at, at)
    }

    /// The phase that holds most of the interval `[from, until)`, at a tie the first of ramp, down, steady; where that is
    /// empty, the phase at `from`.
    #[must_use]
    pub fn phase_of(&self, from: Duration, until: Duration) -> Phase {
        self.curve.phase(from, until)
    }
}

/// When each arrival is due, in order. Skipping costs no more than the random numbers of those skipped.
#[derive(Clone, Debug)]
pub struct Due<'curve> {
    curve: &'curve Curve,
    source: Source,
    shard: Shard,
    /// Arrivals of other shards before the next one of this.
    before: u64,
}

#[derive(Clone, Debug)]
enum Source {
    Constant { next: u128 },
    Poisson { random: Random, amount: u128 },
}

impl Source {
    /// Passes over `skipped` arrivals and says how much of the rate's integral the one after them waits for; beyond
    /// 2^127 the same for ever, which no finite curve reaches.
    fn amount(&mut self, skipped: u64) -> u128 {
        match self {
            Self::Constant { next } => {
                let arrival = next.saturating_add(u128::from(skipped));
                *next = arrival.saturating_add(1);
                arrival.saturating_mul(ONE)
            }
            Self::Poisson { random, amount } => {
                for _ in 0..=skipped {
                    // Exponential with mean 1, by inversion; the unit is above 0 here.
                    let gap = -(1.0 - random.unit()).ln();
                    *amount = amount.saturating_add(curve::whole(gap * ONE as f64));
                }
                *amount
            }
        }
    }
}

impl Iterator for Due<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.nth(0)
    }

    fn nth(&mut self, skipped: usize) -> Option<Duration> {
        let count = u64::from(self.shard.count());
        let passed_over = (skipped as u64).saturating_mul(count).saturating_add(self.before);
        self.before = count - 1;
        self.curve.reached(self.source.amount(passed_over))
    }
}

#[cfg(test)]
mod tests;
