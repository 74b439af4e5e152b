//! Consistency checks within a line of a stream: counts against classes, times against minimum and maximum, histograms
//! against both. Streams come from disks and networks, and a wrong number is worse than none.

use super::hdr::decode::Recorded;
use super::line::MAX_COUNT;
use super::text::{MAX_METHOD, MAX_NAME, MAX_TESTPLAN, is_within};
use crate::clock::unix_time;
use crate::stats::histogram::MAX_TIME_US;

/// Maximum time: 146,000 years in microseconds; sums do not overflow.
pub const MAX_CLAIMED_US: u64 = 1 << 62;

/// Maximum shards of a run, far more than there are hosts.
pub const MAX_SHARDS: u32 = 100_000;

/// Maximum users of a run, more threads than any host can have.
pub const MAX_USERS: u32 = 1_000_000;

/// Maximum bytes of a run id.
const MAX_RUN_ID: usize = 64;

/// Why a line is rejected.
pub type Contradiction = &'static str;

/// The numbers of a line about an endpoint's interval.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the key of the same name of the line")]
pub struct IntervalClaim<'l> {
    pub interval_start: &'l str,
    pub interval_end: &'l str,
    pub method: &'l str,
    pub name: &'l str,
    pub ok: u64,
    pub failed: u64,
    /// Sum of all values of `failed_by_class`.
    pub classes: u64,
    pub completed_after_stop: u64,
    pub failed_after_stop: u64,
    pub aborted: u64,
    pub redirects: u64,
    pub reopened: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub service: TimesClaim,
    pub response: TimesClaim,
}

/// Sum, minimum and maximum of times.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the key of the same name of the line")]
pub struct TimesClaim {
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
}

impl IntervalClaim<'_> {
    /// Requests that succeeded or failed; valid only after [`check`](Self::check).
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.ok.saturating_add(self.failed)
    }

    /// Checks the numbers against each other.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check(&self) -> Result<(), Contradiction> {
        endpoint(self.method, self.name)?;
        let counts = [self.ok, self.failed, self.classes, self.aborted, self.redirects, self.reopened];
        if counts.iter().any(|count| *count > MAX_COUNT) {
            return Err("an implausible count");
        }
        if self.classes != self.failed {
            return Err("failed is not the sum of its classes");
        }
        if self.completed_after_stop > self.completed() || self.failed_after_stop > self.failed {
            return Err("more requests ended after the load than ended at all");
        }
        if !(is_time(self.interval_start) && is_time(self.interval_end)) {
            return Err("an interval without its times");
        }
        // Of fixed width, so the texts compare like the times.
        if self.interval_start > self.interval_end {
            return Err("an interval that ends before it begins");
        }
        self.service.check(self.completed())?;
        self.response.check(self.completed())
    }
}

impl TimesClaim {
    /// Checks that sum, minimum and maximum are possible for `count` times.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check(&self, count: u64) -> Result<(), Contradiction> {
        let Self { sum_us, min_us, max_us } = *self;
        if sum_us > MAX_CLAIMED_US || max_us > MAX_CLAIMED_US {
            return Err("an implausible time");
        }
        if min_us > max_us {
            return Err("the shortest time is longer than the longest");
        }
        let [count, sum, min, max] = [count, sum_us, min_us, max_us].map(u128::from);
        if sum < min * count || sum > max * count {
            return Err("the sum of the times does not fit their minimum and maximum");
        }
        Ok(())
    }
}

/// Summary of a histogram, which may span several lines: enough to check it against sum, minimum and
/// maximum.
#[derive(Clone, Copy, Debug, Default)]
pub struct Distribution {
    count: u64,
    /// The smallest and the largest possible sum of the times.
    sums: (u128, u128),
    /// The highest value of the lowest used slot, and the lowest value of the highest.
    ends: Option<(u64, u64)>,
}

impl Distribution {
    /// Adds the content of a histogram, or of a part of one.
    pub fn add(&mut self, recorded: &Recorded<'_>) {
        let Recorded { scale, slots } = *recorded;
        let (Some((first, _)), Some((last, _))) = (slots.first(), slots.last()) else { return };
        let (mut count, mut low, mut high) = (self.count, 0, 0);
        for (slot, of_slot) in slots {
            let (lowest, highest) = scale.bounds(*slot);
            count = count.saturating_add(*of_slot);
            low += u128::from(lowest) * u128::from(*of_slot);
            high += u128::from(highest) * u128::from(*of_slot);
        }
        self.count = count;
        self.sums = (self.sums.0 + low, self.sums.1 + high);
        let ends = (scale.bounds(*first).1, scale.bounds(*last).0);
        let known = self.ends.unwrap_or(ends);
        self.ends = Some((known.0.min(ends.0), known.1.max(ends.1)));
    }

