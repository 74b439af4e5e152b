//! Unfinished requests: those cut off when the run ended, and arrivals that were due and never sent.
//!
//! Their true times are at least what was observed (right-censored). A judged time is therefore the larger of
//! two values: that of the completed requests, and that of completed and unfinished requests together. The
//! second is a lower bound of the true value; the first ensures that including the unfinished requests never
//! makes a result look better.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::Precision;
use super::tally::{Statistics, Tally};
use super::times::{Times, micros};
use crate::clock::Moment;
use crate::outcome::Outcome;
use crate::vocabulary::Phase;

/// Age up to which unfinished requests and unsent arrivals are normal at the end of a run.
pub const OVERDUE_AFTER: Duration = Duration::from_secs(1);

/// Maximum share of overdue requests among all due requests in a valid run.
pub const MAX_OVERDUE_SHARE: f64 = 0.05;

/// A request that was cut off by the end of the run.
#[derive(Clone, Copy, Debug)]
pub struct CutOff {
    /// When it was due.
    pub due: Moment,
    /// From the due time to the cut.
    pub response: Duration,
    /// From sending to the cut.
    pub service: Duration,
    /// Whether the first byte of a response had arrived.
    pub has_first_byte: bool,
}

impl CutOff {
    /// Takes what is known of a request from its outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            due: outcome.due(),
            response: outcome.response_time(),
            service: outcome.service_time(),
            has_first_byte: outcome.traffic().first_byte.is_some(),
        }
    }
}

/// Unfinished requests of one endpoint that were due in one phase.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The phase in which they were due.
    pub phase: Phase,
    /// Their number and age.
    pub counts: UnfinishedCounts,
    /// From due to the cut for requests; from due to the end of the load for arrivals that were not sent.
    pub response: Times,
    /// From sending to the cut.
    pub service: Times,
    /// Service times of the requests without a first byte.
    pub first_byte: Times,
}

/// Number of unfinished requests, and the age of the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnfinishedCounts {
    /// Requests that were cut off.
    pub aborted: u64,
    /// Arrivals due but never sent.
    pub unsent: u64,
    /// Requests and arrivals older than [`OVERDUE_AFTER`]; a request must also be older than the longest completed
    /// one of its endpoint.
    pub overdue: u64,
    /// Age of the oldest request, from sending to the cut, in microseconds; 0 if there is none.
    pub oldest_aborted_us: u64,
    /// Wait of the oldest unsent arrival, in microseconds; 0 if there is none.
    pub oldest_unsent_us: u64,
}

impl UnfinishedCounts {
    /// Number of requests and arrivals.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.aborted.saturating_add(self.unsent)
    }

    /// Adds other counts; of the ages the larger is kept.
    pub fn add(&mut self, other: &Self) {
        self.aborted = self.aborted.saturating_add(other.aborted);
        self.unsent = self.unsent.saturating_add(other.unsent);
        self.overdue = self.overdue.saturating_add(other.overdue);
        self.oldest_aborted_us = self.oldest_aborted_us.max(other.oldest_aborted_us);
        self.oldest_unsent_us = self.oldest_unsent_us.max(other.oldest_unsent_us);
    }

    /// Age of the oldest request or arrival, in microseconds.
    #[must_use]
    pub const fn oldest_us(&self) -> u64 {
        if self.oldest_aborted_us > self.oldest_unsent_us { self.oldest_aborted_us } else { self.oldest_unsent_us }
    }

    /// Returns whether more than [`MAX_OVERDUE_SHARE`] of `due` requests and arrivals are overdue.
    #[must_use]
    pub fn is_too_much(&self, due: u64) -> bool {
        self.overdue as f64 > due as f64 * MAX_OVERDUE_SHARE
    }
}

impl Unfinished {
    /// An empty record.
    #[must_use]
    pub fn new(phase: Phase, precision: Precision) -> Self {
        let none = || Times::new(precision);
        let counts = UnfinishedCounts::default();
        Self { phase, counts, response: none(), service: none(), first_byte: Times::new(Precision::Coarse) }
    }

