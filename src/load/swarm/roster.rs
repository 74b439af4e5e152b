//! The users on duty: what each is at, how to wake it, and which sockets it holds.
//!
//! Written by the users, read by the sampler; the stop wakes everyone by it, and the cut finds every socket in it.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::Thread;

use rustix::net::{Shutdown, shutdown};

use crate::clock::Moment;
use crate::event::Flight;

/// The users on duty.
#[derive(Debug, Default)]
pub struct Roster {
    users: AtomicU32,
    users_at_stop: OnceLock<u32>,
    desks: Mutex<Desks>,
}

#[derive(Debug, Default)]
struct Desks {
    all: Vec<Arc<Desk>>,
    /// Left by users that have ended; the next one takes it over, counts included.
    free: Vec<Arc<Desk>>,
}

/// What one user is at. On cache lines of its own: it is written twice a request.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(in crate::load) struct Desk {
    /// Requests begun.
    sent: AtomicU64,
    /// When the one under way was sent, in nanoseconds since the start and one more; 0 when none is.
    since: AtomicU64,
    /// Told to end after its request.
    dismissed: AtomicBool,
    hold: Mutex<Hold>,
}

#[derive(Debug, Default)]
struct Hold {
    thread: Option<Thread>,
    sockets: Vec<Weak<OwnedFd>>,
}

impl Desk {
    /// A request begins.
    pub(in crate::load) fn begin(&self, sent: Moment) {
        // Only this user writes, so a load and a store are enough.
        self.sent.store(self.sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.since.store(sent.nanos() + 1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(in crate::load) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// The user's thread is this one.
    pub(in crate::load) fn sit_down(&self) {
        self.hold().thread = Some(std::thread::current());
    }

    /// Tells the user to end after its request.
    pub(super) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether the user was told to end.
    pub(in crate::load) fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::Relaxed)
    }

    /// Puts a socket where the cut finds it.
    pub(in crate::load) fn keep(&self, socket: &Arc<OwnedFd>) {
        let mut hold = self.hold();
        hold.sockets.retain(|held| held.strong_count() > 0);
        hold.sockets.push(Arc::downgrade(socket));
    }

    fn wake(&self) {
        if let Some(thread) = &self.hold().thread {
            thread.unpark();
        }
    }

    fn shut_down(&self) {
        for socket in self.hold().sockets.iter().filter_map(Weak::upgrade) {
            // A socket that is not connected or already closed has nothing to shut down.
            let _ = shutdown(socket, Shutdown::Both);
        }
    }

    fn hold(&self) -> std::sync::MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roster {
    /// A user comes on duty.
    pub(super) fn enter(&self) -> Arc<Desk> {
        self.users.fetch_add(1, Ordering::Relaxed);
        let mut desks = self.desks();
        let desk = desks.free.pop().unwrap_or_else(|| {
            let desk = Arc::new(Desk::default());
            desks.all.push(Arc::clone(&desk));
            desk
        });
        desk.dismissed.store(false, Ordering::Relaxed);
        desk
    }

    /// A user has ended.
    pub(in crate::load) fn leave(&self, desk: Arc<Desk>) {
        *desk.hold() = Hold::default();
        self.desks().free.push(desk);
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    /// A user has ended before it was told to: whoever is to dismiss it still knows its desk, so nobody else gets that.
    pub(super) fn retire(&self, desk: &Desk) {
        *desk.hold() = Hold::default();
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
    pub(super) fn note_stop(&self) {
        let _ = self.users_at_stop.set(self.users());
    }

    /// Wakes every user that sleeps.
    pub(super) fn wake(&self) {
        self.desks().all.iter().for_each(|desk| desk.wake());
    }

    /// Shuts every socket down, connecting ones too.
    pub(super) fn shut_down(&self) {
        self.desks().all.iter().for_each(|desk| desk.shut_down());
    }

    /// Looks over all desks: about a microsecond for a hundred users.
    #[must_use]
    pub fn flight(&self, now: Moment) -> Flight {
        let mut flight = Flight::default();
        for desk in &self.desks().all {
            flight.sent += desk.sent.load(Ordering::Relaxed);
            if let Some(since) = desk.since.load(Ordering::Relaxed).checked_sub(1) {
                flight.in_flight += 1;
                flight.oldest = flight.oldest.max(now.since(Moment::from_nanos(since)));
            }
        }
        flight
    }

    fn desks(&self) -> std::sync::MutexGuard<'_, Desks> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_under_way_is_seen_and_what_was_sent_is_kept() {
        let roster = Roster::default();
        let at = |seconds| Moment::at(Duration::from_secs(seconds));
        let (first, second) = (roster.enter(), roster.enter());
        first.begin(at(0));
        first.end();
        first.begin(at(1));
        second.begin(at(2));
        let flight = roster.flight(at(4));
        assert_eq!(flight, Flight { sent: 3, in_flight: 2, oldest: Duration::from_secs(3) });
        first.end();
        roster.leave(first);
        assert_eq!(roster.users(), 1);
        let third = roster.enter();
        assert_eq!(roster.flight(at(4)).sent, 3, "a desk keeps its count for the next user");
        third.begin(at(4));
        assert_eq!(roster.flight(at(4)).sent, 4);
    }
}
