//! `${now(...)}`: a time in UTC, at a distance from now, in a format of strftime's letters.
//!
//! No crate: a time without zones and locales is a date of the calendar, which the clock has anyway, and this table.

use std::io::Write as _;

use super::encoding::TextEncoding;
use super::unset::RenderError;
use crate::clock::civil::CivilDate;

/// A time at a distance from now, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    offset_s: i64,
    parts: Box<[TimePart]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TimePart {
    Literal(Box<str>),
    Field(TimeField),
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeField {
    Year,
    YearOfCentury,
    Month,
    MonthName,
    ShortMonthName,
    Day,
    DayOfYear,
    Weekday,
    IsoWeekday,
    WeekdayName,
    ShortWeekdayName,
    Hour,
    HourOf12,
    Half,
    Minute,
    Second,
    Milliseconds,
    Microseconds,
    UnixSeconds,
    UnixMilliseconds,
}

/// The letters, as in C and Python but for `L`, which is Ruby's.
const FIELDS: [(char, TimeField); 19] = [
    ('Y', TimeField::Year),
    ('y', TimeField::YearOfCentury),
    ('m', TimeField::Month),
    ('B', TimeField::MonthName),
    ('b', TimeField::ShortMonthName),
    ('d', TimeField::Day),
    ('j', TimeField::DayOfYear),
    ('w', TimeField::Weekday),
    ('u', TimeField::IsoWeekday),
    ('A', TimeField::WeekdayName),
    ('a', TimeField::ShortWeekdayName),
    ('H', TimeField::Hour),
    ('I', TimeField::HourOf12),
    ('p', TimeField::Half),
    ('M', TimeField::Minute),
    ('S', TimeField::Second),
    ('L', TimeField::Milliseconds),
    ('f', TimeField::Microseconds),
    ('s', TimeField::UnixSeconds),
];

/// Letters that stand for several others, or for a text.
const SHORT: [(char, &str); 5] = [('F', "%Y-%m-%d"), ('T', "%H:%M:%S"), ('z', "+0000"), ('Z', "UTC"), ('%', "%%")];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const DAY: i64 = 86_400;

/// Longest distance from now: a century, so that a year has four digits.
const MAX_OFFSET_S: i64 = 36_525 * DAY;

impl TimeFormat {
    /// Reads `+1d, %Y-%m-%d`, where either may be missing: without a distance it is now, without a format milliseconds
    /// since 1970. The format is all that follows the distance, commas included.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (offset, format) = if text.starts_with(['+', '-']) {
            let (offset, format) = text.split_once(',').unwrap_or((text, ""));
            (offset.trim_end(), format.trim_start())
        } else {
            ("", text)
        };
        let offset_s = if offset.is_empty() { 0 } else { distance(offset)? };
        let mut parts = Vec::new();
        read_format(format, &mut parts)?;
        let is_field = |part: &TimePart| matches!(part, TimePart::Field(_));
        if format.is_empty() && !offset.is_empty() {
            parts.push(TimePart::Field(TimeField::UnixMilliseconds));
        } else if !parts.iter().any(is_field) {
            return Err("expected a distance such as +1d, a format such as %Y-%m-%d, or both: now(+1d, %F)".to_owned());
        }
        Ok(Self { offset_s, parts: parts.into() })
    }

    /// Appends the time, with `now_unix_ms` as now.
    ///
    /// # Errors
    /// It is not allowed in this context.
    pub(super) fn write(&self, now_unix_ms: u64, encoding: TextEncoding, out: &mut Vec<u8>) -> Result<(), RenderError> {
        if encoding == TextEncoding::JsonNumber {
            let mut text = Vec::new();
            self.write(now_unix_ms, TextEncoding::Plain, &mut text)?;
            return encoding.write(&String::from_utf8_lossy(&text), out);
        }
        let now = i64::try_from(now_unix_ms).unwrap_or(i64::MAX);
        let unix_ms = now.saturating_add(self.offset_s * 1000);
        for part in &self.parts {
            match part {
                TimePart::Literal(text) => encoding.write(text, out)?,
                TimePart::Field(field) => field.write(unix_ms, out),
            }
        }
        Ok(())
    }
}

