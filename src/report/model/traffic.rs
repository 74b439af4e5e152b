//! Requests and responses within a period, and sums of them.

use super::failed::FailedTimesSeen;
use crate::stats::histogram::Precision;
use crate::stats::interval::AfterStop;
use crate::stats::packed::PackedTimes;
use crate::stats::times::Times;
use crate::stats::timing_summary::TimingSummary;
use crate::stats::timings::{ConnectingSums, Timings};

/// Requests and responses within a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointTraffic {
    /// Succeeded.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Aborted by the end of the run.
    pub aborted: u64,
    /// Completed after the load had ended.
    pub after_stop: AfterStop,
    /// Reads the maximum number of redirects.
    pub redirects: u64,
    /// Connections reopened because the server had closed them while idle.
    pub reopened: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received.
    pub bytes_received: u64,
    /// New connections.
    pub connections: u64,
    /// Service times: from sending to the last byte.
    pub service: PackedTimes,
    /// Response times: from the due time to the last byte; `None` if they all equal the service times.
    pub response: Option<PackedTimes>,
    /// From sending to the first byte. Fewer than the completed requests if the stream, or a part of it, is of an earlier
    /// version: see [`PointTraffic::first_byte`].
    pub first_byte: PackedTimes,
    /// Time spent on opening connections; of the same requests.
    pub connecting: ConnectingSums,
    /// Service times of failed requests. Fewer than failed if the stream, or a part of it, is of an earlier version: see
    /// [`PointTraffic::failed_times`].
    pub failed_times: FailedTimesSeen,
}

impl PointTraffic {
    /// Requests that succeeded or failed.
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.ok + self.failed
    }

    /// Response times: from the due time to the last byte.
    #[must_use]
    pub fn response(&self) -> &PackedTimes {
        self.response.as_ref().unwrap_or(&self.service)
    }

    /// From sending to the first byte or, without one, to the end; `None` if that is not known of all requests.
    #[must_use]
    pub fn first_byte(&self) -> Option<&PackedTimes> {
        (self.first_byte.sum.count == self.completed()).then_some(&self.first_byte)
    }

    /// Service times of failed requests; `None` if they are not known of all.
    #[must_use]
    pub fn failed_times(&self) -> Option<&FailedTimesSeen> {
        (self.failed_times.count() == self.failed).then_some(&self.failed_times)
    }

    /// Time to the first byte and where the time went; `None` if that is not known of all requests.
    #[must_use]
    pub fn timing(&self) -> Option<TimingSummary> {
        let first_byte = self.first_byte()?;
        let timings = Timings::of(self.connecting, first_byte.sum.sum_us, self.service.sum.sum_us);
        Some(TimingSummary::new(timings, self.completed(), first_byte.into()))
    }

    /// Bytes that its histograms take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let times = [&self.service, &self.first_byte].into_iter().chain(&self.response);
        let failed = self.failed_times.iter().map(|(_, times)| times);
        times.chain(failed).map(|times| times.histogram.bytes()).sum()
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.add_counts(other);
        if self.response.is_some() || other.response.is_some() {
            let mut response = self.response.take().unwrap_or_else(|| self.service.clone());
            response.add(other.response());
            self.response = Some(response);
        }
        self.service.add(&other.service);
        self.first_byte.add(&other.first_byte);
    }

    /// Adds all of `other` but service times, response times and times to the first byte.
    fn add_counts(&mut self, other: &Self) {
        self.ok += other.ok;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.after_stop.add(&other.after_stop);
        self.redirects += other.redirects;
        self.reopened += other.reopened;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.connections += other.connections;
        self.connecting.add(&other.connecting);
        self.failed_times.add(&other.failed_times);
    }
}

/// Adds up many of them: adding one costs as much as it is large, however large the sum is.
#[derive(Clone, Debug)]
pub struct TrafficSum {
    /// All but the times that follow, which are empty here.
    counts: PointTraffic,
    service: Times,
    /// `None` as long as all response times equal the service times.
    response: Option<Times>,
    first_byte: Times,
}

impl Default for TrafficSum {
    fn default() -> Self {
        let none = || Times::new(Precision::Fine);
        Self { counts: PointTraffic::default(), service: none(), response: None, first_byte: none() }
    }
}

impl TrafficSum {
    /// Adds all of `traffic`.
    pub fn add(&mut self, traffic: &PointTraffic) {
        self.counts.add_counts(traffic);
        if self.response.is_some() || traffic.response.is_some() {
            self.response.get_or_insert_with(|| self.service.clone()).add_packed(traffic.response());
        }
        self.service.add_packed(&traffic.service);
        self.first_byte.add_packed(&traffic.first_byte);
    }

    /// The counts so far; the times are empty.
    #[must_use]
    pub const fn counts(&self) -> &PointTraffic {
        &self.counts
    }

    /// Response times so far.
    #[must_use]
    pub fn response(&self) -> &Times {
        self.response.as_ref().unwrap_or(&self.service)
    }

    /// Takes the sum, and begins another one in the same memory.
    #[must_use]
    pub fn take(&mut self) -> PointTraffic {
        let sum = PointTraffic {
            service: self.service.to_packed(),
            response: self.response.take().map(|response| response.to_packed()),
            first_byte: self.first_byte.to_packed(),
            ..std::mem::take(&mut self.counts)
        };
        self.service.clear();
        self.first_byte.clear();
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::packed::PackedHistogram;
    use crate::stats::sum::Sum;

    /// One request that succeeded after `us` microseconds.
    fn traffic(us: u64) -> PointTraffic {
        let times = PackedTimes { sum: Sum::of(1, u128::from(us), us, us), histogram: PackedHistogram::of([(us, 1)]) };
        PointTraffic { ok: 1, first_byte: times.clone(), service: times, ..PointTraffic::default() }
    }

    /// The same, sent late.
    fn late(us: u64, response_us: u64) -> PointTraffic {
        PointTraffic { response: Some(traffic(response_us).service), ..traffic(us) }
    }

    #[test]
    fn response_times_default_to_service_times() {
        let mut sum = traffic(5);
        sum.add(&late(5, 9));
        sum.add(&traffic(6));
        assert_eq!(sum.service.histogram, PackedHistogram::of([(5, 2), (6, 1)]));
        assert_eq!(sum.response().histogram, PackedHistogram::of([(5, 1), (6, 1), (9, 1)]));
    }

    #[test]
    fn a_sum_is_that_of_adding_one_after_the_other() {
        let mut sum = TrafficSum::default();
        for parts in [
            vec![traffic(7), traffic(70_000), traffic(7)],
            vec![traffic(5), late(5, 9), traffic(4_000_000), late(6, 6)],
            vec![PointTraffic { failed: 3, bytes_sent: 8, ..PointTraffic::default() }],
            Vec::new(),
        ] {
            let mut expected = PointTraffic::default();
            for part in &parts {
                expected.add(part);
                sum.add(part);
            }
            assert_eq!(sum.take(), expected, "nothing of the sum before it is left");
        }
    }
}
