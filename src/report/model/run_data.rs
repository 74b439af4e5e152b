//! The contents of a stream, as far as its lines were added.

use std::collections::HashMap;

use super::causes::FailureCauses;
use super::pending::{OpenTick, Pending};
use super::processes::{LastTick, ProcessesSeen};
use super::samples::Samples;
use super::seen::{EndpointSeen, PhaseSeen, PlanSeen, StreamWarning, UnfinishedSeen};
use super::timeline::{Timeline, TimelineLimits};
use super::traffic::TrafficSum;
use crate::stats::check::CheckSet;
use crate::stats::histogram::Precision;
use crate::stats::tally::Counts;
use crate::stats::times::Times;
use crate::telemetry::reader::ending::{CheckSeen, RunEndFact};
use crate::telemetry::reader::facts::{StatsFact, TestStopFact};
use crate::telemetry::reader::failures::ErrorRow;
use crate::telemetry::reader::shards::ShardFact;
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::Phase;

/// Limits of a run: over an hour at a point per second, each with 8,000 different times; in longer runs neighbours are
/// joined.
const LIMITS: TimelineLimits = TimelineLimits { points: 4000, bytes: 64 << 20 };

/// Limits of one endpoint's points, and of those of all endpoints together.
const MAX_POINTS_PER_ENDPOINT: usize = 400;
const LIMITS_OF_ENDPOINTS: TimelineLimits = TimelineLimits { points: 16_000, bytes: 128 << 20 };

/// Maximum endpoints: as many as a run counts separately, and the rest. A stream by swarmline never has more.
pub(super) const MAX_ENDPOINTS: usize = crate::stats::aggregate::MAX_ENDPOINTS + 1;

/// The contents of a stream.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Version, plan and environment.
    pub plan: PlanSeen,
    /// All requests over time.
    pub timeline: Timeline,
    /// All requests by phase; phases that did not occur are left out.
    pub phases: Vec<PhaseSeen>,
    /// In the order of first use.
    pub endpoints: Vec<EndpointSeen>,
    /// Unfinished requests by endpoint and phase; bounded by the number of both.
    pub(super) unfinished: Vec<UnfinishedSeen>,
    /// In the order in which the stream's end lists them.
    pub errors: Vec<ErrorRow>,
    /// The slowest requests, and the first that failed.
    pub samples: Samples,
    /// Why there were errors, as far as the stream says.
    pub causes: FailureCauses,
    /// The shards of a merged run, in the order of their numbers; none in a stream of an earlier version.
    pub shards: Vec<ShardFact>,
    /// In time order.
    pub warnings: Vec<StreamWarning>,
    /// How many further warnings there were.
    pub more_warnings: u64,
    /// When each requested number of users was reached: milliseconds since the Unix epoch, users.
    pub reached: Vec<(u64, u32)>,
    /// Statistics of all requests; `None` if the stream was cut off before them.
    pub last: Option<StatsFact>,
    /// The end of the load; `None` if the stream was cut off before it.
    pub stop: Option<TestStopFact>,
    /// The steps of a search for capacity; none in other runs.
    pub steps: Vec<StepEvent>,
    /// The result of each check.
    pub checks: Vec<CheckSeen>,
    /// The last line; `None` if the stream was cut off before it.
    pub end: Option<RunEndFact>,
    /// Load and events of each process.
    pub processes: ProcessesSeen,
    /// The swarm at the last complete tick; `None` before the first.
    pub last_tick: Option<LastTick>,
    /// The checks by which the run is judged anew, or while it goes on.
    pub(super) check_set: CheckSet,
    /// Whether the checks of the plan are evaluated while the run goes on.
    pub(in crate::report) judges_so_far: bool,
    pub(super) open: Option<OpenTick>,
    /// Traffic of the current tick, as far as it is added up; kept between ticks for its memory.
    pub(super) sum: TrafficSum,
    /// Phase and end of the last tick of the load, the end in milliseconds since the Unix epoch.
    pub(super) last_of_load: Option<(Phase, u64)>,
    pub(super) is_begun: bool,
    /// The previous tick's phase: in streams of earlier versions a tick in which nothing ended does not state one.
    pub(super) phase: Phase,
    pub(super) pending: Option<Pending>,
    pub(super) index: HashMap<(String, String), usize>,
}

