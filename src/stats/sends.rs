//! How late requests were sent: whether the generator kept to its schedule.

use std::time::Duration;

use super::histogram::Precision;
use super::times::{Times, micros};
use crate::load::outcome::Outcome;

/// A request sent this much after it was due, while a user was free to send it, is the generator's fault.
pub const LATE: Duration = Duration::from_millis(10);

/// Requests and how late they were sent.
#[derive(Clone, Debug)]
pub struct Sends {
    lateness: Times,
    late: u64,
}

impl Default for Sends {
    fn default() -> Self {
        Self { lateness: Times::new(Precision::Coarse), late: 0 }
    }
}

impl Sends {
    /// Counts one.
    pub fn record(&mut self, outcome: &Outcome) {
        let lateness = outcome.lateness();
        self.lateness.record(micros(lateness));
        self.late += u64::from(lateness > LATE);
    }

    /// Requests counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.lateness.sum().count
    }

    /// Those sent over [`LATE`] after they were due.
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
