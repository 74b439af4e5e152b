//! Shared aggregate and its outcome queue; users help drain it when the aggregator falls behind.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crossbeam_channel::Receiver;

use crate::clock::Clock;
use crate::load::swarm::stop::Stop;
use crate::outcome::Outcome;
use crate::request_log::RequestLog;
use crate::stats::aggregate::Aggregate;
use crate::stats::stalls::Stalls;
use crate::stats::step_counts::StepCounts;

/// Outcomes counted under one lock: some 10 µs, so that the counting thread is seldom preempted while it holds the
/// lock, and no user waits long.
const MAX_PER_LOCK: usize = 128;

/// The queue of outcomes, and the totals of those already counted.
pub(super) struct SharedAggregate<'run> {
    outcomes: Receiver<Outcome>,
    aggregate: Mutex<Aggregate>,
    stalls: Mutex<Stalls>,
    /// The current step of a search for capacity.
    steps: Option<Mutex<StepCounts>>,
    stop: &'run Stop,
    clock: Clock,
    log: Option<&'run RequestLog>,
}

impl<'run> SharedAggregate<'run> {
    /// An empty aggregate. `stop` provides the end of the load.
    pub(super) fn new(
        outcomes: Receiver<Outcome>,
        aggregate: Aggregate,
        stalls: Stalls,
        stop: &'run Stop,
        clock: Clock,
    ) -> Self {
        Self {
            outcomes,
            aggregate: Mutex::new(aggregate),
            stalls: Mutex::new(stalls),
            steps: None,
            stop,
            clock,
            log: None,
        }
    }

    /// The same, with a log that every counted outcome is offered to.
    pub(super) fn with_log(self, log: Option<&'run RequestLog>) -> Self {
        Self { log, ..self }
    }

    /// The same, which counts the steps of a search for capacity too.
    pub(super) fn with_steps(self, steps: Option<StepCounts>) -> Self {
        Self { steps: steps.map(Mutex::new), ..self }
    }

    /// The current step of a search for capacity; `None` in other runs.
    pub(super) fn step_counts(&self) -> Option<MutexGuard<'_, StepCounts>> {
        Some(self.steps.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The log of single requests, if there is one.
    pub(super) const fn log(&self) -> Option<&'run RequestLog> {
        self.log
    }

    /// The outcomes that wait to be counted.
    pub(super) const fn outcomes(&self) -> &Receiver<Outcome> {
        &self.outcomes
    }

    /// The totals so far.
    pub(super) fn aggregate(&self) -> MutexGuard<'_, Aggregate> {
        self.aggregate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stalls so far.
    pub(super) fn stalls(&self) -> MutexGuard<'_, Stalls> {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what is in the queue, at most `most` outcomes; returns how many.
    pub(super) fn count(&self, most: usize) -> usize {
        let mut counted = 0;
        while counted < most {
            // The lock is released in between, because a user that would help does not wait for it.
            let some = self.count_some(&mut self.aggregate(), MAX_PER_LOCK.min(most - counted));
            counted += some;
            if some < MAX_PER_LOCK {
                break;
            }
        }
        counted
    }

    /// Makes room: counts some of what is in the queue, unless another thread is already counting.
    pub(super) fn help_count(&self) {
        match self.aggregate.try_lock() {
            Ok(mut aggregate) => _ = self.count_some(&mut aggregate, MAX_PER_LOCK),
            Err(TryLockError::Poisoned(poisoned)) => _ = self.count_some(&mut poisoned.into_inner(), MAX_PER_LOCK),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// Takes the final totals out.
    pub(super) fn take_totals(&self) -> Aggregate {
        std::mem::replace(&mut *self.aggregate(), Aggregate::new(0))
    }

    fn count_some(&self, aggregate: &mut Aggregate, most: usize) -> usize {
        let mut outcomes = self.outcomes.try_iter().take(most).peekable();
        if outcomes.peek().is_none() {
            return 0;
        }
        let mut steps = self.step_counts();
        let mut stalls = self.stalls();
        stalls.outcomes_received(self.clock.now());
        let mut counted = 0;
        for outcome in outcomes {
            // Read after the outcome was received: if that ended after the load did, the end is known by now.
            if let Some(end) = self.stop.load_end() {
                aggregate.end_load(self.clock.moment(end));
            }
            aggregate.record(&outcome);
            if let Some(log) = self.log {
                log.offer(&outcome);
            }
            stalls.record(&outcome);
            if let Some(steps) = &mut steps {
                steps.record(&outcome);
            }
            counted += 1;
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{DueTime, Ending, Traffic};
    use crate::plan::endpoint::EndpointId;
    use crate::vocabulary::Phase;
    use crossbeam_channel::bounded;
    use std::sync::Arc;
    use std::thread::ScopedJoinHandle;
    use std::time::Duration;

    fn outcome() -> Outcome {
        let at = Moment::from_nanos(1);
        Outcome::new(EndpointId(0), DueTime::WhenSent, (at, at), Traffic::default(), Ending::Ok)
    }

    #[test]
    fn no_more_are_counted_than_requested_while_users_send_more() {
        let (sender, outcomes) = bounded(1000);
        let stop = Stop::new(Arc::default());
        let stalls = Stalls::new(Duration::from_secs(3));
        let shared = SharedAggregate::new(outcomes, Aggregate::new(1), stalls, &stop, Clock::start_now());
        (0..1000).for_each(|_| sender.send(outcome()).unwrap());
        assert_eq!(shared.count(300), 300);
        assert_eq!(shared.count(usize::MAX), 700);
    }

    #[test]
    fn each_outcome_is_counted_once_whichever_thread_counts() {
        let (sender, outcomes) = bounded(64);
        let stop = Stop::new(Arc::default());
        let shared = SharedAggregate::new(
            outcomes,
            Aggregate::new(1),
            Stalls::new(Duration::from_secs(3)),
            &stop,
            Clock::start_now(),
        );
        std::thread::scope(|scope| {
            let user = || {
                for _ in 0..5000 {
                    shared.help_count();
                    sender.send(outcome()).unwrap();
                }
            };
            let users: Vec<_> = (0..4).map(|_| scope.spawn(user)).collect();
            // Like the aggregator: all users may wait for room at once, when the one that made some waits too.
            while !users.iter().all(ScopedJoinHandle::is_finished) {
                shared.count(10);
            }
        });
        shared.count(usize::MAX);
        let mut aggregate = shared.take_totals();
        aggregate.close_interval(Phase::Steady);
        assert_eq!(aggregate.counts().ok, 20_000);
    }
}
