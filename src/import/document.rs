//! Parts of a JSON document of any shape: what is missing, or of another kind than expected, is absent.

use crate::plan::json::Json;

/// A member that is not `null`.
pub(super) fn member<'j>(value: &'j Json, name: &str) -> Option<&'j Json> {
    members(value).iter().find(|(known, _)| known == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
}

/// A member that is a text.
pub(super) fn text<'j>(value: &'j Json, name: &str) -> Option<&'j str> {
    member(value, name).and_then(as_text)
}

/// The items of a member that is a list.
pub(super) fn list<'j>(value: &'j Json, name: &str) -> &'j [Json] {
    member(value, name).map_or(&[], items)
}

/// The members of a member that is an object.
pub(super) fn object<'j>(value: &'j Json, name: &str) -> &'j [(String, Json)] {
    member(value, name).map_or(&[], members)
}

/// Whether a member is `true`.
pub(super) fn is_true(value: &Json, name: &str) -> bool {
    member(value, name) == Some(&Json::Bool(true))
}

pub(super) fn as_text(value: &Json) -> Option<&str> {
    if let Json::Text(text) = value { Some(text) } else { None }
}

pub(super) fn items(value: &Json) -> &[Json] {
    if let Json::List(items) = value { items } else { &[] }
}

pub(super) fn members(value: &Json) -> &[(String, Json)] {
    if let Json::Object(members) = value { members } else { &[] }
}

/// A text, a number or a truth value as text; `None` for other values.
pub(super) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Number(number) => Some(number.as_str().to_owned()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}
