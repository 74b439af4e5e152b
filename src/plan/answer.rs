//! An answer as expectations and extractions look at it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::Duration;

use super::json::Raw;

use super::search::TextSearches;
use crate::value::size::ByteSize;

/// An answer as expectations and extractions look at it: the last one, where redirects were followed.
pub struct AnswerView<'a> {
    /// Its status.
    pub status: u16,
    /// Its head as received, the status line first.
    pub head: &'a [u8],
    /// Its body, decoded, where it is kept; empty where only texts are looked for.
    pub body: Result<&'a [u8], Unread>,
    /// What was looked for in the whole of its body, and found.
    pub texts: &'a TextSearches,
    /// Bytes of its body, after de-chunking and before decoding.
    pub size: u64,
    /// From sending to its last byte.
    pub service: Duration,
    /// What the user's jar has under a name: also what a redirect on the way had set.
    pub cookie: &'a dyn Fn(&str) -> Option<String>,
    /// The body as JSON, looked at when it is first asked for.
    pub json: ParsedBody<'a>,
}

/// Why a body was not looked at whole. Then nothing is known of it, neither what it holds nor what it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unread {
    /// Its coding cannot be undone.
    Undecodable,
    /// It is longer than `--max-body`.
    Over(ByteSize),
}

impl Unread {
    /// A short fixed text; that of a bound is the same for the whole run.
    #[must_use]
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::Undecodable => "body cannot be decoded".into(),
            Self::Over(size) => format!("body over {size}").into(),
        }
    }
}

/// A body as JSON, found to be that at most once.
#[derive(Debug, Default)]
pub struct ParsedBody<'a>(OnceCell<Option<Raw<'a>>>);

impl<'a> AnswerView<'a> {
    /// Values of the fields of this name, in the order received.
    pub(super) fn fields(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let lines = self.head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(move |line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            line[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
        })
    }

    /// The body, where it could be decoded and is JSON.
    pub(super) fn json(&self) -> Option<Raw<'a>> {
        let parse = || Raw::parse(self.body.ok()?).ok();
        *self.json.0.get_or_init(parse)
    }
}

#[cfg(test)]
pub(super) mod tests;
