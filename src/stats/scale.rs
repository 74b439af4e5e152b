//! Maps values to slots; the layout is the same in all implementations of `HdrHistogram`.

/// The slots of an `HdrHistogram` that starts at 1: values up to twice `1 << half_bits` have one slot each;
/// above that, each doubling has `1 << half_bits` slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    half_bits: u32,
}

impl Scale {
    /// 3 significant digits.
    pub const FINE: Self = Self { half_bits: 10 };

    /// 2 significant digits.
    pub const COARSE: Self = Self { half_bits: 7 };

    /// The end of the doubling that contains a slot: the first slot after it.
    #[must_use]
    pub const fn doubling_end(self, slot: u64) -> u64 {
        let end = ((slot >> self.half_bits) + 1) << self.half_bits;
        // The first two halves form one range, in which every value has its own slot.
        if end < 2 << self.half_bits { 2 << self.half_bits } else { end }
    }

    /// The scale with this many significant digits; `None` unless they are 1 to 5, the range that the format
    /// allows.
    #[must_use]
    pub const fn of_digits(digits: u32) -> Option<Self> {
        // The smallest power of two that is at least 2 × 10^digits, halved.
        let half_bits = match digits {
            1 => 4,
            2 => 7,
            3 => 10,
            4 => 14,
            5 => 17,
            _ => return None,
        };
        Some(Self { half_bits })
    }

    /// The slot of a value.
    #[must_use]
    #[inline]
    pub const fn slot(self, value: u64) -> u64 {
        let bits = 64 - value.leading_zeros();
        let shift = bits.saturating_sub(self.half_bits + 1);
        ((shift as u64) << self.half_bits) + (value >> shift)
    }

    /// The slot that holds a slot of a finer scale.
    #[must_use]
    #[inline]
    pub const fn slot_of_finer(self, finer: Self, slot: u64) -> u64 {
        if slot >> finer.half_bits == 0 {
            // It has one value, which is its number.
            return self.slot(slot);
        }
        let bits = finer.half_bits - self.half_bits;
        (slot >> bits) + ((bits as u64) << self.half_bits)
    }

    /// The first slot beyond the range: its highest value, and those of the slots above, do not fit 64 bits.
    #[must_use]
    pub const fn end(self) -> u64 {
        (64 - self.half_bits as u64) << self.half_bits
    }

    /// The lowest and the highest value of a slot below [`Self::end`].
    #[must_use]
    #[inline]
    pub const fn bounds(self, slot: u64) -> (u64, u64) {
        let half = 1 << self.half_bits;
        if slot < 2 * half {
            return (slot, slot);
        }
        let shift = (slot >> self.half_bits) - 1;
        let lowest = ((slot & (half - 1)) + half) << shift;
        (lowest, lowest + ((1 << shift) - 1))
    }

    /// The highest value of a slot; the maximum of `u64` for slots beyond its range.
    #[must_use]
    #[inline]
    pub const fn highest(self, slot: u64) -> u64 {
        let half = 1 << self.half_bits;
        if slot < 2 * half {
            return slot;
        }
        let shift = (slot >> self.half_bits) - 1;
        let within = (slot & (half - 1)) + half;
        if shift >= 64 - self.half_bits as u64 - 1 { u64::MAX } else { ((within + 1) << shift) - 1 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_of_a_coarser_scale_holds_all_values_of_the_finer_one() {
        for slot in 0..Scale::FINE.slot(3_600_000_000) {
            let expected = Scale::COARSE.slot(Scale::FINE.highest(slot));
            assert_eq!(Scale::COARSE.slot_of_finer(Scale::FINE, slot), expected, "{slot}");
        }
    }

    #[test]
    fn the_bounds_of_slots_follow_one_another_up_to_the_end_of_the_range() {
        for scale in [Scale::COARSE, Scale::FINE] {
            let mut next = 0;
            for slot in 0..scale.end() {
                let (lowest, highest) = scale.bounds(slot);
                assert_eq!((lowest, highest), (next, scale.highest(slot)), "{slot}");
                assert!(highest < u64::MAX, "{slot}");
                next = highest + 1;
            }
            assert_eq!(scale.highest(scale.end()), u64::MAX);
        }
    }

    #[test]
    fn slots_equal_those_of_the_crate() {
        let longest = 3_600_000_000;
        let histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, longest, 3).unwrap();
        for us in (0..5_000).map(|step| step * step * 144).filter(|us| (1..=longest).contains(us)) {
            let slot = Scale::FINE.slot(us);
            assert_eq!(Scale::FINE.highest(slot), histogram.highest_equivalent(us), "{us}");
            assert_eq!(Scale::FINE.slot(Scale::FINE.highest(slot)), slot, "{us}");
        }
        assert_eq!(Scale::FINE.highest(u64::MAX >> 1), u64::MAX, "every slot has a highest value");
    }
}
