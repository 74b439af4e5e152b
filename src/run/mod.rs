//! A run from start to end: makes the channels, starts the threads, joins them.
//!
//! It ends by ownership. Users return and drop their senders, so the aggregator's channel closes; the sampler takes a
//! last sample; the aggregator hands over what it has; the last lines go to the writer, whose channel closes then. Observers
//! start before the first user, and get the final result when the stream is at its end.

mod aggregator;
mod beginning;
mod stop_controller;
mod endpoints;
mod heartbeat;
mod search;
mod setup;
mod shared_aggregate;
pub mod signals;
mod snapshots;
mod targets;
pub mod trial;
mod sampler_thread;
mod verdict;

use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, unbounded};

use crate::clock::Moment;
use crate::error::{Error, Exit, Result};
use crate::load::net::connection::Dialer;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::once::Setup;
use crate::load::swarm::outcome_sender::OutcomeSender;
use crate::load::swarm::roster::Roster;
use crate::load::swarm::start::Swarm;
use crate::load::swarm::stop::{Never, Stop};
use crate::machine::limits::{self, MachineLimits};
use crate::machine::sampler::Sampler;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::publish::observer::Observer;
use crate::publish::snapshot::Snapshot;
use crate::publish::threads::Observers;
use crate::request_log::RequestLog;
use crate::request_log::ending::LogEnd;
use crate::stats::aggregate::Aggregate;
use crate::stats::stalls::Stalls;
use crate::stats::step_counts::StepCounts;
use crate::telemetry::ending::RunEnding;
use crate::telemetry::exports::ExportCounter;
use crate::telemetry::record::Record;
use crate::telemetry::recorder::Recorder;
use crate::telemetry::sink::OpenStream;
use crate::telemetry::writer::{Batch, LineTee, Writer, Written};
use crate::vocabulary::EndReason;
use aggregator::{Aggregator, AggregatorInputs, FinalCounts};
use heartbeat::Heartbeat;
use sampler_thread::SamplerThread;
use search::{SearchEnd, SearchRun, SearchThread};
use shared_aggregate::SharedAggregate;
use signals::{AfterEnd, Signals};
use snapshots::Snapshots;
use stop_controller::StopController;
use targets::targets;
use verdict::{LeftOver, judge};

/// Minimum capacity of the outcome queue. The aggregator empties it every 5 ms under load; if that is too late, users
/// help from half full on, and when it is full they wait: an outcome is never dropped.
const OUTCOMES: usize = 16 * 1024;

/// Additional capacity per user: with every user ready to run, the aggregator may be scheduled late.
const OUTCOMES_PER_USER: usize = 2;

/// How much longer than the stop timeout a reader of the stream may stall at the end.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// The result of a run.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Arc<RunEnding>,
    /// How writing the stream ended.
    pub stream: StreamResult,
    /// How writing the log of requests ended, if there is one.
    pub log: Option<LogEnd>,
    /// Whether a second signal arrived.
    was_killed: bool,
    /// The signals that arrive after the end.
    pub after: AfterEnd,
}

/// How writing the stream ended.
#[derive(Debug)]
pub enum StreamResult {
    /// Every line was written.
    Whole,
    /// Its reader closed it, which ended the run.
    Closed,
    /// Writing it failed, which ended the run: exit 4.
    Broken(Error),
}

impl Finished {
    /// The exit code for the run's result.
    #[must_use]
    pub fn exit(&self, plan: &Plan) -> Exit {
        if self.was_killed {
            return Exit::Killed;
        }
        self.ending.assessment.exit(plan.exit_code_on_error())
    }
}

/// The readers of a run.
pub struct Readers {
    /// Exact: is shown every line of the stream by the thread that writes it, which waits for it.
    pub collector: LineTee,
    /// Each gets the latest snapshot on a thread of its own, and never keeps the run.
    pub observers: Vec<Box<dyn Observer>>,
    /// Delivers a request to stop the run as a first signal does; its sender must outlive the run.
    pub stop_requests: Receiver<()>,
    /// How pushing metrics goes, where that is done; for the lines about health.
    pub exports: Option<Arc<ExportCounter>>,
}

