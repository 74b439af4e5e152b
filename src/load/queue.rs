//! Arrivals of the open model on their way to users: taken in order, each once.

use std::iter::Peekable;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::plan::schedule::arrivals::{Arrivals, Due};

/// Arrivals not taken yet.
pub(super) struct Queue<'p> {
    due: Mutex<Peekable<Due<'p>>>,
    /// One that is due at the end of the run, or after it, is none of this run's.
    end: Duration,
}

impl<'p> Queue<'p> {
    /// All arrivals before `end`, if there is one.
    pub(super) fn new(arrivals: &'p Arrivals, end: Option<Duration>) -> Self {
        Self { due: Mutex::new(arrivals.due().peekable()), end: end.unwrap_or(Duration::MAX) }
    }

    /// Takes the next arrival; `None` when the schedule is over.
    pub(super) fn take(&self) -> Option<Moment> {
        self.next_if(|_| true)
    }

    /// When the next arrival is due that nobody has taken.
    pub(super) fn next_due(&self) -> Option<Moment> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.peek().copied().filter(|due| *due < self.end).map(Moment::at)
    }

    /// Takes the next arrival if it is due by `moment`.
    pub(super) fn take_until(&self, moment: Moment) -> Option<Moment> {
        self.next_if(|due| due <= moment)
    }

    fn next_if(&self, is_wanted: impl Fn(Moment) -> bool) -> Option<Moment> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.next_if(|due: &Duration| *due < self.end && is_wanted(Moment::at(*due))).map(Moment::at)
    }
}
