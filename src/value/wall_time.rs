//! The value of `--start-at`: a time by the wall clock.

use std::time::Duration;

use crate::clock::unix_time;

/// A time of day on a date as RFC 3339 writes it, or Unix seconds; time since the Unix epoch.
///
/// # Errors
/// A sentence that says what is expected.
pub fn wall_time(text: &str) -> Result<Duration, String> {
    const HINT: &str = "expected a time such as 2026-11-23T10:00:00Z, 2026-11-23T11:00:00+01:00 or Unix seconds";
    let is_decimal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_decimal {
        return text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()).ok_or_else(|| HINT.to_owned());
    }
    unix_time(text).ok_or_else(|| HINT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_date_with_an_offset_or_seconds() {
        let expected = Ok(Duration::from_secs(1_795_381_223));
        for text in [
            "1795381223",
            "2026-11-22T21:00:23Z",
            "2026-11-22t21:00:23.000z",
            "2026-11-22T22:00:23+01:00",
            "2026-11-22 15:30:23-05:30",
        ] {
            assert_eq!(wall_time(text), expected, "{text}");
        }
        assert_eq!(wall_time("1795381223.25"), Ok(Duration::from_millis(1_795_381_223_250)));
        for text in ["", "now", "10:00", "2026-11-22", "2026-11-22T21:00:23", "2026-13-01T00:00:00Z", "-5", ".", "1e9"]
        {
            assert!(wall_time(text).is_err(), "{text}");
        }
    }
}
