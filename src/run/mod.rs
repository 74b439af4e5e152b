//! A run from start to end: makes the channels, starts the threads, joins them.
//!
//! It ends by ownership. Users return and drop their senders, so the aggregator's channel closes; the sampler takes a
//! last look; the aggregator hands over what it has; the last lines go to the writer, whose channel closes then. Observers
//! start before the first user, and get the final result when the stream is at its end.

mod aggregator;
mod conductor;
mod endpoints;
mod heartbeat;
mod ledger;
pub mod signals;
mod snapshots;
mod targets;
mod watch;

use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::clock::{Clock, Moment, rfc3339};
use crate::error::{Error, Exit, Result};
use crate::load::connection::Dialer;
use crate::load::outcome::Outcome;
use crate::load::outlet::Outlet;
use crate::load::roster::Roster;
use crate::load::stop::{Never, Reason, Stop};
use crate::load::swarm::Swarm;
use crate::machine::limits::{self, Limits};
use crate::machine::sampler::Sampler;
use crate::plan::Plan;
use crate::plan::many::Start;
use crate::publish::observer::Observer;
use crate::publish::snapshot::Snapshot;
use crate::publish::threads::Observers;
use crate::stats::aggregate::{Aggregate, Place as StatsPlace};
use crate::stats::check::{Bench, Kept, UnfinishedShare, unchecked};
use crate::stats::stalls::Stalls;
use crate::stats::unfinished::{Unfinished, UnfinishedCounts};
use crate::stats::verdict::{Evidence, Judgement, VerdictReason};
use crate::telemetry::ending::RunEnding;
use crate::telemetry::line::{Envelope, Source};
use crate::telemetry::ours::{Place, Target, WireShard};
use crate::telemetry::record::Record;
use crate::telemetry::recorder::Recorder;
use crate::telemetry::writer::{Batch, Tee, Writer, Written};
use aggregator::{Aggregator, Finding};
use conductor::Conductor;
use endpoints::endpoint_name;
use heartbeat::Heartbeat;
use ledger::Ledger;
use signals::Signals;
use snapshots::Snapshots;
use targets::targets;
use watch::{Grid, Watch};

/// Outcomes on their way to the aggregator, at the least. It looks every 5 ms under load; where that is too late, users
/// count from the half on, and when it is full they wait: an outcome is never dropped.
const OUTCOMES: usize = 16 * 1024;

/// Outcomes a user that have room beside each other: with every user ready to run, the aggregator's turn may come late.
const OUTCOMES_A_USER: usize = 2;

/// How much longer than the stop timeout a reader of the stream may take nothing at the end.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// What a run came to.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Arc<RunEnding>,
    /// What became of the stream.
    pub stream: Stream,
    /// Whether a second signal came.
    was_killed: bool,
}

/// What became of the stream.
#[derive(Debug)]
pub enum Stream {
    /// Every line was taken.
    Whole,
    /// Its reader went away, which ended the run.
    Closed,
    /// It could not be written to its end, which ended the run: exit 4.
    Broken(Error),
}

impl Finished {
    /// The exit code of the numbers.
    #[must_use]
    pub fn exit(&self, plan: &Plan) -> Exit {
        if self.was_killed {
            return Exit::Killed;
        }
        self.ending.judgement.exit(plan.exit_code_on_error())
    }
}

/// The readers of a run.
pub struct Readers {
    /// Exact: is shown every line of the stream by the thread that writes it, which waits for it.
    pub collector: Tee,
    /// Each gets the latest snapshot on a thread of its own, and never keeps the run.
    pub observers: Vec<Box<dyn Observer>>,
}

/// Does what the plan says.
///
/// # Errors
/// Exit 2 when a limit of the machine stands against the plan, the stream cannot be opened, or a thread not started.
pub fn run(plan: &Plan, readers: Readers) -> Result<Finished> {
    let Readers { collector, observers } = readers;
    let limits = Limits::read();
    limits.check_users(u64::from(plan.load().most_users()))?;
    let open_files = limits::raise_open_files();
    limits::raise_processes();
    let roster = Arc::new(Roster::default());
    let stop = Arc::new(Stop::new(Arc::clone(&roster)));
    let signals = Signals::install(&stop, observers.iter().any(|observer| observer.leaves_line_open()))?;
    let dialer = Dialer::new(plan);
    let targets = targets(plan, &dialer);

    let clock = start(plan.start())?;
    let source = plan.shard().map_or(Source::Local, |shard| Source::Worker(shard.index()));
    let envelope = Envelope::new(source, plan.run_id(), plan.testplan(), clock);
    let stop_writing = Arc::clone(&stop);
    let on_failure = move || stop_writing.begin(Reason::StreamBroken);
    let wait = |pause| stop.sleep_until(Instant::now() + pause);
    let (writer, batches) = Writer::start(&plan.stream().sink, envelope, collector, on_failure, &wait)?;

    // A signal ends the waiting, and the run, in order.
    stop.sleep_until(clock.instant(Moment::START));
    let sampler = Sampler::new();
    let process_age = sampler.process_age();
    let recorder = Recorder::new(plan, clock, limits::available_cpus(), process_age);
    let place = place((plan, &clock), targets, (&limits, open_files));
    let mut watch = Watch {
        sampler,
        clock: &clock,
        roster: &roster,
        stop: &stop,
        writer_cpu: writer.cpu(),
        open_files_limit: open_files,
        heartbeat: Heartbeat::default(),
    };
    let grid = grid(plan, &clock);
    let first = watch.look(grid.first());
    let observers = Observers::start(observers, clock)?;
    let snapshots = Snapshots::new(plan, &roster, clock, &observers);
    let room = plan.load().most_users() as usize * OUTCOMES_A_USER + OUTCOMES;
    let (sender, outcomes) = bounded(room);
    let counting = (Aggregate::new(plan.endpoints().len()), Stalls::new(plan.stream().interval));
    let ledger = Ledger::new(outcomes, counting, &stop, clock);
    let aggregator = Aggregator::start(recorder, (plan, &clock, &stop, &ledger), snapshots, batches, place, first);
    let crew = Crew { plan, clock: &clock, stop: &stop, roster: &roster, dialer: &dialer, signals: &signals };
    let (finding, end) = crew.work(aggregator, watch, (sender, &ledger))?;
    let patience = plan.load().stop_timeout.saturating_add(READER_PATIENCE);
    let (finished, last) = finish(&crew, finding, end, (&writer, patience));
    observers.finish(last, &finished.ending);
    Ok(finished)
}

