//! What is, at this moment: written by the users, read by the sampler.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock::Moment;

/// Numbers that go up and down during a run.
#[derive(Debug, Default)]
pub struct Gauges {
    users: AtomicU32,
    users_at_stop: OnceLock<u32>,
    desks: Mutex<Vec<Arc<Desk>>>,
}

/// What one user is at. On a cache line of its own: it is written twice a request.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Desk {
    /// Requests begun.
    sent: AtomicU64,
    /// When the one under way was sent, in nanoseconds since the start and one more; 0 when none is.
    since: AtomicU64,
}

impl Desk {
    /// A request begins.
    pub(super) fn begin(&self, sent: Moment) {
        // Only this user writes, so a load and a store are enough.
        self.sent.store(self.sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.since.store(sent.nanos() + 1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

/// The requests of all users at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Requests begun so far.
    pub sent: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Age of the oldest of them; zero without any.
    pub oldest: Duration,
}

impl Gauges {
    /// A user has started.
    pub fn user_started(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// A user has ended.
    pub fn user_ended(&self) {
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    /// Users that run now.
    #[must_use]
    pub fn users(&self) -> u32 {
        self.users.load(Ordering::Relaxed)
    }

    /// Users that ran when the stop began; those that run now, as long as it has not.
    #[must_use]
    pub fn users_at_stop(&self) -> u32 {
        self.users_at_stop.get().copied().unwrap_or_else(|| self.users())
    }

    /// Remembers how many users run, before the stop sends them home.
    pub(super) fn stop_begins(&self) {
        let _ = self.users_at_stop.set(self.users());
    }

    /// The desk of user `k`, the same each time that user starts.
    pub(super) fn desk(&self, k: u32) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let k = k as usize;
        if desks.len() <= k {
            desks.resize_with(k + 1, Arc::default);
        }
        Arc::clone(&desks[k])
    }

    /// Looks over all desks: a microsecond for a hundred users.
    #[must_use]
    pub fn flight(&self, now: Moment) -> Flight {
        let mut flight = Flight::default();
        for desk in self.desks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            flight.sent += desk.sent.load(Ordering::Relaxed);
            if let Some(since) = desk.since.load(Ordering::Relaxed).checked_sub(1) {
                flight.in_flight += 1;
                flight.oldest = flight.oldest.max(now.since(Moment::from_nanos(since)));
            }
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_seen_and_what_was_sent_is_kept() {
        let gauges = Gauges::default();
        let at = |seconds| Moment::at(Duration::from_secs(seconds));
        let (first, second) = (gauges.desk(0), gauges.desk(5));
        first.begin(at(0));
        first.end();
        first.begin(at(1));
        second.begin(at(2));
        let flight = gauges.flight(at(4));
        assert_eq!(flight, Flight { sent: 3, in_flight: 2, oldest: Duration::from_secs(3) });
        first.end();
        second.end();
        assert_eq!(gauges.flight(at(4)), Flight { sent: 3, in_flight: 0, oldest: Duration::ZERO });
    }
}
