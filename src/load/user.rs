//! A user: a thread that asks, waits, asks again, and ends when told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::connection::Dialer;
use super::exchange::{Exchange, Exchanged, Terms};
use super::outcome::{Ending, Failure, Outcome, Turn};
use super::queue::Queue;
use super::roster::{Desk, Roster};
use super::stop::{Reason, Stop};
use crate::cli::value::Wait;
use crate::clock::{Clock, Moment};
use crate::plan::Plan;
use crate::plan::journey::Message;
use crate::plan::random::Random;

/// What all users of a run share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'run> {
    pub(super) plan: &'run Plan,
    pub(super) clock: &'run Clock,
    pub(super) dialer: &'run Dialer,
    pub(super) stop: &'run Stop,
    pub(super) roster: &'run Roster,
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

/// One user at work.
pub(super) struct User<'run> {
    shared: Shared<'run>,
    desk: &'run Desk,
    exchange: Exchange<'run>,
    random: Random,
    outcomes: &'run Sender<Outcome>,
}

impl<'run> User<'run> {
    /// User number `k`, on the thread that asks.
    pub(super) fn new(k: u32, shared: Shared<'run>, desk: &'run Desk, outcomes: &'run Sender<Outcome>) -> Self {
        desk.sit_down();
        let random = Random::seeded(shared.plan.load().seed ^ (u64::from(k) << 32));
        Self { shared, desk, exchange: Exchange::new(shared, desk), random, outcomes }
    }

    /// The closed model: one task after another, with think time between them.
    pub(super) fn work_closed(mut self) {
        let wait = self.shared.plan.load().wait;
        let mut turn = Turn::WhenSent;
        while self.is_wanted() {
            let began = self.shared.clock.now();
            if !self.ask(turn) {
                break;
            }
            let Some(next) = self.next_task(wait, began) else {
                turn = Turn::WhenSent;
                continue;
            };
            let late = self.shared.clock.now() >= next;
            if !late && !self.sleep_until(next) {
                break;
            }
            // Under pacing a task is due a pace after the one before *began*: an overrun is counted once.
            turn = match wait {
                Wait::Pacing(_) if late => Turn::Busy(next),
                Wait::Pacing(_) => Turn::Free(next),
                _ => Turn::WhenSent,
            };
        }
    }

    /// The open model: arrivals as they are due. `first` was taken for this user when it was started.
    pub(super) fn work_open(mut self, queue: &Queue<'_>, first: Moment) {
        let mut arrival = Some(first);
        let mut is_first = true;
        while let Some(due) = arrival {
            let taken = self.shared.clock.now();
            if taken < due && !self.sleep_until(due) {
                return;
            }
            // Where there was room for one more user, a late arrival is not the server's doing.
            let is_free = is_first || taken <= due || self.shared.roster.users() < self.shared.plan.load().most_users();
            let turn = if is_free { Turn::Free(due) } else { Turn::Busy(due) };
            if !self.is_wanted() || !self.ask(turn) {
                return;
            }
            is_first = false;
            arrival = queue.take();
        }
        // No arrival is left before the end, but until then this user is one of those that run.
        let _ = self.shared.stop.begun().recv();
    }

    fn is_wanted(&self) -> bool {
        !self.shared.stop.is_begun() && !self.desk.is_dismissed()
    }

    fn sleep_until(&self, moment: Moment) -> bool {
        self.shared.stop.park_until(self.shared.clock.instant(moment), self.desk)
    }

    /// Sends one request; says whether there may be another.
    fn ask(&mut self, turn: Turn) -> bool {
        match self.shared.budget.take() {
            Permit::Go => {}
            Permit::Last => self.shared.stop.begin(Reason::Requests),
            Permit::None => return false,
        }
        let task = self.shared.plan.classes()[0].tasks.pick(&mut self.random);
        let Message::Fixed(request) = &task.steps[0].message else { unreachable!("a command line has no templates") };
        let sent = self.shared.clock.now();
        self.desk.begin(sent);
        let rules = &task.steps[0].rules;
        let terms = Terms { timeout: rules.timeout, max_redirects: rules.max_redirects };
        let wire = request.wire();
        let Exchanged { sent, done, traffic, result } = self.exchange.perform(wire, terms, sent);
        self.desk.end();
        let ending = match result {
            Ok(status) if rules.expect.status.contains(status) => Ending::Ok,
            Ok(status) => Ending::Failed(Failure::Status(status)),
            Err(ending) => ending,
        };
        let outcome = Outcome::new(wire.endpoint(), turn, (sent, done), traffic, ending);
        let aborted = ending == Ending::Aborted;
        // The aggregator takes outcomes as long as there are users; it cannot be gone before.
        self.outcomes.send(outcome).is_ok() && !aborted
    }

    /// When the next task begins; `None`: at once.
    fn next_task(&mut self, wait: Wait, began: Moment) -> Option<Moment> {
        let now = || self.shared.clock.now();
        match wait {
            Wait::None => None,
            Wait::Constant(pause) => Some(now().after(pause)),
            Wait::Between(low, high) => Some(now().after(between(low, high, self.random.unit()))),
            Wait::Pacing(pace) => Some(began.after(pace)),
        }
    }
}

fn between(low: Duration, high: Duration, at: f64) -> Duration {
    low + high.saturating_sub(low).mul_f64(at)
}

/// Does user `k`'s work to its end.
pub(super) fn run(k: u32, shared: Shared<'_>, desk: &Desk, outcomes: &Sender<Outcome>, job: Job<'_, '_>) {
    let user = User::new(k, shared, desk, outcomes);
    match job {
        Job::Tasks => user.work_closed(),
        Job::Arrivals { queue, first } => user.work_open(queue, first),
    }
}

/// What a user is there for.
#[derive(Clone, Copy)]
pub(super) enum Job<'run, 'p> {
    /// Task after task.
    Tasks,
    /// Arrivals, the first of which is taken already.
    Arrivals {
        /// The others.
        queue: &'run Queue<'p>,
        /// The first.
        first: Moment,
    },
}
