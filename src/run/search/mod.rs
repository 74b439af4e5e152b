//! The thread that searches for capacity: it adds a step to the schedule, waits until the step has been measured and its
//! last request has ended, judges it, and decides on the next.
//!
//! Everything else is an ordinary run: one swarm, whose users, connections and data go on from step to step; one
//! aggregator; one stream.

mod ending;
mod judge;
pub(super) mod progress;

use std::time::Duration;

use crossbeam_channel::Sender;

use super::shared_aggregate::SharedAggregate;
use crate::capacity::search::{Next, Search, SearchSettings, Step};
use crate::capacity::step::{StepResult, VoidReason};
use crate::clock::Moment;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::start::Swarm;
use crate::load::swarm::steps::WithdrawnArrival;
use crate::plan::Plan;
use crate::plan::capacity::SearchPlan;
use crate::plan::schedule::stepped::{StepWindow, SteppedArrivals};
use crate::publish::snapshot::StepStage;
use crate::stats::check::CheckResult;
use crate::stats::step_counts::Withdrawn;
use crate::telemetry::record::{Record, RecordBody};
use crate::vocabulary::EndReason;
pub(super) use ending::SearchEnd;
use judge::{Judged, StepJudge};
use progress::SearchProgress;

/// From the decision on a step to its first arrival: users are woken meanwhile.
const LEAD: Duration = Duration::from_millis(20);

/// How often the drain is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// After a step this many arrivals may wait for a free user. If there are more, they are withdrawn at once: the step is not
/// one that passes, and the service would be kept busy by it for as long as it was too slow.
const MAX_WAITING: usize = 10;

/// How much longer than its timeout a request may take to be counted.
const TIMEOUT_SLACK: Duration = Duration::from_secs(1);

/// What the threads of a run share for a search.
#[derive(Debug)]
pub(super) struct SearchRun<'p> {
    plan: &'p SearchPlan,
    arrivals: SteppedArrivals,
    progress: SearchProgress,
}

impl<'p> SearchRun<'p> {
    /// A search before its first step; `None` where the plan is of another run.
    pub(super) fn of(plan: &'p Plan) -> Option<Self> {
        let load = plan.load();
        let (plan, arrivals) = (load.search()?, load.stepped_arrivals()?);
        Some(Self { plan, arrivals, progress: SearchProgress::default() })
    }

    /// The arrivals of the steps so far.
    pub(super) const fn arrivals(&self) -> &SteppedArrivals {
        &self.arrivals
    }

    /// How it goes.
    pub(super) const fn progress(&self) -> &SearchProgress {
        &self.progress
    }
}

/// Searches for capacity.
pub(super) struct SearchThread<'run> {
    pub(super) run: RunContext<'run>,
    pub(super) search: &'run SearchRun<'run>,
    pub(super) swarm: &'run Swarm<'run>,
    pub(super) shared: &'run SharedAggregate<'run>,
    /// Takes the line of each step.
    pub(super) records: Sender<Record>,
}

/// The state of a search.
struct State {
    search: Search,
    /// Requests that the roster counted before the first step.
    sent_before: u64,
    steps: u32,
    withdrawn: Vec<Withdrawn>,
    /// The steps that passed: their rates and the results of the checks.
    passed: Vec<(f64, Vec<CheckResult>)>,
    /// The results of the checks in the last step.
    last: Vec<CheckResult>,
    /// Why the last step that did not pass failed.
    reason: Option<String>,
}

/// Why a step was not measured to its end.
struct Interrupted;

