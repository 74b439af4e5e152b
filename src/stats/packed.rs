//! Histograms in compact form: about a kilobyte for a thousand times, where a counting one takes up to 184
//! KiB.
//!
//! Slots are those of an `HdrHistogram` that starts at 1 µs with 3 significant digits, so adding two is exact
//! and a percentile equals the one of [`TimeHistogram`](super::histogram::TimeHistogram).

use super::histogram::MAX_TIME_US;
use super::scale::Scale;
use super::sum::Sum;

/// How often each time was counted, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedHistogram {
    /// For each slot in use, the distance from the previous one, doubled, plus 1 if a count other than 1
    /// follows; variable-length integers of 7 bits per byte, lowest bits first.
    bytes: Vec<u8>,
    count: u64,
}

/// A slot of [`Scale::FINE`] and its count.
type SlotCount = (u64, u64);

/// The slot that a time in microseconds is counted in.
fn slot_of(us: u64) -> u64 {
    Scale::FINE.slot(us.clamp(1, MAX_TIME_US))
}

impl PackedHistogram {
    /// Packs times in microseconds and their counts, in ascending order. Anything over an hour counts as an
    /// hour.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self::of_slots(times.into_iter().map(|(us, count)| (slot_of(us), count)))
    }

    /// Packs counts by slot of a scale, in ascending order, as [`Self::of`] would their times.
    #[must_use]
    pub fn of_recorded(scale: Scale, slots: &[(u64, u64)]) -> Self {
        let last = Scale::FINE.slot(MAX_TIME_US);
        if scale == Scale::FINE && slots.last().is_some_and(|(slot, _)| *slot <= last) {
            // 0 counts as 1 µs.
            return Self::of_slots(slots.iter().map(|(slot, count)| ((*slot).max(1), *count)));
        }
        Self::of(slots.iter().map(|(slot, count)| (scale.highest(*slot), *count)))
    }

    /// Packs counts by slot of [`Scale::FINE`], in ascending order.
    pub(super) fn of_slots(slots: impl Iterator<Item = SlotCount>) -> Self {
        let mut packer = Packer::with_room(2 * slots.size_hint().0);
        let mut pending: SlotCount = (0, 0);
        slots.for_each(|(slot, count)| {
            if slot == pending.0 {
                pending.1 = pending.1.saturating_add(count);
            } else {
                packer.write(pending);
                pending = (slot, count);
            }
        });
        packer.write(pending);
        packer.finish()
    }

    /// Number of times counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Each counted time, as the highest value of its slot, and its count; ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.slots().map(|(slot, count)| (Scale::FINE.highest(slot), count))
    }

    /// Adds all counts of `other`, exactly.
    pub fn add(&mut self, other: &Self) {
        if self.count == 0 {
            self.clone_from(other);
        } else if other.count > 0 {
            *self = self.merged(other);
        }
    }

    fn merged(&self, other: &Self) -> Self {
        let mut packer = Packer::with_room(self.bytes.len() + other.bytes.len());
        let (mut ours, mut theirs) = (self.slots(), other.slots());
        let (mut our, mut their) = (ours.next_or_end(), theirs.next_or_end());
        loop {
            if our.0 < their.0 {
                packer.write(our);
                our = ours.next_or_end();
            } else if their.0 < our.0 {
                packer.write(their);
                their = theirs.next_or_end();
            } else if our == Slots::END {
                return packer.finish();
            } else {
                packer.write((our.0, our.1.saturating_add(their.1)));
                (our, their) = (ours.next_or_end(), theirs.next_or_end());
            }
        }
    }

    /// The smallest time, at this resolution, with at least `per_million` millionths of all times at or below
    /// it; 0 when empty.
    #[must_use]
    pub fn percentile_us(&self, per_million: u64) -> u64 {
        let [time] = self.percentiles_us([per_million]);
        time
    }

    /// Several percentiles in ascending order, at the cost of one.
    #[must_use]
    pub fn percentiles_us<const N: usize>(&self, per_million: [u64; N]) -> [u64; N] {
        self.values_at_ranks_us(per_million.map(|per_million| rank(self.count, per_million)))
    }

    /// The time with a given rank, from 1, among all counted times in ascending order; `None` if there are fewer.
    #[must_use]
    pub fn value_at_rank_us(&self, rank: u64) -> Option<u64> {
        let [time] = self.values_at_ranks_us([rank]);
        (rank <= self.count && self.count > 0).then_some(time)
    }

    /// The times with these ranks in ascending order; 0 where there are fewer.
    fn values_at_ranks_us<const N: usize>(&self, ranks: [u64; N]) -> [u64; N] {
        let mut times = [0; N];
        let mut wanted = ranks.into_iter().zip(&mut times).peekable();
        let (mut below, mut slots) = (0_u64, self.slots());
        while wanted.peek().is_some() {
            let Some((slot, count)) = slots.next() else { break };
            below = below.saturating_add(count);
            while let Some((_, time)) = wanted.next_if(|(rank, _)| *rank <= below) {
                *time = Scale::FINE.highest(slot);
            }
        }
        times
    }

    /// Each slot of [`Scale::FINE`] in use, and its count; ascending.
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots { rest: &self.bytes, slot: 0 }
    }
}

