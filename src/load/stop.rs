//! The only arrow that points back: tells everyone who sleeps or waits that the run is over.
//!
//! In two steps: when the stop *begins*, no new request starts and sleepers wake; at the *cut*, what is still in
//! flight is abandoned. Both are channels that carry nothing and are closed, for the few who wait for something else
//! as well. Users only sleep, and there are thousands of them: they park, and the roster wakes them, as a channel
//! keeps its waiters in a list that each of them searches when it wakes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::roster::{Desk, Roster};
pub use crate::vocabulary::EndReason as Reason;

/// Nothing: a channel of it can only be closed.
pub enum Never {}

/// A gate that opens once, for any number of waiting threads.
struct Gate {
    open: AtomicBool,
    closer: Mutex<Option<Sender<Never>>>,
    opened: Receiver<Never>,
}

impl Gate {
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

/// Tells everyone that the run is over.
pub struct Stop {
    begun: Gate,
    cut: Gate,
    /// Why, and when.
    reason: OnceLock<(Reason, Instant)>,
    roster: Arc<Roster>,
}

impl Stop {
    /// A stop that has not begun.
    #[must_use]
    pub fn new(roster: Arc<Roster>) -> Self {
        Self { begun: Gate::new(), cut: Gate::new(), reason: OnceLock::new(), roster }
    }

    /// Begins the stop: no new request starts. The first reason stands.
    pub fn begin(&self, reason: Reason) {
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
    pub fn reason(&self) -> Option<Reason> {
        self.reason.get().map(|(reason, _)| *reason)
    }

    /// When the stop began, once it has.
    #[must_use]
    pub fn begun_at(&self) -> Option<Instant> {
        self.reason.get().map(|(_, at)| *at)
    }

    /// When the load ended, over which rates are counted: when the stop began, but with `-n`, where every request is sent
    /// and runs to its own end. `None` until then.
    #[must_use]
    pub fn load_end(&self) -> Option<Instant> {
        // Looked at for each outcome: the flag is cheaper.
        if !self.is_begun() {
            return None;
        }
        self.reason.get().filter(|(reason, _)| *reason != Reason::Requests).map(|(_, at)| *at)
    }

    /// Sleeps until `deadline`; says whether it got there before the stop began. For a few threads; users have
    /// `park_until`.
    pub fn sleep_until(&self, deadline: Instant) -> bool {
        matches!(self.begun.opened.recv_deadline(deadline), Err(RecvTimeoutError::Timeout))
    }

    /// Parks the user at `desk` until `deadline`; says whether it got there before it was told to end.
    pub(super) fn park_until(&self, deadline: Instant, desk: &Desk) -> bool {
        while !self.is_begun() && !desk.is_dismissed() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::park_timeout(left);
        }
        false
    }

    /// Abandons what is in flight: every socket is shut down, connecting ones too, and nobody waits on.
    pub fn cut(&self) {
        self.cut.open();
        self.roster.shut_down();
    }

    /// Whether what is in flight was abandoned.
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
