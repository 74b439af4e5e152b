//! Histograms out of text, value by value: what [`encode`](super::encode) wrote, read into whatever counts.
//!
//! The crate's own way, a histogram of its own to be added to another, costs 30 to 90 µs; this one about as much as
//! there are distinct values. The buffers are kept from one to the next.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::{Decompress, FlushDecompress, Status};

/// First bytes of an `HdrHistogram` V2 in DEFLATE.
const COMPRESSED: u32 = 0x1c84_9314;

/// First bytes of what is inside.
const PLAIN: u32 = 0x1c84_9313;

/// Bytes before the counts.
const HEADER: usize = 40;

/// Most bytes of a histogram before DEFLATE: an hour in microseconds at 3 digits has 23,000 slots of at most 9 bytes.
const MOST: usize = 256 * 1024;

/// Reads histograms.
pub struct Decoder {
    inflater: Decompress,
    compressed: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { inflater: Decompress::new(true), compressed: Vec::new(), plain: Vec::with_capacity(16 * 1024) }
    }
}

impl Decoder {
    /// Gives each value that was counted, as the highest that its slot holds, with its count, in ascending order.
    ///
    /// # Errors
    /// A sentence that says what is wrong; some values may have been given by then.
    pub fn read(&mut self, text: &str, each: impl FnMut(u64, u64)) -> Result<(), &'static str> {
        self.compressed.clear();
        BASE64_STANDARD.decode_vec(text, &mut self.compressed).map_err(|_| "a histogram is not base64")?;
        if word(&self.compressed, 0) != Some(COMPRESSED) {
            return Err("a histogram is not HdrHistogram V2 in DEFLATE");
        }
        self.inflate()?;
        counts(&self.plain, each)
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

fn counts(plain: &[u8], mut each: impl FnMut(u64, u64)) -> Result<(), &'static str> {
    const BROKEN: &str = "a histogram's counts are broken";
    let [magic, length, offset, digits, lowest_high, lowest_low] = [0, 4, 8, 12, 16, 20].map(|at| word(plain, at));
    if magic != Some(PLAIN) || (offset, lowest_high, lowest_low) != (Some(0), Some(0), Some(1)) {
        return Err("a histogram is not of microseconds from 1 on");
    }
    let half_bits = digits.and_then(half_bits).ok_or("a histogram has no known precision")?;
    let end = HEADER.saturating_add(length.unwrap_or(0) as usize);
    let mut rest = plain.get(HEADER..end).ok_or("a histogram is cut off")?;
    let mut slot: u64 = 0;
    while !rest.is_empty() {
        let number = take_number(&mut rest).ok_or(BROKEN)?;
        // Zigzag: even numbers are counts, odd ones runs of empty slots.
        if number & 1 == 0 {
            if number > 0 {
                each(highest(slot, half_bits).ok_or(BROKEN)?, number >> 1);
            }
            slot += 1;
        } else {
            slot = slot.checked_add((number >> 1) + 1).ok_or(BROKEN)?;
        }
    }
    Ok(())
}

/// How many bits tell values apart, less one: up to twice `1 << half_bits` each has a slot, above that each doubling
/// has `1 << half_bits`.
const fn half_bits(digits: u32) -> Option<u32> {
    // The smallest power of two that is at least 2 × 10^digits, halved.
    match digits {
        1 => Some(4),
        2 => Some(7),
        3 => Some(10),
        4 => Some(14),
        5 => Some(17),
        _ => None,
    }
}

/// The highest value of a slot.
fn highest(slot: u64, half_bits: u32) -> Option<u64> {
    let half = 1_u64 << half_bits;
    if slot < 2 * half {
        return Some(slot);
    }
    let shift = u32::try_from((slot >> half_bits) - 1).ok().filter(|shift| *shift < 63 - half_bits)?;
    Some((((slot & (half - 1)) + half + 1) << shift) - 1)
}

/// LEB128 of at most 9 bytes, the last of which has 8 bits.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
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
    use crate::telemetry::encode;

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

    /// The crate is the judge.
    fn expected(histogram: &TimeHistogram) -> Vec<(u64, u64)> {
        let inner = histogram.inner();
        inner.iter_recorded().map(|v| (inner.highest_equivalent(v.value_iterated_to()), v.count_at_value())).collect()
    }

    #[test]
    fn what_was_written_is_read_value_by_value() {
        let mut decoder = Decoder::default();
        for precision in [Precision::Fine, Precision::Coarse] {
            for many in [0, 1, 2, 100, 5_000] {
                let histogram = recorded(precision, many);
                let mut found = Vec::new();
                for piece in encode::pieces(&histogram, 3000) {
                    decoder.read(&piece, |us, count| found.push((us, count))).unwrap();
                }
                assert_eq!(found, expected(&histogram), "{many} at {precision:?}");
            }
        }
    }

    #[test]
    fn read_into_another_it_is_as_added_by_the_crate() {
        let mut decoder = Decoder::default();
        let (mut ours, mut theirs) = (TimeHistogram::new(Precision::Fine), TimeHistogram::new(Precision::Fine));
        for many in [3, 70, 900] {
            let histogram = recorded(Precision::Fine, many);
            theirs.add(&histogram);
            for piece in encode::pieces(&histogram, 2400) {
                decoder.read(&piece, |us, count| ours.record_many(us, count)).unwrap();
            }
        }
        assert_eq!(ours.inner(), theirs.inner());
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        let text = encode::pieces(&recorded(Precision::Fine, 50), 100_000).remove(0);
        let half = &text[..text.len() / 2 / 4 * 4];
        let mut decoder = Decoder::default();
        for wrong in ["", "é", "AAAA", half, &text[4..], "HISTFAAAAAA="] {
            assert!(decoder.read(wrong, |_, _| {}).is_err(), "{wrong}");
        }
        assert!(decoder.read(&text, |_, _| {}).is_ok(), "a broken one leaves nothing behind");
    }
}
