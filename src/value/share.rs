//! A share of all requests, such as `1%`.

use std::fmt;
use std::str::FromStr;

use super::{amount, share};

/// A share of all requests: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// Whether something is among the share: `bits` are 64 evenly distributed bits that belong to it alone.
    #[must_use]
    pub fn takes(self, bits: u64) -> bool {
        // 53 bits, as many as a float holds exactly.
        ((bits >> 11) as f64) < self.0 * (1_u64 << 53) as f64
    }

    /// How many each one that is taken stands for.
    #[must_use]
    pub const fn weight(self) -> f64 {
        1.0 / self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = share(text)?;
        if number > 0.0 && number <= 1.0 {
            Ok(Self(number))
        } else {
            Err("must be above 0 and at most 1, which is 100%; leave the flag out for none".to_owned())
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A share as a number from 0 to 1, as Locust's flags take it.
///
/// # Errors
/// A sentence that says what is expected.
pub fn ratio(text: &str) -> Result<f64, String> {
    let ratio = amount(text)?;
    if ratio <= 1.0 { Ok(ratio) } else { Err("a share is at most 1, which is 100%".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        for (text, shown, weight) in [("1%", "0.01", 100.0), ("0.25", "0.25", 4.0), ("1", "1", 1.0), ("100%", "1", 1.0)]
        {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.to_string().as_str(), share.weight()), (shown, weight));
        }
        for wrong in ["0", "0%", "1.01", "101%", "-1", "half", "", "%"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_takes_everything_and_a_share_what_lies_below_it() {
        assert!(Share::ALL.takes(u64::MAX) && Share::ALL.takes(0));
        let half: Share = "50%".parse().unwrap();
        assert!(half.takes((1 << 63) - 1) && !half.takes(1 << 63));
    }
}
