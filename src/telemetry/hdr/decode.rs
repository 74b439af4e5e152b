//! Histograms from text, slot by slot: text written by [`encode`](super::encode), to be added to another histogram.
//!
//! The crate's way, which builds a complete histogram to add it to another, costs 30 to 90 µs; this one's cost is about
//! proportional to the number of distinct values. The buffers are reused.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::{Decompress, FlushDecompress, Status};

use super::ahead::ParsedHistograms;
use super::{COMPRESSED, PLAIN};
use crate::stats::scale::Scale;
use crate::telemetry::line::MAX_COUNT;

/// Bytes before the counts.
const HEADER: usize = 40;

/// Maximum bytes of a histogram before DEFLATE: an hour in microseconds at 3 digits has 23,000 slots of at most 9
/// bytes.
const MOST: usize = 256 * 1024;

/// Parses histograms.
#[derive(Debug)]
pub struct HistogramParser {
    inflater: Decompress,
    compressed: Vec<u8>,
    plain: Vec<u8>,
    slots: Vec<(u64, u64)>,
    ahead: ParsedHistograms,
}

impl Default for HistogramParser {
    fn default() -> Self {
        let (compressed, plain, slots) = (Vec::new(), Vec::with_capacity(16 * 1024), Vec::new());
        Self { inflater: Decompress::new(true), compressed, plain, slots, ahead: ParsedHistograms::default() }
    }
}

/// The content of a histogram.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'d> {
    /// The scale of its slots.
    pub scale: Scale,
    /// Non-empty slots in ascending order with their counts.
    pub slots: &'d [(u64, u64)],
}

impl HistogramParser {
    /// Parses a histogram.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(&mut self, text: &str) -> Result<Recorded<'_>, &'static str> {
        if let Some(place) = self.ahead.find(text) {
            let (scale, slots) = self.ahead.at(place);
            return Ok(Recorded { scale, slots });
        }
        self.compressed.clear();
        BASE64_STANDARD.decode_vec(text, &mut self.compressed).map_err(|_| "a histogram is not base64")?;
        if word(&self.compressed, 0) != Some(COMPRESSED) {
            return Err("a histogram is not HdrHistogram V2 in DEFLATE");
        }
        self.inflate()?;
        let scale = counts(&self.plain, &mut self.slots)?;
        Ok(Recorded { scale, slots: &self.slots })
    }

    /// Exchanges the histograms that were parsed ahead for others.
    pub const fn swap_ahead(&mut self, other: &mut ParsedHistograms) {
        std::mem::swap(&mut self.ahead, other);
    }

    fn inflate(&mut self) -> Result<(), &'static str> {
        const BROKEN: &str = "a histogram's DEFLATE is broken";
        self.inflater.reset(true);
        self.plain.clear();
        let mut rest = self.compressed.get(8..).unwrap_or_default();
        loop {
            let before = self.inflater.total_in();
            let status = self.inflater.decompress_vec(rest, &mut self.plain, FlushDecompress::Finish);
            let taken = usize::try_from(self.inflater.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) if self.plain.len() == self.plain.capacity() && self.plain.len() < MOST => {
                    self.plain.reserve(self.plain.len());
                }
                _ => return Err(BROKEN),
            }
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn counts(plain: &[u8], slots: &mut Vec<(u64, u64)>) -> Result<Scale, &'static str> {
    const BROKEN: &str = "a histogram's counts are broken";
    slots.clear();
    let [magic, length, offset, digits, lowest_high, lowest_low] = [0, 4, 8, 12, 16, 20].map(|at| word(plain, at));
    if magic != Some(PLAIN) || (offset, lowest_high, lowest_low) != (Some(0), Some(0), Some(1)) {
        return Err("a histogram does not count microseconds from 1 on");
    }
    let scale = digits.and_then(Scale::of_digits).ok_or("a histogram has no known precision")?;
    let end = HEADER.saturating_add(length.unwrap_or(0) as usize);
    let mut rest = plain.get(HEADER..end).ok_or("a histogram is cut off")?;
    let mut slot: u64 = 0;
    let range_end = scale.end();
    while !rest.is_empty() {
        let number = take_number(&mut rest).ok_or(BROKEN)?;
        // Zigzag: even numbers are counts, odd numbers runs of empty slots.
        if number & 1 == 0 {
            if number >> 1 > MAX_COUNT || slot >= range_end {
                return Err(BROKEN);
            }
            if number > 0 {
                slots.push((slot, number >> 1));
            }
            slot += 1;
        } else {
            slot = slot.checked_add((number >> 1) + 1).ok_or(BROKEN)?;
        }
    }
    Ok(scale)
}

/// LEB128 of at most 9 bytes, the last of which has 8 bits.
#[inline]
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    // The usual case: one byte.
    if let Some((byte @ ..0x80, rest)) = bytes.split_first() {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    let mut number = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = if place == 8 { *byte } else { byte & 0x7f };
        number |= u64::from(bits) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;
    use crate::stats::histogram::{Precision, TimeHistogram};
    use crate::telemetry::hdr::encode;

    fn recorded(precision: Precision, many: u64) -> TimeHistogram {
        let mut histogram = TimeHistogram::new(precision);
        let mut random = Random::seeded(many);
        for n in 0..many {
            let magnitude = 10_u64.pow(u32::try_from(random.below(9)).unwrap());
            let us = magnitude + random.bits() % (magnitude * 9);
            (0..=n % 3 * 100).for_each(|_| histogram.record(us));
        }
        histogram
    }

    /// The crate's result is the reference.
    fn expected(histogram: &TimeHistogram) -> Vec<(u64, u64)> {
        let inner = histogram.to_crate();
        inner.iter_recorded().map(|v| (inner.highest_equivalent(v.value_iterated_to()), v.count_at_value())).collect()
    }

    #[test]
    fn a_written_histogram_is_read_back_value_by_value() {
        let mut decoder = HistogramParser::default();
        for precision in [Precision::Fine, Precision::Coarse] {
            for many in [0, 1, 2, 100, 5_000] {
                let histogram = recorded(precision, many);
                let mut found = Vec::new();
                for piece in encode::pieces(&histogram, 3000) {
                    let Recorded { scale, slots } = decoder.read(&piece).unwrap();
                    found.extend(slots.iter().map(|(slot, count)| (scale.highest(*slot), *count)));
                }
                assert_eq!(found, expected(&histogram), "{many} at {precision:?}");
            }
        }
    }

    #[test]
    fn reading_into_another_histogram_equals_adding_with_the_crate() {
        let mut decoder = HistogramParser::default();
        let (mut ours, mut theirs) = (TimeHistogram::new(Precision::Fine), TimeHistogram::new(Precision::Fine));
        for many in [3, 70, 900] {
            let histogram = recorded(Precision::Fine, many);
            theirs.add(&histogram);
            for piece in encode::pieces(&histogram, 2400) {
                let recorded = decoder.read(&piece).unwrap();
                ours.add_recorded(recorded.scale, recorded.slots);
            }
        }
        assert_eq!(ours, theirs);
    }

    #[test]
    fn input_that_is_not_a_histogram_is_refused() {
        let text = encode::pieces(&recorded(Precision::Fine, 50), 100_000).remove(0);
        let half = &text[..text.len() / 2 / 4 * 4];
        let mut decoder = HistogramParser::default();
        for wrong in ["", "é", "AAAA", half, &text[4..], "HISTFAAAAAA="] {
            assert!(decoder.read(wrong).is_err(), "{wrong}");
        }
        assert!(decoder.read(&text).is_ok(), "a broken one leaves nothing behind");
    }
}
