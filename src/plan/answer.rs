//! An answer as expectations and extractions look at it.

use std::cell::OnceCell;
use std::time::Duration;

use super::json::Raw;

/// An answer as expectations and extractions look at it: the last one, where redirects were followed.
pub struct AnswerView<'a> {
    /// Its status.
    pub status: u16,
    /// Its head as received, the status line first.
    pub head: &'a [u8],
    /// Its body, decoded, as far as it is kept.
    pub body: Result<&'a [u8], Undecodable>,
    /// Bytes of its body, after de-chunking and before decoding.
    pub size: u64,
    /// From sending to its last byte.
    pub service: Duration,
    /// What the user's jar has under a name: also what a redirect on the way had set.
    pub cookie: &'a dyn Fn(&str) -> Option<String>,
    /// The body as JSON, looked at when it is first asked for.
    pub json: ParsedBody<'a>,
}

/// A body whose coding cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

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

    /// Where `needle` stands first in the body, from `from` on.
    pub(super) fn find(&self, needle: &[u8], from: usize) -> Option<usize> {
        find(self.body.ok()?.get(from..)?, needle).map(|at| from + at)
    }
}

/// Where `needle` stands first. As text where both are: std's search there is many times faster than going byte by byte.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    match (std::str::from_utf8(text), std::str::from_utf8(needle)) {
        (Ok(text), Ok(needle)) => text.find(needle),
        _ if needle.is_empty() => Some(0),
        _ => text.windows(needle.len()).position(|window| window == needle),
    }
}

#[cfg(test)]
pub(super) mod tests;
