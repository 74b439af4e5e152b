//! Holds the response times of each shard against those of the others: a tail of all requests may belong to one host.
//!
//! Shards load the same service at the same time, so what is slow for all of them in a tick tells nothing of one. Each
//! tick is therefore a stratum: the share of a shard's requests that took longer than a percentile of all requests in the
//! tick is compared with the share among the other shards' requests, weighted as by N. Mantel and W. Haenszel,
//! "Statistical aspects of the analysis of data from retrospective studies of disease", 1959. Requests of a shard that are
//! near each other in time are alike, so the standard error comes from means of batches of adjacent ticks; where the
//! variance of independent requests gives a larger one, it is that.

use std::collections::BTreeMap;

use super::confidence::MIN_TICKS;
use super::distributions::t_quantile;
use super::histogram::{Precision, TimeHistogram};

/// The percentiles that are compared, in thousandths.
pub const PERMILLE: [u64; 3] = [500, 950, 990];

/// Maximum shards that are compared. Further ones count only as others.
pub const MAX_SHARDS_COMPARED: usize = 1000;

/// A shard is named only if it is slower or faster than the others by more than this share.
pub const MIN_DIFFERENCE: f64 = 0.1;

/// The probability that a shard is named by chance, over all shards and percentiles of a run.
const LEVEL: f64 = 0.05;

/// Batches of ticks are joined in pairs when there are this many.
const MAX_BATCHES: usize = 64;

/// Minimum requests beyond a percentile, as many as the shard would have were it like the others.
const MIN_BEYOND: f64 = 10.0;

/// The ticks of a run by shard, in constant memory for each.
#[derive(Clone, Debug)]
pub struct ShardComparison {
    shards: BTreeMap<u32, ShardSeries>,
    all: TimeHistogram,
    /// All requests of a tick, kept so that it is not allocated anew.
    pooled: TimeHistogram,
}

/// What is kept of a shard.
#[derive(Clone, Debug)]
struct ShardSeries {
    times: TimeHistogram,
    /// Ticks in which it and another shard completed requests.
    ticks: u64,
    batches: Vec<Batch>,
    /// Ticks of a full batch, and of the last one.
    batch_ticks: u64,
    last_ticks: u64,
    /// By percentile: the variance of the excess if requests were independent, and how many are expected beyond it.
    variance: [f64; PERMILLE.len()],
    expected: [f64; PERMILLE.len()],
}

/// Adjacent ticks.
#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    /// By percentile: requests beyond it, less those that there would be were the shard like the others.
    excess: [f64; PERMILLE.len()],
    /// Mantel and Haenszel's weight: `n (N - n) / N` of a tick with `n` of `N` requests.
    weight: f64,
}

/// The response times of a shard beside the others'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardTimes {
    /// Number of the shard.
    pub shard: u32,
    /// Ticks in which it was compared.
    pub ticks: u64,
    /// In the order of [`PERMILLE`]; empty if no request of the shard completed.
    pub percentiles: Vec<ShardPercentile>,
}

/// A percentile of a shard's response times, in microseconds with two significant digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardPercentile {
    /// Which one, in thousandths.
    pub permille: u64,
    /// The shard's.
    pub us: u64,
    /// That of all other shards together; `None` if none of their requests completed.
    pub others_us: Option<u64>,
    /// The interval of the shard's percentile, without what varied for all shards alike; `None` if there is too little.
    pub interval_us: Option<(u64, u64)>,
    /// How it differs from the others, if it does.
    pub oddity: Option<Oddity>,
}

/// In which way a shard differs from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Its responses took longer.
    Slower,
    /// Its responses took less time.
    Faster,
}

impl Default for ShardComparison {
    fn default() -> Self {
        let none = || TimeHistogram::new(Precision::Coarse);
        Self { shards: BTreeMap::new(), all: none(), pooled: none() }
    }
}

impl ShardComparison {
    /// Adds a tick: the response times of each shard that told of it, in any order.
    pub fn add_tick(&mut self, parts: &[(u32, TimeHistogram)]) {
        let mut pooled = std::mem::replace(&mut self.pooled, TimeHistogram::new(Precision::Coarse));
        pooled.clear();
        for (_, times) in parts {
            pooled.add(times);
        }
        self.all.add(&pooled);
        let limits = pooled.percentiles_us(PERMILLE);
        let beyond = limits.map(|us| pooled.count_above(us));
        for (shard, times) in parts {
            let has_room = self.shards.len() < MAX_SHARDS_COMPARED || self.shards.contains_key(shard);
            if !has_room || times.count() == 0 {
                continue;
            }
            let series = self.shards.entry(*shard).or_insert_with(ShardSeries::new);
            series.times.add(times);
            if times.count() < pooled.count() {
                series.add_tick(limits.map(|us| times.count_above(us)), times.count(), beyond, pooled.count());
            }
        }
        self.pooled = pooled;
    }

    /// Each shard beside the others, by number.
    #[must_use]
    pub fn results(&self) -> Vec<ShardTimes> {
        let tests = (self.shards.len().max(1) * PERMILLE.len()) as f64;
        let mut results: Vec<ShardTimes> = self
            .shards
            .iter()
            .map(|(shard, series)| {
                let mut others = self.all.clone();
                others.subtract(&series.times);
                let percentile = |index| series.percentile(index, &others, LEVEL / tests);
                let percentiles = (0..PERMILLE.len()).map(percentile).collect();
                ShardTimes { shard: *shard, ticks: series.ticks, percentiles }
            })
            .collect();
        for index in 0..PERMILLE.len() {
            let middle = middle(&results, index);
            for times in &mut results {
                let percentile = &mut times.percentiles[index];
                percentile.oddity = percentile.oddity.filter(|oddity| *oddity == percentile.us_against(middle));
                percentile.oddity = percentile.oddity.filter(|_| is_far(percentile.us, middle));
            }
        }
        results
    }
}

