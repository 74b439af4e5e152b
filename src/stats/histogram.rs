//! Distributions of times, in microseconds.

use hdrhistogram::Histogram;

use super::scale::Scale;

/// The largest time that a histogram can represent, one hour in microseconds; longer ones count as an hour.
pub const MAX_TIME_US: u64 = 3_600_000_000;

/// Resolution of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 3 significant digits: 0.1 %, up to 184 KiB.
    Fine,
    /// 2 significant digits: 1 %, up to 23 KiB.
    Coarse,
}

impl Precision {
    /// Significant digits.
    #[must_use]
    pub const fn digits(self) -> u8 {
        match self {
            Self::Fine => 3,
            Self::Coarse => 2,
        }
    }

    const fn scale(self) -> Scale {
        match self {
            Self::Fine => Scale::FINE,
            Self::Coarse => Scale::COARSE,
        }
    }
}

/// An `HdrHistogram` from 1 µs to 1 h that grows with its largest value.
///
/// Its slots are identical to the crate's. The crate's histogram hides its counts, so adding two, writing one
/// or reading several percentiles would go through them one at a time, at ten times the cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeHistogram {
    precision: Precision,
    /// The count of each slot, up to the end of the last block in use.
    counts: Vec<u64>,
    count: u64,
}

impl TimeHistogram {
    /// An empty histogram.
    #[must_use]
    pub const fn new(precision: Precision) -> Self {
        Self { precision, counts: Vec::new(), count: 0 }
    }

