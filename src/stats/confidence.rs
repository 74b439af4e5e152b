//! How certain the figures of a run are: intervals of confidence from the ticks of its steady phase.
//!
//! Requests are not independent of one another: a slow moment of the server slows all that are under way, and may last
//! for several ticks. So whole blocks of adjacent ticks are drawn anew (the moving block bootstrap, H. R. Künsch, "The
//! jackknife and the bootstrap for general stationary observations", 1989). Percentiles of the resampled values themselves
//! cover the true value too rarely with so few ticks (0.84 to 0.90 instead of 0.95 in a simulation); an interval from
//! their standard error, Student's t and a factor for the blocks' length covers it.

use std::ops::Range;

use super::distributions::t_quantile;
use super::histogram::Precision;
use super::packed::{PackedHistogram, PackedTimes, rank};
use super::resampling::values_at_ranks_us;
use super::times::Times;
use crate::plan::random::Random;

/// Minimum ticks: with fewer, there are not enough blocks to tell how much they differ.
pub const MIN_TICKS: usize = 20;

/// Maximum ticks that are resampled; neighbours are joined if there are more, so that the end of a long run does not wait.
const MAX_TICKS: usize = 1000;

/// How often the ticks are drawn anew. The standard error then has an error of its own of 1 / sqrt(2 × 400), 3.5 %.
const RESAMPLES: usize = 400;

/// Minimum completed requests beyond a percentile: below that it is the luck of a few.
const MIN_BEYOND: u64 = 10;

/// The level of the intervals that are shown.
pub const LEVEL: f64 = 0.95;

/// A figure that can have an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Median response time.
    P50,
    /// 95th percentile of response times.
    P95,
    /// 99th percentile of response times.
    P99,
    /// Mean response time.
    Mean,
    /// Completed requests per second.
    Rate,
}

impl Figure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::P50, Self::P95, Self::P99, Self::Mean, Self::Rate];

    /// Millionths of all times at or below it, for a percentile.
    #[must_use]
    pub const fn per_million(self) -> Option<u64> {
        match self {
            Self::P50 => Some(500_000),
            Self::P95 => Some(950_000),
            Self::P99 => Some(990_000),
            Self::Mean | Self::Rate => None,
        }
    }

    /// Its place in [`Figure::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A figure of one run with its uncertainty within the run, both on the logarithmic scale: times are microseconds, the
/// rate is per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Natural logarithm of the figure.
    pub log: f64,
    /// Standard error of it.
    pub error: f64,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
}

impl Estimate {
    /// The figure.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.log.exp()
    }

    /// The interval that holds the true figure with probability `level`.
    #[must_use]
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let margin = t_quantile((1.0 - level) / 2.0, self.freedom) * self.error;
        ((self.log - margin).exp(), (self.log + margin).exp())
    }
}

/// The estimates of a series of ticks, by [`Figure::index`]. `None` where there are too few observations.
pub type Estimates = [Option<Estimate>; Figure::ALL.len()];

/// The ticks of one endpoint, or of all requests, in one phase, in time order.
#[derive(Clone, Debug, Default)]
pub struct TickSeries {
    ticks: Vec<Tick>,
    all: PackedTimes,
}

/// One tick, or several joined.
#[derive(Clone, Debug, Default)]
struct Tick {
    seconds: f64,
    times: PackedTimes,
}

