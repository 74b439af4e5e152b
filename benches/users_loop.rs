//! Only the users' loop: the same users as in `swarmline run`, but their outcomes are drained and dropped. No
//! statistics, no sampler, no stream. `benches/run.py` runs it against the same server as the whole program;
//! the difference in CPU per request is the cost of statistics and stream.
//!
//! Takes the flags of `swarmline run`; only `-u -r -t` and the flags about requests have an effect.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, bounded};

use swarmline::cli::{self, Command, Invocation, RunFlags, SettingSources, Variables};
use swarmline::clock::{Clock, Moment};
use swarmline::error::{Error, Result};
use swarmline::load::net::connection::Dialer;
use swarmline::load::swarm::context::RunContext;
use swarmline::load::swarm::once::Setup;
use swarmline::load::swarm::outcome_sender::OutcomeSender;
use swarmline::load::swarm::roster::Roster;
use swarmline::load::swarm::start::Swarm;
use swarmline::load::swarm::stop::Stop;
use swarmline::machine::{limits, thread_switches};
use swarmline::outcome::Outcome;
use swarmline::plan::{Plan, ProcessContext};
use swarmline::vocabulary::EndReason;

/// The same values as in `src/run/mod.rs` and `src/run/aggregator.rs`.
const QUEUE: usize = 16 * 1024;
const DRAIN_PAUSE: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    // Cargo passes --bench, and nothing else unless this bench was selected explicitly.
    let words: Vec<OsString> = std::env::args_os().skip(1).filter(|word| word != "--bench").collect();
    if words.is_empty() {
        println!("users_loop: started by benches/run.py, with the flags of `swarmline run`");
        return ExitCode::SUCCESS;
    }
    match work(words) {
        Ok(outcomes) => {
            println!("{outcomes} outcomes dropped");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("users_loop: {why}");
            ExitCode::FAILURE
        }
    }
}

fn work(words: Vec<OsString>) -> Result<u64> {
    let line = ["swarmline", "run"].map(OsString::from).into_iter().chain(words);
    let Invocation::Command(Command::Run(flags), origins) = cli::parse(line, Variables::Ignored)? else {
        return Err(Error::usage("users_loop", "takes the flags of `swarmline run`"));
    };
    run(&flags, &origins)
}

/// Like `swarmline::run::run`, but with nothing but the users.
fn run(flags: &RunFlags, origins: &SettingSources) -> Result<u64> {
    let plan = Plan::from_flags(
        flags,
        origins,
        ProcessContext { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() },
    )?;
    limits::raise_open_files();
    let _ = thread_switches::end_restartable_sequences();
    let roster = Arc::new(Roster::default());
    let stop = Stop::new(Arc::clone(&roster));
    let dialer = Dialer::new(&plan);
    let clock = Clock::start_now();
    let run = RunContext { plan: &plan, clock: &clock, stop: &stop, roster: &roster };
    let swarm = Swarm::new(run, &dialer, Setup::none(&plan), None);
    let (sender, outcomes) = bounded(QUEUE);
    let (event_sender, _events) = bounded(4);
    let end = clock.instant(Moment::at(plan.load().run_time.unwrap_or(Duration::from_secs(1))));
    let dropped = std::thread::scope(|scope| {
        let dropping = scope.spawn(|| drain(&outcomes));
        swarm
            .start(scope, OutcomeSender::new(sender, &|| {}), event_sender)
            .map_err(|why| Error::usage("threads", why))?;
        stop.sleep_until(end);
        stop.begin(EndReason::RunTime);
        stop.cut();
        dropping.join().map_err(|_| Error::usage("threads", "the receiver panicked"))
    })?;
    Ok(dropped)
}

/// Receives outcomes like the aggregator: everything in the queue, then a pause; waits if the queue is empty.
fn drain(outcomes: &Receiver<Outcome>) -> u64 {
    let mut dropped = 0;
    loop {
        let before = dropped;
        dropped += outcomes.try_iter().count() as u64;
        if dropped > before {
            std::thread::sleep(DRAIN_PAUSE);
            continue;
        }
        let mut select = Select::new();
        select.recv(outcomes);
        select.ready();
        match outcomes.try_recv() {
            Ok(_) => dropped += 1,
            Err(why) if why.is_disconnected() => return dropped,
            Err(_) => {}
        }
    }
}