    /// The resolution.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.precision
    }

    /// Counts one time. 0 counts as 1 µs, anything over an hour as an hour.
    pub fn record(&mut self, us: u64) {
        self.record_many(us, 1);
    }

    /// Counts one time `count` times, as [`Self::record`] would.
    pub fn record_many(&mut self, us: u64, count: u64) {
        let slot = slot_index(self.precision.scale().slot(us.clamp(1, MAX_TIME_US)));
        if slot >= self.counts.len() {
            self.grow(slot);
        }
        self.counts[slot] += count;
        self.count += count;
    }

    /// Adds counts by slot of a scale, in ascending order, as [`Self::record_many`] would.
    pub fn add_recorded(&mut self, scale: Scale, slots: &[(u64, u64)]) {
        let ours = self.precision.scale();
        let last = ours.slot(MAX_TIME_US);
        if (scale, ours) == (Scale::FINE, Scale::COARSE) {
            self.add_finer(scale, slots);
            return;
        }
        let Some((highest, _)) = slots.last().filter(|(slot, _)| scale == ours && *slot <= last) else {
            for (slot, count) in slots {
                self.record_many(scale.highest(*slot), *count);
            }
            return;
        };
        if slot_index(*highest) >= self.counts.len() {
            self.grow(slot_index(*highest));
        }
        for (slot, count) in slots {
            // 0 counts as 1 µs.
            self.counts[slot_index((*slot).max(1))] += count;
            self.count += count;
        }
    }

    /// Adds counts by slot of a finer scale, in ascending order.
    fn add_finer(&mut self, finer: Scale, slots: &[(u64, u64)]) {
        let ours = self.precision.scale();
        let Some((highest, _)) = slots.last() else { return };
        let last = finer.slot(MAX_TIME_US);
        let place = |slot: u64| slot_index(ours.slot_of_finer(finer, slot.clamp(1, last)));
        if place(*highest) >= self.counts.len() {
            self.grow(place(*highest));
        }
        for (slot, count) in slots {
            self.counts[place(*slot)] += count;
            self.count += count;
        }
    }

    /// Adds counts by slot of [`Scale::FINE`], in ascending order and none beyond an hour, as [`Self::record_many`] would.
    pub(super) fn add_fine_slots(&mut self, slots: impl Iterator<Item = (u64, u64)>) {
        if self.precision != Precision::Fine {
            slots.for_each(|(slot, count)| self.record_many(Scale::FINE.highest(slot), count));
            return;
        }
        for (slot, count) in slots {
            let slot = slot_index(slot);
            if slot >= self.counts.len() {
                self.grow(slot);
            }
            self.counts[slot] += count;
            self.count += count;
        }
    }

    /// Counts by slot of [`Scale::FINE`], in ascending order; a coarse slot counts as the highest time that it may have been.
    pub(super) fn fine_slots(&self) -> impl Iterator<Item = (u64, u64)> {
        let scale = self.precision.scale();
        let is_fine = self.precision == Precision::Fine;
        self.recorded().map(move |(slot, count)| {
            (if is_fine { slot } else { Scale::FINE.slot(scale.highest(slot).min(MAX_TIME_US)) }, count)
        })
    }

    #[cold]
    fn grow(&mut self, slot: usize) {
        let room = slot_index(self.precision.scale().doubling_end(slot as u64));
        self.counts.reserve_exact(room.saturating_sub(self.counts.len()));
        self.counts.resize((slot + 1).next_multiple_of(BLOCK), 0);
    }

    /// Adds all counts of `other`. Exact if both have the same precision; when adding to a finer one, each
    /// time counts as the highest that it may have been.
    pub fn add(&mut self, other: &Self) {
        if self.precision != other.precision {
            let highest = |slot| other.precision.scale().highest(slot);
            other.recorded().for_each(|(slot, count)| self.record_many(highest(slot), count));
            return;
        }
        if other.counts.len() > self.counts.len() {
            self.grow(other.counts.len() - 1);
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        self.count += other.count;
    }

    /// Takes away all counts of `other`, which were added before and have the same precision.
    pub fn subtract(&mut self, other: &Self) {
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours = ours.saturating_sub(*theirs);
        }
        self.count = self.count.saturating_sub(other.count);
    }

    /// How many times are in slots above that of `us`.
    #[must_use]
    pub fn count_above(&self, us: u64) -> u64 {
        let slot = slot_index(self.precision.scale().slot(us.clamp(1, MAX_TIME_US)));
        self.counts.get(slot + 1..).unwrap_or_default().iter().sum()
    }

    /// Clears all counts and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.count = 0;
    }

    /// Slots in use and their counts, in ascending order.
    pub fn recorded(&self) -> impl Iterator<Item = (u64, u64)> {
        let blocks = (0..).step_by(BLOCK).zip(self.counts.chunks(BLOCK));
        let used = blocks.filter(|(_, block)| block.iter().fold(0, |any, count| any | count) > 0);
        used.flat_map(|(first, block)| (first..).zip(block.iter().copied())).filter(|(_, count)| *count > 0)
    }

    /// The highest time that a histogram with the same memory can represent.
    #[must_use]
    pub fn high_us(&self) -> u64 {
        let scale = self.precision.scale();
        let last = self.counts.len().saturating_sub(1) as u64;
        scale.highest(scale.doubling_end(last) - 1).max(MIN_HIGH_US)
    }

    /// Converts to the crate's histogram.
    #[must_use]
    pub fn to_crate(&self) -> Histogram<u64> {
        let created = Histogram::new_with_bounds(1, self.high_us(), self.precision.digits());
        let Ok(mut histogram) = created else { unreachable!("1 to {} is a range", self.high_us()) };
        for (slot, count) in self.recorded() {
            let recorded = histogram.record_n(self.precision.scale().highest(slot), count);
            assert!(recorded.is_ok(), "it has room for all");
        }
        histogram
    }

    /// Number of times counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The smallest time, at this resolution, with at least `permille` thousandths of all times at or below
    /// it; 0 when empty.
    #[must_use]
    pub fn percentile_us(&self, permille: u64) -> u64 {
        let [time] = self.percentiles_us([permille]);
        time
    }

    /// Several percentiles in ascending order, at the cost of one.
    #[must_use]
    pub fn percentiles_us<const N: usize>(&self, permille: [u64; N]) -> [u64; N] {
        let place = |permille| (u128::from(self.count) * u128::from(permille)).div_ceil(1000);
        self.values_at_ranks_us(permille.map(|permille| u64::try_from(place(permille)).unwrap_or(u64::MAX)))
    }

    /// The time, at this resolution, with a given rank, from 1, among all counted times in ascending order; 0
    /// when empty.
    #[must_use]
    pub fn value_at_rank_us(&self, place: u64) -> u64 {
        let [time] = self.values_at_ranks_us([place]);
        time
    }

    /// The same for several ranks in ascending order.
    pub(super) fn values_at_ranks_us<const N: usize>(&self, places: [u64; N]) -> [u64; N] {
        let mut times = [0; N];
        let mut wanted = places.map(|place| place.min(self.count).max(1)).into_iter().zip(&mut times).peekable();
        let (mut before, mut first) = (0, 0);
        for block in self.counts.chunks(BLOCK) {
            let with = before + block.iter().sum::<u64>();
            while let Some((place, time)) = wanted.next_if(|(place, _)| *place <= with) {
                let mut below = before;
                let within = block.iter().take_while(|count| {
                    below += **count;
                    below < place
                });
                *time = self.precision.scale().highest(first + within.count() as u64);
            }
            (before, first) = (with, first + BLOCK as u64);
        }
        times
    }
}