/// Limits of each endpoint, of so many.
fn limits_of_endpoint(endpoints: usize) -> TimelineLimits {
    let TimelineLimits { points, bytes } = LIMITS_OF_ENDPOINTS;
    TimelineLimits { points: (points / endpoints).min(MAX_POINTS_PER_ENDPOINT), bytes: bytes / endpoints }
}

impl Default for RunData {
    fn default() -> Self {
        Self {
            plan: PlanSeen::default(),
            timeline: Timeline::new(LIMITS),
            phases: Vec::new(),
            endpoints: Vec::new(),
            unfinished: Vec::new(),
            errors: Vec::new(),
            samples: Samples::default(),
            causes: FailureCauses::default(),
            shards: Vec::new(),
            warnings: Vec::new(),
            more_warnings: 0,
            reached: Vec::new(),
            last: None,
            stop: None,
            steps: Vec::new(),
            checks: Vec::new(),
            end: None,
            processes: ProcessesSeen::default(),
            last_tick: None,
            check_set: CheckSet::default(),
            judges_so_far: false,
            open: None,
            sum: TrafficSum::default(),
            last_of_load: None,
            is_begun: false,
            phase: Phase::Ramp,
            pending: None,
            index: HashMap::new(),
        }
    }
}

impl RunData {
    /// The index of an endpoint; that of the rest if there are too many.
    pub(super) fn endpoint(&mut self, method: &str, name: &str) -> usize {
        let is_full = self.endpoints.len() >= MAX_ENDPOINTS - 1;
        let mut key = (method.to_owned(), name.to_owned());
        if is_full && !self.index.contains_key(&key) {
            key = (String::new(), "other".to_owned());
        }
        if let Some(place) = self.index.get(&key) {
            return *place;
        }
        let place = self.endpoints.len();
        let (method, name) = key.clone();
        self.index.insert(key, place);
        let limits = limits_of_endpoint(place + 1);
        let timeline = Timeline::new(limits);
        self.endpoints.push(EndpointSeen {
            method,
            name,
            timeline,
            failed_by_class: Vec::new(),
            warmup_failed_by_class: Vec::new(),
            warmup_content_bytes: 0,
            last: None,
            timing: None,
        });
        self.endpoints.iter_mut().for_each(|endpoint| endpoint.timeline.limit(limits));
        place
    }

    /// Whether the run is a search for capacity, whose checks are of its steps.
    #[must_use]
    pub fn is_search(&self) -> bool {
        self.plan.setting("step-time").is_some()
    }

    /// The verdict as a word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        self.end.as_ref().map_or("unknown, the stream does not say", |end| end.verdict.as_str())
    }

    /// Counts of all requests: from the last line or, if that is missing, the sum of the intervals.
    #[must_use]
    pub fn all_counts(&self) -> Counts {
        match &self.end {
            Some(end) => Counts {
                ok: end.ok,
                failed: end.failed,
                aborted: end.aborted,
                redirects: end.redirects,
                reopened: end.reopened,
            },
            None => self.phases.iter().fold(Counts::default(), |sum, phase| sum.and(&phase.counts)),
        }
    }

    /// Response times, or service times, of all requests but those of the warm-up, from the intervals.
    #[must_use]
    pub fn times(&self, of: fn(&PhaseSeen) -> &Times) -> Times {
        let mut all = Times::new(Precision::Fine);
        self.phases.iter().filter(|seen| seen.phase != Phase::Warmup).for_each(|seen| all.add(of(seen)));
        all
    }

    /// The duration of all intervals in seconds, from the start of the first to the end of the last.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let mut points = self.timeline.points();
        let first = points.next().map_or(0, |point| point.start_ms);
        let last = points.next_back().or(self.timeline.points().next()).map_or(first, |point| point.end_ms);
        last.saturating_sub(first) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_endpoints_together_stay_within_the_limits_however_many_there_are() {
        for endpoints in [1, 2, 39, 40, 41, 999, MAX_ENDPOINTS] {
            let TimelineLimits { points, bytes } = limits_of_endpoint(endpoints);
            assert!(points * endpoints <= LIMITS_OF_ENDPOINTS.points && bytes * endpoints <= LIMITS_OF_ENDPOINTS.bytes);
            assert!((2..=MAX_POINTS_PER_ENDPOINT).contains(&points), "{endpoints}");
        }
    }
}
