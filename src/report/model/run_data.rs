//! The contents of a stream, as far as its lines were added.

use std::collections::HashMap;

use super::causes::FailureCauses;
use super::pending::Pending;
use super::processes::{LastTick, ProcessesSeen};
use super::samples::Samples;
use super::seen::{EndpointSeen, PhaseSeen, PlanSeen, StreamWarning, UnfinishedSeen};
use super::timeline::{Point, Timeline};
use crate::stats::check::CheckSet;
use crate::stats::histogram::Precision;
use crate::stats::tally::Counts;
use crate::stats::times::Times;
use crate::telemetry::reader::ending::{CheckSeen, RunEndFact};
use crate::telemetry::reader::facts::{ErrorRow, StatsFact, TestStopFact};
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::Phase;

/// Maximum points of a run: over an hour at one per second; in longer runs neighbours are joined.
const MAX_POINTS: usize = 4000;

/// Maximum points of one endpoint, and of all endpoints together.
const MAX_POINTS_PER_ENDPOINT: usize = 400;
const MAX_POINTS_OF_ENDPOINTS: usize = 16_000;

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
    pub(super) open: Option<(u64, Point)>,
    /// Phase and end of the last tick of the load, the end in milliseconds since the Unix epoch.
    pub(super) last_of_load: Option<(Phase, u64)>,
    pub(super) is_begun: bool,
    /// The previous tick's phase: in streams of earlier versions a tick in which nothing ended does not state one.
    pub(super) phase: Phase,
    pub(super) pending: Option<Pending>,
    pub(super) index: HashMap<(String, String), usize>,
}

impl Default for RunData {
    fn default() -> Self {
        Self {
            plan: PlanSeen::default(),
            timeline: Timeline::new(MAX_POINTS),
            phases: Vec::new(),
            endpoints: Vec::new(),
            unfinished: Vec::new(),
            errors: Vec::new(),
            samples: Samples::default(),
            causes: FailureCauses::default(),
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
        let timeline = Timeline::new(MAX_POINTS_PER_ENDPOINT);
        let failed_by_class = Vec::new();
        self.endpoints.push(EndpointSeen { method, name, timeline, failed_by_class, last: None, timing: None });
        let most = (MAX_POINTS_OF_ENDPOINTS / self.endpoints.len()).min(MAX_POINTS_PER_ENDPOINT);
        self.endpoints.iter_mut().for_each(|endpoint| endpoint.timeline.limit(most));
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

    /// Counts of the whole run: from the last line or, if that is missing, the sum of the intervals.
    #[must_use]
    pub fn counts(&self) -> Counts {
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

    /// All response times, or all service times, from the intervals.
    #[must_use]
    pub fn times(&self, of: fn(&PhaseSeen) -> &Times) -> Times {
        let mut all = Times::new(Precision::Fine);
        self.phases.iter().for_each(|phase| all.add(of(phase)));
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
