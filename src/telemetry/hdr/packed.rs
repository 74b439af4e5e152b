//! Histograms out of text, packed: what [`encode`](super::encode) wrote, read by [`decode`](super::decode).

use super::decode::{HistogramParser, Recorded};
use crate::stats::packed::PackedHistogram;
use crate::telemetry::claims::Distribution;

/// Parses a histogram.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn histogram(text: &str, parser: &mut HistogramParser) -> Result<PackedHistogram, &'static str> {
    let Recorded { scale, slots } = parser.read(text)?;
    Ok(PackedHistogram::of_recorded(scale, slots))
}

/// As [`histogram`], but also adds it to a distribution, to be checked against its line.
///
/// # Errors
/// As [`histogram`].
pub fn distribution(
    text: &str,
    parser: &mut HistogramParser,
    all: &mut Distribution,
) -> Result<PackedHistogram, &'static str> {
    let recorded = parser.read(text)?;
    all.add(&recorded);
    Ok(PackedHistogram::of_recorded(recorded.scale, recorded.slots))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::random::Random;
    use crate::stats::histogram::{Precision, TimeHistogram};
    use crate::telemetry::hdr::encode;

    /// The crate's result is the reference.
    fn expected(histogram: &TimeHistogram) -> Vec<(u64, u64)> {
        let inner = histogram.to_crate();
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
    fn a_written_histogram_is_read_back_value_by_value() {
        let mut parser = HistogramParser::default();
        for many in [0, 1, 2, 100, 20_000] {
            let histogram = recorded(Precision::Fine, many);
            let mut sum = PackedHistogram::default();
            for piece in encode::pieces(&histogram, 1000) {
                sum.add(&super::histogram(&piece, &mut parser).unwrap());
            }
            assert_eq!(sum.iter().collect::<Vec<_>>(), expected(&histogram), "{many}");
        }
    }

    #[test]
    fn a_coarse_histogram_is_read_as_the_highest_times_of_its_slots() {
        let coarse = recorded(Precision::Coarse, 500);
        let read = super::histogram(&encode::pieces(&coarse, 100_000)[0], &mut HistogramParser::default()).unwrap();
        let mut fine = TimeHistogram::new(Precision::Fine);
        for (us, count) in expected(&coarse) {
            fine.record_many(us, count);
        }
        assert_eq!(read.iter().collect::<Vec<_>>(), expected(&fine));
    }

    #[test]
    fn input_that_is_not_a_histogram_is_refused() {
        let text = encode::pieces(&recorded(Precision::Fine, 50), 100_000).remove(0);
        let half = &text[..text.len() / 2 / 4 * 4];
        for wrong in ["", "é", "AAAA", half, &text[4..], "HISTFAAAAAA="] {
            assert!(super::histogram(wrong, &mut HistogramParser::default()).is_err(), "{wrong}");
        }
    }
}