impl TimeField {
    /// Letters and digits only, which no encoding changes.
    fn write(self, unix_ms: i64, out: &mut Vec<u8>) {
        let second = unix_ms.div_euclid(1000);
        let (ms, day, of_day) = (unix_ms.rem_euclid(1000), second.div_euclid(DAY), second.rem_euclid(DAY));
        let date = CivilDate::of_day(day);
        let name = |names: &'static [&'static str], at: i64| names[usize::try_from(at).unwrap_or(0)];
        let (month, weekday) = (name(&MONTHS, date.month - 1), name(&WEEKDAYS, CivilDate::weekday(day)));
        // Writing into a Vec cannot fail.
        let _ = match self {
            Self::Year => write!(out, "{:04}", date.year),
            Self::YearOfCentury => write!(out, "{:02}", date.year.rem_euclid(100)),
            Self::Month => write!(out, "{:02}", date.month),
            Self::MonthName => write!(out, "{month}"),
            Self::ShortMonthName => write!(out, "{}", &month[..3]),
            Self::Day => write!(out, "{:02}", date.day),
            Self::DayOfYear => write!(out, "{:03}", date.day_of_year()),
            Self::Weekday => write!(out, "{}", CivilDate::weekday(day)),
            Self::IsoWeekday => write!(out, "{}", (CivilDate::weekday(day) + 6) % 7 + 1),
            Self::WeekdayName => write!(out, "{weekday}"),
            Self::ShortWeekdayName => write!(out, "{}", &weekday[..3]),
            Self::Hour => write!(out, "{:02}", of_day / 3600),
            Self::HourOf12 => write!(out, "{:02}", (of_day / 3600 + 11) % 12 + 1),
            Self::Half => write!(out, "{}", if of_day < DAY / 2 { "AM" } else { "PM" }),
            Self::Minute => write!(out, "{:02}", of_day / 60 % 60),
            Self::Second => write!(out, "{:02}", of_day % 60),
            Self::Milliseconds => write!(out, "{ms:03}"),
            Self::Microseconds => write!(out, "{:06}", ms * 1000),
            Self::UnixSeconds => write!(out, "{second}"),
            Self::UnixMilliseconds => write!(out, "{unix_ms}"),
        };
    }
}

/// Reads `+1d`, `-1h30m`.
fn distance(text: &str) -> Result<i64, String> {
    let why = || format!("{text:?} is not a distance; expected +1d, -90m, +1h30m: units s, m, h, d, w");
    let (sign, mut rest) = if let Some(rest) = text.strip_prefix('-') { (-1, rest) } else { (1, &text[1..]) };
    let mut seconds = 0_i64;
    if rest.is_empty() {
        return Err(why());
    }
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit()).ok_or_else(why)?;
        let count: i64 = rest[..end].parse().map_err(|_| why())?;
        let unit = match rest.as_bytes()[end] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return Err(why()),
        };
        seconds = seconds.saturating_add(count.saturating_mul(unit));
        rest = &rest[end + 1..];
    }
    if seconds > MAX_OFFSET_S { Err(format!("{text:?} is more than a century")) } else { Ok(sign * seconds) }
}

fn read_format(format: &str, parts: &mut Vec<TimePart>) -> Result<(), String> {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        push_literal(&rest[..at], parts);
        let letter = rest[at + 1..].chars().next();
        let known = |(known, _): &&(char, TimeField)| Some(*known) == letter;
        let short = SHORT.iter().find(|(known, _)| Some(*known) == letter);
        match (FIELDS.iter().find(known), short) {
            (Some((_, field)), _) => parts.push(TimePart::Field(*field)),
            (None, Some((_, "%%"))) => push_literal("%", parts),
            (None, Some((_, long))) => read_format(long, parts)?,
            (None, None) => {
                let letters = FIELDS.iter().map(|(letter, _)| *letter).chain(SHORT.iter().map(|(letter, _)| *letter));
                let known = letters.map(|letter| format!("%{letter}")).collect::<Vec<_>>().join(" ");
                let written = letter.map_or_else(|| "%".to_owned(), |letter| format!("%{letter}"));
                return Err(format!("{written} is not known in a time; known: {known}"));
            }
        }
        rest = &rest[at + 1 + letter.map_or(0, char::len_utf8)..];
    }
    push_literal(rest, parts);
    Ok(())
}

fn push_literal(text: &str, parts: &mut Vec<TimePart>) {
    if !text.is_empty() {
        parts.push(TimePart::Literal(text.into()));
    }
}

#[cfg(test)]
mod tests;