/// The clock of a run that starts when the plan says.
fn start(start: Start) -> Result<Clock> {
    match start {
        Start::Now => Ok(Clock::start_now()),
        Start::Aligned(step) => Ok(Clock::start_aligned(step)),
        Start::At(unix) => Clock::start_at(unix)
            .map_err(|ago| Error::usage("--start-at", format!("{} was {} s ago", rfc3339(unix), ago.as_secs_f64()))),
    }
}

/// Where the run takes place.
fn place((plan, clock): (&Plan, &Clock), targets: Vec<Target>, (limits, open_files_limit): (&Limits, u64)) -> Place {
    Place {
        shard: plan.shard().map(|shard| WireShard {
            index: shard.index(),
            count: shard.count(),
            engine: plan.engine(),
        }),
        shards: None,
        targets,
        available_cpus: limits::available_cpus(),
        open_files_limit,
        memory_limit_bytes: limits.memory_bytes,
        started_at: rfc3339(clock.unix(Moment::START)),
        started_monotonic: monotonic_seconds() - clock.now().since_start().as_secs_f64(),
    }
}

/// When the stream ticks: where there are other shards, when they do.
fn grid(plan: &Plan, clock: &Clock) -> Grid {
    let interval = plan.stream().interval;
    match plan.shard() {
        None => Grid::from_start(interval),
        Some(_) => Grid::of_wall_clock(interval, clock.unix(Moment::START)),
    }
}

/// Seconds of the host's monotonic clock, which other processes of the host share.
fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// What the threads of a run share.
struct Crew<'run> {
    plan: &'run Plan,
    clock: &'run Clock,
    stop: &'run Stop,
    roster: &'run Roster,
    dialer: &'run Dialer,
    signals: &'run Signals,
}

impl Crew<'_> {
    /// When the stop began; now, where it has not.
    fn stopped_at(&self) -> Moment {
        self.stop.begun_at().map_or_else(|| self.clock.now(), |at| self.clock.moment(at))
    }

    /// Starts the threads and waits for their end; gives what was counted, and what was left over.
    fn work<'p>(
        &self,
        aggregator: Aggregator<'p>,
        watch: Watch<'_>,
        (outcomes, ledger): (Sender<Outcome>, &Ledger<'_>),
    ) -> Result<(Finding<'p>, LeftOver)> {
        let swarm = Swarm::new(self.plan, self.clock, self.dialer, self.stop, self.roster);
        let relieve = || ledger.relieve();
        let outlet = Outlet::new(outcomes, &relieve);
        let (look_sender, looks) = bounded(1);
        let (event_sender, events) = bounded(4);
        let (users_ended, over): (Sender<Never>, Receiver<Never>) = bounded(0);
        std::thread::scope(|scope| {
            let counting = Builder::new()
                .name("aggregator".to_owned())
                .spawn_scoped(scope, move || {
                    let _end = EndOfRun(self.stop);
                    aggregator.run(&looks, &events)
                })
                .map_err(cannot_start)?;
            let grid = grid(self.plan, self.clock);
            Builder::new()
                .name("sampler".to_owned())
                .spawn_scoped(scope, move || watch.run(grid, &over, &look_sender))
                .map_err(cannot_start)?;
            let users = swarm.raise(scope, outlet, event_sender).map_err(cannot_start)?;
            let conductor = Conductor { load: self.plan.load(), clock: self.clock, stop: self.stop };
            conductor.conduct(&users, self.signals.first());
            drop(users_ended);
            let mut finding = match counting.join() {
                Ok(finding) => finding,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            let stopped = self.stopped_at();
            let unfinished = finding.aggregate.unfinished(&finding.phases, stopped, swarm.unsent(stopped));
            Ok((finding, LeftOver { unfinished, without_data: swarm.without_data(stopped) }))
        })
    }
}

