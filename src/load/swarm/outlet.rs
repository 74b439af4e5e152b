//! The way of outcomes from the users to the aggregator.

use crossbeam_channel::Sender;

use crate::outcome::Outcome;

/// A look at how full the channel is costs a cache line that another core has, so only one outcome of so many pays for
/// it, drawn by the last digits of its end: 64 senders on two cores pass on three times as many as with a look each.
/// The 128 that are counted then make up for those that did not look.
const LOOK_EVERY: u64 = 8;

/// Where users put outcomes: a channel, and who counts some when it fills.
///
/// A scheduler that is fair to threads gives the aggregator as much CPU as any of 5,000 users that are ready, and it
/// needs fifty times that: on one core it came after 0.7 to 1.4 s, with all users waiting for room. So a user that
/// finds the channel half full counts some of what is there; the other half is for the time in which somebody who
/// counts is interrupted.
#[derive(Clone)]
pub struct Outlet<'run> {
    outcomes: Sender<Outcome>,
    relieve: &'run (dyn Fn() + Sync),
}

impl<'run> Outlet<'run> {
    /// Outcomes go into a channel. `relieve` takes some out of it again and counts them, or leaves it to whoever does so
    /// already; it must not wait.
    #[must_use]
    pub const fn new(outcomes: Sender<Outcome>, relieve: &'run (dyn Fn() + Sync)) -> Self {
        Self { outcomes, relieve }
    }

    /// Hands one over; waits for room where there is none, as an outcome is never dropped. Says whether anybody is there
    /// to take it.
    #[must_use]
    pub fn put(&self, outcome: Outcome) -> bool {
        let looks = outcome.done().nanos().is_multiple_of(LOOK_EVERY);
        if looks && self.outcomes.len() > self.outcomes.capacity().unwrap_or(usize::MAX) / 2 {
            (self.relieve)();
        }
        self.outcomes.send(outcome).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{Ending, Traffic, Turn};
    use crate::plan::endpoint::EndpointId;
    use crossbeam_channel::bounded;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn users_count_while_the_aggregator_does_not_come() {
        let (sender, outcomes) = bounded(16);
        let counted = AtomicUsize::new(0);
        let relieve = || _ = counted.fetch_add(outcomes.try_iter().count(), Ordering::Relaxed);
        let outlet = Outlet::new(sender, &relieve);
        for nanos in 0..100 {
            let at = Moment::from_nanos(nanos);
            let outcome = Outcome::new(EndpointId(0), Turn::WhenSent, (at, at), Traffic::default(), Ending::Ok);
            assert!(outlet.put(outcome), "there is room, as nobody but us makes any");
        }
        assert_eq!(counted.into_inner() + outcomes.len(), 100);
    }
}
