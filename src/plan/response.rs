//! A response as seen by expectations and extractions.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::Duration;

use super::json::{RawJson, without_bom};

use super::text_search::TextSearches;
use crate::value::size::ByteSize;

/// A response as seen by expectations and extractions: the final one if redirects were followed.
pub struct ResponseView<'a> {
    /// The status.
    pub status: u16,
    /// The head as received, starting with the status line.
    pub head: &'a [u8],
    /// The decoded body if it was kept; empty if the body is only searched for texts.
    pub body: Result<&'a [u8], UnreadBody>,
    /// The results of searching the whole body for texts.
    pub texts: &'a TextSearches,
    /// Size of the body in bytes, after de-chunking and before decoding.
    pub size: u64,
    /// Service times: from sending to the last byte.
    pub service: Duration,
    /// The URL that the response came from, after redirects; empty unless an extraction needs it.
    pub url: &'a str,
    /// Looks up a cookie of the user by name, including cookies set by a redirect on the way.
    pub cookie: &'a dyn Fn(&str) -> Option<String>,
    /// The body as JSON, parsed on first use.
    pub json: LazyJson<'a>,
}

/// Why a body was not read completely. Nothing can then be said about what it contains or does not contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadBody {
    /// It is not valid in its content coding, or its coding is not a known one.
    Undecodable,
    /// Its content coding is known and cannot be decoded here.
    Unsupported(ContentCoding),
    /// It is longer than `--max-body`.
    Over(ByteSize),
}

/// A content coding that servers use and that is not decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentCoding {
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878).
    Zstandard,
}

impl ContentCoding {
    /// A short fixed text about a body in it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Brotli => "body in br cannot be decoded",
            Self::Zstandard => "body in zstd cannot be decoded",
        }
    }
}

impl UnreadBody {
    /// A short fixed text; the text with a size limit is the same for the whole run.
    #[must_use]
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::Undecodable => "body cannot be decoded".into(),
            Self::Unsupported(coding) => coding.text().into(),
            Self::Over(size) => format!("body over {size}").into(),
        }
    }
}

/// A body as JSON, checked at most once.
#[derive(Debug, Default)]
pub struct LazyJson<'a>(OnceCell<Option<RawJson<'a>>>);

impl<'a> ResponseView<'a> {
    /// Values of the header fields with this name, in the order received.
    pub(super) fn fields(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let lines = self.head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(move |line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
        })
    }

    /// All header fields, one a line.
    pub(super) fn all_fields(&self) -> Cow<'_, str> {
        let lines = self.head.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &self.head[end + 1..]);
        String::from_utf8_lossy(lines.trim_ascii_end())
    }

    /// The body as text, without a byte order mark; bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        self.body.ok().map(|body| String::from_utf8_lossy(without_bom(body)))
    }

    /// The body as JSON, if it could be decoded and is valid.
    pub(super) fn json(&self) -> Option<RawJson<'a>> {
        let parse = || RawJson::parse(self.body.ok()?).ok();
        *self.json.0.get_or_init(parse)
    }
}

#[cfg(test)]
pub(super) mod tests;
