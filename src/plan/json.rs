//! JSON as written: numbers keep their digits and members their order. Used for scenarios, their data and
//! responses. The stream has its own reader, which needs neither and has to be fast.
//!
//! `serde_json` checks that a text is JSON; the code that splits it up here relies on that.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::value::RawValue;

pub use super::number::Number;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written.
    Number(Number),
    /// A string, unescaped.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object with its members in the order written; names are unique.
    Object(Vec<(String, Self)>),
}

/// Maximum nesting, the same as for `serde_json` values.
const MAX_DEPTH: usize = 128;

/// How duplicate members are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Rejected as a mistake: the text was written by a person.
    Rejected,
    /// The last one wins, as in browsers and Python: the text was written by a server.
    LastWins,
}

/// A text that is exactly one JSON value, without surrounding blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawJson<'t>(&'t str);

/// An error in a JSON text, and its position.
#[derive(Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// A sentence without the position.
    pub why: String,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let sentence = error.to_string();
        let why = sentence.trim_end_matches(&format!(" at line {line} column {column}")).to_owned();
        Self { line, column, why }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of a text that has at least a blank, the end is not at column 0.
        if (self.line, self.column) == (1, 0) {
            return f.write_str("it is empty");
        }
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// The text without a byte order mark, which programs on Windows put at the start of files (RFC 8259 section
/// 8.1).
#[must_use]
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

impl<'t> RawJson<'t> {
    /// Checks that `text` is one JSON value; a byte order mark is skipped.
    ///
    /// # Errors
    /// The error and its position.
    pub fn parse(text: &'t [u8]) -> Result<Self, JsonError> {
        Ok(serde_json::from_slice::<&RawValue>(without_bom(text)).map(Self::from)?)
    }

    /// The value as written.
    #[must_use]
    pub const fn text(self) -> &'t str {
        self.0
    }

    /// Returns whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The unescaped text of a string; `None` for other values, and for half a surrogate pair.
    #[must_use]
    pub fn string(self) -> Option<String> {
        self.0.starts_with('"').then(|| serde_json::from_str(self.0).ok()).flatten()
    }

    /// The value without blanks between its parts, on one line.
    #[must_use]
    pub fn compact(self) -> String {
        let (mut out, mut rest) = (String::with_capacity(self.0.len()), self.0);
        while let Some(at) = rest.find(['"', ' ', '\t', '\n', '\r']) {
            out.push_str(&rest[..at]);
            let end = if rest[at..].starts_with('"') { end_of_string(rest, at) } else { at + 1 };
            out.push_str(rest[at..end].trim_ascii_start());
            rest = &rest[end..];
        }
        out + rest
    }

    /// A member of an object; if the name occurs several times, the last.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        let parts = RawParts::of(self, '{')?;
        parts.filter(|(key, _)| key.is_some_and(|key| key.is_string(name))).last().map(|(_, value)| value)
    }

    /// Keys and values of an object, in the order written; `None` for other values.
    #[must_use]
    pub fn members(self) -> Option<Vec<(Self, Self)>> {
        Some(RawParts::of(self, '{')?.filter_map(|(key, value)| Some((key?, value))).collect())
    }

    /// An item of an array, by index from 0.
    #[must_use]
    pub fn item(self, at: usize) -> Option<Self> {
        RawParts::of(self, '[')?.nth(at).map(|(_, value)| value)
    }

    /// The items of an array, or the members of an object; `None` for other values.
    pub(super) fn parts(self) -> Option<RawParts<'t>> {
        RawParts::of(self, '[').or_else(|| RawParts::of(self, '{'))
    }

    /// Parses the value completely.
    ///
    /// # Errors
    /// A duplicate member is rejected, the nesting is too deep, or a string contains half a surrogate pair.
    pub fn parse_tree(self, twice: Duplicates) -> Result<Json, JsonError> {
        self.parse_nested(twice, MAX_DEPTH).map_err(|(at, why)| {
            // Both are parts of the same text, so the difference of their addresses is the position.
            let before = &self.0[..(at.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize)];
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            JsonError { line: before.matches('\n').count() + 1, column: before.len() - line + 1, why }
        })
    }

    fn parse_nested(self, twice: Duplicates, depth: usize) -> Result<Json, (&'t str, String)> {
        let Some(left) = depth.checked_sub(1) else {
            return Err((self.0, format!("is nested deeper than {MAX_DEPTH} levels")));
        };
        Ok(match self.0.as_bytes().first() {
            Some(b'n') => Json::Null,
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            Some(b'"') => Json::Text(self.needed_string()?),
            Some(b'[') => {
                let items = RawParts::of(self, '[').into_iter().flatten();
                Json::List(items.map(|(_, item)| item.parse_nested(twice, left)).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let mut members = Vec::new();
                let mut keys = Vec::new();
                for (key, value) in RawParts::of(self, '{').into_iter().flatten() {
                    let key = key.unwrap_or(value);
                    members.push((key.needed_string()?, value.parse_nested(twice, left)?));
                    keys.push(key);
                }
                Json::Object(resolve_duplicates(members, &keys, twice)?)
            }
            _ => Json::Number(Number::new(self.0)),
        })
    }

    fn needed_string(self) -> Result<String, (&'t str, String)> {
        self.string().ok_or_else(|| (self.0, "has half a surrogate pair in a string".to_owned()))
    }

    /// Returns whether it is a string with this text.
    fn is_string(self, text: &str) -> bool {
        let inner = &self.0[1..self.0.len() - 1];
        if inner.contains('\\') { self.string().as_deref() == Some(text) } else { inner == text }
    }
}

