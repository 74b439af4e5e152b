//! A run as described by its stream: what every report shows.
//!
//! Built line by line with bounded memory: at the end of a run from the lines as they are written, and later from the
//! file, by the same code from the same numbers.

pub mod timeline;
mod intervals;
pub mod samples;
mod unfinished;
mod verdict;

use std::collections::HashMap;
use std::path::Path;

use intervals::Pending;
use samples::Samples;
use timeline::{Point, Timeline};
pub use unfinished::{Numbers, UnfinishedSeen};

use crate::clock::unix_time;
use crate::error::Result;
use crate::plan::check::{Check, MAX_CHECKS};
use crate::stats::check::CheckSet;
use crate::stats::histogram::Precision;
use crate::stats::tally::{Counts, Statistics};
use crate::stats::times::Times;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::ending::{CheckSeen, RunEndFact};
use crate::telemetry::reader::facts::{ConfigFact, ErrorRow, Fact, SettingFact, StatsFact, TargetFact, TestStopFact};
use crate::telemetry::reader::troubles::Troubles;
use crate::telemetry::reader::{StreamIdentity, StreamLine, StreamReader, StreamSummary, source};
use crate::vocabulary::{FailureClass, Phase};

/// Maximum points of a run: over an hour at one per second; in longer runs neighbours are joined.
pub const MAX_POINTS: usize = 4000;

/// Maximum points of one endpoint, and of all endpoints together.
const MAX_POINTS_PER_ENDPOINT: usize = 400;
const MAX_POINTS_OF_ENDPOINTS: usize = 16_000;

/// Maximum endpoints: as many as a run counts separately, and the rest. A stream by swarmline never has more.
const MAX_ENDPOINTS: usize = crate::stats::aggregate::MAX_ENDPOINTS + 1;

/// Maximum lines about unfinished requests: one per endpoint and phase.
const MAX_UNFINISHED: usize = MAX_ENDPOINTS * Phase::ALL.len();

/// Maximum warnings kept; further ones are only counted.
const MAX_WARNINGS: usize = 200;

/// A run as described by its stream.
#[derive(Debug)]
pub struct ReportModel {
    /// Identifies the stream.
    pub identity: StreamIdentity,
    /// Problems with the stream, which must be reported before anything else.
    pub troubles: Troubles,
    /// The run itself.
    pub run: RunData,
}

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
    unfinished: Vec<UnfinishedSeen>,
    /// In the order in which the stream's end lists them.
    pub errors: Vec<ErrorRow>,
    /// The slowest requests, and the first that failed.
    pub samples: Samples,
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
    /// The result of each check.
    pub checks: Vec<CheckSeen>,
    /// The last line; `None` if the stream was cut off before it.
    pub end: Option<RunEndFact>,
    /// The checks by which the run is judged anew.
    check_set: CheckSet,
    open: Option<(u64, Point)>,
    /// Phase and end of the last tick of the load, the end in milliseconds since the Unix epoch.
    last_of_load: Option<(Phase, u64)>,
    is_begun: bool,
    /// The previous tick's phase: a tick in which nothing ended does not state one.
    phase: Phase,
    pending: Option<Pending>,
    index: HashMap<(String, String), usize>,
}

/// Version, plan and environment of a run.
#[derive(Clone, Debug, Default)]
pub struct PlanSeen {
    /// Version of swarmline.
    pub version: String,
    /// SHA-256 of the plan.
    pub hash: String,
    /// The plan as resolved.
    pub settings: Vec<SettingFact>,
    /// Hosts that requests were sent to.
    pub targets: Vec<TargetFact>,
    /// CPUs that the generator could use.
    pub available_cpus: Option<f64>,
    /// Start of the run by the wall clock, RFC 3339.
    pub started_at: Option<String>,
}

impl PlanSeen {
    /// The value of a setting.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
    }
}

