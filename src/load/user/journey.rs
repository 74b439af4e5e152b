//! A user: a thread that sends the requests before the first task, performs tasks with waits between them, and ends
//! when told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::session::{Purpose, Session};
use super::shared::{Reports, UserContext};
use super::steps::SequenceEnd;
use crate::clock::Moment;
use crate::load::swarm::arrival_queues::{Arrival, ArrivalQueues};
use crate::load::swarm::roster::UserSlot;
use crate::outcome::DueTime;
use crate::plan::journey::UserClass;
use crate::value::Wait;
use crate::vocabulary::EndReason;

/// Pause before a user repeats failed requests before its first task, and after a task that could send nothing: without
/// it the former would hammer a server in trouble, the latter keep a core busy for nothing.
const RETRY: Duration = Duration::from_secs(1);

/// A user's number in the run, and the class it belongs to, by its index.
#[derive(Clone, Copy)]
pub(in crate::load) struct UserId {
    pub(in crate::load) number: u32,
    pub(in crate::load) class: usize,
}

/// Why a user ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum UserEnd {
    /// It was told to.
    Requested,
    /// There is no data for it.
    DataEnd,
    /// A step ended it.
    Stopped,
}

/// How the steps before the first task ended.
enum Readied {
    Passed,
    /// They never passed, and the user must end for this reason.
    MustEnd(UserEnd),
}

/// The result of serving an arrival.
enum Served {
    /// It performed the task as far as possible, or the data for it is used up.
    Sent,
    /// It did not send the first request of the arrival, and must end for this reason.
    Unsent(Arrival, UserEnd),
    /// It started the task and must end for this reason.
    Last(UserEnd),
}

/// The kind of work that a user does.
#[derive(Clone, Copy)]
pub(in crate::load) enum Job<'run, 'p> {
    /// One task after another.
    Tasks,
    /// Arrivals, the first of which is already taken.
    Arrivals {
        /// The queues for further arrivals.
        lanes: &'run ArrivalQueues<'p>,
        /// The first arrival.
        first: Arrival,
    },
}

/// Does a user's work to its end, on the thread that calls. `at_work` is told, before its first request, whether
/// there is data for it.
pub(in crate::load) fn run<'run>(
    UserId { number, class }: UserId,
    shared: UserContext<'run>,
    user_slot: &'run UserSlot,
    reports: Reports<'run>,
    job: Job<'_, '_>,
    at_work: impl FnOnce(bool),
) -> UserEnd {
    user_slot.set_thread();
    // Made where it stays: as a variable of its own it would take its room on the stack twice.
    let mut user = User {
        class_number: class,
        class: &shared.run.plan.classes()[class],
        session: Session::new(number, shared, user_slot, reports),
    };
    let has_rows = user.session.take_rows(&user.class.rows);
    at_work(has_rows);
    match job {
        Job::Tasks if has_rows => user.run_closed(),
        Job::Arrivals { lanes, first } if has_rows => user.run_open(lanes, first),
        Job::Tasks => UserEnd::DataEnd,
        Job::Arrivals { lanes, first } => {
            lanes.remove_user(class);
            lanes.queue(class).give_back(first);
            UserEnd::DataEnd
        }
    }
}

/// A running user.
struct User<'run> {
    class_number: usize,
    class: &'run UserClass,
    session: Session<'run>,
}

