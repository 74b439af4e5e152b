//! How a run went over time: one point per tick; neighbours are joined if there would be too many.

use std::sync::Arc;

use super::traffic::{PointTraffic, TrafficSum};
use crate::clock::unix_time;
use crate::vocabulary::Phase;

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

/// Points in time order, bounded in number and in memory.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Shared with the copies that are made while a run goes on: a copy takes no time, and only a point that is joined
    /// with another one afterwards is copied in full.
    points: Vec<(u64, Arc<Point>)>,
    ticks_per_point: u64,
    limits: TimelineLimits,
    /// Bytes of all histograms.
    bytes: usize,
    /// The sum of the points after the warm-up; `None` while there is none of a warm-up.
    judged: Option<Box<TrafficSum>>,
}

/// Limits beyond which neighbouring points are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineLimits {
    /// Maximum points, at least 2.
    pub points: usize,
    /// Maximum bytes of histograms. Two points are kept, however large they are.
    pub bytes: usize,
}

impl Timeline {
    /// An empty timeline.
    #[must_use]
    pub fn new(limits: TimelineLimits) -> Self {
        Self { points: Vec::new(), ticks_per_point: 1, limits, bytes: 0, judged: None }
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
        self.judged.as_deref().cloned().unwrap_or_else(|| self.whole_sum()).take()
    }

    /// The sum of all points.
    #[must_use]
    pub fn whole(&self) -> PointTraffic {
        self.whole_sum().take()
    }

    fn whole_sum(&self) -> TrafficSum {
        let mut whole = TrafficSum::default();
        self.points().for_each(|point| whole.add(&point.traffic));
        whole
    }

    /// Requests that completed in the warm-up.
    #[must_use]
    pub fn warmup_requests(&self) -> u64 {
        let Some(judged) = &self.judged else { return 0 };
        self.points().map(|point| point.traffic.completed()).sum::<u64>() - judged.counts().completed()
    }

    /// Adds the interval that ended with `tick`.
    pub fn add(&mut self, tick: u64, point: Arc<Point>) {
        match (&mut self.judged, point.phase) {
            (None, Phase::Warmup) => self.judged = Some(Box::new(self.whole_sum())),
            (None, _) | (Some(_), Phase::Warmup) => {}
            (Some(judged), _) => judged.add(&point.traffic),
        }
        self.insert(tick, point);
        self.limit(self.limits);
    }

    /// Changes the limits.
    pub fn limit(&mut self, limits: TimelineLimits) {
        self.limits = limits;
        while self.points.len() > limits.points.max(2) || (self.bytes > limits.bytes && self.points.len() > 2) {
            self.ticks_per_point = self.ticks_per_point.saturating_mul(2);
            self.bytes = 0;
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
            Some(known) if number_of(known) == number => {
                self.bytes -= known.1.traffic.bytes();
                Arc::make_mut(&mut known.1).join(&point);
                self.bytes += known.1.traffic.bytes();
            }
            _ => {
                self.bytes += point.traffic.bytes();
                self.points.insert(place, (tick, point));
            }
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
    use crate::stats::packed::{PackedHistogram, PackedTimes};
    use crate::stats::sum::Sum;

    const TEN: TimelineLimits = TimelineLimits { points: 10, bytes: usize::MAX };

    fn point(tick: u64) -> Point {
        let service =
            PackedTimes { sum: Sum::of(1, u128::from(tick), tick, tick), histogram: PackedHistogram::of([(tick, 1)]) };
        let phase = if tick < 4 { Phase::Ramp } else { Phase::Steady };
        let traffic = PointTraffic { ok: 1, service, ..PointTraffic::default() };
        Point { start_ms: (tick - 1) * 1000, end_ms: tick * 1000, phase, traffic, ..Point::default() }
    }

    #[test]
    fn too_many_points_are_joined_in_pairs_and_nothing_is_lost() {
        let mut timeline = Timeline::new(TEN);
        (1..=100).for_each(|tick| timeline.add(tick, Arc::new(point(tick))));
        assert_eq!((timeline.ticks_per_point(), timeline.points().len()), (16, 7));
        let whole = timeline.total();
        assert_eq!(whole.ok, 100);
        assert_eq!(whole.service.histogram, PackedHistogram::of((1..=100).map(|us| (us, 1))));
        let first = timeline.points().next().unwrap();
        assert_eq!((first.start_ms, first.end_ms, first.phase), (0, 15_000, Phase::Ramp));
        assert!(timeline.points().zip(timeline.points().skip(1)).all(|(one, next)| one.end_ms == next.start_ms));
    }

    #[test]
    fn points_are_joined_too_where_their_histograms_take_too_much_memory() {
        let mut timeline = Timeline::new(TimelineLimits { points: 1000, bytes: 40 });
        for tick in 1..=100 {
            timeline.add(tick, Arc::new(point(tick)));
            let bytes: usize = timeline.points().map(|point| point.traffic.bytes()).sum();
            assert!((bytes == timeline.bytes && bytes <= 40) || timeline.points().len() == 2, "{bytes} at {tick}");
        }
        assert_eq!((timeline.total().ok, timeline.total().service.sum.max_us), (100, 100));
        assert!(timeline.ticks_per_point() > 1);
    }

    #[test]
    fn the_total_leaves_the_warmup_out_also_where_points_are_joined_over_its_end() {
        let mut timeline = Timeline::new(TEN);
        // Warm-up twice, as the search for a capacity has it.
        let phase = |tick| if tick <= 21 || (50..60).contains(&tick) { Phase::Warmup } else { Phase::Steady };
        (1..=100).for_each(|tick| timeline.add(tick, Arc::new(Point { phase: phase(tick), ..point(tick) })));
        assert_eq!(timeline.ticks_per_point(), 16);
        assert_eq!((timeline.total().ok, timeline.warmup_requests(), timeline.whole().ok), (69, 31, 100));
        let judged = (1..=100).filter(|tick| phase(*tick) == Phase::Steady).map(|us| (us, 1));
        assert_eq!(timeline.total().service.histogram, PackedHistogram::of(judged));
    }

    #[test]
    fn a_late_line_is_inserted_at_its_time() {
        let mut timeline = Timeline::new(TEN);
        for tick in [2, 4, 3, 1, 3] {
            timeline.add(tick, Arc::new(point(tick)));
        }
        let starts: Vec<u64> = timeline.points().map(|point| point.start_ms).collect();
        assert_eq!(starts, [0, 1000, 2000, 3000]);
        assert_eq!(timeline.points().nth(2).unwrap().traffic.ok, 2);
    }
}
