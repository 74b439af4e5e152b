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

/// An item of an iterator over [`Packed`]: a slot of [`Scale::FINE`] and its count.
type SlotCount = (u64, u64);

impl PackedHistogram {
    /// Packs times in microseconds and their counts, in ascending order. Anything over an hour counts as an
    /// hour.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut packer = Packer::default();
        for (us, count) in times {
            packer.add((Scale::FINE.slot(us.clamp(1, MAX_TIME_US)), count));
        }
        packer.finish()
    }

    /// Number of times counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Each counted time, as the highest value of its slot, and its count; ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.entries().map(|(slot, count)| (Scale::FINE.highest(slot), count))
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
        let mut packer = Packer::default();
        let (mut ours, mut theirs) = (self.entries().peekable(), other.entries().peekable());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(our), Some(their)) if our.0 <= their.0 => ours.next(),
                (Some(_), None) => ours.next(),
                (_, Some(_)) => theirs.next(),
                (None, None) => break,
            };
            if let Some(entry) = next {
                packer.add(entry);
            }
        }
        packer.finish()
    }

    /// The smallest time, at this resolution, with at least `per_million` millionths of all times at or below
    /// it; 0 when empty.
    #[must_use]
    pub fn percentile_us(&self, per_million: u64) -> u64 {
        let wanted = rank(self.count, per_million);
        let mut below: u64 = 0;
        let place = self.iter().find(|(_, count)| {
            below = count.saturating_add(below);
            below >= wanted
        });
        place.map_or(0, |(us, _)| us)
    }

    fn entries(&self) -> impl Iterator<Item = SlotCount> {
        let mut rest = self.bytes.as_slice();
        let mut slot = 0;
        std::iter::from_fn(move || {
            let step = take_number(&mut rest)?;
            slot += step >> 1;
            let count = if step & 1 == 1 { take_number(&mut rest)? } else { 1 };
            Some((slot, count))
        })
    }
}

/// The rank, from 1, of a percentile among `count` ascending values: the first with at least `per_million`
/// millionths of all at or below it.
#[must_use]
pub fn rank(count: u64, per_million: u64) -> u64 {
    let place = (u128::from(count) * u128::from(per_million)).div_ceil(1_000_000);
    u64::try_from(place).unwrap_or(u64::MAX).max(1)
}

/// Builds a [`Packed`] from entries in ascending order; entries of one slot are added up.
#[derive(Default)]
struct Packer {
    packed: PackedHistogram,
    written: u64,
    pending: Option<SlotCount>,
}

impl Packer {
    fn add(&mut self, (slot, count): SlotCount) {
        match &mut self.pending {
            Some(waiting) if waiting.0 == slot => waiting.1 = waiting.1.saturating_add(count),
            _ => {
                self.write();
                self.pending = Some((slot, count));
            }
        }
    }

    fn write(&mut self) {
        let Some((slot, count)) = self.pending.take().filter(|entry| entry.1 > 0) else { return };
        assert!(slot >= self.written, "times come in ascending order");
        let step = (slot - self.written) << 1;
        put_number(&mut self.packed.bytes, step | u64::from(count != 1));
        if count != 1 {
            put_number(&mut self.packed.bytes, count);
        }
        self.written = slot;
        self.packed.count = self.packed.count.saturating_add(count);
    }

    fn finish(mut self) -> PackedHistogram {
        self.write();
        self.packed.bytes.shrink_to_fit();
        self.packed
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
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
        if self.sum.count == 0 {
            return 0;
        }
        self.histogram.percentile_us(per_million).clamp(self.sum.min_us(), self.sum.max_us)
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
