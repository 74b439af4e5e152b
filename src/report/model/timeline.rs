//! How a run went over time: one point per tick; neighbours are joined if there would be too many.

use std::sync::Arc;

use super::failed::FailedTimesSeen;
use crate::clock::unix_time;
use crate::stats::interval::AfterStop;
use crate::stats::packed::PackedTimes;
use crate::stats::timing_summary::TimingSummary;
use crate::stats::timings::{ConnectingSums, Timings};
use crate::vocabulary::Phase;

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

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.after_stop.add(&other.after_stop);
        self.redirects += other.redirects;
        self.reopened += other.reopened;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.connections += other.connections;
        if self.response.is_some() || other.response.is_some() {
            let mut response = self.response.take().unwrap_or_else(|| self.service.clone());
            response.add(other.response());
            self.response = Some(response);
        }
        self.service.add(&other.service);
        self.first_byte.add(&other.first_byte);
        self.connecting.add(&other.connecting);
        self.failed_times.add(&other.failed_times);
    }
}

/// State of the swarm and the machine at the end of an interval. A point made of several intervals has the maximum of
/// each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PointGauges {
    /// Users running.
    pub users: u32,
    /// Users that should have been running.
    pub users_wanted: u32,
    /// Requests in flight.
    pub in_flight: u64,
    /// CPU of the generator, percent of one core.
    pub cpu_percent: f64,
    /// Resident memory of the generator in MiB.
    pub memory_mib: f64,
    /// Median of how long after its due time a request was sent.
    pub lateness_p50_us: u64,
    /// 99th percentile of it.
    pub lateness_p99_us: u64,
    /// Maximum of it.
    pub lateness_max_us: u64,
}

impl PointGauges {
    fn merge_max(&mut self, other: &Self) {
        self.users = self.users.max(other.users);
        self.users_wanted = self.users_wanted.max(other.users_wanted);
        self.in_flight = self.in_flight.max(other.in_flight);
        self.cpu_percent = self.cpu_percent.max(other.cpu_percent);
        self.memory_mib = self.memory_mib.max(other.memory_mib);
        self.lateness_p50_us = self.lateness_p50_us.max(other.lateness_p50_us);
        self.lateness_p99_us = self.lateness_p99_us.max(other.lateness_p99_us);
        self.lateness_max_us = self.lateness_max_us.max(other.lateness_max_us);
    }
}

/// One interval, or several adjacent ones joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// When it began, in milliseconds since the Unix epoch.
    pub start_ms: u64,
    /// End of the span.
    pub end_ms: u64,
    /// Its phase.
    pub phase: Phase,
    /// Requests and responses.
    pub traffic: PointTraffic,
    /// State of the swarm and the machine; all 0 for a single endpoint.
    pub gauges: PointGauges,
    /// Whether the stream has the generator's health for it; otherwise those values are 0.
    pub has_health: bool,
    /// Arrivals that were due; `None` in the closed model, and for a single endpoint.
    pub arrivals: Option<f64>,
    /// Time for which the cgroup's quota held back the generator, in milliseconds.
    pub throttled_ms: f64,
}

impl Point {
    /// Its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.end_ms.saturating_sub(self.start_ms) as f64 / 1000.0
    }

    fn join(&mut self, other: &Self) {
        self.start_ms = self.start_ms.min(other.start_ms);
        self.end_ms = self.end_ms.max(other.end_ms);
        self.phase = self.phase.min(other.phase);
        self.traffic.add(&other.traffic);
        self.gauges.merge_max(&other.gauges);
        self.throttled_ms += other.throttled_ms;
        self.has_health |= other.has_health;
        if let Some(arrivals) = other.arrivals {
            *self.arrivals.get_or_insert(0.0) += arrivals;
        }
    }
}

/// A bounded number of points in time order.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Shared with the copies that are made while a run goes on: a copy takes no time, and only a point that is joined
    /// with another one afterwards is copied in full.
    points: Vec<(u64, Arc<Point>)>,
    ticks_per_point: u64,
    max_points: usize,
    /// The sum of the points after the warm-up; `None` while there is none of a warm-up.
    judged: Option<Box<PointTraffic>>,
}

