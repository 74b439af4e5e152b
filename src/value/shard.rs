//! The value of `--shard`: which process of a run on many hosts this one is.

use std::fmt;
use std::str::FromStr;

/// `--shard`: which of the processes that make a run together this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardFlag {
    /// `I/N`: number I, from 0, of N.
    Given {
        /// I.
        index: u32,
        /// N.
        count: u32,
    },
    /// `auto` or `auto/N`: as the engine that started the process says; N where the engine gives no total.
    Auto(Option<u32>),
}

impl FromStr for ShardFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("{text:?} is not a number; expected I/N such as 0/4, auto or auto/N"))
        };
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            Some(("auto", count)) => number(count).map(|count| Self::Auto(Some(count))),
            Some((index, count)) => Ok(Self::Given { index: number(index)?, count: number(count)? }),
            None => Err("expected I/N such as 0/4, auto or auto/N".to_owned()),
        }
    }
}

impl fmt::Display for ShardFlag {
    /// The flag and its value as in a command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { index, count } => write!(f, "{index}/{count}"),
            Self::Auto(None) => write!(f, "auto"),
            Self::Auto(Some(count)) => write!(f, "auto/{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_given_or_detected() {
        assert_eq!("3/4".parse(), Ok(ShardFlag::Given { index: 3, count: 4 }));
        assert_eq!("auto".parse(), Ok(ShardFlag::Auto(None)));
        assert_eq!("auto/8".parse(), Ok(ShardFlag::Auto(Some(8))));
        for text in ["", "1", "a/4", "1/b", "auto/", "auto/x", "-1/4", "1/4/4", "AUTO"] {
            assert!(text.parse::<ShardFlag>().is_err(), "{text:?}");
        }
        for text in ["3/4", "auto", "auto/8"] {
            assert_eq!(text.parse::<ShardFlag>().unwrap().to_string(), text);
        }
    }
}