    /// Counts a request that was cut off; `longest` is the longest service time of a completed request of its
    /// endpoint.
    pub fn record_aborted(&mut self, cut_off: &CutOff, longest: Duration) {
        let service = micros(cut_off.service);
        self.response.record(micros(cut_off.response));
        self.service.record(service);
        if !cut_off.has_first_byte {
            self.first_byte.record(service);
        }
        self.counts.aborted += 1;
        self.counts.overdue += u64::from(cut_off.service > longest.max(OVERDUE_AFTER));
        self.counts.oldest_aborted_us = self.counts.oldest_aborted_us.max(service);
    }

    /// Counts an arrival that was never sent and waited this long.
    pub fn record_unsent(&mut self, waited: Duration) {
        let response = micros(waited);
        self.response.record(response);
        self.counts.unsent += 1;
        self.counts.overdue += u64::from(waited > OVERDUE_AFTER);
        self.counts.oldest_unsent_us = self.counts.oldest_unsent_us.max(response);
    }
}

/// Times of one kind as used for judging, in microseconds: each is the larger of the value of the completed
/// requests and the value of completed and unfinished requests together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say what they are")]
pub struct JudgedTimes {
    pub avg_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
    pub max_us: u64,
}

impl JudgedTimes {
    /// Computes the times from those of completed requests and of unfinished ones.
    #[must_use]
    pub fn of<'u>(completed: &Times, unfinished: impl IntoIterator<Item = &'u Times>) -> Self {
        let mut together = completed.clone();
        unfinished.into_iter().for_each(|times| together.add(times));
        let times = |times: &Times| {
            let [p50, p90, p95, p99, p99_9] = times.percentiles_us([500, 900, 950, 990, 999]);
            [times.sum().mean_us(), p50, p90, p95, p99, p99_9, times.sum().max_us]
        };
        let (completed, together) = (times(completed), times(&together));
        let larger = |at: usize| completed[at].max(together[at]);
        Self {
            avg_us: larger(0),
            p50_us: larger(1),
            p90_us: larger(2),
            p95_us: larger(3),
            p99_us: larger(4),
            p99_9_us: larger(5),
            max_us: larger(6),
        }
    }
}

/// The judged times of an endpoint, or of all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Response times.
    pub response: JudgedTimes,
    /// Times to the first byte; `None` if those of some completed requests are not known.
    pub first_byte: Option<JudgedTimes>,
}

impl Judged {
    /// Computes them from completed requests and the unfinished ones.
    #[must_use]
    pub fn of<'u>(completed: &Tally, unfinished: impl Iterator<Item = &'u Unfinished> + Clone) -> Self {
        let first_byte = |times| JudgedTimes::of(times, unfinished.clone().map(|part| &part.first_byte));
        Self {
            first_byte: completed.first_byte().map(first_byte),
            response: JudgedTimes::of(completed.response(), unfinished.map(|part| &part.response)),
        }
    }
}

/// Which times of [`Statistics`] are lower bounds: the completed requests alone would show less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, clippy::struct_excessive_bools, reason = "each is the time of the same name of Statistics")]
pub struct Bounds {
    pub avg: bool,
    pub percentile_50: bool,
    pub percentile_90: bool,
    pub percentile_95: bool,
    pub percentile_99: bool,
    pub percentile_99_9: bool,
    pub max: bool,
}

/// Replaces the times of the statistics with the judged ones.
#[must_use]
pub fn judged(mut statistics: Statistics, times: &JudgedTimes) -> (Statistics, Bounds) {
    let raise = |time: &mut f64, us: u64| {
        let is_bound = us as f64 / 1000.0 > *time;
        if is_bound {
            *time = us as f64 / 1000.0;
        }
        is_bound
    };
    let bounds = Bounds {
        avg: raise(&mut statistics.avg_response_time, times.avg_us),
        percentile_50: raise(&mut statistics.percentile_50, times.p50_us),
        percentile_90: raise(&mut statistics.percentile_90, times.p90_us),
        percentile_95: raise(&mut statistics.percentile_95, times.p95_us),
        percentile_99: raise(&mut statistics.percentile_99, times.p99_us),
        percentile_99_9: raise(&mut statistics.percentile_99_9, times.p99_9_us),
        max: raise(&mut statistics.max_response_time, times.max_us),
    };
    (statistics, bounds)
}

