//! Dates of `Expires`, which servers write in several formats: parsed leniently, as RFC 6265 section 5.1.1 requires.

use crate::clock::civil::CivilDate;

/// Unix seconds of a date; `None` if the text is not a date.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut found = DateParts::default();
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        found.add(token);
    }
    found.date()
}

/// The parts found so far; the first match of each counts.
#[derive(Default)]
struct DateParts {
    time: Option<(i64, i64, i64)>,
    day: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
}

impl DateParts {
    /// Uses a token as the first of these parts that is still missing and that it can be.
    fn add(&mut self, token: &[u8]) {
        if self.time.is_none() {
            self.time = time(token);
            if self.time.is_some() {
                return;
            }
        }
        for (field, read) in [
            (&mut self.day, day as fn(&[u8]) -> Option<i64>),
            (&mut self.month, month as fn(&[u8]) -> Option<i64>),
            (&mut self.year, year as fn(&[u8]) -> Option<i64>),
        ] {
            if field.is_none() {
                *field = read(token);
                if field.is_some() {
                    return;
                }
            }
        }
    }

    fn date(&self) -> Option<i64> {
        let (hour, minute, second) = self.time?;
        let (day, month, year) = (self.day?, self.month?, self.year?);
        let is_real = (1..=31).contains(&day) && year >= 1601 && hour <= 23 && minute <= 59 && second <= 59;
        let number_of = |year, month, day| CivilDate { year, month, day }.day_number();
        let days = number_of(year, month, day);
        // A day beyond the month's end would be a day of the next month.
        let is_real = is_real && (day <= 28 || days < number_of(year + month / 12, month % 12 + 1, 1));
        is_real.then(|| ((days * 24 + hour) * 60 + minute) * 60 + second)
    }
}

/// %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// A number of `least` to `most` digits at the start, and the rest, which does not start with a digit.
fn number(token: &[u8], least: usize, most: usize) -> Option<(i64, &[u8])> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = token[..digits.min(most)].iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
    (least..=most).contains(&digits).then_some((value, &token[digits..]))
}

fn time(token: &[u8]) -> Option<(i64, i64, i64)> {
    let (hour, rest) = number(token, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, _) = number(rest.strip_prefix(b":")?, 1, 2)?;
    Some((hour, minute, second))
}

fn day(token: &[u8]) -> Option<i64> {
    number(token, 1, 2).map(|(day, _)| day)
}

fn month(token: &[u8]) -> Option<i64> {
    const NAMES: [&[u8]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = token.get(..3)?;
    (1..).zip(NAMES).find(|(_, name)| start.eq_ignore_ascii_case(name)).map(|(month, _)| month)
}

fn year(token: &[u8]) -> Option<i64> {
    let (year, _) = number(token, 2, 4)?;
    Some(match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_the_formats_of_rfc_9110_and_some_more() {
        // 1994-11-06T08:49:37Z by `date -u -d`.
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 Nov 94 08:49:37",
            "1994 6 november 8:49:37 UTC",
            "08:49:37x 6th Nov 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(parse(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse(b"Thu, 01-Jan-1970 00:00:01 GMT"), Some(1));
        assert_eq!(parse(b"Wed, 31 Dec 1969 23:59:59 GMT"), Some(-1));
        assert_eq!(parse(b"Tue, 29 Feb 2000 12:00:00 GMT"), Some(951_825_600));
        assert_eq!(parse(b"Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }

    #[test]
    fn text_that_is_not_a_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "Sun, 06 Nov 1994",
            "Nov 1994 08:49:37",
            "06 1994 08:49:37",
            "06 Nov 08:49:37",
            "32 Nov 1994 08:49:37",
            "31 Nov 1994 08:49:37",
            "29 Feb 2001 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:60:00",
            "06 Nov 1994 08:49:60",
            "06 Nov 1994 08:49",
            "006 Nov 19945 08:49:37",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
