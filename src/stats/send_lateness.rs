//! How late requests were sent: a measure of whether the generator kept to its schedule.

use std::time::Duration;

use super::histogram::Precision;
use super::times::{Times, micros};
use crate::outcome::{DueTime, Outcome};

/// A request sent this much after it was due, although a user was free to send it, is late because of the
/// generator.
pub const LATE_AFTER: Duration = Duration::from_millis(10);

/// Maximum share of late requests in a valid run.
pub const MAX_LATE_SHARE: f64 = 0.05;

/// Returns whether `late` requests out of `all` are more than [`MAX_LATE_SHARE`].
#[must_use]
pub fn is_too_many(late: u64, all: u64) -> bool {
    late as f64 > all as f64 * MAX_LATE_SHARE
}

/// Requests and how late they were sent.
#[derive(Clone, Debug)]
pub struct SendLateness {
    lateness: Times,
    /// Requests with a due time that was fixed in advance.
    scheduled: u64,
    late: u64,
}

impl Default for SendLateness {
    fn default() -> Self {
        Self { lateness: Times::new(Precision::Coarse), scheduled: 0, late: 0 }
    }
}

impl SendLateness {
    /// Counts one request.
    pub fn record(&mut self, outcome: &Outcome) {
        let lateness = outcome.lateness();
        self.lateness.record(micros(lateness));
        self.scheduled += u64::from(outcome.turn() != DueTime::WhenSent);
        self.late += u64::from(lateness > LATE_AFTER && matches!(outcome.turn(), DueTime::Free(_)));
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.lateness.add(&other.lateness);
        self.scheduled += other.scheduled;
        self.late += other.late;
    }

    /// Whether more than [`MAX_LATE_SHARE`] of the scheduled requests were late: the requested load was not
    /// generated.
    #[must_use]
    pub fn is_too_late(&self) -> bool {
        is_too_many(self.late, self.scheduled)
    }

    /// Requests with a due time that was fixed in advance: in the open model the first request of each
    /// arrival.
    #[must_use]
    pub const fn scheduled(&self) -> u64 {
        self.scheduled
    }

    /// Scheduled requests sent more than [`LATE_AFTER`] after they were due, although a user was free.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// The distribution of lateness; 1 µs for a request sent when it was due.
    #[must_use]
    pub const fn lateness(&self) -> &Times {
        &self.lateness
    }
}
