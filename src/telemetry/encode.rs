//! Histograms as text: `HdrHistogram` V2 + DEFLATE in base64, which its Java, C, Go and Python siblings read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};

use crate::stats::histogram::TimeHistogram;

/// Several complete histograms that add up to `histogram`, each of at most `most` characters. One, if it fits.
#[must_use]
pub fn pieces(histogram: &TimeHistogram, most: usize) -> Vec<String> {
    let mut done = Vec::new();
    // Popped from the end, so the upper half goes in first and pieces come out in the order of their values.
    let mut left = vec![histogram.inner().clone()];
    while let Some(piece) = left.pop() {
        let text = encoded(&piece);
        match halves(&piece) {
            Some((low, high)) if text.len() > most => left.extend([high, low]),
            _ => done.push(text),
        }
    }
    done
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    let written = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    assert!(written.is_ok(), "counts below 2^63 written into memory");
    BASE64_STANDARD.encode(bytes)
}

/// Two histograms with half of the distinct values each; `None` where there is only one.
fn halves(histogram: &Histogram<u64>) -> Option<(Histogram<u64>, Histogram<u64>)> {
    let values: Vec<(u64, u64)> =
        histogram.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect();
    if values.len() < 2 {
        return None;
    }
    let (low, high) = values.split_at(values.len() / 2);
    let half = |values: &[(u64, u64)]| {
        let mut half = Histogram::new_from(histogram);
        for (value, count) in values {
            let recorded = half.record_n(*value, *count);
            assert!(recorded.is_ok(), "a value of the whole is in the range of its half");
        }
        half
    };
    Some((half(low), half(high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::histogram::Precision;
    use hdrhistogram::serialization::Deserializer;

    fn decoded(text: &str) -> Histogram<u64> {
        let bytes = BASE64_STANDARD.decode(text).unwrap();
        Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
    }

    #[test]
    fn a_histogram_that_fits_is_one_piece() {
        let mut histogram = TimeHistogram::new(Precision::Fine);
        (1..=1000).for_each(|us| histogram.record(us));
        let pieces = pieces(&histogram, 100_000);
        assert_eq!(pieces.len(), 1);
        assert_eq!(decoded(&pieces[0]), *histogram.inner());
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
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
            let mut sum = Histogram::<u64>::new_from(histogram.inner());
            for piece in &pieces {
                sum.add(decoded(piece)).unwrap();
            }
            assert_eq!(sum, *histogram.inner());
        }
    }
}
