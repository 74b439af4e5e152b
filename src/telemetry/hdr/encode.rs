//! Histograms into text, in pieces where they do not fit a line.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::{COMPRESSED, PLAIN};
use crate::stats::histogram::TimeHistogram;

/// Splits `histogram` into complete histograms that add up to it, each of at most `most` characters. One, if it fits.
#[must_use]
pub fn pieces(histogram: &TimeHistogram, most: usize) -> Vec<String> {
    // A compressor has 300 KB of tables: creating one for each histogram would cost more than compressing.
    thread_local!(static ENCODER: RefCell<Encoder> = RefCell::new(Encoder::default()));
    let mut slots: Vec<Slot> = Vec::new();
    // A loop within each block, where `collect` would ask for one slot after the other.
    histogram.recorded().for_each(|slot| slots.push(slot));
    ENCODER.with_borrow_mut(|encoder| encoder.pieces(histogram, &slots, most))
}

/// Slot number in the order of values, and count.
type Slot = (u64, u64);

struct Encoder {
    compress: Compress,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        // Level 1 has only fixed Huffman trees and makes counts a quarter longer.
        Self { compress: Compress::new(Compression::new(2), true), plain: Vec::new(), packed: Vec::new() }
    }
}

impl Encoder {
    fn pieces(&mut self, histogram: &TimeHistogram, slots: &[Slot], most: usize) -> Vec<String> {
        let mut done = Vec::new();
        // Popped from the end, so the pieces are in the order of their values.
        let mut left = vec![slots];
        while let Some(piece) = left.pop() {
            let text = self.encoded(histogram, piece);
            if text.len() <= most || piece.len() < 2 {
                done.push(text);
                continue;
            }
            // As many parts as the length requires, and a tenth more, because short ones compress a little worse.
            let parts = (text.len() * 11).div_ceil(most * 10).max(2);
            left.extend(piece.chunks(piece.len().div_ceil(parts)).rev());
        }
        done
    }

    fn encoded(&mut self, histogram: &TimeHistogram, slots: &[Slot]) -> String {
        self.write_plain(histogram, slots);
        self.packed.clear();
        // Filled in when the length is known.
        self.packed.extend_from_slice(&COMPRESSED.to_be_bytes());
        self.packed.extend_from_slice(&[0; 4]);
        // zlib's bound for incompressible data, with a margin.
        self.packed.reserve(self.plain.len() + self.plain.len() / 8 + 64);
        self.compress.reset();
        let status = self.compress.compress_vec(&self.plain, &mut self.packed, FlushCompress::Finish);
        assert!(matches!(status, Ok(Status::StreamEnd)), "there is room for all of it");
        let length = u32::try_from(self.packed.len() - 8).unwrap_or(u32::MAX);
        self.packed[4..8].copy_from_slice(&length.to_be_bytes());
        BASE64_STANDARD.encode(&self.packed)
    }

    /// The format before compression: a header of 40 bytes, then counts in zigzag LEB128; a negative one is a run of
    /// empty slots.
    fn write_plain(&mut self, histogram: &TimeHistogram, slots: &[Slot]) {
        let plain = &mut self.plain;
        plain.clear();
        for word in [PLAIN, 0, 0, u32::from(histogram.precision().digits())] {
            plain.extend_from_slice(&word.to_be_bytes());
        }
        plain.extend_from_slice(&1_u64.to_be_bytes());
        plain.extend_from_slice(&histogram.high_us().to_be_bytes());
        plain.extend_from_slice(&1.0_f64.to_be_bytes());
        let head = plain.len();
        let mut next = 0;
        for (slot, count) in slots {
            match slot - next {
                0 => {}
                // A single empty slot is written as 0, as the crate does.
                1 => plain.push(0),
                empty => put_number(plain, empty * 2 - 1),
            }
            put_number(plain, count * 2);
            next = slot + 1;
        }
        if slots.is_empty() {
            plain.push(0);
        }
        let length = u32::try_from(plain.len() - head).unwrap_or(u32::MAX);
        plain[4..8].copy_from_slice(&length.to_be_bytes());
    }
}

/// LEB128; counts below 2^55 take at most 8 bytes, so the format's special ninth byte is not needed.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::histogram::Precision;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};

    fn decoded(text: &str) -> Histogram<u64> {
        let bytes = BASE64_STANDARD.decode(text).unwrap();
        Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
    }

    #[test]
    fn the_output_equals_that_of_the_crate() {
        for times in [&[][..], &[1], &[1, 2, 2, 4, 4, 4, 2047, 2048, 2049, 65_535, 65_536], &[3_600_000_000]] {
            for precision in [Precision::Fine, Precision::Coarse] {
                let mut histogram = TimeHistogram::new(precision);
                for us in times {
                    histogram.record(*us);
                }
                let mut expected = Vec::new();
                V2Serializer::new().serialize(&histogram.to_crate(), &mut expected).unwrap();
                let mut encoder = Encoder::default();
                encoder.write_plain(&histogram, &histogram.recorded().collect::<Vec<_>>());
                assert_eq!(encoder.plain, expected, "{times:?}");
            }
        }
    }

    #[test]
    fn a_histogram_that_fits_is_one_piece() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        (1..=1000).for_each(|us| histogram.record(us));
        let pieces = pieces(&histogram, 100_000);
        assert_eq!(pieces.len(), 1);
        assert_eq!(decoded(&pieces[0]), histogram.to_crate());
    }

    #[test]
    fn pieces_add_up_to_the_histogram() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        let mut random = crate::plan::random::Random::seeded(1);
        for _ in 0..50_000 {
            let magnitude = 10_u64.pow(1 + u32::try_from(random.below(8)).unwrap());
            histogram.record(magnitude + random.bits() % (magnitude * 9));
        }
        for most in [200, 1000, 2400] {
            let pieces = pieces(&histogram, most);
            assert!(pieces.len() > 1, "{most}");
            assert!(pieces.iter().all(|piece| piece.len() <= most), "{most}");
            let mut sum = Histogram::<u64>::new_from(&histogram.to_crate());
            for piece in &pieces {
                sum.add(decoded(piece)).unwrap();
            }
            assert_eq!(sum, histogram.to_crate());
        }
    }
}
