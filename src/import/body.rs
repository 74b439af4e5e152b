//! Converts the text of a body to the most specific key that a scenario has for it.

use std::collections::HashSet;

use super::draft::{DraftBody, escape_template};
use super::marks::{self, Piece};
use crate::plan::json::Json;
use crate::plan::percent;

/// Converts `text` according to its content type to the key that sends exactly this text; also returns whether the key
/// implies this `Content-Type`.
pub(super) fn convert(content_type: &str, text: &str) -> (DraftBody, bool) {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if (kind == "application/json" || kind.ends_with("+json"))
        && let Some(json) = json(text)
    {
        return (DraftBody::Json(json), content_type.eq_ignore_ascii_case("application/json"));
    }
    if kind == FORM
        && let Some(pairs) = form(text)
    {
        return (DraftBody::Form(pairs), content_type.eq_ignore_ascii_case(FORM));
    }
    (DraftBody::Text(escape_template(text)), false)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The JSON value if a scenario sends it as it is written here: without blanks between its parts, member names unique,
/// and escaped only what must be.
fn json(text: &str) -> Option<Json> {
    let has_other_escapes = ["\\u", "\\b", "\\f", "\\/"].iter().any(|escape| text.contains(escape));
    let value = Json::parse(text.as_bytes()).ok().filter(|_| !has_other_escapes)?;
    (value.to_string() == text).then(|| literals(value))
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
    if let Some(pairs) = as_members(fields.iter().cloned()) {
        return (DraftBody::Form(pairs), true);
    }
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    (DraftBody::Text(pairs.join("&")), false)
}

/// The form fields if they can be expressed as a map, where those of one name are a list and so follow one another, and
/// are encoded as a scenario does it.
fn form(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((exactly_decoded(name)?, exactly_decoded(value)?))
    };
    let pairs: Option<Vec<_>> = text.split('&').map(pair).collect();
    as_members(pairs?)
}

/// As [`form`], for a text with variables that are encoded when they are sent; the result is template text.
pub(super) fn form_of_variables(text: &str) -> Option<Vec<(String, String)>> {
    let mut names = HashSet::new();
    let mut pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = exactly_decoded(name).filter(|name| !name.is_empty() && names.insert(name.clone()))?;
        let value = marks::pieces(value).into_iter().map(field_piece).collect::<Option<String>>()?;
        Some((escape_template(&name), value))
    };
    text.split('&').map(&mut pair).collect()
}

/// A part of an encoded value as template text.
fn field_piece(piece: Piece<'_>) -> Option<String> {
    match piece {
        Piece::Text(text) => Some(escape_template(&exactly_decoded(text)?)),
        Piece::EncodedVariable(name) => Some(format!("${{env.{name}}}")),
        Piece::Variable(_) | Piece::Byte(_) => None,
    }
}

/// The decoded text, if a scenario encodes it in the same way.
fn exactly_decoded(text: &str) -> Option<String> {
    decoded(text).filter(|decoded| encoded(decoded).replace("%20", "+") == text)
}

/// The fields as members of a map, if those of one name follow one another.
fn as_members(fields: impl IntoIterator<Item = (String, String)>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut names = HashSet::new();
    let mut last = String::new();
    for (name, value) in fields {
        if name.is_empty() || (name != last && !names.insert(name.clone())) {
            return None;
        }
        last.clone_from(&name);
        pairs.push((escape_template(&name), escape_template(&value)));
    }
    Some(pairs)
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
        let text = r#"{"n":1.10,"a":"${x}","b":12345678901234567890}"#;
        let expected = json(r#"{"n":1.10,"a":"$${x}","b":12345678901234567890}"#);
        assert_eq!(convert("application/json", text), (expected.clone(), true));
        assert_eq!(convert("application/json; charset=utf-8", text), (expected, false));
        for text in [r#"{"n":1,"n":2}"#, r#"{"n": 1}"#, r#"{"n":"\u00e9"}"#, "[1,]"] {
            assert_eq!(convert("application/json", text), (DraftBody::Text(text.into()), false), "{text}");
        }
        let form = convert("application/x-www-form-urlencoded", "a=1+2%26&b=%C3%BC");
        assert_eq!(form, (DraftBody::Form(vec![("a".into(), "1 2&".into()), ("b".into(), "ü".into())]), true));
        let (DraftBody::Form(twice), true) = convert("application/x-www-form-urlencoded", "a=1&a=2") else { panic!() };
        assert_eq!(twice, [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]);
        for text in ["a=1&b=2&a=3", "a", "=1", "a=%ff", "a=%", "a=b c", "a=%20", "a=%41", "a=%c3%bc"] {
            assert_eq!(convert("application/x-www-form-urlencoded", text).0, DraftBody::Text(text.into()), "{text}");
        }
    }
}
