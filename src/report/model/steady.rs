//! The steady phase of a run, tick by tick: what intervals of confidence and comparisons are made from.

use super::run_data::RunData;
use super::seen::EndpointSeen;
use super::timeline::{Point, Timeline};
use crate::plan::random::seed_of;
use crate::stats::build_comparison::RunOfEndpoint;
use crate::stats::comparison::Failures;
use crate::stats::confidence::{Estimates, Figure, TickSeries};
use crate::stats::histogram::Precision;
use crate::stats::packed::PackedTimes;
use crate::stats::steadiness::{Drift, drifts};
use crate::stats::times::Times;
use crate::vocabulary::Phase;

/// How certain the figures of the steady phase are.
#[derive(Clone, Debug)]
pub struct Confidence {
    /// Ticks of the steady phase.
    pub ticks: usize,
    /// Its length in seconds.
    pub seconds: f64,
    /// The figures of all requests; `None` in each that has no interval.
    pub all: Estimates,
    /// The same of each endpoint, in the order of the run's endpoints.
    pub endpoints: Vec<Estimates>,
    /// Figures of all requests that were not steady.
    pub drifts: Vec<Drift>,
}

impl RunData {
    /// How certain the figures of the steady phase are; takes up to a second of computation in a run with many endpoints.
    #[must_use]
    pub fn confidence(&self, run_id: &str) -> Confidence {
        let seed = seed_of(run_id);
        let all = steady_points(&self.timeline);
        let third = all.len() / 3;
        let [first, last] = [&all[..third], &all[all.len() - third..]].map(series);
        let drifts = if has_enough(&all) { drifts(&first, &last, seed) } else { Vec::new() };
        let endpoints = self.endpoints.iter().map(|endpoint| self.steady(Some(endpoint), run_id).within).collect();
        // The sum of no numbers would be -0.0.
        let seconds = all.iter().fold(0.0, |sum, point| sum + point.seconds());
        Confidence { ticks: all.len(), seconds, all: self.steady(None, run_id).within, endpoints, drifts }
    }

    /// An endpoint, or all requests, in the steady phase. Requests that had not ended when the run did count with the time
    /// that they had waited where that makes a time longer, as everywhere.
    #[must_use]
    pub fn steady(&self, endpoint: Option<&EndpointSeen>, run_id: &str) -> RunOfEndpoint {
        let points = match endpoint {
            None => steady_points(&self.timeline).into_iter().map(|point| (point.seconds(), Some(point))).collect(),
            Some(endpoint) => with_gaps(&self.timeline, &endpoint.timeline),
        };
        let none = PackedTimes::default();
        let ticks =
            points.iter().map(|(seconds, point)| (*seconds, point.map_or(&none, |point| point.traffic.response())));
        let series = TickSeries::new(ticks);
        let mut failures = Failures::default();
        let traffic = || points.iter().filter_map(|(_, point)| point.map(|point| &point.traffic));
        for traffic in traffic() {
            failures.failed += traffic.failed;
            failures.completed += traffic.completed();
        }
        let (mut values, mut within) = (series.values(), series.estimates(seed_of(run_id)));
        let waiting = self.unfinished_in(endpoint, Phase::Steady);
        if waiting.sum.count > 0 {
            let mut completed = Times::new(Precision::Fine);
            traffic().for_each(|traffic| completed.add_packed(traffic.response()));
            let completed = completed.to_packed();
            for figure in Figure::ALL {
                let longer = judged(figure, &completed, &waiting);
                let place = figure.index();
                values[place] = values[place].map(|log| log.max(longer));
                within[place] = within[place]
                    .map(|estimate| crate::stats::confidence::Estimate { log: estimate.log.max(longer), ..estimate });
            }
        }
        RunOfEndpoint { values, within, failures }
    }
}

/// Natural logarithm of a time over completed and waiting requests together; of the rate, in which waiting requests have
/// no part, the lowest number.
fn judged(figure: Figure, completed: &PackedTimes, waiting: &PackedTimes) -> f64 {
    let mut together = completed.clone();
    together.add(waiting);
    match (figure, figure.per_million()) {
        (_, Some(share)) => (together.percentile_us(share) as f64).ln(),
        (Figure::Mean, None) => (together.sum.sum_us as f64 / together.sum.count as f64).ln(),
        (_, None) => f64::NEG_INFINITY,
    }
}

