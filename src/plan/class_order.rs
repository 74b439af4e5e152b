//! Which class each user or arrival belongs to.

use std::fmt;

/// The class of user or arrival k, identical on every host: smooth weighted round robin, so that even the
/// first few are mixed in proportion (weights 3 and 1 give A A B A).
///
/// Classes with a fixed count come first, mixed in the same way, as Locust starts them; the weights deal out all users
/// after those.
#[derive(Debug)]
pub struct ClassOrder {
    /// The classes of the first users.
    fixed: Box<[u16]>,
    /// The classes of all others, again and again; empty if every class has a fixed count.
    by_weight: Box<[u16]>,
}

/// How many users are of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassShare {
    /// A share relative to the weights of the other classes.
    Weight(u32),
    /// Exactly so many, unless the run has fewer.
    Fixed(u32),
}

impl fmt::Display for ClassShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(weight) => write!(f, "weight {weight}"),
            Self::Fixed(count) => write!(f, "fixed count {count}"),
        }
    }
}

/// Maximum period: a table of 200 kB. Weights such as 1 and 99,999 fit; finer ratios cannot be told from
/// random variation.
pub const MAX_PERIOD: usize = 100_000;

/// Maximum number of classes: building the table takes classes x period steps.
pub const MAX_CLASSES: usize = 1000;

impl ClassOrder {
    /// Creates the order for classes with these shares; there must be at least one, and no weight or count may be 0.
    ///
    /// # Errors
    /// The weights, divided by their common divisor, or the fixed counts add up to more than 100,000.
    pub fn new(shares: &[ClassShare]) -> Result<Self, String> {
        assert!(!shares.is_empty(), "the reader refuses an empty list of classes");
        let classes = shares.iter().enumerate();
        let weights = classes.clone().filter_map(|(class, share)| match share {
            ClassShare::Weight(weight) => Some((class, *weight)),
            ClassShare::Fixed(_) => None,
        });
        let counts = classes.filter_map(|(class, share)| match share {
            ClassShare::Fixed(count) => Some((class, *count)),
            ClassShare::Weight(_) => None,
        });
        let counts: Vec<_> = counts.collect();
        let total: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
        if total > MAX_PERIOD as u64 {
            return Err(format!("the fixed counts add up to {total}; the maximum is {MAX_PERIOD}"));
        }
        let period = mixed(&counts)?;
        let fixed = period.iter().copied().cycle().take(usize::try_from(total).unwrap_or(0)).collect();
        Ok(Self { fixed, by_weight: mixed(&weights.collect::<Vec<_>>())? })
    }

    /// The index of the class of number `k`.
    ///
    /// # Panics
    /// If every class has a fixed count and `k` is beyond them all: see [`ClassOrder::most_users`].
    #[must_use]
    pub fn class_of(&self, k: u64) -> usize {
        let at = match k.checked_sub(self.fixed.len() as u64) {
            None => self.fixed[usize::try_from(k).unwrap_or(0)],
            Some(k) => self.by_weight[usize::try_from(k % self.by_weight.len() as u64).unwrap_or(0)],
        };
        usize::from(at)
    }

    /// How many users there can be; `None` if the weights deal out any number of them.
    #[must_use]
    pub fn most_users(&self) -> Option<u64> {
        self.by_weight.is_empty().then_some(self.fixed.len() as u64)
    }

    /// After how many numbers the order repeats, beyond the classes with a fixed count.
    pub(super) fn period(&self) -> usize {
        self.by_weight.len()
    }
}

/// Smooth weighted round robin over one period.
fn mixed(classes: &[(usize, u32)]) -> Result<Box<[u16]>, String> {
    assert!(classes.iter().all(|(_, weight)| *weight > 0), "the reader refuses such weights");
    let divisor = classes.iter().fold(0, |divisor, (_, weight)| gcd(divisor, *weight)).max(1);
    let weights: Vec<i64> = classes.iter().map(|(_, weight)| i64::from(weight / divisor)).collect();
    let period: i64 = weights.iter().sum();
    let length = usize::try_from(period).ok().filter(|length| *length <= MAX_PERIOD);
    let length = length.ok_or_else(|| format!("the weights add up to {period}; the maximum is {MAX_PERIOD}"))?;
    let mut owed = vec![0_i64; weights.len()];
    let turns = (0..length).map(|_| {
        let mut best = 0;
        for (class, weight) in weights.iter().enumerate() {
            owed[class] += weight;
            if owed[class] > owed[best] {
                best = class;
            }
        }
        owed[best] -= period;
        u16::try_from(classes[best].0).unwrap_or(u16::MAX)
    });
    Ok(turns.collect())
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_weights(weights: &[u32]) -> Result<ClassOrder, String> {
        ClassOrder::new(&weights.iter().map(|weight| ClassShare::Weight(*weight)).collect::<Vec<_>>())
    }

    fn order(weights: &[u32], count: u64) -> Vec<usize> {
        let order = of_weights(weights).unwrap();
        (0..count).map(|k| order.class_of(k)).collect()
    }

    #[test]
    fn users_are_mixed_from_the_first_few_on() {
        assert_eq!(order(&[3, 1], 8), [0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(order(&[1, 1, 1], 6), [0, 1, 2, 0, 1, 2]);
        assert_eq!(order(&[7], 3), [0, 0, 0]);
        // nginx's own example of smooth weighted round robin.
        assert_eq!(order(&[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn each_period_has_exactly_the_weights() {
        for weights in [&[2, 3, 5][..], &[400, 200, 100], &[1, 99_999], &[99, 1, 1]] {
            let divisor = weights.iter().fold(0, |divisor, weight| gcd(divisor, *weight));
            let period = u64::from(weights.iter().sum::<u32>() / divisor);
            let classes = order(weights, period * 2);
            for (class, weight) in weights.iter().enumerate() {
                let count = classes.iter().filter(|c| **c == class).count();
                assert_eq!(count, (weight / divisor * 2) as usize, "{weights:?}");
            }
        }
        assert!(of_weights(&[1, 100_000]).unwrap_err().contains("100001"));
        assert!(of_weights(&[u32::MAX, 1, u32::MAX]).is_err());
    }

    #[test]
    fn fixed_counts_come_first_and_the_weights_deal_out_the_rest() {
        use ClassShare::{Fixed, Weight};
        let order = ClassOrder::new(&[Weight(3), Fixed(2), Weight(1), Fixed(4)]).unwrap();
        let classes: Vec<usize> = (0..14).map(|k| order.class_of(k)).collect();
        // The dispatcher of Locust 2.47.0 begins with D B D D B D as well.
        assert_eq!(classes, [3, 1, 3, 3, 1, 3, 0, 0, 2, 0, 0, 0, 2, 0]);
        assert_eq!(order.most_users(), None);
        let order = ClassOrder::new(&[Fixed(1), Fixed(2)]).unwrap();
        assert_eq!(
            ((0..3).map(|k| order.class_of(k)).collect::<Vec<_>>(), order.most_users()),
            (vec![1, 0, 1], Some(3))
        );
        assert!(ClassOrder::new(&[Fixed(99_999), Fixed(2)]).unwrap_err().contains("add up to 100001"));
    }
}