    /// Checks that the histogram can be that of `count` times with this sum, minimum and maximum.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check_against(&self, count: u64, times: TimesClaim) -> Result<(), Contradiction> {
        if self.count != count {
            return Err("a histogram does not count what its line counts");
        }
        let Some((first, last)) = self.ends else { return Ok(()) };
        let TimesClaim { sum_us, min_us, max_us } = times;
        // Times over an hour are counted as an hour.
        let is_within = max_us <= MAX_TIME_US;
        let too_high = first < min_us.min(MAX_TIME_US) || (is_within && self.sums.1 < u128::from(sum_us));
        if too_high
            || lowest_possible(last) > max_us.max(1)
            || self.sums.0 > with_tolerance(u128::from(sum_us).max(u128::from(count)))
        {
            return Err("a histogram does not match the times of its line");
        }
        Ok(())
    }
}

/// A lower limit for a time: a coarse histogram's value, written to a finer one as the highest of its slot, is up to a
/// 128th above the real time.
const fn lowest_possible(us: u64) -> u64 {
    us - us / 100
}

const fn with_tolerance(sum: u128) -> u128 {
    sum + sum / 50
}

/// Checks that method and name are within the limits of a line.
///
/// # Errors
/// Which of them is too long.
pub fn endpoint(method: &str, name: &str) -> Result<(), Contradiction> {
    if !is_within(method, MAX_METHOD) {
        return Err("a method of more than 32 bytes");
    }
    if is_within(name, MAX_NAME) { Ok(()) } else { Err("a name of more than 512 bytes") }
}

/// Checks the run id and the name of the test plan.
///
/// # Errors
/// Which of them is not valid.
pub fn identity(run_id: &str, testplan: &str) -> Result<(), Contradiction> {
    if run_id.is_empty() || !is_within(run_id, MAX_RUN_ID) {
        return Err("a run id that is not of 1 to 64 bytes");
    }
    if is_within(testplan, MAX_TESTPLAN) { Ok(()) } else { Err("a test plan's name of more than 128 bytes") }
}

/// Whether a text is a time in the stream's format: RFC 3339 with milliseconds, in UTC.
#[must_use]
pub fn is_time(text: &str) -> bool {
    text.len() == 24 && text.as_bytes()[19] == b'.' && text.ends_with('Z') && unix_time(text).is_some()
}

/// Whether a number is plausible as an amount: sums of such numbers stay finite.
#[must_use]
pub fn is_amount(number: f64) -> bool {
    (0.0..=1e15).contains(&number)
}

/// The times of ticks by their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    interval_ms: u128,
    origin_ms: u128,
}

impl Ticks {
    /// Ticks this far apart, with tick 0 at `origin` since the Unix epoch.
    #[must_use]
    pub fn new(interval: std::time::Duration, origin: std::time::Duration) -> Self {
        Self { interval_ms: interval.as_millis().max(1), origin_ms: origin.as_millis() }
    }

