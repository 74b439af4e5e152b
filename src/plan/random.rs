//! Reproducible random numbers: the same seed makes the same choices.
//!
//! Not the rand crate: a seed must give the same run with every version, which rand promises of few of its generators, and
//! each user needs a generator that can skip ahead at no cost.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Sebastiano Vigna's splitmix64: one addition and three mixing steps per number. It passes `BigCrush` and
/// works with any seed, so each user can have its own generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// How much the state advances per number: 2^64 divided by the golden ratio, made odd.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// A generator whose sequence is determined by `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator after `numbers` further numbers, in constant time.
    #[must_use]
    pub const fn skip(self, numbers: u64) -> Self {
        Self(self.0.wrapping_add(numbers.wrapping_mul(Self::STEP)))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random number from 0 to `bound` - 1, uniform to within `bound` / 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "there must be something to choose from");
        // Lemire's multiplication in place of a remainder. The product's upper half is below `bound`, so it fits.
        let product = u128::from(self.bits()) * bound as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// A random number from 0 (inclusive) to 1 (exclusive).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How likely something is: a number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probability(f64);

impl Probability {
    /// Checks that it is from 0 to 1.
    ///
    /// # Errors
    /// A sentence.
    pub fn new(share: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err("must be a number from 0 to 1".to_owned()) }
    }

    /// Returns whether it happens this time.
    pub fn hits(self, random: &mut Random) -> bool {
        random.unit() < self.0
    }
}

/// A seed computed from a text by FNV-1a.
#[must_use]
pub fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// 64 bits of entropy from the operating system.
#[must_use]
pub fn entropy() -> u64 {
    // std seeds the hasher's keys from the operating system; hashing nothing with them makes them available.
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_is_the_published_one() {
        // First outputs for seed 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64").
        let mut random = Random::seeded(1_234_567);
        for expected in [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423] {
            assert_eq!(random.bits(), expected);
        }
        assert_eq!(Random::seeded(1_234_567).skip(2).bits(), 9_817_491_932_198_370_423, "the third output");
    }

    #[test]
    fn choices_are_even() {
        let mut random = Random::seeded(7);
        let mut counts = [0_u32; 3];
        (0..30_000).for_each(|_| counts[random.below(3)] += 1);
        // Within 4 sigma of 10,000: sigma = sqrt(30000 * 1/3 * 2/3) = 82.
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 327), "{counts:?}");
    }
}
