//! A body as text to the most telling key that a scenario has for it.

use std::fmt::Write as _;

use serde_json::Value;

use super::draft::{Body, literal};

/// The body that `text` is under this content type; says also whether the `Content-Type` follows from it.
pub(super) fn of(content_type: &str, text: &str) -> (Body, bool) {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if (kind == "application/json" || kind.ends_with("+json"))
        && let Some(json) = json(text)
    {
        return (Body::Json(json), kind == "application/json");
    }
    if kind == "application/x-www-form-urlencoded"
        && let Some(pairs) = form(text)
    {
        return (Body::Form(pairs), true);
    }
    (Body::Text(literal(text)), false)
}

/// The value, if nothing is lost by reading and writing it again: numbers of many digits would be.
fn json(text: &str) -> Option<Value> {
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    let value = serde_json::from_str::<Value>(text).ok().filter(|_| longest <= 15 || !has_number(text))?;
    Some(with_strings(value, &literal))
}

/// Whether a run of more than 15 digits stands outside of strings.
fn has_number(text: &str) -> bool {
    let (mut in_string, mut escaped, mut digits) = (false, false, 0);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        digits = if !in_string && c.is_ascii_digit() { digits + 1 } else { 0 };
        if digits > 15 {
            return true;
        }
    }
    false
}

/// The value with every text in it, names of members left as they are, changed by `change`.
pub(super) fn with_strings(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(items) => items.into_iter().map(|item| with_strings(item, change)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, member)| (key, with_strings(member, change))).collect()
        }
        other => other,
    }
}

/// The fields, if they can be said as a map: each name once.
fn form(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in text.split('&') {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        if name.is_empty() || pairs.iter().any(|(known, _)| *known == name) {
            return None;
        }
        pairs.push((name, literal(&value)));
    }
    Some(pairs)
}

/// Form decoding: `+` is a blank. None where that gives no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_becomes_the_most_telling_key_that_loses_nothing() {
        let json = of("application/json; charset=utf-8", r#"{"a": "${x}", "n": 12}"#);
        assert_eq!(json, (Body::Json(serde_json::json!({"a": "$${x}", "n": 12})), true));
        assert!(!of("application/json", r#"{"n": 12345678901234567890}"#).1, "its digits would be lost");
        assert!(of("application/json", r#"{"n": "12345678901234567890"}"#).1);
        let form = of("application/x-www-form-urlencoded", "a=1+2%26&b=%C3%BC");
        assert_eq!(form, (Body::Form(vec![("a".into(), "1 2&".into()), ("b".into(), "ü".into())]), true));
        for text in ["a=1&a=2", "a", "=1", "a=%ff", "a=%"] {
            assert_eq!(of("application/x-www-form-urlencoded", text).0, Body::Text(text.into()), "{text}");
        }
    }
}