impl Timeline {
    /// An empty timeline of at most `most` points, which must be at least 2.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { points: Vec::new(), ticks_per_point: 1, max_points: most.max(2), judged: None }
    }

    /// The points in time order.
    #[must_use]
    pub fn points(&self) -> impl ExactSizeIterator<Item = &Point> + DoubleEndedIterator {
        self.points.iter().map(|(_, point)| &**point)
    }

    /// The number of ticks per point: 1, until there were too many points.
    #[must_use]
    pub const fn ticks_per_point(&self) -> u64 {
        self.ticks_per_point
    }

    /// The sum of all points but those of the warm-up, exactly, also where points were joined.
    #[must_use]
    pub fn total(&self) -> PointTraffic {
        self.judged.as_deref().cloned().unwrap_or_else(|| self.whole())
    }

    /// The sum of all points.
    #[must_use]
    pub fn whole(&self) -> PointTraffic {
        let mut whole = PointTraffic::default();
        self.points().for_each(|point| whole.add(&point.traffic));
        whole
    }

    /// Requests that completed in the warm-up.
    #[must_use]
    pub fn warmup_requests(&self) -> u64 {
        let Some(judged) = &self.judged else { return 0 };
        self.points().map(|point| point.traffic.completed()).sum::<u64>() - judged.completed()
    }

    /// Adds the interval that ended with `tick`.
    pub fn add(&mut self, tick: u64, point: &Point) {
        match (&mut self.judged, point.phase) {
            (None, Phase::Warmup) => self.judged = Some(Box::new(self.whole())),
            (None, _) | (Some(_), Phase::Warmup) => {}
            (Some(judged), _) => judged.add(&point.traffic),
        }
        self.insert(tick, Arc::new(point.clone()));
        self.limit(self.max_points);
    }

    /// Limits the number of points to `most`, which must be at least 2, from now on.
    pub fn limit(&mut self, most: usize) {
        self.max_points = most.max(2);
        while self.points.len() > self.max_points {
            self.ticks_per_point *= 2;
            for (tick, point) in std::mem::take(&mut self.points) {
                self.insert(tick, point);
            }
        }
    }

    fn insert(&mut self, tick: u64, point: Arc<Point>) {
        // Ticks are counted from the start or, in a shard, by the wall clock: those with the same quotient are joined.
        let number = tick / self.ticks_per_point;
        let number_of = |(tick, _): &(u64, Arc<Point>)| tick / self.ticks_per_point;
        // Nearly always the last point, or a new one after it.
        let place = self.points.partition_point(|known| number_of(known) < number);
        match self.points.get_mut(place) {
            Some(known) if number_of(known) == number => Arc::make_mut(&mut known.1).join(&point),
            _ => self.points.insert(place, (tick, point)),
        }
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: &str) -> Option<u64> {
    u64::try_from(unix_time(time)?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::packed::PackedHistogram;
    use crate::stats::sum::Sum;

    fn point(tick: u64) -> Point {
        let service =
            PackedTimes { sum: Sum::of(1, u128::from(tick), tick, tick), histogram: PackedHistogram::of([(tick, 1)]) };
        let phase = if tick < 4 { Phase::Ramp } else { Phase::Steady };
        let traffic = PointTraffic { ok: 1, service, ..PointTraffic::default() };
        Point { start_ms: (tick - 1) * 1000, end_ms: tick * 1000, phase, traffic, ..Point::default() }
    }

    #[test]
    fn too_many_points_are_joined_in_pairs_and_nothing_is_lost() {
        let mut timeline = Timeline::new(10);
        (1..=100).for_each(|tick| timeline.add(tick, &point(tick)));
        assert_eq!((timeline.ticks_per_point(), timeline.points().len()), (16, 7));
        let whole = timeline.total();
        assert_eq!(whole.ok, 100);
        assert_eq!(whole.service.histogram, PackedHistogram::of((1..=100).map(|us| (us, 1))));
        let first = timeline.points().next().unwrap();
        assert_eq!((first.start_ms, first.end_ms, first.phase), (0, 15_000, Phase::Ramp));
        assert!(timeline.points().zip(timeline.points().skip(1)).all(|(one, next)| one.end_ms == next.start_ms));
    }

    #[test]
    fn a_late_line_is_inserted_at_its_time() {
        let mut timeline = Timeline::new(10);
        for tick in [2, 4, 3, 1, 3] {
            timeline.add(tick, &point(tick));
        }
        let starts: Vec<u64> = timeline.points().map(|point| point.start_ms).collect();
        assert_eq!(starts, [0, 1000, 2000, 3000]);
        assert_eq!(timeline.points().nth(2).unwrap().traffic.ok, 2);
    }

    #[test]
    fn response_times_default_to_service_times() {
        let mut sum = point(5).traffic;
        let late = PointTraffic { response: Some(point(9).traffic.service), ..point(5).traffic };
        sum.add(&late);
        sum.add(&point(6).traffic);
        assert_eq!(sum.service.histogram, PackedHistogram::of([(5, 2), (6, 1)]));
        assert_eq!(sum.response().histogram, PackedHistogram::of([(5, 1), (6, 1), (9, 1)]));
    }
}