impl<'t> From<&'t RawValue> for RawJson<'t> {
    fn from(raw: &'t RawValue) -> Self {
        Self(raw.get())
    }
}

/// Makes the names of members unique.
fn resolve_duplicates<'t>(
    members: Vec<(String, Json)>,
    keys: &[RawJson<'t>],
    twice: Duplicates,
) -> Result<Vec<(String, Json)>, (&'t str, String)> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    // A stable sort: of equal names the later member comes last.
    order.sort_by(|a, b| members[*a].0.cmp(&members[*b].0));
    let is_same = |pair: &&[usize]| members[pair[0]].0 == members[pair[1]].0;
    let Some(again) = order.windows(2).filter(is_same).map(|pair| pair[1]).min() else { return Ok(members) };
    if twice == Duplicates::Rejected {
        return Err((keys[again].0, format!("duplicate member {:?}", members[again].0)));
    }
    let replaced: Vec<usize> = order.windows(2).filter(is_same).map(|pair| pair[0]).collect();
    let mut is_kept = vec![true; members.len()];
    for at in replaced {
        is_kept[at] = false;
    }
    Ok(members.into_iter().zip(is_kept).filter_map(|(member, is_kept)| is_kept.then_some(member)).collect())
}

/// Iterates over the parts of an array or object, with the keys of members.
pub(super) struct RawParts<'t> {
    text: &'t str,
    at: usize,
    has_keys: bool,
}

impl<'t> RawParts<'t> {
    fn of(value: RawJson<'t>, open: char) -> Option<Self> {
        value.0.starts_with(open).then_some(Self { text: value.0, at: 1, has_keys: open == '{' })
    }

    /// The next value, after blanks, commas and colons; `None` at the closing bracket.
    fn value(&mut self) -> Option<RawJson<'t>> {
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        let begin = self.at + self.text.as_bytes()[self.at..].iter().position(|byte| !is_between(byte))?;
        if matches!(self.text.as_bytes()[begin], b']' | b'}') {
            return None;
        }
        self.at = end_of(self.text, begin);
        Some(RawJson(&self.text[begin..self.at]))
    }
}

impl<'t> Iterator for RawParts<'t> {
    type Item = (Option<RawJson<'t>>, RawJson<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.value()?;
        if self.has_keys { Some((Some(first), self.value()?)) } else { Some((None, first)) }
    }
}

/// The end of the value that starts at `begin`.
fn end_of(text: &str, begin: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (begin, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at),
            b'[' | b'{' => (at, depth) = (at + 1, depth + 1),
            b']' | b'}' => (at, depth) = (at + 1, depth.saturating_sub(1)),
            _ if depth > 0 => at += 1,
            _ => {
                let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}');
                return bytes[at..].iter().position(ends).map_or(bytes.len(), |length| at + length);
            }
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// The end of the string whose opening quote is at `begin`.
fn end_of_string(text: &str, begin: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = begin + 1;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\'))) {
        at += next;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

impl Json {
    /// Parses a complete text written by a person; a byte order mark is skipped.
    ///
    /// # Errors
    /// The error and its position.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        RawJson::parse(text)?.parse_tree(Duplicates::Rejected).map_err(|mistake| {
            // Positions in the value are relative to its start, after the leading blanks.
            let blanks = without_bom(text).iter().take_while(|byte| byte.is_ascii_whitespace());
            let (lines, column) =
                blanks.fold(
                    (0, 0),
                    |(lines, column), byte| {
                        if *byte == b'\n' { (lines + 1, 0) } else { (lines, column + 1) }
                    },
                );
            let column = if mistake.line == 1 { mistake.column + column } else { mistake.column };
            JsonError { line: mistake.line + lines, column, why: mistake.why }
        })
    }

    /// The kind of value, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// Applies `change` to every string in the value, but not to names of members.
    #[must_use]
    pub fn with_strings(self, change: &impl Fn(&str) -> String) -> Self {
        match self {
            Self::Text(text) => Self::Text(change(&text)),
            Self::List(items) => Self::List(items.into_iter().map(|item| item.with_strings(change)).collect()),
            Self::Object(members) => {
                Self::Object(members.into_iter().map(|(key, member)| (key, member.with_strings(change))).collect())
            }
            other => other,
        }
    }

    /// Returns whether both are equivalent: numbers are compared by decimal value, and the order of members is
    /// ignored.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(own), Self::Number(other)) => own.is_equal(other),
            (Self::List(own), Self::List(other)) => {
                own.len() == other.len() && own.iter().zip(other).all(|(own, other)| own.is_equivalent(other))
            }
            (Self::Object(own), Self::Object(other)) => {
                own.len() == other.len()
                    && sorted(own).into_iter().zip(sorted(other)).all(|(own, other)| {
                        let ((name, own), (other_name, other)) = (own, other);
                        name == other_name && own.is_equivalent(other)
                    })
            }
            _ => self == other,
        }
    }
}

/// The members sorted by name.
pub(super) fn sorted<T>(members: &[(String, T)]) -> Vec<&(String, T)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    sorted
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl fmt::Display for Json {
    /// JSON on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
