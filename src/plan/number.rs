//! A JSON number: its digits are kept, and it is compared by decimal value at any length.

use std::cmp::Ordering;
use std::fmt;

use super::template::is_json_number;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A number with its digits as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Box<str>);

/// Compares two texts by their decimal value; `None` if one of them is not a JSON number, or its exponent has too many
/// digits to be meaningful.
#[must_use]
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    if !is_json_number(left) || !is_json_number(right) {
        return None;
    }
    if left == right {
        return Some(Ordering::Equal);
    }
    Some(Decimal::of(left)?.cmp(&Decimal::of(right)?))
}

/// The normalized decimal value: `0.ddd * 10^exponent`, the digits without leading and trailing zeros.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i128,
}

impl Number {
    /// Creates a number from a text, which must be a JSON number (RFC 8259 section 6).
    #[must_use]
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The number as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether both have the same decimal value: 7, 7.0 and 7e0 do, two integers that differ in the
    /// thirtieth digit do not.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        // An exponent of more than 38 digits is beyond any meaningful number.
        self.0 == other.0 || self.decimal().is_some_and(|own| Some(own) == other.decimal())
    }

    /// The nearest float; `None` if it is outside their range.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|float: &f64| float.is_finite())
    }

    /// The value as a whole number, which includes 7.0 and 7e0.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        /// Digits of 2^64.
        const MAX_DIGITS: i128 = 20;
        let Decimal { is_negative, digits, exponent } = self.decimal()?;
        if digits.is_empty() {
            return Some(0);
        }
        let zeros = exponent - i128::try_from(digits.len()).ok()?;
        if is_negative || zeros < 0 || exponent > MAX_DIGITS {
            return None;
        }
        let zeros = usize::try_from(zeros).ok()?;
        let digits = digits.iter().copied().chain(std::iter::repeat_n(b'0', zeros));
        digits.map(char::from).collect::<String>().parse().ok()
    }

    fn decimal(&self) -> Option<Decimal> {
        Decimal::of(&self.0)
    }
}

impl Decimal {
    /// The value of a JSON number; `None` if the exponent itself has too many digits.
    fn of(number: &str) -> Option<Self> {
        let (is_negative, text) = number.strip_prefix('-').map_or((false, number), |text| (true, text));
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(first, |last| last + 1);
        if first == end {
            return Some(Self { is_negative: false, digits: Vec::new(), exponent: 0 });
        }
        let before_point = i128::try_from(whole.len()).ok()? - i128::try_from(first).ok()?;
        let exponent = exponent.parse::<i128>().ok()?.checked_add(before_point)?;
        Some(Self { is_negative, digits: digits[first..end].to_vec(), exponent })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.digits.is_empty(), decimal.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.is_negative => size().reverse(),
            Ordering::Equal => size(),
            order => order,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// The name as written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_when_their_decimal_values_are() {
        // Python: Decimal(a) == Decimal(b).
        for (a, b, is_same) in [
            ("7", "7.0", true),
            ("7", "7e0", true),
            ("70", "7E+1", true),
            ("0.7", "7e-1", true),
            ("0.070", "70e-3", true),
            ("-0", "0.00e9", true),
            ("-1", "1", false),
            ("1.10", "1.1", true),
            ("123456789012345678901234567890", "123456789012345678901234567891", false),
            ("123456789012345678901234567890", "12345678901234567890123456789e1", true),
            ("0.1", "0.1000000000000000055511151231257827", false),
            ("9007199254740993", "9007199254740992", false),
            ("1e400", "1e401", false),
            ("1e400", "10e399", true),
            ("1e99999999999999999999999999999999999999999", "1e99999999999999999999999999999999999999999", true),
            ("1e99999999999999999999999999999999999999999", "1e99999999999999999999999999999999999999998", false),
            ("1e170141183460469231731687303715884105727", "1e-170141183460469231731687303715884105728", false),
        ] {
            assert_eq!(Number::new(a).is_equal(&Number::new(b)), is_same, "{a} {b}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_their_decimal_values() {
        // Python: Decimal(a).compare(Decimal(b)).
        for (a, b, order) in [
            ("9", "10", Some(Ordering::Less)),
            ("-9", "-10", Some(Ordering::Greater)),
            ("-1", "0", Some(Ordering::Less)),
            ("-0", "0.0", Some(Ordering::Equal)),
            ("0", "-1e-9", Some(Ordering::Greater)),
            ("0.5", "0.49999999999999999999999999999999", Some(Ordering::Greater)),
            ("123456789012345678901234567890", "123456789012345678901234567891", Some(Ordering::Less)),
            ("1e400", "9e399", Some(Ordering::Greater)),
            ("12", "1.2e1", Some(Ordering::Equal)),
            ("12", "123", Some(Ordering::Less)),
            ("", "1", None),
            ("1", "one", None),
            ("01", "1", None),
        ] {
            assert_eq!(compare(a, b), order, "{a} {b}");
            assert_eq!(compare(b, a), order.map(Ordering::reverse), "{b} {a}");
        }
    }

    #[test]
    fn whole_numbers_are_read_to_the_last_digit() {
        for (text, whole) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("7.0", Some(7)),
            ("7.5", None),
            ("-1", None),
            ("1e3", Some(1000)),
            ("1500e-2", Some(15)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1e19", Some(10_000_000_000_000_000_000)),
            ("1e20", None),
            ("1e999999999", None),
        ] {
            assert_eq!(Number::new(text).as_u64(), whole, "{text}");
        }
        assert_eq!(Number::new("1e999").as_f64(), None);
        assert_eq!(Number::new("-1.5").as_f64(), Some(-1.5));
        assert_eq!(serde_json::to_string(&Number::new("1.10")).unwrap(), "1.10");
    }
}
