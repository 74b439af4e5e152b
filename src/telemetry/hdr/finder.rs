//! Parses the histograms in lines before they are asked for.

use memchr::{memchr, memmem};

use super::ahead::ParsedHistograms;
use super::decode::{HistogramParser, Recorded};

/// How the text of a histogram begins in a line: a quote, and [`COMPRESSED`](super::COMPRESSED) in base64.
const BEGIN: &[u8] = b"\"HISTF";

/// Finds histograms in lines and parses them.
#[derive(Debug)]
pub struct HistogramFinder {
    begin: memmem::Finder<'static>,
    parser: HistogramParser,
}

impl Default for HistogramFinder {
    fn default() -> Self {
        Self { begin: memmem::Finder::new(BEGIN), parser: HistogramParser::default() }
    }
}

impl HistogramFinder {
    /// Parses the histograms in a line.
    pub fn parse(&mut self, line: &[u8], into: &mut ParsedHistograms) {
        let mut rest = line;
        while let Some(begin) = self.begin.find(rest) {
            rest = &rest[begin + 1..];
            let Some(end) = memchr(b'"', rest) else { return };
            let text = &rest[..end];
            rest = &rest[end..];
            let Ok(text) = std::str::from_utf8(text) else { continue };
            if let Ok(Recorded { scale, slots }) = self.parser.read(text) {
                into.add(text, scale, slots);
            }
        }
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
        let (mut ahead, mut finder) = (ParsedHistograms::default(), HistogramFinder::default());
        let lines = [format!(r#"{{"a":"{one}","b":"{broken}"}}"#), format!(r#"["{two}","{three}","HISTF"#)];
        for line in &lines {
            finder.parse(line.as_bytes(), &mut ahead);
        }
        assert_eq!(ahead.count(), 3);
        let (mut parser, mut expecting) = (HistogramParser::default(), HistogramParser::default());
        parser.swap_ahead(&mut ahead);
        // Each once, some out of their order, and some that are not there.
        for text in [other, one, three, two, one, "HISTF", broken, other] {
            let expected = expecting.read(text).map(|found| (found.scale, found.slots.to_vec()));
            assert_eq!(parser.read(text).map(|found| (found.scale, found.slots.to_vec())), expected);
        }
    }
}