/// Does what the plan says.
///
/// # Errors
/// Exit 2 when a limit of the machine stands against the plan, the stream cannot be opened, or a thread not started.
pub fn run(plan: &Plan, readers: Readers) -> Result<Finished> {
    let Readers { collector, observers, stop_requests, exports } = readers;
    let limits = MachineLimits::read();
    limits.check_users(u64::from(plan.load().max_users()), plan.body_files().len() as u64)?;
    let open_files = limits::raise_open_files();
    limits::raise_processes();
    let roster = Arc::new(Roster::default());
    let stop = Arc::new(Stop::new(Arc::clone(&roster)));
    let signals = Signals::install(&stop, observers.iter().any(|observer| observer.leaves_line_open()))?;
    let dialer = Dialer::new(plan);
    let targets = targets(plan, &dialer);

    let planned = beginning::fixed_start(plan)?;
    beginning::await_hosts(plan, &dialer, (&stop, &roster))?;
    let wait = |pause| stop.sleep_until(Instant::now() + pause);
    let sink = OpenStream::open(&plan.stream().sink, &wait)?;
    let (setup, before_start) = setup::run(plan, &dialer, &stop, &roster, planned.as_ref())?;
    let clock = planned.map_or_else(|| beginning::start(plan.start()), Ok)?;
    let stop_writing = Arc::clone(&stop);
    let on_failure = move || stop_writing.begin(EndReason::StreamBroken);
    let (writer, batches) = Writer::start(sink, beginning::envelope(plan, clock), collector, on_failure)?;

    let log = plan.request_log().map(|log| RequestLog::open(plan, log, clock, &roster, &wait)).transpose()?;

    // A signal ends the wait, and the run in the usual way.
    stop.sleep_until(clock.instant(Moment::START));
    let sampler = Sampler::new();
    let process_age = sampler.process_age();
    let search = SearchRun::of(plan);
    let search = search.as_ref();
    let recorder = Recorder::new(plan, clock, limits::available_cpus(), process_age);
    let recorder = recorder.with_steps(search.map(SearchRun::arrivals));
    let place = beginning::place(plan, &clock, targets, &limits, open_files);
    let run = RunContext { plan, clock: &clock, stop: &stop, roster: &roster };
    let mut watch = SamplerThread {
        sampler,
        run,
        writer_cpu: writer.cpu(),
        open_files_limit: open_files,
        heartbeat: Heartbeat::default(),
        exports,
    };
    let first = watch.observe(beginning::grid(plan, &clock).first());
    let observers = Observers::start(observers, clock)?;
    let snapshots = Snapshots::new(plan, &roster, clock, &observers).with_search(search.map(SearchRun::progress));
    let (sender, outcomes) = bounded(plan.load().max_users() as usize * OUTCOMES_PER_USER + OUTCOMES);
    let aggregate = Aggregate::new(plan.endpoints().len());
    let shared = SharedAggregate::new(outcomes, aggregate, Stalls::new(plan.stream().interval), &stop, clock);
    let shared = shared.with_log(log.as_ref()).with_steps(search.map(|_| StepCounts::new(plan.endpoints().len())));
    let aggregator = Aggregator::start(recorder, run, &shared, snapshots, batches, place, first);
    for outcome in &before_start {
        shared.aggregate().record_before_start(outcome);
    }
    let run_threads = RunThreads { run, dialer: &dialer, signals: &signals, stop_requests: &stop_requests, search };
    let (final_counts, end) = run_threads.run(aggregator, watch, sender, &shared, setup)?;
    let patience = plan.load().stop_timeout.saturating_add(READER_PATIENCE);
    let (finished, last) = finish(&run_threads, final_counts, end, &writer, patience);
    observers.finish(last, &finished.ending);
    Ok(finished)
}

/// References shared by the threads of a run.
struct RunThreads<'run> {
    run: RunContext<'run>,
    dialer: &'run Dialer,
    signals: &'run Signals,
    stop_requests: &'run Receiver<()>,
    /// The search for capacity, if the run is one.
    search: Option<&'run SearchRun<'run>>,
}

impl RunThreads<'_> {
    /// When the stop began; the current time if it has not.
    fn stopped_at(&self) -> Moment {
        self.run.stop.begun_at().map_or_else(|| self.run.clock.now(), |at| self.run.clock.moment(at))
    }

    /// Starts the threads and waits for their end; returns the final counts and the unfinished requests.
    fn run<'p>(
        &self,
        aggregator: Aggregator<'p>,
        watch: SamplerThread<'_>,
        outcomes: Sender<Outcome>,
        shared: &SharedAggregate<'_>,
        setup: Setup<'_>,
    ) -> Result<(FinalCounts<'p>, LeftOver)> {
        let swarm = Swarm::new(self.run, self.dialer, setup, self.search.map(SearchRun::arrivals));
        let help_count = || shared.help_count();
        let outlet = OutcomeSender::new(outcomes, &help_count);
        let (sample_sender, looks) = bounded(1);
        let (event_sender, events) = bounded(4);
        let (records, steps) = self.search.map_or_else(|| (None, never()), |_| with_sender(unbounded()));
        let inputs = AggregatorInputs { looks, events, steps };
        let (users_ended, over): (Sender<Never>, Receiver<Never>) = bounded(0);
        std::thread::scope(|scope| {
            let counting = Builder::new()
                .name("aggregator".to_owned())
                .spawn_scoped(scope, move || {
                    let _end = EndOfRun(self.run.stop);
                    aggregator.run(&inputs)
                })
                .map_err(cannot_start)?;
            let grid = beginning::grid(self.run.plan, self.run.clock);
            Builder::new()
                .name("sampler".to_owned())
                .spawn_scoped(scope, move || watch.run(grid, &over, &sample_sender))
                .map_err(cannot_start)?;
            let users = swarm.start(scope, outlet, event_sender).map_err(cannot_start)?;
            let searching = self.search.zip(records).map(|(search, records)| {
                let searcher = SearchThread { run: self.run, search, swarm: &swarm, shared, records };
                Builder::new().name("search".to_owned()).spawn_scoped(scope, move || searcher.run())
            });
            let searching = searching.transpose().map_err(cannot_start)?;
            let conductor = StopController { run: self.run, requests: self.stop_requests };
            conductor.run(&users, self.signals.first());
            drop(users_ended);
            let mut final_counts = match counting.join() {
                Ok(final_counts) => final_counts,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            let search = searching.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            let stopped = self.stopped_at();
            let withdrawn = search.iter().flat_map(|search| &search.withdrawn);
            let withdrawn = withdrawn.map(|arrival| (arrival.endpoint, arrival.due, arrival.waited()));
            let unsent = withdrawn.chain(swarm.unsent(stopped));
            let unfinished = final_counts.aggregate.unfinished(&final_counts.phases, unsent);
            Ok((final_counts, LeftOver { unfinished, without_data: swarm.without_data(stopped), search }))
        })
    }
}

