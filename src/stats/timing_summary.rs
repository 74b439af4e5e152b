//! Time to the first byte and where the time went, as tables show them.

use super::packed::PackedTimes;
use super::sum::Sum;
use super::times::Times;
use super::timings::Timings;
use super::unfinished::{Bounds, JudgedTimes};

/// Times to the first byte of completed requests, and where their service times went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimingSummary {
    /// Completed requests.
    pub requests: u64,
    /// Where their time went.
    pub timings: Timings,
    /// From sending to the first byte, or to the end without one.
    pub first_byte: TimesSummary,
    /// Which of these times are lower bounds, because unfinished requests were included.
    pub bounds: Bounds,
}

/// Mean, percentiles, minimum and maximum of times, in microseconds; all 0 if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what they are")]
pub struct TimesSummary {
    pub avg_us: u64,
    pub min_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
    pub max_us: u64,
}

/// Mean time of a request in each phase, in milliseconds; together the mean service time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is the phase of the same name of Timings")]
pub struct MeanTimings {
    pub dns: f64,
    pub connect: f64,
    pub tls: f64,
    pub first_byte: f64,
    pub body: f64,
}

impl TimingSummary {
    /// The timing of completed requests.
    #[must_use]
    pub fn new(timings: Timings, requests: u64, first_byte: TimesSummary) -> Self {
        Self { requests, timings, first_byte, bounds: Bounds::default() }
    }

    /// The same with each time to the first byte replaced by the judged one, if that is larger.
    #[must_use]
    pub fn judged(mut self, judged: &JudgedTimes) -> Self {
        let raise = |time: &mut u64, us: u64| {
            let is_bound = us > *time;
            *time = us.max(*time);
            is_bound
        };
        let times = &mut self.first_byte;
        self.bounds = Bounds {
            avg: raise(&mut times.avg_us, judged.avg_us),
            percentile_50: raise(&mut times.p50_us, judged.p50_us),
            percentile_90: raise(&mut times.p90_us, judged.p90_us),
            percentile_95: raise(&mut times.p95_us, judged.p95_us),
            percentile_99: raise(&mut times.p99_us, judged.p99_us),
            percentile_99_9: raise(&mut times.p99_9_us, judged.p99_9_us),
            max: raise(&mut times.max_us, judged.max_us),
        };
        self
    }

    /// The mean time of a request in each phase; `None` without requests.
    #[must_use]
    pub fn mean(&self) -> Option<MeanTimings> {
        let mean = |us: u128| us as f64 / self.requests as f64 / 1000.0;
        let Timings { connecting, first_byte_us, body_us } = self.timings;
        (self.requests > 0).then(|| MeanTimings {
            dns: mean(connecting.dns_us),
            connect: mean(connecting.connect_us),
            tls: mean(connecting.tls_us),
            first_byte: mean(first_byte_us),
            body: mean(body_us),
        })
    }
}

impl MeanTimings {
    /// The mean service time in milliseconds.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.dns + self.connect + self.tls + self.first_byte + self.body
    }
}

impl TimesSummary {
    /// From sum and ends, and the percentiles 50, 90, 95, 99 and 99.9.
    #[must_use]
    pub fn new(sum: &Sum, [p50_us, p90_us, p95_us, p99_us, p99_9_us]: [u64; 5]) -> Self {
        let (avg_us, min_us, max_us) = (sum.mean_us(), sum.min_us(), sum.max_us);
        Self { avg_us, min_us, p50_us, p90_us, p95_us, p99_us, p99_9_us, max_us }
    }
}

impl From<&Times> for TimesSummary {
    fn from(times: &Times) -> Self {
        Self::new(times.sum(), times.percentiles_us([500, 900, 950, 990, 999]))
    }
}

impl From<&PackedTimes> for TimesSummary {
    fn from(times: &PackedTimes) -> Self {
        Self::new(&times.sum, [500_000, 900_000, 950_000, 990_000, 999_000].map(|part| times.percentile_us(part)))
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "each of these is exact")]
mod tests {
    use super::*;
    use crate::stats::timings::ConnectingSums;

    #[test]
    fn mean_timings_are_of_all_requests_and_none_without_any() {
        let connecting = ConnectingSums { requests: 1, dns_us: 4_000, connect_us: 8_000, tls_us: 0 };
        let timings = Timings { connecting, first_byte_us: 20_000, body_us: 1_000 };
        let timing = TimingSummary::new(timings, 4, TimesSummary::default());
        let mean = MeanTimings { dns: 1.0, connect: 2.0, tls: 0.0, first_byte: 5.0, body: 0.25 };
        assert_eq!(timing.mean(), Some(mean));
        assert_eq!(mean.total(), 8.25, "33 ms over 4 requests");
        assert_eq!(TimingSummary::default().mean(), None);
    }

    #[test]
    fn a_judged_time_is_never_below_that_of_completed_requests() {
        let first_byte = TimesSummary { avg_us: 10, p99_us: 30, max_us: 40, ..TimesSummary::default() };
        let timing = TimingSummary::new(Timings::default(), 1, first_byte);
        let judged = timing.judged(&JudgedTimes { avg_us: 9, p99_us: 31, max_us: 40, ..JudgedTimes::default() });
        assert_eq!((judged.first_byte.avg_us, judged.first_byte.p99_us, judged.first_byte.max_us), (10, 31, 40));
        assert_eq!(judged.bounds, Bounds { percentile_99: true, ..Bounds::default() });
    }
}
