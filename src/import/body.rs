//! Converts the text of a body to the most specific key that a scenario has for it.

use std::collections::HashSet;

use super::draft::{Body, literal};
use crate::plan::json::Json;
use crate::plan::percent;

/// Converts `text` according to its content type; also returns whether the scenario key implies the
/// `Content-Type`.
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

/// The JSON value if a scenario can express it: member names must be unique.
fn json(text: &str) -> Option<Json> {
    Some(Json::parse(text.as_bytes()).ok()?.with_strings(&literal))
}

/// The form fields if they can be expressed as a map: names must be unique.
fn form(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut names = HashSet::new();
    for part in text.split('&') {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        if name.is_empty() || !names.insert(name.clone()) {
            return None;
        }
        pairs.push((name, literal(&value)));
    }
    Some(pairs)
}

/// Form decoding: `+` is a blank. `None` where that gives no text.
fn decoded(text: &str) -> Option<String> {
    percent::decode(&text.replace('+', " "))
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    percent::encode(text, percent::COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_becomes_the_most_specific_key_that_loses_nothing() {
        let json = |text: &str| Body::Json(Json::parse(text.as_bytes()).unwrap());
        let read = of("application/json; charset=utf-8", r#"{"n": 1.10, "a": "${x}", "b": 12345678901234567890}"#);
        assert_eq!(read, (json(r#"{"n":1.10,"a":"$${x}","b":12345678901234567890}"#), true));
        assert!(!of("application/json", r#"{"n": 1, "n": 2}"#).1, "a duplicate member would be lost");
        let form = of("application/x-www-form-urlencoded", "a=1+2%26&b=%C3%BC");
        assert_eq!(form, (Body::Form(vec![("a".into(), "1 2&".into()), ("b".into(), "ü".into())]), true));
        for text in ["a=1&a=2", "a", "=1", "a=%ff", "a=%"] {
            assert_eq!(of("application/x-www-form-urlencoded", text).0, Body::Text(text.into()), "{text}");
        }
    }
}