/// Ends the run when dropped: without the aggregator nothing would be written, and users would keep running.
struct EndOfRun<'run>(&'run Stop);

impl Drop for EndOfRun<'_> {
    fn drop(&mut self) {
        // After a normal end the stop has already begun, and only the first reason counts.
        self.0.begin(EndReason::StreamBroken);
    }
}

/// A channel whose sender may be missing.
fn with_sender<T>((sender, receiver): (Sender<T>, Receiver<T>)) -> (Option<Sender<T>>, Receiver<T>) {
    (Some(sender), receiver)
}

fn cannot_start(why: std::io::Error) -> Error {
    Error::usage("threads", why)
}

/// Judges the run and writes the last lines; gives the last snapshot too.
fn finish(
    run_threads: &RunThreads<'_>,
    final_counts: FinalCounts<'_>,
    left_over: LeftOver,
    writer: &Writer,
    patience: Duration,
) -> (Finished, Snapshot) {
    let RunContext { plan, clock, stop, roster } = run_threads.run;
    let FinalCounts {
        mut recorder,
        aggregate,
        checks: mut check_set,
        batches,
        last,
        pending: waiting,
        faults,
        mut snapshots,
        log,
        ..
    } = final_counts;
    let reason = stop.reason().unwrap_or(EndReason::Signal);
    // With -n all requests complete by themselves, and their rate is computed over the time until the last one did.
    let load_end = if reason == EndReason::Requests { aggregate.last_done() } else { run_threads.stopped_at() };
    let answer = left_over.search.as_ref().map(SearchEnd::event);
    let assessment = judge(plan, &aggregate, &mut check_set, faults, &left_over, load_end);
    let assessment = if reason == EndReason::Signal { assessment.ended_by_signal() } else { assessment };
    let was_killed = run_threads.signals.came_again();
    let exit = if was_killed { Exit::Killed } else { assessment.exit(plan.exit_code_on_error()) };
    let ending = RunEnding {
        at: clock.now(),
        stopped_at: run_threads.stopped_at(),
        reason,
        users: roster.users_at_stop(),
        load_end,
        unfinished: left_over.unfinished,
        assessment,
        answer,
        exit_code: exit.code(),
    };
    let tick = last.as_ref().map(|(sample, _)| (sample.tick, recorder.phase(*sample)));
    let snapshot = snapshots.last(&ending, &aggregate, tick);
    let tick = last.map(|(sample, count)| recorder.tick(sample, &aggregate, &count)).unwrap_or_default();
    let lines = waiting.into_iter().chain(tick).chain(recorder.finish(&ending, &aggregate));
    let delivered = deliver(lines, &batches, writer, patience);
    drop(batches);
    let stream = match delivered.map_or_else(|broken| broken, |()| writer.wait(patience)) {
        Written::All => StreamResult::Whole,
        Written::Closed => StreamResult::Closed,
        Written::Broken(why) => StreamResult::Broken(Error::invalid(plan.stream().sink.to_string(), why)),
    };
    (Finished { ending: Arc::new(ending), stream, log, was_killed, after: run_threads.signals.after_end() }, snapshot)
}

/// Hands over the last lines a few at a time, so that they need not all be in memory.
fn deliver(
    lines: impl Iterator<Item = Record>,
    batches: &Sender<Batch>,
    writer: &Writer,
    patience: Duration,
) -> std::result::Result<(), Written> {
    const AT_ONCE: usize = 64;
    let mut lines = lines.peekable();
    while lines.peek().is_some() {
        writer.hand_over(batches, lines.by_ref().take(AT_ONCE).collect(), patience)?;
    }
    Ok(())
}
