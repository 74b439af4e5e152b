//! The running users: what each is doing, how to wake it, and which sockets it has open.
//!
//! Written by the users, read by the sampler. The stop uses it to wake all users, the cut to find all sockets.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::Thread;

use rustix::net::{Shutdown, shutdown};

use crate::clock::Moment;
use crate::event::Flight;

/// The running users.
#[derive(Debug, Default)]
pub struct Roster {
    users: AtomicU32,
    users_at_stop: OnceLock<u32>,
    slots: Mutex<UserSlots>,
}

#[derive(Debug, Default)]
struct UserSlots {
    all: Vec<Arc<UserSlot>>,
    /// Slots of users that have ended; the next user reuses one, counts included.
    free: Vec<Arc<UserSlot>>,
}

/// The state of one user. On cache lines of its own, because it is written twice per request.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(in crate::load) struct UserSlot {
    /// Requests started.
    sent: AtomicU64,
    /// When the current request was sent, in nanoseconds since the start plus one; 0 if there is none.
    since: AtomicU64,
    /// Whether the user was told to end after its current request.
    dismissed: AtomicBool,
    handles: Mutex<SlotHandles>,
}

#[derive(Debug, Default)]
struct SlotHandles {
    thread: Option<Thread>,
    sockets: Vec<Weak<OwnedFd>>,
}

impl UserSlot {
    /// Records the start of a request.
    pub(in crate::load) fn begin(&self, sent: Moment) {
        // Only this user writes, so a load and a store are enough.
        self.sent.store(self.sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.since.store(sent.nanos() + 1, Ordering::Relaxed);
    }

    /// Records the end of the request.
    pub(in crate::load) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Records the current thread as the user's.
    pub(in crate::load) fn set_thread(&self) {
        self.lock_handles().thread = Some(std::thread::current());
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

    /// Registers a socket so that the cut finds it.
    pub(in crate::load) fn register_socket(&self, socket: &Arc<OwnedFd>) {
        let mut hold = self.lock_handles();
        hold.sockets.retain(|held| held.strong_count() > 0);
        hold.sockets.push(Arc::downgrade(socket));
    }

    fn wake(&self) {
        if let Some(thread) = &self.lock_handles().thread {
            thread.unpark();
        }
    }

    fn shut_down(&self) {
        for socket in self.lock_handles().sockets.iter().filter_map(Weak::upgrade) {
            // A socket that is not connected or already closed has nothing to shut down.
            let _ = shutdown(socket, Shutdown::Both);
        }
    }

    fn lock_handles(&self) -> std::sync::MutexGuard<'_, SlotHandles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roster {
    /// Adds a user and returns its slot.
    pub(super) fn enter(&self) -> Arc<UserSlot> {
        self.users.fetch_add(1, Ordering::Relaxed);
        let mut user_slots = self.lock_slots();
        let user_slot = user_slots.free.pop().unwrap_or_else(|| {
            let user_slot = Arc::new(UserSlot::default());
            user_slots.all.push(Arc::clone(&user_slot));
            user_slot
        });
        user_slot.dismissed.store(false, Ordering::Relaxed);
        user_slot
    }

    /// A slot for setup or teardown, which are of no user.
    pub(super) fn enter_apart(&self) -> Arc<UserSlot> {
        let user_slot = Arc::new(UserSlot::default());
        self.lock_slots().all.push(Arc::clone(&user_slot));
        user_slot
    }

    /// Removes a user that has ended.
    pub(in crate::load) fn leave(&self, user_slot: Arc<UserSlot>) {
        *user_slot.lock_handles() = SlotHandles::default();
        self.lock_slots().free.push(user_slot);
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    /// Removes a user that ended before it was told to. Its slot is not reused: whoever will dismiss the user still
    /// holds it, and would dismiss the next one.
    pub(super) fn retire(&self, user_slot: &UserSlot) {
        *user_slot.lock_handles() = SlotHandles::default();
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    /// Users running now.
    #[must_use]
    pub fn users(&self) -> u32 {
        self.users.load(Ordering::Relaxed)
    }

    /// Users that were running when the stop began; before that, those running now.
    #[must_use]
    pub fn users_at_stop(&self) -> u32 {
        self.users_at_stop.get().copied().unwrap_or_else(|| self.users())
    }

    /// Records how many users are running, before the stop ends them.
    pub(super) fn note_stop(&self) {
        let _ = self.users_at_stop.set(self.users());
    }

    /// Wakes all users that sleep.
    pub(super) fn wake(&self) {
        self.lock_slots().all.iter().for_each(|user_slot| user_slot.wake());
    }

    /// Shuts down all sockets, including those still connecting.
    pub(super) fn shut_down(&self) {
        self.lock_slots().all.iter().for_each(|user_slot| user_slot.shut_down());
    }

    /// Sums up all slots: about a microsecond for a hundred users.
    #[must_use]
    pub fn flight(&self, now: Moment) -> Flight {
        let mut flight = Flight::default();
        for user_slot in &self.lock_slots().all {
            flight.sent += user_slot.sent.load(Ordering::Relaxed);
            if let Some(since) = user_slot.since.load(Ordering::Relaxed).checked_sub(1) {
                flight.in_flight += 1;
                flight.oldest = flight.oldest.max(now.since(Moment::from_nanos(since)));
            }
        }
        flight
    }

    fn lock_slots(&self) -> std::sync::MutexGuard<'_, UserSlots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_in_flight_are_visible_and_sent_counts_are_kept() {
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
        assert_eq!(roster.flight(at(4)).sent, 3, "a slot keeps its count for the next user");
        third.begin(at(4));
        assert_eq!(roster.flight(at(4)).sent, 4);
    }
}