/// The phase of every moment of a run: the ticks in order, with neighbours of the same phase joined.
#[derive(Clone, Debug, Default)]
pub struct PhaseSpans(Vec<(Moment, Phase)>);

impl PhaseSpans {
    /// Adds a tick of this phase that ended at this moment.
    pub fn push(&mut self, end: Moment, phase: Phase) {
        match self.0.last_mut() {
            Some((last, known)) if *known == phase => *last = end,
            _ => self.0.push((end, phase)),
        }
    }

    /// The phase at a moment; beyond the last tick, the phase of that tick.
    #[must_use]
    pub fn at(&self, moment: Moment) -> Phase {
        let after = self.0.partition_point(|(end, _)| *end <= moment);
        self.0.get(after).or(self.0.last()).map_or(Phase::Steady, |(_, phase)| *phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_off(seconds: f64) -> CutOff {
        let time = Duration::from_secs_f64(seconds);
        CutOff { due: Moment::START, response: time, service: time, has_first_byte: false }
    }

    #[test]
    fn a_request_is_overdue_beyond_a_second_and_the_longest_completed_one() {
        let mut part = Unfinished::new(Phase::Steady, Precision::Fine);
        for (age, longest, overdue) in [(1.0, 0, 0), (1.001, 0, 1), (1.5, 2, 1), (2.0, 2, 1), (2.001, 2, 2)] {
            part.record_aborted(&cut_off(age), Duration::from_secs(longest));
            assert_eq!(part.counts.overdue, overdue, "{age} s, longest {longest} s");
        }
        part.record_unsent(Duration::from_secs(1));
        part.record_unsent(Duration::from_millis(1001));
        let counts = part.counts;
        assert_eq!((counts.aborted, counts.unsent, counts.overdue, counts.total()), (5, 2, 3, 7));
        assert_eq!((counts.oldest_aborted_us, counts.oldest_unsent_us), (2_001_000, 1_001_000));
        assert_eq!((part.response.sum().count, part.service.sum().count), (7, 5));
        assert!(counts.is_too_much(59) && !counts.is_too_much(60), "3 of 60 are 5 %");
    }

    #[test]
    fn no_judged_time_is_below_that_of_completed_requests() {
        let times = |each: &[u64]| {
            let mut times = Times::new(Precision::Fine);
            for us in each {
                times.record(*us);
            }
            times
        };
        let judge = |unfinished: &[u64]| {
            let part = Unfinished { response: times(unfinished), ..Unfinished::new(Phase::Steady, Precision::Fine) };
            let completed = Statistics {
                num_requests: 2,
                avg_response_time: 1.0,
                percentile_50: 1.0,
                percentile_99: 1.0,
                max_response_time: 1.0,
                ..Statistics::default()
            };
            judged(completed, &JudgedTimes::of(&times(&[1000, 1000]), [&part.response]))
        };
        let (same, bounds) = judge(&[200, 400]);
        assert_eq!((same.avg_response_time, same.percentile_50, same.max_response_time), (1.0, 1.0, 1.0));
        assert!(
            !bounds.avg && !bounds.percentile_50 && !bounds.max,
            "in a healthy run unfinished requests change nothing"
        );
        let (worse, bounds) = judge(&[2000]);
        assert_eq!((worse.percentile_50, worse.percentile_99, worse.max_response_time), (1.0, 2.0, 2.0));
        assert!(bounds.avg && !bounds.percentile_50 && bounds.percentile_99 && bounds.max);
    }

    #[test]
    fn a_moment_has_the_phase_of_its_tick() {
        let at = |seconds| Moment::at(Duration::from_secs(seconds));
        let mut spans = PhaseSpans::default();
        assert_eq!(spans.at(at(1)), Phase::Steady);
        for (end, phase) in [(3, Phase::Ramp), (6, Phase::Ramp), (9, Phase::Steady), (10, Phase::Drain)] {
            spans.push(at(end), phase);
        }
        let phases = [0, 5, 6, 8, 9, 99].map(|second| spans.at(at(second)));
        let [ramp, steady, drain] = [Phase::Ramp, Phase::Steady, Phase::Drain];
        assert_eq!(phases, [ramp, ramp, steady, steady, drain, drain]);
    }
}
