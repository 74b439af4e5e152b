//! How certain the figures of a run are: intervals of confidence from the ticks of its steady phase.
//!
//! Requests are not independent of one another: a slow moment of the server slows all that are under way, and may last
//! for several ticks. So whole blocks of adjacent ticks are drawn anew (the moving block bootstrap, H. R. Künsch, "The
//! jackknife and the bootstrap for general stationary observations", 1989). Percentiles of the resampled values themselves
//! cover the true value too rarely with so few ticks (0.84 to 0.90 instead of 0.95 in a simulation); an interval from
//! their standard error, Student's t and a factor for the blocks' length covers it.

use super::distributions::t_quantile;
use super::packed::{PackedTimes, rank};
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
    /// Highest value of each slot in use, in microseconds, ascending.
    slots: Vec<u64>,
    min_us: u64,
    max_us: u64,
}

/// One tick.
#[derive(Clone, Debug, Default)]
struct Tick {
    seconds: f64,
    completed: u64,
    sum_us: f64,
    /// Index of a slot in use, and how many times fell into it.
    times: Vec<(usize, u64)>,
}

impl TickSeries {
    /// A series of ticks, each with its length in seconds and the times of the requests that completed in it.
    #[must_use]
    pub fn new<'t>(ticks: impl Iterator<Item = (f64, &'t PackedTimes)>) -> Self {
        let ticks: Vec<(f64, &PackedTimes)> = ticks.collect();
        let per_tick = ticks.len().div_ceil(MAX_TICKS).max(1);
        let mut all = PackedTimes::default();
        let joined: Vec<(f64, PackedTimes)> = ticks
            .chunks(per_tick)
            .map(|part| {
                let mut times = PackedTimes::default();
                for (_, tick) in part {
                    times.add(tick);
                }
                all.add(&times);
                (part.iter().map(|(seconds, _)| seconds).sum(), times)
            })
            .collect();
        let slots: Vec<u64> = all.histogram.iter().map(|(us, _)| us).collect();
        let place = |us: u64| slots.partition_point(|known| *known < us);
        let tick = |(seconds, times): &(f64, PackedTimes)| Tick {
            seconds: *seconds,
            completed: times.sum.count,
            sum_us: times.sum.sum_us as f64,
            times: times.histogram.iter().map(|(us, count)| (place(us), count)).collect(),
        };
        let ticks = joined.iter().map(tick).collect();
        Self { ticks, slots, min_us: all.sum.min_us(), max_us: all.sum.max_us }
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
        let mut spread = [Spread::default(); Figure::ALL.len()];
        let mut weights = vec![0_u32; ticks];
        for _ in 0..RESAMPLES {
            weights.fill(0);
            draw(&mut weights, block, &mut random);
            let figures = self.figures(|place| weights[place]);
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
        let completed: u64 = self.ticks.iter().map(|tick| tick.completed).sum();
        let values = self.figures(|_| 1);
        Figure::ALL.map(|figure| {
            let beyond = figure.per_million().map(|share| completed - rank(completed, share).min(completed));
            values[figure.index()].filter(|_| beyond.is_none_or(|beyond| beyond >= MIN_BEYOND))
        })
    }

    /// The figures on the logarithmic scale, each tick being counted as often as its weight; `None` for one that is 0.
    fn figures(&self, weight: impl Fn(usize) -> u32) -> [Option<f64>; Figure::ALL.len()] {
        let mut counts = vec![0_u64; self.slots.len()];
        let (mut completed, mut seconds, mut sum_us) = (0_u64, 0.0, 0.0);
        for (place, tick) in self.ticks.iter().enumerate() {
            let weight = weight(place);
            if weight == 0 {
                continue;
            }
            seconds += tick.seconds * f64::from(weight);
            sum_us += tick.sum_us * f64::from(weight);
            completed += tick.completed * u64::from(weight);
            tick.times.iter().for_each(|(slot, count)| counts[*slot] += count * u64::from(weight));
        }
        let mut below = 0;
        let mut slots = counts.iter().enumerate();
        let mut percentile = |per_million| {
            let wanted = rank(completed, per_million);
            while below < wanted {
                let (_, count) = slots.next()?;
                below += count;
            }
            // `slots` stands behind the slot that reached the rank.
            let place = self.slots.len() - slots.len() - 1;
            Some((self.slots[place].clamp(self.min_us, self.max_us)) as f64)
        };
        // In ascending order, as one pass serves all.
        let times = if completed > 0 { [500_000, 950_000, 990_000].map(&mut percentile) } else { [None; 3] };
        let [p50, p95, p99] = times;
        let mean = (completed > 0).then(|| sum_us / completed as f64);
        let rate = (completed > 0 && seconds > 0.0).then(|| completed as f64 / seconds);
        [p50, p95, p99, mean, rate].map(|value| value.filter(|value| *value > 0.0).map(f64::ln))
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

/// Draws as many ticks as there are, in blocks of adjacent ones, and counts how often each was drawn.
fn draw(weights: &mut [u32], block: usize, random: &mut Random) {
    let (ticks, mut drawn) = (weights.len(), 0);
    while drawn < ticks {
        let start = random.below(ticks - block + 1);
        let length = block.min(ticks - drawn);
        weights[start..start + length].iter_mut().for_each(|weight| *weight += 1);
        drawn += length;
    }
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