    /// Whether the tick with this number may be at this time since the Unix epoch. A process that was suspended is
    /// late, by at most the time until it runs again.
    #[must_use]
    pub fn may_be(self, tick: u64, unix: std::time::Duration) -> bool {
        /// Maximum delay after the due time.
        const LATE_MS: u128 = 60_000;
        let due = self.origin_ms.saturating_add(u128::from(tick).saturating_mul(self.interval_ms));
        let (early, late) = (self.interval_ms + 1000, 2 * self.interval_ms + LATE_MS);
        let unix = unix.as_millis();
        due <= unix + early && unix <= due.saturating_add(late)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::random::Random;
    use crate::stats::histogram::{Precision, TimeHistogram};
    use crate::stats::times::Times;
    use crate::telemetry::hdr::decode::HistogramParser;
    use crate::telemetry::hdr::encode;

    fn claim(times: &Times) -> TimesClaim {
        let sum = times.sum();
        TimesClaim { sum_us: u64::try_from(sum.sum_us).unwrap(), min_us: sum.min_us(), max_us: sum.max_us }
    }

    fn distribution(histogram: &TimeHistogram) -> Distribution {
        let (mut decoder, mut all) = (HistogramParser::default(), Distribution::default());
        for piece in encode::pieces(histogram, 2000) {
            all.add(&decoder.read(&piece).unwrap());
        }
        all
    }

    #[test]
    fn every_histogram_is_consistent_with_its_times() {
        let mut random = Random::seeded(3);
        for precision in [Precision::Fine, Precision::Coarse] {
            for magnitude in [3, 100, 3_000, 5_000_000, 3_600_000_000, 90_000_000_000] {
                let mut times = Times::new(precision);
                for many in 1..=50 {
                    times.record(1 + random.bits() % magnitude);
                    let claim = claim(&times);
                    assert_eq!(claim.check(many), Ok(()));
                    assert_eq!(
                        distribution(times.histogram()).check_against(many, claim),
                        Ok(()),
                        "{magnitude} {times:?}"
                    );
                    // As in a merge where one endpoint was counted partly finely and partly coarsely.
                    let mut finer = TimeHistogram::new(Precision::Fine);
                    finer.add(times.histogram());
                    assert_eq!(distribution(&finer).check_against(many, claim), Ok(()), "{magnitude} {times:?}");
                }
            }
        }
    }

    #[test]
    fn a_histogram_of_other_times_is_detected() {
        let mut fast = Times::new(Precision::Fine);
        let mut slow = Times::new(Precision::Fine);
        for us in 0..100 {
            fast.record(50 + us % 7);
            slow.record(10_000 + us);
        }
        let histograms = [fast.histogram(), slow.histogram()].map(distribution);
        assert!(histograms[0].check_against(100, claim(&slow)).is_err());
        assert!(histograms[1].check_against(100, claim(&fast)).is_err());
        assert!(histograms[0].check_against(99, claim(&fast)).is_err());
        // Minimum and maximum are the same, the sum is not.
        let ends = TimesClaim { sum_us: 5_599, ..claim(&fast) };
        assert!(histograms[0].check_against(100, ends).is_err());
    }

    #[test]
    fn sums_lie_between_count_times_minimum_and_count_times_maximum() {
        let claim = |sum_us, min_us, max_us| TimesClaim { sum_us, min_us, max_us };
        assert_eq!(claim(30, 10, 20).check(2), Ok(()));
        assert_eq!(claim(0, 0, 0).check(0), Ok(()));
        for (wrong, count) in [
            (claim(30, 20, 10), 2),
            (claim(41, 10, 20), 2),
            (claim(19, 10, 20), 2),
            (claim(5, 5, 5), 0),
            (claim(u64::MAX, 0, u64::MAX), 1),
        ] {
            assert!(wrong.check(count).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn ticks_are_at_the_times_given_by_their_numbers() {
        let ticks = Ticks::new(Duration::from_secs(3), Duration::ZERO);
        let at = Duration::from_secs(1_795_381_200);
        let tick = 598_460_400;
        assert!(
            ticks.may_be(tick, at) && ticks.may_be(tick + 1, at) && ticks.may_be(tick, at + Duration::from_secs(9))
        );
        for wrong in [0, 1 << 63, u64::MAX, tick + 3, tick - 100] {
            assert!(!ticks.may_be(wrong, at), "{wrong}");
        }
    }

    #[test]
    fn texts_are_limited_to_what_fits_into_a_line() {
        assert!(endpoint("GET", &"x".repeat(512)).is_ok() && endpoint("GET", &"x".repeat(513)).is_err());
        assert!(endpoint(&"G".repeat(33), "/").is_err() && endpoint("", "other").is_ok());
        assert!(identity("r1", "shop").is_ok() && identity("", "shop").is_err());
        assert!(identity(&"r".repeat(65), "shop").is_err() && identity("r1", &"s".repeat(129)).is_err());
        assert!(is_time("2026-11-23T10:00:00.000Z"));
        for wrong in ["", "2026-11-23T10:00:00Z", "2026-11-23 10:00:00.000Z", "2026-13-23T10:00:00.000Z"] {
            assert!(!is_time(wrong) || wrong.contains(' '), "{wrong}");
        }
    }
}