/// The slots of a histogram.
pub(super) struct Slots<'h> {
    rest: &'h [u8],
    slot: u64,
}

impl Slots<'_> {
    /// Behind the last slot: beyond every one that is counted.
    const END: SlotCount = (u64::MAX, 0);

    #[inline]
    fn next_or_end(&mut self) -> SlotCount {
        self.next().unwrap_or(Self::END)
    }
}

impl Iterator for Slots<'_> {
    type Item = SlotCount;

    #[inline]
    fn next(&mut self) -> Option<SlotCount> {
        let step = take_number(&mut self.rest)?;
        self.slot += step >> 1;
        let count = if step & 1 == 1 { take_number(&mut self.rest)? } else { 1 };
        Some((self.slot, count))
    }
}

/// The rank, from 1, of a percentile among `count` ascending values: the first with at least `per_million`
/// millionths of all at or below it.
#[must_use]
pub fn rank(count: u64, per_million: u64) -> u64 {
    let place = (u128::from(count) * u128::from(per_million)).div_ceil(1_000_000);
    u64::try_from(place).unwrap_or(u64::MAX).max(1)
}

/// Builds a [`PackedHistogram`] from entries in ascending order, one a slot.
struct Packer {
    bytes: Vec<u8>,
    written: u64,
    count: u64,
}

impl Packer {
    /// An empty one with room for this many bytes.
    fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), written: 0, count: 0 }
    }

    #[inline]
    fn write(&mut self, (slot, count): SlotCount) {
        if count == 0 {
            return;
        }
        assert!(slot >= self.written, "times come in ascending order");
        let step = (slot - self.written) << 1;
        put_number(&mut self.bytes, step | u64::from(count != 1));
        if count != 1 {
            put_number(&mut self.bytes, count);
        }
        self.written = slot;
        self.count = self.count.saturating_add(count);
    }

    fn finish(mut self) -> PackedHistogram {
        self.bytes.shrink_to_fit();
        PackedHistogram { bytes: self.bytes, count: self.count }
    }
}

#[inline]
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

#[inline]
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    // The usual case: one byte.
    if let Some((byte @ ..0x80, rest)) = bytes.split_first() {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// Times of one kind in compact form: count, exact sum, minimum and maximum, and the distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedTimes {
    /// Count, exact sum, minimum and maximum.
    pub sum: Sum,
    /// The distribution.
    pub histogram: PackedHistogram,
}

impl PackedTimes {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.sum.add(&other.sum);
        self.histogram.add(&other.histogram);
    }

    /// The percentile in microseconds with `per_million` millionths of all at or below it, clamped to the
    /// exact minimum and maximum; 0 if empty.
    #[must_use]
    pub fn percentile_us(&self, per_million: u64) -> u64 {
        let [time] = self.percentiles_us([per_million]);
        time
    }

    /// Several percentiles in ascending order, at the cost of one.
    #[must_use]
    pub fn percentiles_us<const N: usize>(&self, per_million: [u64; N]) -> [u64; N] {
        if self.sum.count == 0 {
            return [0; N];
        }
        self.histogram.percentiles_us(per_million).map(|us| us.clamp(self.sum.min_us(), self.sum.max_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;
    use crate::stats::histogram::{Precision, TimeHistogram};

    fn times(seed: u64, many: u64) -> Vec<u64> {
        let mut random = Random::seeded(seed);
        let mut next = || {
            let magnitude = 10_u64.pow(u32::try_from(random.below(10)).unwrap());
            (magnitude + random.bits() % (magnitude * 9)).min(MAX_TIME_US)
        };
        (0..many).map(|_| next()).collect()
    }

    fn packed(times: &[u64]) -> PackedHistogram {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        PackedHistogram::of(sorted.into_iter().map(|us| (us, 1)))
    }

    #[test]
    fn percentiles_are_those_of_a_histogram_that_counts() {
        for many in [1, 2, 3, 19, 20, 1_000, 4_999] {
            let times = times(many, many);
            let mut histogram = TimeHistogram::new(Precision::Fine);
            for us in &times {
                histogram.record(*us);
            }
            let packed = packed(&times);
            assert_eq!(packed.count(), many);
            for permille in [1, 10, 500, 900, 950, 990, 999, 1000] {
                assert_eq!(packed.percentile_us(permille * 1000), histogram.percentile_us(permille), "{permille}");
            }
        }
        assert_eq!(PackedHistogram::default().percentile_us(500_000), 0);
    }

    #[test]
    fn a_sum_equals_recording_all_times_at_once() {
        let (one, two) = (times(7, 3_000), times(8, 200));
        let all: Vec<u64> = one.iter().chain(&two).copied().collect();
        let mut sum = PackedHistogram::default();
        for part in [&one, &two, &Vec::new()] {
            sum.add(&packed(part));
        }
        assert_eq!(sum, packed(&all));
    }
}
