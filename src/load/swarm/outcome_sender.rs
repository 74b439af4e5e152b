//! The channel for outcomes from users to the aggregator.

use crossbeam_channel::Sender;

use crate::outcome::Outcome;

/// Checking how full the channel is costs a cache line that another core holds, so only one outcome in this many does
/// it, picked by the last digits of its end time: 64 senders on two cores then pass on three times as many as with a
/// check for each. The 128 that a check then counts make up for the outcomes without one.
const CHECK_EVERY: u64 = 8;

/// Where users send outcomes: a channel, which users help to drain when it fills up.
///
/// A scheduler that is fair to threads gives the aggregator as much CPU as any one of 5,000 ready users, and it needs
/// fifty times that: on one core it ran after 0.7 to 1.4 s, with all users waiting for room. So a user that finds the
/// channel half full counts some of the outcomes; the other half is a reserve for the time in which a counting thread
/// is preempted.
#[derive(Clone)]
pub struct OutcomeSender<'run> {
    outcomes: Sender<Outcome>,
    help_count: &'run (dyn Fn() + Sync),
}

impl<'run> OutcomeSender<'run> {
    /// Sends outcomes to a channel. `relieve` counts some of what is in it, or returns at once if another thread is
    /// already doing so; it must not block.
    #[must_use]
    pub const fn new(outcomes: Sender<Outcome>, relieve: &'run (dyn Fn() + Sync)) -> Self {
        Self { outcomes, help_count: relieve }
    }

    /// Sends one outcome; waits if the channel is full, because an outcome is never dropped. Returns whether the
    /// receiver still exists.
    #[must_use]
    pub fn send(&self, outcome: Outcome) -> bool {
        let looks = outcome.done().nanos().is_multiple_of(CHECK_EVERY);
        if looks && self.outcomes.len() > self.outcomes.capacity().unwrap_or(usize::MAX) / 2 {
            (self.help_count)();
        }
        self.outcomes.send(outcome).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{DueTime, Ending, Traffic};
    use crate::plan::endpoint::EndpointId;
    use crossbeam_channel::bounded;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn users_help_counting_while_the_aggregator_is_late() {
        let (sender, outcomes) = bounded(16);
        let counted = AtomicUsize::new(0);
        let relieve = || _ = counted.fetch_add(outcomes.try_iter().count(), Ordering::Relaxed);
        let outlet = OutcomeSender::new(sender, &relieve);
        for nanos in 0..100 {
            let at = Moment::from_nanos(nanos);
            let outcome = Outcome::new(EndpointId(0), DueTime::WhenSent, (at, at), Traffic::default(), Ending::Ok);
            assert!(outlet.send(outcome), "there is room, and only users have made it");
        }
        assert_eq!(counted.into_inner() + outcomes.len(), 100);
    }
}
