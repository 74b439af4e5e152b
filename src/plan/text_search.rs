//! Searches texts in a body as it arrives, in chunks split anywhere. Less than the length of the text is
//! kept, however long the body is. Pure.

use memchr::memmem;

/// The searches in one body, and their results.
#[derive(Debug, Default)]
pub struct TextSearches {
    /// One per rule about texts; `None` if its text needs a value that was never extracted from a response.
    rules: Vec<Option<TextSearch>>,
    /// One per extraction between two texts.
    captures: Vec<Capture>,
}

impl TextSearches {
    /// Looks for the text of each rule, `None` where it could not be made, and for what stands between two texts, of at
    /// most `limit` bytes.
    pub(super) fn of<'t>(
        rules: impl Iterator<Item = Option<Vec<u8>>>,
        between: impl Iterator<Item = (&'t str, &'t str)>,
        limit: u64,
    ) -> Self {
        let rules = rules.map(|text| text.map(TextSearch::new)).collect();
        Self { rules, captures: between.map(|(left, right)| Capture::new(left, right, limit)).collect() }
    }

    /// Searches the next chunk of the body.
    pub fn feed(&mut self, piece: &[u8]) {
        self.rules.iter_mut().flatten().for_each(|search| search.feed(piece));
        self.captures.iter_mut().for_each(|capture| capture.feed(piece));
    }

    /// Starts over with another body.
    pub fn restart(&mut self) {
        self.rules.iter_mut().flatten().for_each(TextSearch::restart);
        self.captures.iter_mut().for_each(Capture::restart);
    }

    /// Whether the text of rule number `rule` was found; `None` if the text could not be rendered.
    #[must_use]
    pub fn found(&self, rule: usize) -> Option<bool> {
        self.rules.get(rule)?.as_ref().map(|search| search.found)
    }

    /// The text between these two texts.
    #[must_use]
    pub fn captured(&self, left: &str, right: &str) -> Captured<'_> {
        let is_it = |capture: &&Capture| capture.left == left.as_bytes() && capture.right == right.as_bytes();
        self.captures.iter().find(is_it).map_or(Captured::Missing, Capture::captured)
    }
}

/// The result of capturing the text between two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured<'c> {
    /// This.
    Text(&'c [u8]),
    /// One of the texts is missing, or they are not in this order.
    Missing,
    /// More than may be kept.
    TooLong,
}

/// The search for one text.
#[derive(Debug)]
struct TextSearch {
    needle: Vec<u8>,
    /// The end of the previous chunks, shorter than the text.
    tail: Vec<u8>,
    found: bool,
}

impl TextSearch {
    const fn new(needle: Vec<u8>) -> Self {
        let found = needle.is_empty();
        Self { needle, tail: Vec::new(), found }
    }

    fn restart(&mut self) {
        self.tail.clear();
        self.found = self.needle.is_empty();
    }

    fn feed(&mut self, piece: &[u8]) {
        self.found = self.found || find(&self.needle, &mut self.tail, piece).is_some();
    }
}

/// Returns the first position in `piece` at which `needle` ends, with `tail` as the preceding text. If it is
/// not found, the tail becomes that of both together.
fn find(needle: &[u8], tail: &mut Vec<u8>, piece: &[u8]) -> Option<usize> {
    // One shorter than the needle: a longer tail would match again what ended before this chunk.
    let most = needle.len() - 1;
    let before = tail.len();
    tail.extend_from_slice(&piece[..piece.len().min(most)]);
    if let Some(at) = memmem::find(tail, needle) {
        return Some(at + needle.len() - before);
    }
    if let Some(at) = memmem::find(piece, needle) {
        return Some(at + needle.len());
    }
    if piece.len() > most {
        tail.clear();
        tail.extend_from_slice(&piece[piece.len() - most..]);
    } else {
        tail.drain(..tail.len().saturating_sub(most));
    }
    None
}

/// The text between two others, at their first occurrence one after the other.
#[derive(Debug)]
struct Capture {
    left: Vec<u8>,
    right: Vec<u8>,
    limit: u64,
    state: CaptureState,
    /// While searching for the left text, the end of the previous chunks; then the text after it.
    kept: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaptureState {
    LookingForLeft,
    LookingForRight,
    Complete,
    TooLong,
}

impl Capture {
    fn new(left: &str, right: &str, limit: u64) -> Self {
        let (left, right) = (left.as_bytes().to_vec(), right.as_bytes().to_vec());
        let mut capture = Self { left, right, limit, state: CaptureState::LookingForLeft, kept: Vec::new() };
        capture.restart();
        capture
    }

