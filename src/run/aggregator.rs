//! The thread that counts outcomes and decides what is written to the stream.

use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError};

use super::endpoints::endpoint_name;
use super::sampler_thread::Observation;
use super::shared_aggregate::SharedAggregate;
use super::snapshots::Snapshots;
use crate::clock::{Clock, Moment};
use crate::event::Notice;
use crate::event::{SwarmEvent, SwarmEventKind};
use crate::load::swarm::context::RunContext;
use crate::load::swarm::stop::Stop;
use crate::outcome::Outcome;
use crate::plan::{LoadModel, Plan};
use crate::request_log::RequestLog;
use crate::request_log::ending::{LogEnd, LogWarning};
use crate::stats::aggregate::{Aggregate, AggregateWarning, EndpointInterval};
use crate::stats::check::{CheckInput, CheckSet};
use crate::stats::send_lateness::is_too_many;
use crate::stats::unfinished::PhaseSpans;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::own_records::RunEnvironment;
use crate::telemetry::record::Record;
use crate::telemetry::recorder::{Recorder, setup_failed};
use crate::telemetry::tick::{TickCounts, TickSample};
use crate::telemetry::warnings;
use crate::telemetry::writer::{Batch, thread_cpu_time};
use crate::vocabulary::EndReason;
use crate::vocabulary::Phase;
use crate::vocabulary::ReasonKind;

/// Pause between two checks for outcomes under load: a receiver that waits in the channel costs each sender a wake-up
/// (measured: 0.23 µs per outcome without, several with).
const DRAIN_PAUSE: Duration = Duration::from_millis(5);

/// Maximum outcomes counted at a time: less than a millisecond of work. If this thread is preempted then among
/// thousands of ready users, it runs again a second later, and no other thread can count meanwhile; what it leaves in
/// the queue, users count.
const MAX_AT_ONCE: usize = 8 * 1024;

/// Counts outcomes and produces the lines of the stream.
pub(super) struct Aggregator<'p> {
    plan: &'p Plan,
    recorder: Recorder<'p>,
    shared: &'p SharedAggregate<'p>,
    /// The checks of the run.
    checks: CheckSet,
    clock: Clock,
    stop: &'p Stop,
    snapshots: Snapshots<'p>,
    batches: Sender<Batch>,
    /// Records for which the writer had no room yet.
    pending: Vec<Record>,
    faults: Vec<VerdictReason>,
    phases: PhaseSpans,
    /// Ticks merged into the next one.
    joined: u64,
}

/// What the aggregator receives besides outcomes.
pub(super) struct AggregatorInputs {
    /// Samples of machine and users.
    pub(super) looks: Receiver<Observation>,
    /// Events of the swarm.
    pub(super) events: Receiver<SwarmEvent>,
    /// The lines about the steps of a search for capacity.
    pub(super) steps: Receiver<Record>,
}

/// The aggregator's results when the run is over.
pub(super) struct FinalCounts<'p> {
    pub(super) recorder: Recorder<'p>,
    pub(super) aggregate: Aggregate,
    pub(super) checks: CheckSet,
    pub(super) batches: Sender<Batch>,
    pub(super) last: Option<(TickSample, TickCounts)>,
    pub(super) pending: Vec<Record>,
    pub(super) faults: Vec<VerdictReason>,
    pub(super) phases: PhaseSpans,
    pub(super) snapshots: Snapshots<'p>,
    pub(super) log: Option<LogEnd>,
}

impl<'p> Aggregator<'p> {
    /// Creates an aggregator, which first reports start, plan and the tick of t = 0.
    pub(super) fn start(
        recorder: Recorder<'p>,
        run: RunContext<'p>,
        shared: &'p SharedAggregate<'p>,
        snapshots: Snapshots<'p>,
        batches: Sender<Batch>,
        place: RunEnvironment,
        first: TickSample,
    ) -> Self {
        let RunContext { plan, clock, stop, .. } = run;
        let mut aggregator = Self {
            plan,
            shared,
            // Checks are evaluated on all shards together, when they are merged, and in a search on each step.
            checks: CheckSet::new(if plan.shard().is_some() || plan.load().search().is_some() {
                &[]
            } else {
                plan.checks()
            }),
            clock: *clock,
            stop,
            snapshots,
            batches,
            pending: recorder.start(place),
            recorder,
            faults: Vec::new(),
            phases: PhaseSpans::default(),
            joined: 0,
        };
        aggregator.tick(first, 0);
        aggregator
    }

