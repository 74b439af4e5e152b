//! The sums of one endpoint, or of all.

use crate::clock::Moment;
use crate::load::outcome::{Failure, Outcome};

use super::histogram::{Precision, TimeHistogram};
use super::recent::Recent;

/// Everything that statistics are made of.
#[derive(Clone, Debug)]
pub struct Tally {
    requests: u64,
    failures: u64,
    sum_us: u128,
    min_us: u64,
    max_us: u64,
    content_bytes: u128,
    times: TimeHistogram,
    recent: Recent,
}

/// Statistics of a run so far, in the wire format's terms: response times in milliseconds, rates a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Requests that were answered or failed.
    pub num_requests: u64,
    /// Those that failed.
    pub num_failures: u64,
    /// Shortest response time.
    pub min_response_time: f64,
    /// Longest response time.
    pub max_response_time: f64,
    /// Requests a second over the last complete seconds, at most ten.
    pub current_rps: f64,
    /// Failures a second over the same time.
    pub current_fail_per_sec: f64,
    /// Mean response time, from the exact sum.
    pub avg_response_time: f64,
    /// Requests a second over the whole time.
    pub total_rps: f64,
    /// Failures a second over the whole time.
    pub total_fail_per_sec: f64,
    /// Mean length of the answers' bodies in bytes.
    pub avg_content_length: f64,
    /// Half of the requests took at most this.
    pub percentile_50: f64,
    /// 90 %.
    pub percentile_90: f64,
    /// 95 %.
    pub percentile_95: f64,
    /// 99 %.
    pub percentile_99: f64,
    /// 99.9 %.
    pub percentile_99_9: f64,
}

impl Tally {
    /// No requests yet.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self {
            requests: 0,
            failures: 0,
            sum_us: 0,
            min_us: u64::MAX,
            max_us: 0,
            content_bytes: 0,
            times: TimeHistogram::new(precision),
            recent: Recent::default(),
        }
    }

    /// Counts a request that was answered or failed; `failure` says which.
    pub fn record(&mut self, outcome: &Outcome, failure: Option<Failure>) {
        // 292,000 years fit.
        let us = u64::try_from(outcome.response_time().as_micros()).unwrap_or(u64::MAX).max(1);
        self.requests += 1;
        self.failures += u64::from(failure.is_some());
        self.sum_us += u128::from(us);
        self.min_us = self.min_us.min(us);
        self.max_us = self.max_us.max(us);
        self.content_bytes += u128::from(outcome.traffic().content_length);
        self.times.record(us);
        self.recent.record(outcome.done(), failure.is_some());
    }

    /// Requests that were answered or failed.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Those that failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// Statistics at `now`, with total rates over the time until `last`. With no request every one is 0.
    #[must_use]
    pub fn statistics(&self, now: Moment, last: Moment) -> Statistics {
        if self.requests == 0 {
            return Statistics::default();
        }
        let requests = self.requests as f64;
        let seconds = last.since_start().as_secs_f64();
        let total = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let recent = self.recent.rates(now);
        Statistics {
            num_requests: self.requests,
            num_failures: self.failures,
            min_response_time: millis(self.min_us),
            max_response_time: millis(self.max_us),
            current_rps: recent.requests,
            current_fail_per_sec: recent.failures,
            avg_response_time: millis(rounded_mean(self.sum_us, self.requests)),
            total_rps: total(self.requests),
            total_fail_per_sec: total(self.failures),
            avg_content_length: self.content_bytes as f64 / requests,
            percentile_50: self.percentile(0.5),
            percentile_90: self.percentile(0.9),
            percentile_95: self.percentile(0.95),
            percentile_99: self.percentile(0.99),
            percentile_99_9: self.percentile(0.999),
        }
    }

    /// `HdrHistogram`'s, which may lie up to its precision above the truth, so within the exact ends.
    fn percentile(&self, share: f64) -> f64 {
        millis(self.times.quantile_us(share).clamp(self.min_us, self.max_us))
    }
}

/// Milliseconds with microsecond digits.
fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}

fn rounded_mean(sum: u128, count: u64) -> u64 {
    let count = u128::from(count);
    u64::try_from((sum + count / 2) / count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::outcome::{Ending, Traffic};
    use crate::plan::request::EndpointId;

    fn outcome(sent_us: u64, took_us: u64) -> Outcome {
        let at = |us: u64| Moment::from_nanos(us * 1000);
        let traffic = Traffic { content_length: 10, ..Traffic::default() };
        Outcome::new(EndpointId(0), (at(sent_us), at(sent_us), at(sent_us + took_us)), traffic, Ending::Ok)
    }

    #[test]
    fn an_empty_tally_is_all_zeros() {
        let statistics = Tally::new(Precision::Fine).statistics(Moment::START, Moment::START);
        assert_eq!(statistics, Statistics::default());
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "each of these is exact")]
    fn statistics_are_exact_where_they_can_be() {
        let mut tally = Tally::new(Precision::Fine);
        for (sent, took) in [(0, 1_001), (2_000, 2_002), (1_000_000, 1_000_000)] {
            tally.record(&outcome(sent, took), None);
        }
        tally.record(&outcome(0, 5_000), Some(Failure::Timeout));
        let now = Moment::from_nanos(2_500_000_000);
        let s = tally.statistics(now, now);
        assert_eq!((s.num_requests, s.num_failures), (4, 1));
        assert_eq!((s.min_response_time, s.max_response_time), (1.001, 1000.0));
        assert_eq!(s.avg_response_time, 252.001, "1008003 us / 4, rounded to a microsecond");
        assert_eq!(s.percentile_50, 2.002);
        assert_eq!(s.percentile_99_9, 1000.0, "the histogram says 1000.447, the exact maximum is less");
        assert_eq!(s.total_rps, 1.6);
        assert_eq!(s.current_rps, 1.5, "3 of them ended in the two complete seconds");
        assert_eq!(s.avg_content_length, 10.0);
    }
}