impl TickSeries {
    /// A series of ticks, each with its length in seconds and the times of the requests that completed in it.
    #[must_use]
    pub fn new<'t>(ticks: impl Iterator<Item = (f64, &'t PackedTimes)>) -> Self {
        let ticks: Vec<(f64, &PackedTimes)> = ticks.collect();
        let per_tick = ticks.len().div_ceil(MAX_TICKS).max(1);
        let mut all = Times::new(Precision::Fine);
        let mut sum = Times::new(Precision::Fine);
        let joined = ticks.chunks(per_tick).map(|part| {
            for (_, times) in part {
                sum.add_packed(times);
            }
            all.add(&sum);
            let times = sum.to_packed();
            sum.clear();
            Tick { seconds: part.iter().map(|(seconds, _)| seconds).sum(), times }
        });
        let ticks = joined.collect();
        Self { ticks, all: all.to_packed() }
    }

    /// The number of ticks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// The figures with their uncertainty. The same `seed` gives the same result. `None` of all with fewer than
    /// [`MIN_TICKS`] ticks.
    #[must_use]
    pub fn estimates(&self, seed: u64) -> Estimates {
        if self.ticks.len() < MIN_TICKS { Estimates::default() } else { self.resampled(seed) }
    }

    /// The same without a minimum of ticks.
    pub(super) fn resampled(&self, seed: u64) -> Estimates {
        let ticks = self.ticks.len();
        let block = ticks.isqrt() + usize::from(ticks.isqrt().pow(2) < ticks);
        if ticks <= block {
            return Estimates::default();
        }
        let mut random = Random::seeded(seed);
        let samples: Vec<Vec<Range<usize>>> = (0..RESAMPLES).map(|_| draw(ticks, block, &mut random)).collect();
        let totals: Vec<Totals> = samples.iter().map(|sample| self.totals_of(sample)).collect();
        let histograms: Vec<&PackedHistogram> = self.ticks.iter().map(|tick| &tick.times.histogram).collect();
        let ranks: Vec<_> = totals.iter().map(Totals::ranks).collect();
        let mut spread = [Spread::default(); Figure::ALL.len()];
        for (totals, times) in totals.iter().zip(values_at_ranks_us(&histograms, &samples, &ranks)) {
            let figures = self.figures(totals, times);
            spread.iter_mut().zip(figures).for_each(|(spread, figure)| spread.add(figure));
        }
        let (all, length) = (ticks as f64, block as f64);
        let freedom = all / length - 1.0;
        let factor = (all / (all - length)).sqrt();
        let values = self.values();
        Figure::ALL.map(|figure| {
            let log = values[figure.index()]?;
            let resampled = spread[figure.index()].deviation()? * factor;
            let error = resampled.hypot(slot_error(figure, log.exp()));
            Some(Estimate { log, error, freedom })
        })
    }

    /// Natural logarithms of the figures, however few ticks there are; `None` for a percentile with fewer than
    /// 10 completed requests beyond it, and for a figure that is 0.
    #[must_use]
    pub fn values(&self) -> [Option<f64>; Figure::ALL.len()] {
        let whole = Totals::of(self.ticks.iter().map(|tick| (tick, 1)));
        let completed = whole.completed;
        let times = whole.ranks().map(|rank| self.all.histogram.value_at_rank_us(rank));
        let values = self.figures(&whole, times);
        Figure::ALL.map(|figure| {
            let beyond = figure.per_million().map(|share| completed - rank(completed, share).min(completed));
            values[figure.index()].filter(|_| beyond.is_none_or(|beyond| beyond >= MIN_BEYOND))
        })
    }

    /// The totals of a sample.
    fn totals_of(&self, sample: &[Range<usize>]) -> Totals {
        let mut weights = vec![0_u32; self.ticks.len()];
        for block in sample {
            weights[block.clone()].iter_mut().for_each(|weight| *weight += 1);
        }
        Totals::of(self.ticks.iter().zip(weights))
    }

    /// The figures on the logarithmic scale, of totals and the times at their ranks; `None` for one that is 0.
    fn figures(&self, totals: &Totals, times: [Option<u64>; 3]) -> [Option<f64>; Figure::ALL.len()] {
        let Totals { completed, seconds, sum_us } = *totals;
        let (min_us, max_us) = (self.all.sum.min_us(), self.all.sum.max_us);
        let times = times.map(|time| time.filter(|_| completed > 0).map(|us| us.clamp(min_us, max_us) as f64));
        let [p50, p95, p99] = times;
        let mean = (completed > 0).then(|| sum_us / completed as f64);
        let rate = (completed > 0 && seconds > 0.0).then(|| completed as f64 / seconds);
        [p50, p95, p99, mean, rate].map(|value| value.filter(|value| *value > 0.0).map(f64::ln))
    }
}

/// Sums over ticks.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    completed: u64,
    seconds: f64,
    sum_us: f64,
}

impl Totals {
    /// The sums over ticks that count as often as their weights.
    fn of<'t>(ticks: impl Iterator<Item = (&'t Tick, u32)>) -> Self {
        let mut totals = Self::default();
        for (tick, weight) in ticks.filter(|(_, weight)| *weight > 0) {
            totals.seconds += tick.seconds * f64::from(weight);
            totals.sum_us += tick.times.sum.sum_us as f64 * f64::from(weight);
            totals.completed += tick.times.sum.count * u64::from(weight);
        }
        totals
    }

    /// The ranks of the percentiles, in ascending order.
    fn ranks(&self) -> [u64; 3] {
        [500_000, 950_000, 990_000].map(|per_million| rank(self.completed, per_million))
    }
}

/// The standard error that comes from a percentile being known only to its slot: a uniform distribution over it.
fn slot_error(figure: Figure, value: f64) -> f64 {
    if figure.per_million().is_none() {
        return 0.0;
    }
    // Three significant digits: a slot is 1 µs wide up to 2,048, and above that at most a 1,024th of its value.
    let width = (value / 1024.0).max(1.0);
    width / value / 12.0_f64.sqrt()
}

/// Draws as many ticks as there are, in blocks of adjacent ones.
fn draw(ticks: usize, block: usize, random: &mut Random) -> Vec<Range<usize>> {
    let mut drawn = 0;
    let mut next = || {
        let start = random.below(ticks - block + 1);
        let length = block.min(ticks - drawn);
        drawn += length;
        start..start + length
    };
    (0..ticks.div_ceil(block)).map(|_| next()).collect()
}

/// Standard deviation of values that are added one by one.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
    is_incomplete: bool,
}

impl Spread {
    /// Adds a value by Welford's method, which does not lose digits where the mean is large.
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else {
            self.is_incomplete = true;
            return;
        };
        self.count += 1.0;
        let from_mean = value - self.mean;
        self.mean += from_mean / self.count;
        self.squares += from_mean * (value - self.mean);
    }

    /// The standard deviation; `None` if a value was missing.
    fn deviation(&self) -> Option<f64> {
        (!self.is_incomplete && self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

#[cfg(test)]
mod tests;