    /// Runs until all users have ended and the last observation has arrived.
    pub(super) fn run(mut self, inputs: &AggregatorInputs) -> FinalCounts<'p> {
        let AggregatorInputs { looks, events, steps } = inputs;
        let outcomes = self.shared.outcomes();
        let last = loop {
            let counted = self.shared.count(MAX_AT_ONCE);
            self.snapshots.pulse(self.clock.now(), || self.shared.aggregate(), self.stop.is_begun());
            for event in events.try_iter() {
                self.handle_event(&event);
            }
            self.take_steps(steps);
            match looks.try_recv() {
                Ok(Observation::Tick(sample)) => {
                    let queue = outcomes.len();
                    // What was done before the sample belongs to its tick: what waits, and one outcome of each user that may
                    // be waiting for room. No more than that: on a busy machine users fill the queue as fast as it is
                    // emptied, and the tick, with its checks, would not come.
                    self.shared.count(queue + sample.users as usize);
                    self.tick(sample, queue);
                    continue;
                }
                Ok(Observation::Last(sample)) => {
                    self.shared.count(usize::MAX);
                    events.try_iter().for_each(|event| self.handle_event(&event));
                    self.take_steps(steps);
                    self.note_stall(&sample);
                    let shared = self.shared;
                    break Some((sample, self.cut(&mut shared.aggregate(), sample, 0)));
                }
                Err(TryRecvError::Disconnected) => break None,
                Err(TryRecvError::Empty) => {}
            }
            if counted == MAX_AT_ONCE {
                // The queue fills so fast that a pause would let it overflow.
            } else if counted > 0 {
                std::thread::sleep(DRAIN_PAUSE);
            } else {
                wait_for_any(outcomes, inputs);
            }
        };
        self.note_warnings();
        self.note_lateness();
        self.note_stalls();
        let log = self.shared.log().map(RequestLog::finish);
        self.note_log(log.as_ref().and_then(LogEnd::warning));
        let Self { recorder, shared, checks, batches, pending, faults, phases, snapshots, .. } = self;
        let aggregate = shared.take_totals();
        FinalCounts { recorder, aggregate, checks, batches, last, pending, faults, phases, snapshots, log }
    }

    fn handle_event(&mut self, event: &SwarmEvent) {
        match &event.kind {
            SwarmEventKind::SpawnFailed { why, .. } => {
                self.fault(ReasonKind::Generator, format!("not all users could be started: {why}"));
            }
            SwarmEventKind::SetupFailed { why } => self.fault(ReasonKind::Setup, setup_failed(why)),
            SwarmEventKind::Notice(notice @ Notice::DataFailed(_)) => {
                self.fault(ReasonKind::Data, warnings::notice(self.plan, *notice).1);
            }
            _ => {}
        }
        self.pending.extend(self.recorder.swarm_event(event));
        self.hand_over();
    }

    fn take_steps(&mut self, steps: &Receiver<Record>) {
        let before = self.pending.len();
        self.pending.extend(steps.try_iter());
        if self.pending.len() > before {
            self.hand_over();
        }
    }

    fn note_warnings(&mut self) {
        let remarks = self.shared.aggregate().take_warnings();
        for remark in remarks {
            if matches!(remark, AggregateWarning::OwnLimit(_)) {
                self.fault(ReasonKind::Generator, warnings::aggregate_warning(remark).1);
            }
            self.pending.push(self.recorder.aggregate_warning(self.clock.now(), remark));
        }
    }

    fn note_log(&mut self, warning: Option<LogWarning>) {
        if let Some((kind, detail)) = warning {
            self.pending.push(self.recorder.fault(self.clock.now(), kind, &detail));
        }
    }

    /// A generator that did not keep to the schedule of arrivals has measured another load than the requested one. The
    /// closed model has no such schedule: each user keeps a pace for itself.
    fn note_lateness(&mut self) {
        let aggregate = self.shared.aggregate();
        let (late, scheduled) = (aggregate.sends().late(), aggregate.sends().scheduled());
        let load = self.plan.load();
        // Arrivals that no user could take were due as well; with -n only as many were requested as were sent.
        let end = aggregate.load_end(self.clock.now());
        let end = load.run_time.map_or(end, |run_time| end.min(Moment::at(run_time)));
        let due = load.arrivals_due(end).filter(|_| load.requests.is_none());
        let all = scheduled.max(due.map_or(0, whole));
        if matches!(load.model, LoadModel::Open { .. }) && is_too_many(late, all) {
            let fault = format!("{late} of {all} requests were sent over 10 ms late although a user was free");
            self.pending.push(self.recorder.fault(self.clock.now(), "generator_late", &fault));
            drop(aggregate);
            self.fault(ReasonKind::Generator, fault);
        }
    }

    /// A generator that stood still has made requests appear slower than the server was.
    fn note_stalls(&mut self) {
        let stalls = self.shared.stalls();
        let (stalled, seen, total) = stalls.counts();
        if stalls.is_too_much() {
            let seconds = tenths(total);
            let fault =
                format!("{stalled} of {seen} requests were affected by pauses of this machine, {seconds} s in total");
            drop(stalls);
            self.fault(ReasonKind::Generator, fault);
        }
    }

    /// Checks whether the machine stood still since the previous sample.
    fn note_stall(&mut self, sample: &TickSample) {
        let length = self.shared.stalls().evaluate(sample.overslept, sample.machine.at);
        if let Some(length) = length {
            let detail = format!(
                "this process stood still for {} s: requests that were under way or due then took longer by that, which \
                 the server did not cause",
                tenths(length)
            );
            self.pending.push(self.recorder.fault(sample.machine.at, "generator_stalled", &detail));
        }
    }

    fn fault(&mut self, kind: ReasonKind, text: String) {
        self.faults.push(VerdictReason::new(kind, text));
    }

    /// Reports a tick, unless the writer is behind: then the next tick gets longer, and no line is lost.
    fn tick(&mut self, sample: TickSample, queue: usize) {
        self.note_warnings();
        self.note_log(self.shared.log().and_then(RequestLog::take_warning));
        self.note_stall(&sample);
        if self.batches.is_full() {
            self.joined += 1;
        } else {
            // The lock is held so that nothing is counted between the end of the interval and the totals.
            let shared = self.shared;
            let mut aggregate = shared.aggregate();
            let count = self.cut(&mut aggregate, sample, queue);
            let phase = self.recorder.phase(sample);
            let records = self.recorder.tick(sample, &aggregate, &count);
            self.snapshots.tick((sample, phase), (&aggregate, &self.checks), &count, &records);
            self.pending.extend(records);
            if self.checks.should_abort(aggregate.load_end(sample.machine.at).since_start()) {
                self.stop.begin(EndReason::CheckAbort);
            }
        }
        self.hand_over();
    }

    /// Closes the interval.
    fn cut(&mut self, aggregate: &mut Aggregate, sample: TickSample, queue: usize) -> TickCounts {
        let (phase, end) = (self.recorder.phase(sample), sample.machine.at);
        let cuts = aggregate.close_interval(phase);
        // A phase ends when its last tick was due: what is due at that moment is of the next.
        self.phases.push(sample.due, phase);
        if !self.checks.is_empty() {
            // Rates are computed over the time of the load.
            let end = if phase == Phase::Drain { end } else { aggregate.load_end(end) };
            self.checks.add_phase_time(phase, end.since(self.recorder.interval_start()));
            for EndpointInterval { key: place, interval, .. } in &cuts {
                self.checks.add(&CheckInput::from_interval(&endpoint_name(self.plan, *place), phase, interval));
            }
        }
        TickCounts {
            cuts,
            sends: aggregate.take_sends(),
            queue,
            joined: std::mem::take(&mut self.joined),
            aggregator_cpu: thread_cpu_time(),
        }
    }

    /// Hands over pending records if the writer has room; never waits for it.
    fn hand_over(&mut self) {
        // This is the only sender, so a channel that is not full now cannot be full below.
        if !self.batches.is_full() && !self.pending.is_empty() {
            // If this fails, the writer has failed and has begun the stop; counting goes on regardless.
            let _ = self.batches.try_send(std::mem::take(&mut self.pending));
        }
    }
}

/// Waits until there is something to do.
fn wait_for_any(outcomes: &Receiver<Outcome>, inputs: &AggregatorInputs) {
    let AggregatorInputs { looks, events, steps } = inputs;
    let mut select = Select::new();
    let looking = select.recv(looks);
    select.recv(outcomes);
    select.recv(events);
    select.recv(steps);
    let ready = select.ready();
    // A closed channel is always ready: once the users have ended, only the last observation is worth waiting for.
    if ready != looking && outcomes.is_empty() && events.is_empty() && steps.is_empty() {
        let mut select = Select::new();
        select.recv(looks);
        let _ = select.ready_timeout(DRAIN_PAUSE);
    }
}

/// Seconds to a tenth.
fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// The integer part of a count.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, cut to whole ones")]
const fn whole(count: f64) -> u64 {
    count as u64
}
