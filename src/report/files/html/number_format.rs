//! Numbers in human-readable form.

use crate::clock::rfc3339;
use std::time::Duration;

/// A count with a comma before every three digits.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with `digits` decimals, and commas in the integer part.
pub(super) fn number(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let Ok(whole) = whole.parse::<u64>().map(count) else { return text };
    if rest.is_empty() { whole } else { format!("{whole}.{rest}") }
}

/// A time in milliseconds: three significant digits and a suitable unit.
pub(super) fn time(ms: f64) -> String {
    match ms {
        ms if ms < 0.9995 => format!("{} µs", number(ms * 1000.0, 0)),
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 9_999.5 => format!("{} ms", number(ms, 0)),
        ms => format!("{} s", number(ms / 1000.0, 1)),
    }
}

/// A judged time: a lower bound is marked with a sign.
pub(super) fn judged_time(ms: f64, is_bound: bool) -> String {
    let sign = if is_bound { "≥ " } else { "" };
    format!("{sign}{}", time(ms))
}

/// Bytes in a suitable decimal unit.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && amount < 99.95);
    format!("{} {}", number(amount, digits), UNITS[unit])
}

/// A duration: `1 h 2 min`, `5 min 7 s`, `9.8 s`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = Duration::from_secs_f64(seconds.min(1e12)).as_millis().div_ceil(1000);
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    let parts = if hours > 0 { [(hours, "h"), (minutes, "min")] } else { [(minutes, "min"), (rest, "s")] };
    let said: Vec<String> =
        parts.iter().filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount} {unit}")).collect();
    said.join(" ")
}

/// A share in percent: `0 %` means none and `100 %` means all.
pub(super) fn share(part: u64, all: u64) -> String {
    let percent = part as f64 / all.max(1) as f64 * 100.0;
    match percent {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == all => "100 %".to_owned(),
        percent if percent < 0.01 => "< 0.01 %".to_owned(),
        percent if percent > 99.99 => "> 99.99 %".to_owned(),
        percent => format!("{percent:.2} %"),
    }
}

/// A time of the stream (`2026-11-22T21:00:23.271Z`) to the second.
pub(super) fn moment(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..19)) {
        (Some(date), Some(time)) => format!("{date} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// A time in Unix seconds, to the second.
pub(super) fn unix(seconds: f64) -> String {
    moment(&rfc3339(Duration::try_from_secs_f64(seconds).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_units() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(number(12_345.678, 2), "12,345.68");
        assert_eq!(
            [0.031, 1.2345, 12.34, 1234.5, 20_000.0].map(time),
            ["31 µs", "1.23 ms", "12.3 ms", "1,234 ms", "20.0 s"]
        );
        assert_eq!([0, 999, 1_500, 123_456_789].map(bytes), ["0 B", "999 B", "1.5 kB", "123 MB"]);
        assert_eq!([9.84, 61.0, 3600.0, 7_500.0].map(duration), ["9.8 s", "1 min 1 s", "1 h", "2 h 5 min"]);
        let shares = [(0, 9), (1, 1_000_000), (1, 3), (999_999, 1_000_000), (9, 9)].map(|(part, all)| share(part, all));
        assert_eq!(shares, ["0 %", "< 0.01 %", "33.33 %", "> 99.99 %", "100 %"]);
        assert_eq!(moment("2026-11-22T21:00:23.271Z"), "2026-11-22 21:00:23 UTC");
        assert_eq!(unix(0.5), "1970-01-01 00:00:00 UTC");
    }
}