impl SearchThread<'_> {
    /// Searches, and begins the stop when the answer is known.
    pub(super) fn run(self) -> SearchEnd {
        let SearchPlan { from, to, precision, .. } = *self.search.plan;
        let mut state = State {
            search: Search::new(SearchSettings { from, to, precision }),
            sent_before: self.run.roster.flight(self.run.clock.now()).sent,
            steps: 0,
            withdrawn: Vec::new(),
            passed: Vec::new(),
            last: Vec::new(),
            reason: None,
        };
        let answer = loop {
            match state.search.next() {
                Next::Done(answer) => break answer,
                Next::Step(step) => {
                    if let Err(Interrupted) = self.step(step, &mut state) {
                        match self.run.stop.reason() {
                            Some(EndReason::DataEnd) => state.search.record(&StepResult::Void(VoidReason::DataUsedUp)),
                            _ => state.search.interrupt(),
                        }
                    }
                }
            }
        };
        self.run.stop.begin(EndReason::SearchEnd);
        SearchEnd {
            answer,
            bounds: state.search.bounds(),
            steps: state.steps,
            withdrawn: state.withdrawn,
            passed: state.passed,
            last: state.last,
            reason: state.reason,
        }
    }

    /// Does a step and records its result.
    fn step(&self, step: Step, state: &mut State) -> Result<(), Interrupted> {
        let number = state.steps + 1;
        self.search.progress.begin(number, step, &state.search);
        let window = self.window(step);
        let (measured, end) = (Moment::at(window.measured), Moment::at(window.end));
        if let Some(mut counts) = self.shared.step_counts() {
            counts.begin(measured, end);
        }
        self.search.arrivals.append(window, step.rate);
        self.swarm.announce_arrivals();
        self.wait_until(measured)?;
        self.search.progress.enter(StepStage::Measuring);
        self.wait_until(end)?;
        self.search.progress.enter(StepStage::Draining);
        let before = state.withdrawn.len();
        self.drain(end, state)?;
        state.steps = number;
        let judge = StepJudge { run: self.run, swarm: self.swarm, shared: self.shared };
        let judged = judge.judge((number, step, window), &state.withdrawn[before..]);
        state.search.record(&judged.result);
        self.finish(judged, state);
        self.search.progress.end(&state.search);
        Ok(())
    }

    fn window(&self, step: Step) -> StepWindow {
        let start = self.run.clock.now().since_start() + LEAD;
        let measured = start + self.search.plan.settle;
        StepWindow { start, measured, end: measured + self.search.plan.step_time * step.kind.length() }
    }

    fn finish(&self, judged: Judged, state: &mut State) {
        if judged.has_passed() {
            state.passed.push((judged.event.rate, judged.check_results.clone()));
        }
        state.last = judged.check_results;
        if let Some(reason) = judged.event.reasons.first() {
            state.reason = Some(reason.clone());
        }
        let (at, step) = (self.run.clock.now(), Box::new(judged.event));
        // The receiver is gone only if the aggregator failed, which ends the run.
        let _ = self.records.send(Record { at, tick: None, body: RecordBody::Step { step } });
    }

    /// Waits until the requests of a step have ended and are counted. Arrivals that are not sent within the longest timeout of
    /// a request are withdrawn.
    fn drain(&self, end: Moment, state: &mut State) -> Result<(), Interrupted> {
        let timeout = self.run.plan.requests().map(|step| step.rules.timeout).max().unwrap_or_default();
        let mut withdrawn = self.swarm.withdraw(end);
        if withdrawn.len() <= MAX_WAITING {
            self.swarm.put_back(std::mem::take(&mut withdrawn));
        }
        state.withdrawn.extend(self.lost(withdrawn));
        if !self.wait_for_silence(end.after(timeout), state)? {
            state.withdrawn.extend(self.lost(self.swarm.withdraw(end)));
            // What was sent by now ends within its timeout.
            self.wait_for_silence(end.after(timeout * 2 + TIMEOUT_SLACK), state)?;
        }
        Ok(())
    }

    fn lost(&self, withdrawn: Vec<WithdrawnArrival>) -> Vec<Withdrawn> {
        let at = self.run.clock.now();
        let lost = |arrival: WithdrawnArrival| {
            let endpoint = self.swarm.endpoint_of(&arrival);
            Withdrawn { endpoint, due: arrival.due(), at }
        };
        withdrawn.into_iter().map(lost).collect()
    }

    /// Waits until no arrival is left, no user is at work and every outcome is counted; returns whether that was reached in
    /// time.
    fn wait_for_silence(&self, limit: Moment, state: &State) -> Result<bool, Interrupted> {
        loop {
            // In this order: what a user has sent is counted by the roster before the user is idle.
            let is_idle = self.swarm.is_idle();
            let sent = self.run.roster.flight(self.run.clock.now()).sent.saturating_sub(state.sent_before);
            let received = self.shared.step_counts().map_or(sent, |counts| counts.received());
            if is_idle && received >= sent {
                return Ok(true);
            }
            let now = self.run.clock.now();
            if now >= limit {
                return Ok(false);
            }
            self.wait_until(now.after(LOOK))?;
        }
    }

    fn wait_until(&self, moment: Moment) -> Result<(), Interrupted> {
        if self.run.stop.sleep_until(self.run.clock.instant(moment)) { Ok(()) } else { Err(Interrupted) }
    }
}
