//! Totals of one endpoint, or of the whole run.

use std::time::Duration;

use super::histogram::Precision;
use super::interval::{AfterStop, Interval};
use super::recent_rates::{Rates, RecentRates};
use super::sum::Sum;
use super::times::Times;
use super::timings::{FirstByteTimes, Timings};
use super::warmup::WarmupCounts;
use crate::clock::Moment;
use crate::vocabulary::Phase;

/// Everything that statistics are computed from: the sum of the intervals of one endpoint, or of all.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: Counts,
    after_stop: AfterStop,
    /// Failed without a response from the server.
    unanswered: u64,
    content_bytes: u128,
    response: Times,
    service: Sum,
    first_byte: FirstByteTimes,
    recent: RecentRates,
    /// Those of the above that were in the warm-up; `None` if none were.
    warmup: Option<WarmupCounts>,
}

/// Counts of a run. sent = ok + failed + aborted always holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Completed as expected.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Cut off by the end of the run.
    pub aborted: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened because the server had closed them while idle.
    pub reopened: u64,
}

impl Counts {
    /// Requests that completed: answered or failed.
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.ok + self.failed
    }

    /// Requests that were started.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.completed() + self.aborted
    }

    /// The sum of these counts and `other`.
    #[must_use]
    pub const fn and(self, other: &Self) -> Self {
        Self {
            ok: self.ok + other.ok,
            failed: self.failed + other.failed,
            aborted: self.aborted + other.aborted,
            redirects: self.redirects + other.redirects,
            reopened: self.reopened + other.reopened,
        }
    }

    fn add(&mut self, interval: &Interval) {
        self.ok += interval.ok;
        self.failed += interval.failures();
        self.aborted += interval.aborted;
        self.redirects += interval.redirects;
        self.reopened += interval.reopened;
    }
}

