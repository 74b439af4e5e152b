use super::*;

fn written(now_unix_ms: u64, text: &str, encoding: TextEncoding) -> Result<String, String> {
    let mut out = Vec::new();
    let format = TimeFormat::parse(text)?;
    format.write(now_unix_ms, encoding, &mut out).map_err(|why| format!("{why:?}"))?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn times_are_those_of_python() {
    // Python: (datetime.fromtimestamp(0, utc) + timedelta(milliseconds=ms) + timedelta(...)).strftime(format).
    for (now_unix_ms, text, expected) in [
        (0, "+0s, %Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00.000000"),
        (1_795_381_223_271, "+1d, %Y-%m-%d", "2026-11-23"),
        (1_795_381_223_271, "-1d, %a, %d %b %Y %H:%M:%S GMT", "Sat, 21 Nov 2026 21:00:23 GMT"),
        (1_709_164_800_000, "+1d12h, %Y-%m-%dT%H:%M:%SZ", "2024-03-01T12:00:00Z"),
        (951_782_399_000, "+1s, %F %T", "2000-02-29 00:00:00"),
        (951_782_399_000, "-90m, %I:%M %p", "10:29 PM"),
        (951_782_399_999, "+1w, %A %B %j", "Monday March 066"),
        (4_107_542_400_000, "-1d, %d.%m.%y", "28.02.00"),
        (1_795_381_223_271, "-36525d, %Y %u %w", "1926 1 1"),
        (1_795_381_223_271, "+36525d, %Y-%m-%d%%", "2126-11-23%"),
        (1_795_381_223_271, "+0s, %d/%m %z %Z", "22/11 +0000 UTC"),
        (1_796_601_600_000, "+12h, %I %p %H", "12 PM 12"),
        (0, "-1s, %Y-%m-%d %H:%M:%S", "1969-12-31 23:59:59"),
        (0, "-20000d, %F", "1915-03-31"),
    ] {
        assert_eq!(written(now_unix_ms, text, TextEncoding::Plain).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn distance_and_format_may_stand_alone() {
    for (text, expected) in [
        ("+1d", "1795467623271"),
        ("-1w2d", "1794603623271"),
        ("%s", "1795381223"),
        ("%s%L", "1795381223271"),
        ("%FT%T.%LZ", "2026-11-22T21:00:23.271Z"),
        ("%d, %m", "22, 11"),
        ("+1h ,%H", "22"),
    ] {
        assert_eq!(written(1_795_381_223_271, text, TextEncoding::Plain).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_time_is_encoded_like_any_value() {
    let time = |text, encoding| written(1_795_381_223_271, text, encoding).unwrap();
    assert_eq!(time("%F %T%z", TextEncoding::Percent), "2026-11-22%2021%3A00%3A23%2B0000");
    assert_eq!(time("%F %T", TextEncoding::Form), "2026-11-22+21%3A00%3A23");
    assert_eq!(time("%s", TextEncoding::JsonNumber), "1795381223");
    assert!(written(1_795_381_223_271, "%F", TextEncoding::JsonNumber).is_err());
}

#[test]
fn what_is_no_time_is_refused_with_the_reason() {
    for (text, words) in [
        ("", "expected a distance"),
        ("x", "expected a distance"),
        ("%%", "expected a distance"),
        ("+1d, x", "expected a distance"),
        ("+", "units s, m, h, d, w"),
        ("+1", "units"),
        ("+1y", "units"),
        ("+d", "units"),
        ("+1.5d", "units"),
        ("+99999999999999999999d", "units"),
        ("-36526d", "more than a century"),
        ("+9223372036854775807w", "more than a century"),
        ("%Q", "%Q is not known in a time; known: %Y"),
        ("%Y-%", "% is not known"),
        ("%é", "%é is not known"),
    ] {
        let why = TimeFormat::parse(text).unwrap_err();
        assert!(why.contains(words), "{text}: {why}");
    }
}