    fn restart(&mut self) {
        self.kept = Vec::new();
        self.state = match (self.left.is_empty(), self.right.is_empty()) {
            (false, _) => CaptureState::LookingForLeft,
            (true, false) => CaptureState::LookingForRight,
            (true, true) => CaptureState::Complete,
        };
    }

    fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        if self.state == CaptureState::LookingForLeft {
            let Some(end) = find(&self.left, &mut self.kept, piece) else { return };
            rest = &piece[end..];
            self.kept.clear();
            self.state = if self.right.is_empty() { CaptureState::Complete } else { CaptureState::LookingForRight };
        }
        if self.state != CaptureState::LookingForRight {
            return;
        }
        let from = self.kept.len().saturating_sub(self.right.len() - 1);
        self.kept.extend_from_slice(rest);
        if let Some(at) = memmem::find(&self.kept[from..], &self.right) {
            self.kept.truncate(from + at);
            self.state = CaptureState::Complete;
        }
        if self.kept.len() as u64 > self.limit {
            self.kept = Vec::new();
            self.state = CaptureState::TooLong;
        }
    }

    fn captured(&self) -> Captured<'_> {
        match self.state {
            CaptureState::Complete => Captured::Text(&self.kept),
            CaptureState::TooLong => Captured::TooLong,
            CaptureState::LookingForLeft | CaptureState::LookingForRight => Captured::Missing,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Splits `text` at `cuts`.
    fn pieces<'t>(text: &'t [u8], cuts: &[usize]) -> Vec<&'t [u8]> {
        let ends = cuts.iter().copied().chain([text.len()]);
        let mut start = 0;
        ends.map(|end| &text[std::mem::replace(&mut start, end)..end]).collect()
    }

    #[test]
    fn a_text_is_found_wherever_the_body_is_cut() {
        let body = b"ab\xff aabaac the order of aabaac";
        for needle in [&b"aabaac"[..], b"a", b"order of", b"\xff a", b"baaca", b"orders", b"c t", b"ab", b"aac"] {
            let is_there = body.windows(needle.len()).any(|window| window == needle);
            for first in 0..=body.len() {
                for second in first..=body.len() {
                    let mut search = TextSearch::new(needle.to_vec());
                    for piece in pieces(body, &[first, second]) {
                        search.feed(piece);
                    }
                    assert_eq!(search.found, is_there, "{needle:?} cut at {first} and {second}");
                }
            }
            let mut search = TextSearch::new(needle.to_vec());
            body.chunks(1).for_each(|byte| search.feed(byte));
            assert_eq!(search.found, is_there, "{needle:?} byte by byte");
            assert!(search.tail.capacity() < 2 * needle.len().max(8), "only a tail is kept, not the body");
        }
    }

    #[test]
    fn a_text_between_two_others_is_captured_wherever_the_body_is_cut() {
        let body = b"x<a>1</a><a>2</a> value=\"\" end";
        let captured = |left: &str, right: &str, cuts: &[usize]| {
            let mut capture = Capture::new(left, right, 100);
            for piece in pieces(body, cuts) {
                capture.feed(piece);
            }
            match capture.captured() {
                Captured::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
                Captured::Missing => None,
                Captured::TooLong => panic!("100 bytes are enough"),
            }
        };
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let between = |left, right| captured(left, right, &[first, second]);
                assert_eq!(between("<a>", "</a>").as_deref(), Some("1"));
                assert_eq!(between("</a>", "</a>").as_deref(), Some("<a>2"));
                assert_eq!(between("value=\"", "\"").as_deref(), Some(""));
                assert_eq!(between("end", "x"), None);
                assert_eq!(between("no", "x"), None);
                assert_eq!(between("", "<").as_deref(), Some("x"));
                assert_eq!(between("x", "").as_deref(), Some(""));
            }
        }
    }

    #[test]
    fn a_captured_text_is_limited_and_nothing_of_a_longer_one_is_kept() {
        for (limit, expected) in [(3, Captured::Text(b"abc")), (2, Captured::TooLong)] {
            let mut capture = Capture::new("(", ")", limit);
            b"..(abc).........)".chunks(1).for_each(|byte| capture.feed(byte));
            assert_eq!(capture.captured(), expected);
        }
    }

    #[test]
    fn another_body_is_searched_from_the_start() {
        let mut search = TextSearch::new(b"ab".to_vec());
        search.feed(b"a");
        search.restart();
        search.feed(b"b");
        assert!(!search.found);
        let mut capture = Capture::new("(", ")", 9);
        capture.feed(b"(1");
        capture.restart();
        capture.feed(b"2)(3)");
        assert_eq!(capture.captured(), Captured::Text(b"3"));
    }
}
