//! How late requests were sent: whether the generator kept to its schedule.

use std::time::Duration;

use super::histogram::Precision;
use super::times::{Times, micros};
use crate::outcome::{Outcome, Turn};

/// A request sent this much after it was due, while a user was free to send it, is the generator's fault.
pub const LATE: Duration = Duration::from_millis(10);

/// A larger share of late requests makes a run not valid.
pub const MOST_LATE: f64 = 0.05;

/// Whether so many of `all` that were late are more than [`MOST_LATE`].
#[must_use]
pub fn is_too_many(late: u64, all: u64) -> bool {
    late as f64 > all as f64 * MOST_LATE
}

/// Requests and how late they were sent.
#[derive(Clone, Debug)]
pub struct Sends {
    lateness: Times,
    /// Those that were due at a time fixed before.
    scheduled: u64,
    late: u64,
}

impl Default for Sends {
    fn default() -> Self {
        Self { lateness: Times::new(Precision::Coarse), scheduled: 0, late: 0 }
    }
}

impl Sends {
    /// Counts one.
    pub fn record(&mut self, outcome: &Outcome) {
        let lateness = outcome.lateness();
        self.lateness.record(micros(lateness));
        self.scheduled += u64::from(outcome.turn() != Turn::WhenSent);
        self.late += u64::from(lateness > LATE && matches!(outcome.turn(), Turn::Free(_)));
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.lateness.add(&other.lateness);
        self.scheduled += other.scheduled;
        self.late += other.late;
    }

    /// Whether more than [`MOST_LATE`] of those that were scheduled were late: the load was not what was asked for.
    #[must_use]
    pub fn is_too_late(&self) -> bool {
        is_too_many(self.late, self.scheduled)
    }

    /// Requests that were due at a time fixed before: in the open model the first of each arrival.
    #[must_use]
    pub const fn scheduled(&self) -> u64 {
        self.scheduled
    }

    /// Those sent over [`LATE`] after they were due, while a user was free for them.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// How late they were; 1 µs where a request was sent when it was due.
    #[must_use]
    pub const fn lateness(&self) -> &Times {
        &self.lateness
    }
}