/// Statistics of a run so far, with the names of the wire format: response times in milliseconds, rates per
/// second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Requests that completed.
    pub num_requests: u64,
    /// Completed requests that failed.
    pub num_failures: u64,
    /// Minimum response time.
    pub min_response_time: f64,
    /// Maximum response time.
    pub max_response_time: f64,
    /// Requests per second over the last complete seconds, at most ten.
    pub current_rps: f64,
    /// Failures per second over the same time.
    pub current_fail_per_sec: f64,
    /// Mean response time, from the exact sum.
    pub avg_response_time: f64,
    /// Requests per second over the time of the load; requests that end later are left out.
    pub total_rps: f64,
    /// Failures per second over the same time.
    pub total_fail_per_sec: f64,
    /// Mean length of response bodies in bytes.
    pub avg_content_length: f64,
    /// Half of the requests took at most this long.
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
            counts: Counts::default(),
            after_stop: AfterStop::default(),
            unanswered: 0,
            content_bytes: 0,
            response: Times::new(precision),
            service: Sum::default(),
            first_byte: FirstByteTimes::default(),
            recent: RecentRates::default(),
            warmup: None,
        }
    }

    /// Adds a closed interval, which was in this phase.
    pub fn add(&mut self, interval: &Interval, phase: Phase) {
        if phase == Phase::Warmup {
            self.warmup.get_or_insert_default().add(interval);
        }
        self.counts.add(interval);
        self.after_stop.add(&interval.after_stop);
        self.unanswered += interval.unanswered();
        self.content_bytes += interval.content_bytes;
        self.service.add(interval.service().sum());
        self.response.add(interval.response());
        self.first_byte.add(&interval.first_byte);
    }

    /// Records the second in which a request ended, for the recent rates; everything else is added with its
    /// interval.
    pub fn record_end(&mut self, done: Moment, failed: bool) {
        self.recent.record(done, failed);
    }

    /// Counts so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The requests that completed in the warm-up; `None` if none did.
    #[must_use]
    pub const fn warmup(&self) -> Option<&WarmupCounts> {
        self.warmup.as_ref()
    }

    /// Counts without the requests that completed in the warm-up.
    #[must_use]
    pub fn judged_counts(&self) -> Counts {
        let Some(warmup) = &self.warmup else { return self.counts };
        Counts {
            ok: self.counts.ok - warmup.ok,
            failed: self.counts.failed - warmup.failed,
            redirects: self.counts.redirects - warmup.redirects,
            reopened: self.counts.reopened - warmup.reopened,
            ..self.counts
        }
    }

    /// Requests after the warm-up that got a complete response.
    #[must_use]
    pub fn judged_answered(&self) -> u64 {
        let warmup = self.warmup.unwrap_or_default();
        self.answered() - (warmup.completed() - warmup.unanswered)
    }

    /// Requests that got a complete response, of whatever status.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.counts.completed() - self.unanswered
    }

    /// From when it was due to the last byte, of all completed requests.
    #[must_use]
    pub const fn response(&self) -> &Times {
        &self.response
    }

    /// Times to the first byte of all completed requests; `None` if those of some are not known.
    #[must_use]
    pub fn first_byte(&self) -> Option<&Times> {
        self.first_byte.of_all(self.service.count)
    }

    /// Where the time of completed requests went; `None` if that is not known of some.
    #[must_use]
    pub fn timings(&self) -> Option<Timings> {
        self.first_byte.timings(&self.service)
    }

    /// The longest service time of a completed request.
    #[must_use]
    pub const fn longest_service(&self) -> Duration {
        Duration::from_micros(self.service.max_us)
    }

    /// Rates at `now`.
    #[must_use]
    pub fn rates(&self, now: Moment) -> Rates {
        self.recent.rates(now)
    }

    /// Statistics at `now`, with total rates over the time of the load, which ended at `load_end` or has
    /// lasted until then. All values are 0 if there are no requests.
    #[must_use]
    pub fn statistics(&self, now: Moment, load_end: Moment) -> Statistics {
        let requests = self.counts.completed();
        if requests == 0 {
            return Statistics::default();
        }
        let seconds = load_end.since_start().as_secs_f64();
        let total = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let recent = self.recent.rates(now);
        let [p50, p90, p95, p99, p99_9] = self.response.percentiles_us([500, 900, 950, 990, 999]).map(millis);
        Statistics {
            num_requests: requests,
            num_failures: self.counts.failed,
            min_response_time: millis(self.response.sum().min_us()),
            max_response_time: millis(self.response.sum().max_us),
            current_rps: recent.requests,
            current_fail_per_sec: recent.failures,
            avg_response_time: millis(self.response.sum().mean_us()),
            total_rps: total(requests - self.after_stop.completed),
            total_fail_per_sec: total(self.counts.failed - self.after_stop.failed),
            avg_content_length: self.content_bytes as f64 / requests as f64,
            percentile_50: p50,
            percentile_90: p90,
            percentile_95: p95,
            percentile_99: p99,
            percentile_99_9: p99_9,
        }
    }
}

/// Milliseconds with microsecond precision.
fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{DueTime, Ending, Failure, Outcome, Traffic};
    use crate::plan::endpoint::EndpointId;

    fn outcome(sent_us: u64, took_us: u64, ending: Ending) -> Outcome {
        let at = |us: u64| Moment::from_nanos(us * 1000);
        let traffic = Traffic { content_length: 10, ..Traffic::default() };
        Outcome::new(EndpointId(0), DueTime::WhenSent, (at(sent_us), at(sent_us + took_us)), traffic, ending)
    }

    #[test]
    fn an_empty_tally_is_all_zero() {
        let statistics = Tally::new(Precision::Fine).statistics(Moment::START, Moment::START);
        assert_eq!(statistics, Statistics::default());
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "each of these is exact")]
    fn statistics_are_exact_where_they_can_be() {
        let mut tally = Tally::new(Precision::Fine);
        let reset = Ending::Failed(Failure::Reset);
        let outcomes = [
            outcome(0, 1_001, Ending::Ok),
            outcome(2_000, 2_002, Ending::Ok),
            outcome(1_000_000, 1_000_000, Ending::Ok),
            outcome(0, 5_000, reset),
        ];
        // In two intervals: the totals are their sum.
        for half in outcomes.chunks(2) {
            let mut interval = Interval::new(Precision::Fine);
            for outcome in half {
                interval.record(outcome);
                tally.record_end(outcome.done(), outcome.ending() != Ending::Ok);
            }
            tally.add(&interval, Phase::Steady);
        }
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
