//! `setup` of a scenario: done before the clock of the run starts, so that it is part of no schedule. Its requests are
//! counted as if they had ended at the start.

use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::Notice;
use crate::load::net::connection::Dialer;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::once::{self, Setup, SetupEnd};
use crate::load::swarm::roster::Roster;
use crate::load::swarm::stop::Stop;
use crate::outcome::{Ending, Outcome};
use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::telemetry::warnings;

/// Outcomes on their way; they are received at once.
const OUTCOMES: usize = 1024;

/// How often it is checked whether the stop timeout is over.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Performs `setup` and waits for its end; returns what it left behind and its outcomes. A signal ends it like a run:
/// within the stop timeout. It has to end before the run starts, if that time is given: `planned` is its clock.
///
/// # Errors
/// Its thread could not be started.
pub(super) fn run<'p>(
    plan: &'p Plan,
    dialer: &Dialer,
    stop: &Stop,
    roster: &Roster,
    planned: Option<&Clock>,
) -> Result<(Setup<'p>, Vec<Outcome>)> {
    if plan.once().setup.is_empty() || plan.load().has_nothing_to_do() {
        return Ok((Setup::none(plan), Vec::new()));
    }
    let mut setup = Setup::none(plan);
    let clock = Clock::start_now();
    let run = RunContext { plan, clock: &clock, stop, roster };
    let (sender, received) = bounded(OUTCOMES);
    let mut outcomes = Vec::new();
    std::thread::scope(|scope| {
        let work = || once::run_setup(run, dialer, sender, &mut setup);
        let started = Builder::new().name("setup".to_owned()).spawn_scoped(scope, work);
        let thread = started.map_err(|why| Error::usage("threads", why))?;
        loop {
            match received.recv_timeout(CHECK_INTERVAL) {
                Ok(outcome) => outcomes.push(outcome),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if stop.begun_at().is_some_and(|at| at.elapsed() >= plan.load().stop_timeout) {
                stop.cut();
            }
        }
        thread.join().map_err(|panic| std::panic::resume_unwind(panic))
    })?;
    if let SetupEnd::Failed(why) = &mut setup.end {
        *why = reason(plan, &setup.notices, outcomes.last());
    }
    let late = planned.map_or(Duration::ZERO, |clock| clock.now().since_start());
    if setup.end == SetupEnd::Passed && !late.is_zero() {
        setup.end = SetupEnd::Failed(format!("it ended {:.3} s after --start-at", late.as_secs_f64()));
    }
    Ok((setup, outcomes))
}

/// Why it failed: its last request did, or it could not be sent.
fn reason(plan: &Plan, notices: &[Notice], last: Option<&Outcome>) -> String {
    if let Some((outcome, Ending::Failed(failure))) = last.map(|outcome| (outcome, outcome.ending())) {
        let Endpoint { method, name } = &plan.endpoints()[outcome.endpoint().0 as usize];
        return format!("{method} {name}: {}", failure.text());
    }
    notices.last().map_or_else(|| "it did not end".to_owned(), |notice| warnings::notice(plan, *notice).1)
}