impl User<'_> {
    /// The closed model: one task after another, with think time between them.
    fn run_closed(&mut self) -> UserEnd {
        if let Readied::MustEnd(why) = self.run_on_start() {
            return why;
        }
        let left = self.run_tasks();
        self.run_on_stop();
        left
    }

    fn run_tasks(&mut self) -> UserEnd {
        let mut turn = DueTime::WhenSent;
        while self.session.should_continue() {
            let paced = match self.class.wait {
                Wait::Pacing(pace) => Some(self.session.shared.run.clock.now().after(pace)),
                _ => None,
            };
            let before = self.session.sent();
            let task = self.class.tasks.pick(self.session.random());
            match self.session.run_task(task, turn) {
                None => return UserEnd::DataEnd,
                Some(SequenceEnd::UserMustEnd) => return UserEnd::Requested,
                Some(SequenceEnd::UserStops) => return UserEnd::Stopped,
                Some(SequenceEnd::Completed | SequenceEnd::CutShort) => {}
            }
            turn = DueTime::WhenSent;
            let next = paced.or_else(|| self.next_task());
            if self.session.sent() == before {
                let retry = self.session.shared.run.clock.now().after(RETRY);
                if !self.session.sleep_until(next.map_or(retry, |next| next.max(retry))) {
                    return UserEnd::Requested;
                }
                continue;
            }
            let Some(next) = next else { continue };
            let late = self.session.shared.run.clock.now() >= next;
            if !late && !self.session.sleep_until(next) {
                return UserEnd::Requested;
            }
            // With pacing a task is due one pace after the previous one *began*: an overrun is counted once.
            turn = match self.class.wait {
                Wait::Pacing(_) if late => DueTime::Busy(next),
                Wait::Pacing(_) => DueTime::Free(next),
                _ => DueTime::WhenSent,
            };
        }
        UserEnd::Requested
    }

    /// The open model: serves arrivals when they are due. `first` was taken for this user when it was started.
    fn run_open(&mut self, lanes: &ArrivalQueues<'_>, first: Arrival) -> UserEnd {
        let arrival_queue = lanes.queue(self.class_number);
        if let Readied::MustEnd(why) = self.run_on_start() {
            if why == UserEnd::Stopped {
                // Otherwise the next user would be started for the same arrival at once, and the next.
                self.session.sleep_until(self.session.shared.run.clock.now().after(RETRY));
                lanes.user_stopped(self.class_number);
            }
            arrival_queue.give_back(first);
            return why;
        }
        let mut next = Some(first);
        let mut is_first = true;
        let mut left = UserEnd::Requested;
        while let Some(arrival) = next {
            match self.serve(lanes, arrival, is_first) {
                Served::Sent => arrival_queue.end_task(),
                // It will be counted as not sent at the end.
                Served::Unsent(arrival, why) => {
                    if why == UserEnd::DataEnd {
                        lanes.remove_user(self.class_number);
                    }
                    arrival_queue.give_back(arrival);
                    left = why;
                    break;
                }
                Served::Last(why) => {
                    arrival_queue.end_task();
                    if why == UserEnd::Stopped {
                        lanes.user_stopped(self.class_number);
                    }
                    left = why;
                    break;
                }
            }
            // Even if no arrival is left, this user is one of those that run until the end.
            next = arrival_queue.take_or_wait(self.session.shared.run.stop.begun());
            is_first = false;
        }
        self.run_on_stop();
        left
    }

    /// Performs the task of an arrival as soon as it is due.
    fn serve(&mut self, lanes: &ArrivalQueues<'_>, arrival: Arrival, is_first: bool) -> Served {
        let Arrival { due, number } = arrival;
        let taken = self.session.shared.run.clock.now();
        if taken < due && !self.session.sleep_until(due) {
            return Served::Unsent(arrival, UserEnd::Requested);
        }
        let is_free = taken <= due || !self.was_busy(lanes, is_first);
        let turn = if is_free { DueTime::Free(due) } else { DueTime::Busy(due) };
        let before = self.session.sent();
        let task = self.class.tasks.of_arrival(self.session.shared.run.plan.load().seed, number);
        match self.session.run_task(task, turn) {
            None if self.session.shared.data.is_used_up_for(self.class) => Served::Unsent(arrival, UserEnd::DataEnd),
            // The arrival determines the task, so no other user could perform it either.
            None => {
                self.session.shared.data.count_without_data();
                Served::Sent
            }
            Some(SequenceEnd::UserMustEnd) if self.session.sent() == before => match self.session.missed_due() {
                Some(due) => Served::Unsent(Arrival { due, ..arrival }, UserEnd::Requested),
                // The user still paused before the request, which was not due then.
                None => Served::Last(UserEnd::Requested),
            },
            Some(SequenceEnd::UserMustEnd) => Served::Last(UserEnd::Requested),
            Some(SequenceEnd::UserStops) => Served::Last(UserEnd::Stopped),
            Some(SequenceEnd::Completed | SequenceEnd::CutShort) => Served::Sent,
        }
    }

    /// Whether an arrival was taken late because of the server.
    fn was_busy(&self, lanes: &ArrivalQueues<'_>, is_first: bool) -> bool {
        if is_first {
            // A user started for this arrival was late itself, unless it had requests to send before its first task.
            !self.class.on_start.is_empty()
        } else {
            // If another user could have been started, the server was not the reason.
            !lanes.may_grow(self.class_number, self.session.shared.run.roster)
        }
    }

    /// Performs the steps before the first task, repeatedly until no request of them fails.
    fn run_on_start(&mut self) -> Readied {
        if self.class.on_start.is_empty() {
            return Readied::Passed;
        }
        self.session.shared.readiness.begin();
        let mut failures = BTreeMap::new();
        let why = loop {
            match self.session.run_steps(&self.class.on_start, DueTime::WhenSent, Purpose::Start) {
                SequenceEnd::Completed => {
                    self.session.shared.readiness.pass();
                    return Readied::Passed;
                }
                SequenceEnd::UserMustEnd => break UserEnd::Requested,
                SequenceEnd::UserStops => break UserEnd::Stopped,
                SequenceEnd::CutShort => {
                    if let Some(endpoint) = self.session.take_failed_at() {
                        *failures.entry(endpoint).or_insert(0) += 1;
                    }
                }
            }
            if !self.session.sleep_until(self.session.shared.run.clock.now().after(RETRY)) {
                break UserEnd::Requested;
            }
        };
        self.session.shared.readiness.add_failures(failures);
        Readied::MustEnd(why)
    }

    /// Performs the steps after the last task, if there is time for them.
    fn run_on_stop(&mut self) {
        let is_in_time =
            !self.session.shared.run.plan.load().stop_timeout.is_zero() && !self.session.shared.run.stop.is_cut();
        // The stream is gone, so waiting for these requests is pointless.
        if is_in_time && self.session.shared.run.stop.reason() != Some(EndReason::StreamBroken) {
            self.session.limit_stop();
            self.session.run_steps(&self.class.on_stop, DueTime::WhenSent, Purpose::Stop);
        }
    }

    /// When the next task begins, unless tasks are paced; `None` means at once.
    fn next_task(&mut self) -> Option<Moment> {
        let pause = match self.class.wait {
            Wait::None | Wait::Pacing(_) => return None,
            Wait::Constant(pause) => pause,
            Wait::Between(low, high) => between(low, high, self.session.random().unit()),
        };
        Some(self.session.shared.run.clock.now().after(pause))
    }
}

fn between(low: Duration, high: Duration, at: f64) -> Duration {
    low + high.saturating_sub(low).mul_f64(at)
}
