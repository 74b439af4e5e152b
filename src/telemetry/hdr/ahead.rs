//! Histograms that are parsed before they are asked for, by another thread than the one that asks.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::decode::{HistogramParser, Recorded};
use crate::stats::scale::Scale;

/// How the text of a histogram begins in a line: a quote, and [`COMPRESSED`](super::COMPRESSED) in base64.
const BEGIN: &[u8] = b"\"HISTF";

/// What parsing a text gives depends on the text alone, so a histogram that is found here is the one that parsing it now
/// would give. One that cannot be parsed is not here: whoever asks parses it again and is told why.
#[derive(Debug, Default)]
pub struct ParsedHistograms {
    texts: Vec<u8>,
    slots: Vec<(u64, u64)>,
    all: Vec<Parsed>,
    /// Those before it were asked for: they come in the order of their lines.
    next: usize,
}

#[derive(Debug)]
struct Parsed {
    text: Range<usize>,
    scale: Scale,
    slots: Range<usize>,
}

impl ParsedHistograms {
    /// Forgets all and keeps the memory.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.slots.clear();
        self.all.clear();
        self.next = 0;
    }

    /// Parses the histograms in a line.
    pub fn add_line(&mut self, line: &[u8], parser: &mut HistogramParser) {
        let mut rest = line;
        while let Some(begin) = memmem::find(rest, BEGIN) {
            rest = &rest[begin + 1..];
            let Some(end) = memchr(b'"', rest) else { return };
            let text = &rest[..end];
            rest = &rest[end..];
            let Some(recorded) = std::str::from_utf8(text).ok().and_then(|text| parser.read(text).ok()) else {
                continue;
            };
            let (text_start, slots_start) = (self.texts.len(), self.slots.len());
            self.texts.extend_from_slice(text);
            self.slots.extend_from_slice(recorded.slots);
            let (text, slots) = (text_start..self.texts.len(), slots_start..self.slots.len());
            self.all.push(Parsed { text, scale: recorded.scale, slots });
        }
    }

    /// The place of a histogram, if it is here.
    pub(super) fn find(&mut self, text: &str) -> Option<usize> {
        let is_it = |parsed: &Parsed| self.texts[parsed.text.clone()] == *text.as_bytes();
        let found = self.next + self.all.get(self.next..)?.iter().position(is_it)?;
        self.next = found + 1;
        Some(found)
    }

    /// The histogram at a place.
    pub(super) fn at(&self, place: usize) -> Recorded<'_> {
        let Parsed { scale, slots, .. } = &self.all[place];
        Recorded { scale: *scale, slots: &self.slots[slots.clone()] }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stats::histogram::{Precision, TimeHistogram};
    use crate::telemetry::hdr::encode;

    fn text_of(us: u64) -> String {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        histogram.record_many(us, us);
        encode::pieces(&histogram, 100_000).remove(0)
    }

    #[test]
    fn a_histogram_that_was_parsed_ahead_is_the_one_that_parsing_gives() {
        let texts = [1, 20, 300, 70_000].map(text_of);
        let [one, two, three, other] = &texts;
        let broken = &two[..two.len() / 2];
        let mut ahead = ParsedHistograms::default();
        let mut parser = HistogramParser::default();
        let lines = [format!(r#"{{"a":"{one}","b":"{broken}"}}"#), format!(r#"["{two}","{three}","HISTF"#)];
        lines.iter().for_each(|line| ahead.add_line(line.as_bytes(), &mut parser));
        assert_eq!(ahead.all.len(), 3);
        let mut expecting = HistogramParser::default();
        parser.swap_ahead(&mut ahead);
        // Each once, some out of their order, and some that are not there.
        for text in [other, one, three, two, one, "HISTF", broken, other] {
            let expected = expecting.read(text).map(|found| (found.scale, found.slots.to_vec()));
            assert_eq!(parser.read(text).map(|found| (found.scale, found.slots.to_vec())), expected);
        }
        parser.swap_ahead(&mut ahead);
        assert_eq!(ahead.next, 3);
    }
}