/// All requests of a phase.
#[derive(Clone, Debug)]
pub struct PhaseSeen {
    /// The phase.
    pub phase: Phase,
    /// Its length in milliseconds.
    pub duration_ms: u64,
    /// Counts.
    pub counts: Counts,
    /// Service times: from sending to the last byte.
    pub service: Times,
    /// Response times: from the due time to the last byte.
    pub response: Times,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSeen {
    /// Its method; empty for the endpoints beyond the maximum, taken together.
    pub method: String,
    /// Its name.
    pub name: String,
    /// Its requests over time.
    pub timeline: Timeline,
    /// Failures by class.
    pub failed_by_class: Vec<(FailureClass, u64)>,
    /// From the end of the stream; `None` if the stream was cut off before, or if no request completed.
    pub last: Option<Statistics>,
}

impl EndpointSeen {
    /// Method and name as shown in reports.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.method, &self.name)
    }
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamWarning {
    /// Its time, RFC 3339.
    pub time: String,
    /// Its kind, for programs.
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

impl ReportModel {
    /// Reads a stream from a file, or from standard input if the path is `-`.
    ///
    /// # Errors
    /// Exit 2: the file cannot be read, or holds more than one stream or none. Exit 130: a signal arrived before its
    /// end.
    pub fn read(path: &Path, interrupt: &Interrupt) -> Result<Self> {
        Self::judged_by(path, &[], interrupt)
    }

    /// As [`ReportModel::read`], but judges the run anew by these checks if there are any.
    ///
    /// # Errors
    /// As [`ReportModel::read`].
    pub fn judged_by(path: &Path, checks: &[Check], interrupt: &Interrupt) -> Result<Self> {
        let mut story = RunData { check_set: CheckSet::new(checks), ..RunData::default() };
        let read = source::read(path, interrupt, |line, reading| story.add_line(line, reading))?;
        let mut model = Self::new(read, story);
        if !checks.is_empty() {
            model.judge(checks);
        }
        Ok(model)
    }

    /// The model of what was read.
    pub(super) fn new(read: StreamSummary, mut story: RunData) -> Self {
        story.close_tick();
        story.place_unfinished();
        Self { identity: read.identity, troubles: read.troubles, run: story }
    }
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
            warnings: Vec::new(),
            more_warnings: 0,
            reached: Vec::new(),
            last: None,
            stop: None,
            checks: Vec::new(),
            end: None,
            check_set: CheckSet::default(),
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
    /// Adds the content of a line.
    pub fn add_line(&mut self, line: StreamLine, reading: &mut StreamReader) {
        let tick = line.tick.unwrap_or(0);
        match line.fact {
            Fact::Config(config) => self.add_config(*config),
            Fact::Interval(interval) => self.add_interval(tick, &interval, reading),
            Fact::Histogram(piece) => self.add_piece(&piece, reading),
            Fact::Cpu(gauge) => raise(&mut self.open_at(tick).gauges.cpu_percent, gauge.value),
            Fact::Mem(gauge) => raise(&mut self.open_at(tick).gauges.memory_mib, gauge.value),
            Fact::Current(row) => self.open_at(tick).gauges.users = row.user_count,
            Fact::Health(health) => self.add_health(tick, &health),
            Fact::SpawnComplete(spawned) => {
                if let Some(at) = millis(&line.time).filter(|_| self.reached.len() < MAX_WARNINGS) {
                    self.reached.push((at, spawned.user_count));
                }
            }
            Fact::CpuWarning(gauge) => {
                let detail = format!("the generator used {:.0} % of the CPUs that it may use", gauge.value);
                self.warn(line.time, "cpu", detail);
            }
            Fact::Sample(event) => self.samples.add(&event),
            Fact::Warning(warning) => self.warn(line.time, &warning.kind, warning.detail),
            Fact::Final(row) => self.last = Some(row),
            Fact::Endpoint(StatsFact { method, name, statistics, .. }) => {
                let place = self.endpoint(&method, &name);
                self.endpoints[place].last = Some(statistics);
            }
            Fact::EndpointError(row) => self.errors.push(row),
            Fact::TestStop(stop) => {
                self.end_load(&stop);
                self.stop = Some(stop);
            }
            Fact::Unfinished(unfinished) if self.unfinished.len() < MAX_UNFINISHED => {
                self.add_unfinished(&unfinished, reading);
            }
            Fact::Check(check) if self.checks.len() < MAX_CHECKS => self.checks.push(check),
            Fact::RunEnd(end) => self.end = Some(end),
            Fact::TestStart | Fact::Check(_) | Fact::Unfinished(_) | Fact::Other => {}
        }
    }

    fn add_config(&mut self, config: ConfigFact) {
        self.plan.version = config.version;
        self.plan.hash = config.plan_hash;
        self.plan.settings.extend(config.settings);
        self.plan.targets.extend(config.targets);
        self.plan.available_cpus = config.available_cpus.or(self.plan.available_cpus);
        self.plan.started_at = config.started_at.or(self.plan.started_at.take());
    }

    fn warn(&mut self, time: String, kind: &str, detail: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(StreamWarning { time, kind: kind.to_owned(), detail });
        } else {
            self.more_warnings += 1;
        }
    }

    /// The index of an endpoint; that of the rest if there are too many.
    fn endpoint(&mut self, method: &str, name: &str) -> usize {
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
        self.endpoints.push(EndpointSeen { method, name, timeline, failed_by_class: Vec::new(), last: None });
        let most = (MAX_POINTS_OF_ENDPOINTS / self.endpoints.len()).min(MAX_POINTS_PER_ENDPOINT);
        self.endpoints.iter_mut().for_each(|endpoint| endpoint.timeline.limit(most));
        place
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

/// Puts a higher value in place of a lower one.
fn raise(highest: &mut f64, value: f64) {
    *highest = highest.max(value);
}

/// Method and name of an endpoint as shown in reports.
fn title(method: &str, name: &str) -> String {
    if method.is_empty() { name.to_owned() } else { format!("{method} {name}") }
}

/// Milliseconds since the Unix epoch.
fn millis(time: &str) -> Option<u64> {
    u64::try_from(unix_time(time)?.as_millis()).ok()
}
