//! Arrivals of the open model on their way to users: taken in order, each once.

use std::iter::Peekable;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::plan::schedule::arrivals::{Arrivals, Due};

/// Arrivals not taken yet.
pub(super) struct Queue<'p> {
    due: Mutex<Peekable<Due<'p>>>,
}

impl<'p> Queue<'p> {
    /// All arrivals of a run.
    pub(super) fn new(arrivals: &'p Arrivals) -> Self {
        Self { due: Mutex::new(arrivals.due().peekable()) }
    }

    /// Takes the next arrival; `None` when the schedule is over.
    pub(super) fn take(&self) -> Option<Moment> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).next().map(Moment::at)
    }

    /// When the next arrival is due that nobody has taken.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).peek().copied().map(Moment::at)
    }

    /// Takes the next arrival if it is due by `moment`.
    pub(super) fn take_until(&self, moment: Moment) -> Option<Moment> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.next_if(|due: &Duration| Moment::at(*due) <= moment).map(Moment::at)
    }
}
