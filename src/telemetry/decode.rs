//! Histograms out of text: what [`encode`](super::encode) wrote, read sparsely, as a stream has tens of thousands.

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::ZlibDecoder;

use crate::stats::packed::{Packed, Scale};

/// First bytes of an `HdrHistogram` V2 with DEFLATE (`V2maxWordSizeInBytes` 9 in the third byte, as all write it).
const COMPRESSED: u32 = 0x1c84_9314;

/// First bytes of what is inside.
const PLAIN: u32 = 0x1c84_9313;

/// Bytes before the counts.
const HEADER: usize = 40;

/// Most bytes of a histogram before DEFLATE: an hour in microseconds with 3 digits has 23,000 slots of up to 9 bytes.
const MOST: u64 = 256 * 1024;

/// Reads a histogram.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn histogram(text: &str) -> Result<Packed, &'static str> {
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| "a histogram is not base64")?;
    if word(&bytes, 0) != Some(COMPRESSED) {
        return Err("a histogram is not HdrHistogram V2 with DEFLATE");
    }
    let mut plain = Vec::new();
    let inflated = ZlibDecoder::new(bytes.get(8..).unwrap_or_default()).take(MOST).read_to_end(&mut plain);
    inflated.map_err(|_| "a histogram's DEFLATE is broken")?;
    counts(&plain)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?;
    Some(word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
}

fn counts(plain: &[u8]) -> Result<Packed, &'static str> {
    const BROKEN: &str = "a histogram's counts are broken";
    let [magic, length, offset, digits, lowest_high, lowest_low] = [0, 4, 8, 12, 16, 20].map(|at| word(plain, at));
    if magic != Some(PLAIN) || (offset, lowest_high, lowest_low) != (Some(0), Some(0), Some(1)) {
        return Err("a histogram is not of microseconds from 1 on");
    }
    let scale = digits.and_then(Scale::of_digits).ok_or("a histogram has no known precision")?;
    let end = HEADER + length.unwrap_or(0) as usize;
    let mut rest = plain.get(HEADER..end).ok_or("a histogram is cut off")?;
    let mut slot: u64 = 0;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let number = take_number(&mut rest).ok_or(BROKEN)?;
        // Zigzag: even numbers are counts, odd ones are runs of empty slots.
        if number & 1 == 0 {
            found.push((scale.highest(slot), number >> 1));
            slot += 1;
        } else {
            slot = slot.checked_add((number >> 1) + 1).ok_or(BROKEN)?;
        }
    }
    Ok(Packed::of(found))
}

/// LEB128 of at most 9 bytes, the last of which has 8 bits.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = if place == 8 { *byte } else { byte & 0x7f };
        number |= u64::from(bits) << (7 * place);
        if place == 8 || byte & 0x80 == 0 {
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

    /// The crate is the judge.
    fn expected(histogram: &TimeHistogram) -> Vec<(u64, u64)> {
        let inner = histogram.inner();
        inner.iter_recorded().map(|v| (inner.highest_equivalent(v.value_iterated_to()), v.count_at_value())).collect()
    }

    fn recorded(precision: Precision, many: u64) -> TimeHistogram {
        let mut histogram = TimeHistogram::new(precision);
        let mut random = Random::seeded(many);
        for n in 0..many {
            let magnitude = 10_u64.pow(u32::try_from(random.below(9)).unwrap());
            histogram.record_many(magnitude + random.bits() % (magnitude * 9), 1 + n % 3 * 1000);
        }
        histogram
    }

    #[test]
    fn what_was_written_is_read_value_by_value() {
        for many in [0, 1, 2, 100, 20_000] {
            let histogram = recorded(Precision::Fine, many);
            let mut sum = Packed::default();
            for piece in encode::pieces(&histogram, 1000) {
                sum.add(&super::histogram(&piece).unwrap());
            }
            assert_eq!(sum.iter().collect::<Vec<_>>(), expected(&histogram), "{many}");
        }
    }

    #[test]
    fn a_coarse_one_is_read_as_the_highest_times_that_it_may_hold() {
        let coarse = recorded(Precision::Coarse, 500);
        let read = super::histogram(&encode::pieces(&coarse, 100_000)[0]).unwrap();
        let mut fine = TimeHistogram::new(Precision::Fine);
        for (us, count) in expected(&coarse) {
            fine.record_many(us, count);
        }
        assert_eq!(read.iter().collect::<Vec<_>>(), expected(&fine));
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        let text = encode::pieces(&recorded(Precision::Fine, 50), 100_000).remove(0);
        let half = &text[..text.len() / 2 / 4 * 4];
        for wrong in ["", "é", "AAAA", half, &text[4..], "HISTFAAAAAA="] {
            assert!(super::histogram(wrong).is_err(), "{wrong}");
        }
    }
}
