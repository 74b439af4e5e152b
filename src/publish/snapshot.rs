//! The run so far, as observers get it: cumulative, immutable, shared by an `Arc`.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::event::Flight;
use crate::plan::endpoint::Endpoint;
use crate::stats::check::CheckResult;
use crate::stats::sum::Sum;
use crate::stats::tally::{Counts, Statistics};
use crate::vocabulary::{Phase, StepPurpose};

/// The run at one moment, which may lie between two ticks.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When, since the start of the run.
    pub at: Moment,
    /// The same by the wall clock, since the Unix epoch.
    pub unix: Duration,
    /// Users that ran.
    pub users: u32,
    /// Requests that were answered or failed so far, those since the last tick included.
    pub completed: u64,
    /// Requests failed so far.
    pub failed: u64,
    /// Requests per second over the last complete seconds, at most ten.
    pub rate: f64,
    /// Whether the stop has begun.
    pub is_stopping: bool,
    /// How the search for capacity goes, if the run is one and its first step has begun.
    pub search: Option<SearchSoFar>,
    /// The last tick.
    pub tick: Arc<TickSnapshot>,
}

/// A search for capacity so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSoFar {
    /// Number of the current step, from 1.
    pub step: u32,
    /// Its rate in arrivals per second.
    pub rate: f64,
    /// What it is for.
    pub purpose: StepPurpose,
    /// How many steps there will be if none of the rest passes or fails by chance; `None` until both bounds are known.
    pub steps_expected: Option<u32>,
    /// How far it is.
    pub stage: StepStage,
    /// The highest rate that passed, below all that failed.
    pub passed: Option<f64>,
    /// The lowest rate that failed.
    pub failed: Option<f64>,
}

/// A stage of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStage {
    /// At its rate, not measured yet.
    Settling,
    /// At its rate.
    Measuring,
    /// Nothing is sent; its last requests end.
    Draining,
}

/// The run up to a tick: its counts are the sums of the intervals that the stream has up to that tick.
#[derive(Clone, Debug, Default)]
pub struct TickSnapshot {
    /// Its number, as in the stream.
    pub number: u64,
    /// When it was, since the start of the run.
    pub at: Moment,
    /// What the load did for most of the time since the tick before.
    pub phase: Phase,
    /// Users that ran.
    pub users: u32,
    /// Requests sent and under way.
    pub flight: Flight,
    /// Counts of all requests.
    pub counts: Counts,
    /// Statistics of all requests.
    pub statistics: Statistics,
    /// Whether this machine limits the load.
    pub is_bottleneck: bool,
    /// Endpoints in the order of first use: at least as many as an observer that is given this tick wants.
    pub endpoints: Vec<EndpointSoFar>,
    /// How many further endpoints there are.
    pub further_endpoints: usize,
    /// What each check comes to by now, in the order of the plan; empty where no observer wants to know. A shard has
    /// none: its part of a run is not judged by itself.
    pub checks: Vec<CheckResult>,
}

/// An endpoint up to a tick.
#[derive(Clone, Debug)]
pub struct EndpointSoFar {
    /// Which one; with an empty method, all that have no place of their own.
    pub endpoint: Arc<Endpoint>,
    /// Counts.
    pub counts: Counts,
    /// Statistics of the requests that were answered or failed.
    pub statistics: Statistics,
    /// Count, exact sum and ends of their response times, in microseconds.
    pub response: Sum,
}

impl Snapshot {
    /// 95 % of the requests up to the last tick took at most so many milliseconds; `None` before the first request.
    #[must_use]
    pub fn p95(&self) -> Option<f64> {
        let statistics = &self.tick.statistics;
        (statistics.num_requests > 0).then_some(statistics.percentile_95)
    }
}
