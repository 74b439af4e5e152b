//! The stop, the only signal against the direction of the data: wakes everyone who sleeps or waits when the run is
//! over.
//!
//! It has two steps: when the stop *begins*, no new request starts and sleepers wake; at the *cut*, requests still in
//! flight are abandoned. Both are channels that carry nothing and get closed, so that the few threads that also wait
//! for something else can select on them. Users only sleep, and there are thousands of them, so they park and the
//! roster wakes them: a channel keeps its waiters in a list that each of them searches when it wakes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::roster::{Roster, UserSlot};
use crate::vocabulary::EndReason;

/// A type without values: a channel of it carries nothing and can only be closed.
pub enum Never {}

/// A latch that opens once, for any number of waiting threads.
struct Latch {
    open: AtomicBool,
    closer: Mutex<Option<Sender<Never>>>,
    opened: Receiver<Never>,
}

impl Latch {
    fn new() -> Self {
        let (closer, opened) = bounded(0);
        Self { open: AtomicBool::new(false), closer: Mutex::new(Some(closer)), opened }
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        drop(self.closer.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Ends a run in two steps and wakes all that wait for it.
pub struct Stop {
    begun: Latch,
    cut: Latch,
    /// The reason, and when the stop began.
    reason: OnceLock<(EndReason, Instant)>,
    roster: Arc<Roster>,
}

impl Stop {
    /// A stop that has not begun.
    #[must_use]
    pub fn new(roster: Arc<Roster>) -> Self {
        Self { begun: Latch::new(), cut: Latch::new(), reason: OnceLock::new(), roster }
    }

    /// Begins the stop: no new request starts. Only the first reason counts.
    pub fn begin(&self, reason: EndReason) {
        if self.reason.set((reason, Instant::now())).is_ok() {
            self.roster.note_stop();
            self.begun.open();
            self.roster.wake();
        }
    }

    /// Whether the stop has begun.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.begun.is_open()
    }

    /// Closed when the stop begins.
    #[must_use]
    pub const fn begun(&self) -> &Receiver<Never> {
        &self.begun.opened
    }

    /// Why the run ended, once the stop has begun.
    #[must_use]
    pub fn reason(&self) -> Option<EndReason> {
        self.reason.get().map(|(reason, _)| *reason)
    }

    /// When the stop began, once it has.
    #[must_use]
    pub fn begun_at(&self) -> Option<Instant> {
        self.reason.get().map(|(_, at)| *at)
    }

    /// When the load ended, which is the end of the time that rates are computed over: when the stop began, except with
    /// `-n`, where every request is sent and runs to its own end. `None` until then.
    #[must_use]
    pub fn load_end(&self) -> Option<Instant> {
        // This is called for each outcome, and the flag is cheaper to read.
        if !self.is_begun() {
            return None;
        }
        self.reason.get().filter(|(reason, _)| *reason != EndReason::Requests).map(|(_, at)| *at)
    }

    /// Sleeps until `deadline`; returns whether that was reached before the stop began. For a few threads; users have
    /// `park_until`.
    pub fn sleep_until(&self, deadline: Instant) -> bool {
        matches!(self.begun.opened.recv_deadline(deadline), Err(RecvTimeoutError::Timeout))
    }

    /// Parks the user of this slot until `deadline`; returns whether that was reached before the user was told to end.
    pub(in crate::load) fn park_until(&self, deadline: Instant, user_slot: &UserSlot) -> bool {
        while !self.is_begun() && !user_slot.is_dismissed() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::park_timeout(left);
        }
        false
    }

    /// Parks a user until `deadline`, also when the stop has begun; returns whether that was reached before the cut.
    pub(in crate::load) fn park_until_cut(&self, deadline: Instant) -> bool {
        while !self.is_cut() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::park_timeout(left);
        }
        false
    }

    /// Abandons what is in flight: shuts down every socket, also connecting ones, so that no thread keeps waiting, and
    /// wakes users that sleep.
    pub fn cut(&self) {
        self.cut.open();
        self.roster.wake();
        self.roster.shut_down();
    }

    /// Whether requests in flight were abandoned.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.is_open()
    }

    /// Closed at the cut.
    #[must_use]
    pub const fn cut_off(&self) -> &Receiver<Never> {
        &self.cut.opened
    }
}
