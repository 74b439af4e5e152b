//! Converts the text of a body to the most specific key that a scenario has for it.

use std::collections::HashSet;

use super::draft::{DraftBody, escape_template};
use crate::plan::json::Json;
use crate::plan::percent;

/// Converts `text` according to its content type; also returns whether the scenario key implies the
/// `Content-Type`.
pub(super) fn convert(content_type: &str, text: &str) -> (DraftBody, bool) {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if (kind == "application/json" || kind.ends_with("+json"))
        && let Some(json) = json(text)
    {
        return (DraftBody::Json(json), kind == "application/json");
    }
    if kind == "application/x-www-form-urlencoded"
        && let Some(pairs) = form(text)
    {
        return (DraftBody::Form(pairs), true);
    }
    (DraftBody::Text(escape_template(text)), false)
}

/// The JSON value if a scenario can express it: member names must be unique.
fn json(text: &str) -> Option<Json> {
    Some(literals(Json::parse(text.as_bytes()).ok()?))
}

/// Escapes all strings, including the names of members, which are templates too.
fn literals(value: Json) -> Json {
    match value {
        Json::Text(text) => Json::Text(escape_template(&text)),
        Json::List(items) => Json::List(items.into_iter().map(literals).collect()),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(name, value)| (escape_template(&name), literals(value))).collect())
        }
        other => other,
    }
}

/// The body for the fields of a form; also returns whether the scenario key implies the `Content-Type`.
pub(super) fn of_fields(fields: &[(String, String)]) -> (DraftBody, bool) {
    if let Some(pairs) = unique(fields.iter().cloned()) {
        return (DraftBody::Form(pairs), true);
    }
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    (DraftBody::Text(pairs.join("&")), false)
}

/// The form fields if they can be expressed as a map: names must be unique.
fn form(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((decoded(name)?, decoded(value)?))
    };
    let pairs: Option<Vec<_>> = text.split('&').map(pair).collect();
    unique(pairs?)
}

/// The fields as members of a map, if each has a name of its own.
fn unique(fields: impl IntoIterator<Item = (String, String)>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut names = HashSet::new();
    for (name, value) in fields {
        if name.is_empty() || !names.insert(name.clone()) {
            return None;
        }
        pairs.push((escape_template(&name), escape_template(&value)));
    }
    Some(pairs)
}

/// Why `run` could not read a body from a file with this path, whatever files there are.
pub(super) fn why_not_a_file(path: &str) -> Option<&'static str> {
    /// Bytes of a path and of a name in it: what all systems allow.
    const LONGEST: (usize, usize) = (1024, 255);
    let name = path.rsplit('/').next().unwrap_or_default();
    if path.is_empty() {
        Some("the name of the file is empty")
    } else if path == "-" {
        Some("it is read from standard input; save it to a file")
    } else if matches!(name, "" | "." | "..") {
        Some("it is a folder")
    } else if path.contains('\0') || path.len() > LONGEST.0 || path.split('/').any(|name| name.len() > LONGEST.1) {
        Some("no file can have this name")
    } else {
        None
    }
}

/// Percent-encodes what may not stand in the query of a URL; what is already encoded stays.
pub(super) fn of_query(text: &str) -> String {
    percent::encode(text, percent::QUERY).to_string()
}

/// Decodes form encoding, where `+` is a blank; `None` if the result is not text.
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
        let json = |text: &str| DraftBody::Json(Json::parse(text.as_bytes()).unwrap());
        let read = convert("application/json; charset=utf-8", r#"{"n": 1.10, "a": "${x}", "b": 12345678901234567890}"#);
        assert_eq!(read, (json(r#"{"n":1.10,"a":"$${x}","b":12345678901234567890}"#), true));
        assert!(!convert("application/json", r#"{"n": 1, "n": 2}"#).1, "a duplicate member would be lost");
        let form = convert("application/x-www-form-urlencoded", "a=1+2%26&b=%C3%BC");
        assert_eq!(form, (DraftBody::Form(vec![("a".into(), "1 2&".into()), ("b".into(), "ü".into())]), true));
        for text in ["a=1&a=2", "a", "=1", "a=%ff", "a=%"] {
            assert_eq!(convert("application/x-www-form-urlencoded", text).0, DraftBody::Text(text.into()), "{text}");
        }
    }
}