fn has_enough(points: &[&Point]) -> bool {
    points.len() >= crate::stats::confidence::MIN_TICKS
}

fn series(points: &[&Point]) -> TickSeries {
    TickSeries::new(points.iter().map(|point| (point.seconds(), point.traffic.response())))
}

fn steady_points(timeline: &Timeline) -> Vec<&Point> {
    timeline.points().filter(|point| point.phase == Phase::Steady).collect()
}

/// The ticks of an endpoint, each with its length in seconds; `None` for those in which no request to it ended, of which
/// its own timeline has no point.
fn with_gaps<'p>(run: &'p Timeline, endpoint: &'p Timeline) -> Vec<(f64, Option<&'p Point>)> {
    let all = steady_points(run);
    let longest = all.iter().map(|point| point.end_ms.saturating_sub(point.start_ms)).max().unwrap_or(0);
    let tick_ms = (longest / run.ticks_per_point() * endpoint.ticks_per_point()).max(1);
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Vec::new() };
    let mut ticks = Vec::new();
    let mut end_ms = first.start_ms;
    let fill = |ticks: &mut Vec<(f64, Option<&'p Point>)>, from_ms: u64, to_ms: u64| {
        // Only the steady parts of the gap: a run may have several, with ramps between them.
        let missing: u64 = if to_ms.saturating_sub(from_ms) * 2 < tick_ms {
            0
        } else {
            let overlap = |point: &&Point| point.end_ms.min(to_ms).saturating_sub(point.start_ms.max(from_ms));
            all.iter().map(overlap).sum()
        };
        let count = (missing + tick_ms / 2) / tick_ms;
        ticks.extend((0..count).map(|_| (missing as f64 / count as f64 / 1000.0, None)));
    };
    for point in steady_points(endpoint) {
        fill(&mut ticks, end_ms, point.start_ms);
        ticks.push((point.seconds(), Some(point)));
        end_ms = point.end_ms;
    }
    fill(&mut ticks, end_ms, last.end_ms);
    ticks
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::model::timeline::TimelineLimits;
    use crate::report::model::traffic::PointTraffic;
    use crate::stats::packed::PackedHistogram;
    use crate::stats::sum::Sum;

    fn point(second: u64, phase: Phase, requests: u64) -> Point {
        let us = 1000;
        let service = PackedTimes {
            sum: Sum::of(requests, u128::from(us * requests), us, us),
            histogram: PackedHistogram::of((0..requests).map(|_| (us, 1))),
        };
        let traffic = PointTraffic { ok: requests, service, ..PointTraffic::default() };
        Point { start_ms: second * 1000, end_ms: (second + 1) * 1000, phase, traffic, ..Point::default() }
    }

    fn timeline(points: &[(u64, Phase, u64)]) -> Timeline {
        let mut timeline = Timeline::new(TimelineLimits { points: 1000, bytes: usize::MAX });
        for (second, phase, requests) in points {
            timeline.add(*second, Arc::new(point(*second, *phase, *requests)));
        }
        timeline
    }

    #[test]
    fn seconds_without_a_request_count_for_an_endpoint() {
        use Phase::{Ramp, Steady};
        let run =
            timeline(&[(0, Ramp, 5), (1, Steady, 5), (2, Steady, 5), (3, Ramp, 5), (4, Steady, 5), (5, Steady, 5)]);
        let endpoint = timeline(&[(0, Ramp, 5), (2, Steady, 5)]);
        let ticks = with_gaps(&run, &endpoint);
        let requests: Vec<u64> =
            ticks.iter().map(|(_, point)| point.map_or(0, |point| point.traffic.completed())).collect();
        assert_eq!(requests, [0, 5, 0, 0], "without the ramp in the middle");
        assert!((ticks.iter().map(|(seconds, _)| seconds).sum::<f64>() - 4.0).abs() < 1e-9);
    }
}