/// The median over the shards, the lower one of two: a shard like the majority is not odd because another one is. Of two
/// shards the slower one is named.
fn middle(results: &[ShardTimes], index: usize) -> u64 {
    let mut values: Vec<u64> = results.iter().map(|times| times.percentiles[index].us).collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

fn is_far(us: u64, from_us: u64) -> bool {
    let (low, high) = (us.min(from_us) as f64, us.max(from_us) as f64);
    high > low * (1.0 + MIN_DIFFERENCE)
}

impl ShardPercentile {
    fn us_against(&self, us: u64) -> Oddity {
        if self.us > us { Oddity::Slower } else { Oddity::Faster }
    }
}

impl ShardSeries {
    const fn new() -> Self {
        Self {
            times: TimeHistogram::new(Precision::Coarse),
            ticks: 0,
            batches: Vec::new(),
            batch_ticks: 1,
            last_ticks: 0,
            variance: [0.0; PERMILLE.len()],
            expected: [0.0; PERMILLE.len()],
        }
    }

    /// Adds a tick in which `count` of `all_count` requests were the shard's, and of the requests beyond each limit
    /// `beyond` of `all_beyond`.
    fn add_tick(&mut self, beyond: [u64; 3], count: u64, all_beyond: [u64; 3], all_count: u64) {
        if self.batches.is_empty() || self.last_ticks == self.batch_ticks {
            if self.batches.len() == MAX_BATCHES {
                self.batches = joined(&self.batches);
                self.batch_ticks *= 2;
            }
            self.batches.push(Batch::default());
            self.last_ticks = 0;
        }
        self.last_ticks += 1;
        self.ticks += 1;
        let (count, all_count) = (count as f64, all_count as f64);
        let weight = count * (all_count - count) / all_count;
        let Some(batch) = self.batches.last_mut() else { return };
        batch.weight += weight;
        for index in 0..PERMILLE.len() {
            let all_beyond = all_beyond[index] as f64;
            let share = all_beyond / all_count;
            batch.excess[index] += beyond[index] as f64 - count * share;
            self.variance[index] += weight * share * (all_count - all_beyond) / (all_count - 1.0).max(1.0);
            self.expected[index] += count * share;
        }
    }

    /// One percentile beside the others', `level` being the probability that it is called different by chance.
    fn percentile(&self, index: usize, others: &TimeHistogram, level: f64) -> ShardPercentile {
        let permille = PERMILLE[index];
        let us = self.times.percentile_us(permille);
        let others_us = (others.count() > 0).then(|| others.percentile_us(permille));
        let found = self.share_difference(index, level).map(|(difference, margin)| {
            let at = |share: f64| self.times.value_at_rank_us(rank(share, self.times.count()));
            let share = permille as f64 / 1000.0;
            let interval = (at(share - margin).min(us), at(share + margin).max(us));
            (difference, margin, interval)
        });
        let oddity = found.zip(others_us).and_then(|((difference, margin, (low, high)), others_us)| {
            let is_odd = difference.abs() > margin && is_far(us, others_us) && !(low..=high).contains(&others_us);
            let oddity = if difference > 0.0 { Oddity::Slower } else { Oddity::Faster };
            let agrees = (us > others_us) == (oddity == Oddity::Slower);
            (is_odd && agrees).then_some(oddity)
        });
        ShardPercentile { permille, us, others_us, interval_us: found.map(|(.., interval)| interval), oddity }
    }

    /// By how much the share of its requests beyond a percentile exceeds the others' share, and the margin of error;
    /// `None` if there are too few ticks or requests.
    fn share_difference(&self, index: usize, level: f64) -> Option<(f64, f64)> {
        // In pairs, so that 20 ticks whose neighbours are alike do not count as 20.
        let batches = joined(&self.batches);
        let weight: f64 = batches.iter().map(|batch| batch.weight).sum();
        if self.ticks < MIN_TICKS as u64 || self.expected[index] < MIN_BEYOND || weight <= 0.0 {
            return None;
        }
        let difference = batches.iter().map(|batch| batch.excess[index]).sum::<f64>() / weight;
        let residual = |batch: &Batch| batch.excess[index] - difference * batch.weight;
        let squares: f64 = batches.iter().map(|batch| residual(batch).powi(2)).sum();
        let count = batches.len() as f64;
        let of_batches = (squares * count / (count - 1.0)).sqrt();
        let error = of_batches.max(self.variance[index].sqrt()) / weight;
        Some((difference, t_quantile(level / 2.0, count - 1.0) * error))
    }
}

/// Neighbours added up.
fn joined(batches: &[Batch]) -> Vec<Batch> {
    let sum = |pair: &[Batch]| {
        pair.iter().fold(Batch::default(), |mut sum, batch| {
            sum.excess.iter_mut().zip(batch.excess).for_each(|(sum, excess)| *sum += excess);
            sum.weight += batch.weight;
            sum
        })
    };
    batches.chunks(2).map(sum).collect()
}

/// The rank, from 1 to `count`, below or at which this share of the times is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank that is at most the count")]
fn rank(share: f64, count: u64) -> u64 {
    (share.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests;
