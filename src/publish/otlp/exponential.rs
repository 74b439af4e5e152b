//! Exponential histograms, <https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>: bucket `i` holds
//! the values above `base^i` up to `base^(i+1)`, where `base` is `2^(2^-scale)`.

use std::collections::BTreeMap;

/// The scale of a histogram whose times lie close together: buckets are 1.1 % wide.
const FIRST_SCALE: i32 = 6;

/// Maximum buckets; with more, pairs of neighbours are merged, which lowers the scale by one.
const MAX_BUCKETS: i32 = 160;

/// Times in buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exponential {
    /// Its resolution. It depends on the lowest and highest time only, so it never rises while times are added.
    pub(super) scale: i32,
    /// The index of the first bucket.
    pub(super) offset: i32,
    /// The count of each bucket.
    pub(super) counts: Vec<u64>,
}

impl Exponential {
    /// Puts times in microseconds, each with its count, into buckets of seconds. 0 µs does not occur: the least time that is
    /// counted is 1 µs.
    pub(super) fn of_micros(times: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut buckets: BTreeMap<i32, u64> = BTreeMap::new();
        for (us, count) in times.into_iter().filter(|(_, count)| *count > 0) {
            *buckets.entry(index(us)).or_default() += count;
        }
        let (Some((first, _)), Some((last, _))) = (buckets.first_key_value(), buckets.last_key_value()) else {
            return Self::default();
        };
        let merges = (0..i32::BITS).find(|merges| (last >> merges) - (first >> merges) < MAX_BUCKETS).unwrap_or(0);
        let (offset, end) = (first >> merges, last >> merges);
        let mut counts = vec![0; usize::try_from(end - offset + 1).unwrap_or(0)];
        for (index, count) in buckets {
            if let Some(sum) = usize::try_from((index >> merges) - offset).ok().and_then(|at| counts.get_mut(at)) {
                *sum += count;
            }
        }
        Self { scale: FIRST_SCALE - merges.cast_signed(), offset, counts }
    }

    /// How many times there are.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// The bucket of a time at the first scale.
#[allow(clippy::cast_possible_truncation, reason = "a logarithm of 64 bits is small")]
fn index(us: u64) -> i32 {
    let seconds = us.max(1) as f64 / 1e6;
    let exact = seconds.log2() * f64::from(1 << FIRST_SCALE);
    // A power of the base belongs to the bucket that ends there; only powers of two can be exact.
    exact.ceil() as i32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;

    fn upper_bound(histogram: &Exponential, at: usize) -> f64 {
        let base = 2_f64.powf(2_f64.powi(-histogram.scale));
        base.powi(histogram.offset + i32::try_from(at).unwrap() + 1)
    }

    #[test]
    fn each_time_is_within_the_bounds_of_its_bucket() {
        for us in [1, 2, 999, 1_000, 15_625, 500_000, 999_999, 1_000_000, 1_000_001, 4_000_000, 3_600_000_000_u64] {
            let one = Exponential::of_micros([(us, 3)]);
            assert_eq!((one.scale, one.counts.as_slice()), (FIRST_SCALE, &[3][..]), "{us}");
            let (seconds, upper) = (us as f64 / 1e6, upper_bound(&one, 0));
            let lower = upper / 2_f64.powf(2_f64.powi(-FIRST_SCALE));
            assert!(lower * (1.0 - 1e-12) <= seconds && seconds <= upper * (1.0 + 1e-12), "{us}: {lower} {upper}");
        }
        // 1 s = base^0 ends bucket -1, and 0.5 s = base^-64 ends bucket -65.
        assert_eq!(Exponential::of_micros([(1_000_000, 1)]).offset, -1);
        assert_eq!(Exponential::of_micros([(500_000, 1)]).offset, -65);
    }

    #[test]
    fn the_scale_falls_as_the_spread_grows_and_totals_never_do() {
        let mut random = Random::seeded(5);
        let mut counted = BTreeMap::new();
        let mut before = Exponential { scale: FIRST_SCALE, ..Exponential::default() };
        // An hour of ticks each second: times spread out until they reach from a microsecond to an hour.
        for tick in 0..3600_u64 {
            let spread = 1 + tick * 32 / 3600;
            for _ in 0..20 {
                let us = (1_u64 << (random.bits() % spread)).clamp(1, 3_600_000_000) + random.bits() % 7;
                *counted.entry(us).or_insert(0) += 1;
            }
            let now = Exponential::of_micros(counted.iter().map(|(us, count)| (*us, *count)));
            assert!(
                now.scale <= before.scale && now.counts.len() <= 160,
                "{tick}: {} after {}",
                now.scale,
                before.scale
            );
            assert_eq!(now.count(), before.count() + 20);
            // Each bucket of before, at the scale of now.
            for (at, count) in before.counts.iter().enumerate() {
                let index = (before.offset + i32::try_from(at).unwrap()) >> (before.scale - now.scale);
                assert!(now.counts[usize::try_from(index - now.offset).unwrap()] >= *count, "{tick}");
            }
            before = now;
        }
        assert!(before.scale <= 2, "{}", before.scale);
    }
}