/// Number of slots handled as one block: its sum is computed first, and slots are examined one by one only if
/// a requested rank is among them. Each doubling of values has a multiple of this many slots.
const BLOCK: usize = 64;

/// A slot as an index into `counts`: an hour has fewer than 24,000 slots.
fn slot_index(slot: u64) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

/// Minimum range that a histogram is declared with, as other implementations do.
const MIN_HIGH_US: u64 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;

    #[test]
    fn a_percentile_is_the_smallest_value_with_that_share_at_or_below() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        (1..=1000).for_each(|us| histogram.record(us));
        assert_eq!(histogram.percentile_us(500), 500);
        assert_eq!(histogram.percentile_us(990), 990);
        assert_eq!(histogram.percentile_us(1000), 1000);
        assert_eq!(TimeHistogram::new(Precision::Coarse).percentile_us(500), 0);
    }

    #[test]
    fn a_percentile_is_exact_for_every_count() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        for count in 1..=2000_u64 {
            // Each time has a slot of its own: the n-th smallest is n.
            histogram.record(count);
            for permille in [500, 900, 950, 990, 999, 1000] {
                let place = (count * permille).div_ceil(1000);
                assert_eq!(histogram.percentile_us(permille), place, "{permille} of {count}");
            }
        }
    }

    #[test]
    fn it_counts_like_the_crate() {
        let mut random = Random::seeded(1);
        for precision in [Precision::Fine, Precision::Coarse] {
            let mut theirs = Histogram::<u64>::new_with_bounds(1, MIN_HIGH_US, precision.digits()).unwrap();
            theirs.auto(true);
            let (mut ours, mut sum) = (TimeHistogram::new(precision), TimeHistogram::new(precision));
            for magnitude in [1_000, 30_000, MAX_TIME_US, 70] {
                let mut part = TimeHistogram::new(precision);
                for _ in 0..3_000 {
                    let (us, count) = (1 + random.bits() % magnitude, 1 + random.bits() % 5);
                    theirs.record_n(us, count).unwrap();
                    ours.record_many(us, count);
                    part.record_many(us, count);
                }
                sum.add(&part);
                assert_eq!((&ours.to_crate(), &sum), (&theirs, &ours), "{magnitude} at {precision:?}");
                assert_eq!((ours.high_us(), ours.count()), (theirs.high(), theirs.len()));
                for permille in [0, 1, 500, 999, 1000] {
                    // The middle of a rank, because the crate multiplies by a float and rounds up.
                    let place = (theirs.len() * permille).div_ceil(1000).max(1);
                    let expected = theirs.value_at_quantile((place as f64 - 0.5) / theirs.len() as f64);
                    assert_eq!(ours.percentile_us(permille), expected, "{permille} of {magnitude}");
                }
            }
            let few = ours.percentiles_us([500, 900, 950, 990, 999]);
            assert_eq!(few, [500, 900, 950, 990, 999].map(|permille| ours.percentile_us(permille)));
            ours.clear();
            assert_eq!((ours.count(), ours.recorded().count(), ours.percentile_us(500)), (0, 0, 0));
        }
    }

    #[test]
    fn times_beyond_the_range_count_at_its_ends() {
        let mut histogram = TimeHistogram::new(Precision::Coarse);
        histogram.record(0);
        histogram.record(u64::MAX);
        assert_eq!(histogram.count(), 2);
        let hour = histogram.percentile_us(1000);
        assert!(hour.abs_diff(MAX_TIME_US) <= MAX_TIME_US / 100, "{hour}");
    }
}
