//! Where a variable of a generated scenario comes from: the values of `extract`.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// Where a response has a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValueSource {
    /// JSON pointer into the body.
    Json(String),
    /// Form field of an HTML body, by name.
    Input(String),
    /// Header field, by name.
    Header(String),
    /// Cookie of the user, by name.
    Cookie(String),
    /// First group of a pattern.
    Pattern(SearchedText, String),
}

/// The text that a pattern is searched for in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SearchedText {
    Body,
    /// Header field, by name.
    Header(String),
    /// The URL after redirects.
    Url,
}

impl ValueSource {
    /// Its length in the scenario: of several sources the shortest is the most direct.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Json(text) | Self::Input(text) | Self::Header(text) | Self::Cookie(text) | Self::Pattern(_, text) => {
                text.len()
            }
        }
    }
}

impl Serialize for ValueSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Json(pointer) => map.serialize_entry("json", pointer)?,
            Self::Input(name) => map.serialize_entry("input", name)?,
            Self::Header(name) => map.serialize_entry("header", name)?,
            Self::Cookie(name) => map.serialize_entry("cookie", name)?,
            Self::Pattern(text, pattern) => {
                map.serialize_entry("regex", pattern)?;
                match text {
                    SearchedText::Body => {}
                    SearchedText::Header(name) => map.serialize_entry("header", name)?,
                    SearchedText::Url => map.serialize_entry("from", "url")?,
                }
            }
        }
        map.end()
    }
}
