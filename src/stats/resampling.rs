//! Percentiles of many samples of the same histograms.
//!
//! A sample is a list of ranges of ticks. From running totals, the counts of a range are one difference, however many ticks
//! it has. Totals of all slots would take too much memory, so slots are counted in groups first, and then only in those
//! groups that a percentile of a sample is in, which are few.

use std::ops::Range;

use super::packed::PackedHistogram;
use super::scale::Scale;

/// Slots of a group.
const GROUP: usize = 16;

/// Maximum groups whose slots are counted at the same time: 4 MB with 1,000 ticks.
const MAX_GROUPS: usize = 32;

/// For each sample the times at its ranks, which are in ascending order and begin with 1; `None` where it has fewer times.
pub(super) fn values_at_ranks_us<const N: usize>(
    ticks: &[&PackedHistogram],
    samples: &[Vec<Range<usize>>],
    ranks: &[[u64; N]],
) -> Vec<[Option<u64>; N]> {
    let groups = RunningTotals::of_groups(ticks);
    let mut places: Vec<[Option<Place>; N]> = Vec::with_capacity(samples.len());
    for (sample, ranks) in samples.iter().zip(ranks) {
        places.push(place_in(&groups.counts_of(sample), *ranks));
    }
    drop(groups);
    let mut wanted: Vec<usize> = places.iter().flatten().flatten().map(|place| place.group).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut values = vec![[None; N]; samples.len()];
    for some in wanted.chunks(MAX_GROUPS) {
        let slots = RunningTotals::of_slots(ticks, some);
        for ((sample, places), values) in samples.iter().zip(&places).zip(&mut values) {
            for (place, value) in places.iter().zip(values) {
                let Some((place, at)) = place.and_then(|place| Some((place, some.binary_search(&place.group).ok()?)))
                else {
                    continue;
                };
                let counts = slots.counts_within(sample, at * GROUP..(at + 1) * GROUP);
                let [within] = place_in(&counts, [place.rank]);
                *value = within.map(|within| Scale::FINE.highest((place.group * GROUP + within.group) as u64));
            }
        }
    }
    values
}

/// Where a rank is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The index of the count.
    group: usize,
    /// The rank within it, from 1.
    rank: u64,
}

/// Where ranks in ascending order are among counts.
fn place_in<const N: usize>(counts: &[u64], ranks: [u64; N]) -> [Option<Place>; N] {
    let (mut below, mut with, mut group) = (0_u64, 0_u64, 0);
    ranks.map(|rank| {
        while with < rank {
            below = with;
            with = with.saturating_add(*counts.get(group)?);
            group += 1;
        }
        Some(Place { group: group - 1, rank: rank - below })
    })
}

/// For each tick the sums of the counts of all ticks before it.
struct RunningTotals {
    width: usize,
    totals: Vec<u64>,
}

impl RunningTotals {
    /// The counts of all groups.
    fn of_groups(ticks: &[&PackedHistogram]) -> Self {
        let highest = ticks.iter().filter_map(|tick| tick.slots().last()).map(|(slot, _)| slot).max();
        let width = highest.map_or(0, |slot| index(slot) / GROUP + 1);
        Self::new(ticks, width, |slot| Some(slot / GROUP))
    }

    /// The counts of the slots of some groups, which are in ascending order.
    fn of_slots(ticks: &[&PackedHistogram], groups: &[usize]) -> Self {
        let mut places = vec![None; groups.last().map_or(0, |last| last + 1)];
        groups.iter().enumerate().for_each(|(at, group)| places[*group] = Some(at * GROUP));
        let place = |slot: usize| Some(places.get(slot / GROUP).copied()?? + slot % GROUP);
        Self::new(ticks, groups.len() * GROUP, place)
    }

    /// The counts of those slots that have a place.
    fn new(ticks: &[&PackedHistogram], width: usize, place: impl Fn(usize) -> Option<usize>) -> Self {
        let mut totals = vec![0; (ticks.len() + 1) * width];
        for (tick, histogram) in ticks.iter().enumerate() {
            let (before, rest) = totals.split_at_mut((tick + 1) * width);
            let after = &mut rest[..width];
            after.copy_from_slice(&before[tick * width..]);
            for (slot, count) in histogram.slots() {
                if let Some(place) = place(index(slot)) {
                    after[place] += count;
                }
            }
        }
        Self { width, totals }
    }

    /// The counts of a sample.
    fn counts_of(&self, sample: &[Range<usize>]) -> Vec<u64> {
        self.counts_within(sample, 0..self.width)
    }

    /// Some counts of a sample.
    fn counts_within(&self, sample: &[Range<usize>], columns: Range<usize>) -> Vec<u64> {
        let row = |tick: usize| &self.totals[tick * self.width..][columns.clone()];
        let mut counts = vec![0; columns.len()];
        for block in sample {
            let ends = row(block.start).iter().zip(row(block.end));
            counts.iter_mut().zip(ends).for_each(|(count, (start, end))| *count += end - start);
        }
        counts
    }
}

/// A slot as an index: an hour has fewer than 24,000 slots.
fn index(slot: u64) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;

    #[test]
    fn they_are_those_of_all_times_of_a_sample_together() {
        let mut random = Random::seeded(3);
        let mut tick = |many: u64| {
            let mut us: Vec<u64> =
                (0..many).map(|_| 1 + random.bits() % 10_u64.pow(1 + (random.bits() % 9) as u32)).collect();
            us.sort_unstable();
            PackedHistogram::of(us.into_iter().map(|us| (us, 1)))
        };
        let ticks: Vec<PackedHistogram> = [40, 0, 300, 1, 77].map(&mut tick).into_iter().collect();
        let samples = vec![vec![0..2, 0..2, 3..4], vec![1..4, 2..5], vec![1..2], Vec::new()];
        let together = samples.iter().map(|sample: &Vec<Range<usize>>| {
            let mut sum = PackedHistogram::default();
            sample.iter().flat_map(|block| &ticks[block.clone()]).for_each(|tick| sum.add(tick));
            sum
        });
        let together: Vec<PackedHistogram> = together.collect();
        let ranks: Vec<[u64; 4]> =
            together.iter().map(|sum| [1, 1 + sum.count() / 2, sum.count().max(1), sum.count() + 1]).collect();
        let found = values_at_ranks_us(&ticks.iter().collect::<Vec<_>>(), &samples, &ranks);
        for ((sum, ranks), found) in together.iter().zip(&ranks).zip(found) {
            assert_eq!(found, ranks.map(|rank| sum.value_at_rank_us(rank)), "{ranks:?} of {}", sum.count());
        }
    }
}
