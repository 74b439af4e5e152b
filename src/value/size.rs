//! A number of bytes, as flags and scenario files write it.

use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

/// A number of bytes above 0 and below 4 GiB: more is not kept in memory. Small, as it travels in outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(NonZero<u32>);

/// Units and their bytes. One letter is binary, as curl, nginx and dd have it.
const UNITS: [(&str, u64); 12] = [
    ("", 1),
    ("B", 1),
    ("K", 1 << 10),
    ("KiB", 1 << 10),
    ("KB", 1000),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("G", 1 << 30),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("bytes", 1),
];

impl ByteSize {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0.get() as u64
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim_start();
        let factor = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor);
        let (Ok(number), Some(factor)) = (number.parse::<u64>(), factor) else {
            return Err("expected a size such as 8MiB, 500KiB or 1000000".to_owned());
        };
        let bytes = number.checked_mul(factor).and_then(|bytes| u32::try_from(bytes).ok()).and_then(NonZero::new);
        bytes.map(Self).ok_or_else(|| "must be from 1 byte to 4095MiB".to_owned())
    }
}

impl fmt::Display for ByteSize {
    /// In the largest unit that it is a whole number of: `8 MiB`, `1000 bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            [("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, bits)| self.0.trailing_zeros() >= *bits);
        match unit {
            Some((name, bits)) => write!(f, "{} {name}", self.0.get() >> bits),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units_and_written_so_that_they_read_back() {
        for (text, bytes, written) in [
            ("8MiB", 8 << 20, "8 MiB"),
            ("8 mib", 8 << 20, "8 MiB"),
            ("8M", 8 << 20, "8 MiB"),
            ("8MB", 8_000_000, "8000000 bytes"),
            ("1024", 1024, "1 KiB"),
            ("1000 bytes", 1000, "1000 bytes"),
            ("1G", 1 << 30, "1 GiB"),
            ("500k", 500 << 10, "500 KiB"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, written), "{text}");
            assert_eq!(written.parse(), Ok(size));
        }
        for text in ["", "0", "MiB", "-1", "1.5M", "8XB", "99999999999999999999", "4GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
