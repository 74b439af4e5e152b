//! A user: a thread that asks, waits, asks again, and stops when told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::connection::Dialer;
use super::exchange::Exchange;
use super::gauges::Gauges;
use super::outcome::{Ending, Outcome};
use super::stop::{Reason, Stop};
use crate::cli::value::Wait;
use crate::clock::{Clock, Moment};
use crate::plan::Plan;
use crate::plan::random::{Random, seed_of};

/// What all users of a run share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'run> {
    pub(super) plan: &'run Plan,
    pub(super) clock: &'run Clock,
    pub(super) dialer: &'run Dialer,
    pub(super) stop: &'run Stop,
    pub(super) gauges: &'run Gauges,
    pub(super) budget: &'run Budget,
}

/// How many requests may still be started.
#[derive(Debug)]
pub(super) struct Budget(Option<AtomicU64>);

/// What a user may do about its next request.
enum Permit {
    Go,
    /// This one, and none after it, by anyone.
    Last,
    None,
}

impl Budget {
    /// `None`: as many as there is time for.
    pub(super) fn new(requests: Option<u64>) -> Self {
        Self(requests.map(AtomicU64::new))
    }

    fn take(&self) -> Permit {
        let Some(left) = &self.0 else { return Permit::Go };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match taken {
            Ok(1) => Permit::Last,
            Ok(_) => Permit::Go,
            Err(_) => Permit::None,
        }
    }
}

/// Runs user number `k` until the stop begins; sends one outcome a request.
pub(super) fn run(k: u32, shared: Shared<'_>, outcomes: &Sender<Outcome>) {
    let mut random = Random::seeded(seed_of(shared.plan.run_id()) ^ (u64::from(k) << 32));
    let mut exchange = Exchange::new(shared.plan, shared.clock, shared.dialer, shared.stop);
    let requests = shared.plan.requests();
    let desk = shared.gauges.desk(k);
    let mut due = None;
    while !shared.stop.is_begun() {
        match shared.budget.take() {
            Permit::Go => {}
            Permit::Last => shared.stop.begin(Reason::Requests),
            Permit::None => break,
        }
        let request = if requests.len() == 1 { &requests[0] } else { &requests[random.below(requests.len())] };
        let began = shared.clock.now();
        desk.begin(began);
        let outcome = exchange.perform(request, due);
        desk.end();
        let aborted = outcome.ending() == Ending::Aborted;
        // The aggregator takes outcomes as long as there are users; it cannot be gone before.
        if outcomes.send(outcome).is_err() || aborted {
            break;
        }
        due = next_due(shared.plan.load().wait, began, shared.clock, &mut random);
        let sleeps = due.filter(|due| *due > shared.clock.now());
        if sleeps.is_some_and(|due| !shared.stop.sleep_until(shared.clock.instant(due))) {
            break;
        }
        if !matches!(shared.plan.load().wait, Wait::Pacing(_)) {
            due = None;
        }
    }
}

/// When the next task begins; `None`: at once. Under pacing that is also when it is due: an overrun is counted once,
/// as the task after it is due a pace after *its* beginning.
fn next_due(wait: Wait, began: Moment, clock: &Clock, random: &mut Random) -> Option<Moment> {
    match wait {
        Wait::None => None,
        Wait::Constant(pause) => Some(clock.now().after(pause)),
        Wait::Between(low, high) => Some(clock.now().after(between(low, high, random.unit()))),
        Wait::Pacing(pace) => Some(began.after(pace)),
    }
}

fn between(low: Duration, high: Duration, at: f64) -> Duration {
    low + high.saturating_sub(low).mul_f64(at)
}