/// What was due and did not come to its end.
struct LeftOver {
    unfinished: Vec<(StatsPlace, Unfinished)>,
    /// Requests for which the data was used up.
    without_data: u64,
}

/// Ends the run when it is dropped: without the aggregator no line can tell of it, and users would go on and count.
struct EndOfRun<'run>(&'run Stop);

impl Drop for EndOfRun<'_> {
    fn drop(&mut self) {
        // After a proper end the stop has begun, and the first reason stands.
        self.0.begin(Reason::StreamBroken);
    }
}

fn cannot_start(why: std::io::Error) -> Error {
    Error::usage("threads", why)
}

/// Judges the run and writes the last lines; gives the last snapshot too.
fn finish(
    crew: &Crew<'_>,
    finding: Finding<'_>,
    left_over: LeftOver,
    (writer, patience): (&Writer, Duration),
) -> (Finished, Snapshot) {
    let Crew { plan, stop, clock, roster, .. } = crew;
    let Finding { mut recorder, aggregate, mut bench, batches, last, waiting, faults, mut snapshots, .. } = finding;
    let reason = stop.reason().unwrap_or(Reason::Signal);
    // With -n all requests end by themselves, and their rate is over the time until the last one did.
    let load_end = if reason == Reason::Requests { aggregate.last_done() } else { crew.stopped_at() };
    let judgement = judge(plan, &aggregate, &mut bench, faults, (&left_over, load_end));
    let was_killed = crew.signals.came_again();
    let exit = if was_killed { Exit::Killed } else { judgement.exit(plan.exit_code_on_error()) };
    let ending = RunEnding {
        at: clock.now(),
        stopped_at: crew.stopped_at(),
        reason,
        users: roster.users_at_stop(),
        load_end,
        unfinished: left_over.unfinished,
        judgement,
        exit_code: exit.code(),
    };
    let tick = last.as_ref().map(|(look, _)| (look.tick, recorder.phase(*look)));
    let snapshot = snapshots.last(&ending, &aggregate, tick);
    let tick = last.map(|(look, count)| recorder.tick(look, &aggregate, &count)).unwrap_or_default();
    let lines = waiting.into_iter().chain(tick).chain(recorder.finish(&ending, &aggregate));
    let delivered = deliver(lines, &batches, writer, patience);
    drop(batches);
    let stream = match delivered.map_or_else(|broken| broken, |()| writer.wait(patience)) {
        Written::All => Stream::Whole,
        Written::Closed => Stream::Closed,
        Written::Broken(why) => Stream::Broken(Error::invalid(plan.stream().sink.to_string(), why)),
    };
    (Finished { ending: Arc::new(ending), stream, was_killed }, snapshot)
}

/// What the run comes to.
fn judge(
    plan: &Plan,
    aggregate: &Aggregate,
    bench: &mut Bench,
    faults: Vec<VerdictReason>,
    (left_over, load_end): (&LeftOver, Moment),
) -> Judgement {
    let mut unfinished = UnfinishedCounts::default();
    for (place, part) in &left_over.unfinished {
        unfinished.add(&part.counts);
        bench.add_unfinished(&UnfinishedShare {
            endpoint: &endpoint_name(plan, *place),
            phase: part.phase,
            service: Kept::Counted(&part.service),
            response: Kept::Counted(&part.response),
        });
    }
    let counts = aggregate.counts();
    if plan.shard().is_some() {
        // A shard may have nothing to do, and how much of the run has not ended is only known once all shards are merged.
        if counts.sent() + unfinished.unsent == 0 && faults.is_empty() {
            return Judgement::pass();
        }
        unfinished = UnfinishedCounts::default();
    }
    Judgement::of(Evidence {
        counts,
        answered: aggregate.whole().answered(),
        unfinished,
        faults,
        rulings: bench.rulings(load_end.since_start()),
        unchecked: unchecked_failures(plan, aggregate),
        without_data: left_over.without_data,
    })
}

/// Failed requests that no check is about.
fn unchecked_failures(plan: &Plan, aggregate: &Aggregate) -> u64 {
    let failures: Vec<(String, u64)> = aggregate
        .endpoints()
        .iter()
        .map(|endpoint| (endpoint_name(plan, endpoint.place), endpoint.tally.counts().failed))
        .collect();
    unchecked(plan.checks(), failures.iter().map(|(name, failed)| (name.as_str(), *failed)))
}

/// Hands the last lines over, a few at a time, so that they need not all be in memory.
fn deliver(
    lines: impl Iterator<Item = Record>,
    batches: &Sender<Batch>,
    writer: &Writer,
    patience: Duration,
) -> std::result::Result<(), Written> {
    const AT_ONCE: usize = 64;
    let mut lines = lines.peekable();
    while lines.peek().is_some() {
        writer.take(batches, lines.by_ref().take(AT_ONCE).collect(), patience)?;
    }
    Ok(())
}
