//! Rates over the last complete seconds.

use crate::clock::Moment;

/// Length of the window in seconds, as in Locust.
const WINDOW: u64 = 10;

/// Number of slots: the window, the current second, and some for outcomes that arrive a little late.
const SLOTS: usize = 16;

/// Requests and failures of the last seconds, with one slot per second.
#[derive(Clone, Debug, Default)]
pub struct RecentRates {
    slots: [Second; SLOTS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: u64,
    requests: u64,
    failures: u64,
}

/// Rates per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Requests per second.
    pub requests: f64,
    /// Failures per second.
    pub failures: f64,
}

impl RecentRates {
    /// Counts a request that ended at `done`.
    pub fn record(&mut self, done: Moment, failed: bool) {
        let second = done.since_start().as_secs();
        let slot = &mut self.slots[slot_of(second)];
        if slot.number < second {
            *slot = Second { number: second, ..Second::default() };
        }
        if slot.number == second {
            slot.requests += 1;
            slot.failures += u64::from(failed);
        }
    }

    /// Rates over the last complete seconds before `now`, at most ten; 0 during the first second.
    #[must_use]
    pub fn rates(&self, now: Moment) -> Rates {
        let complete = now.since_start().as_secs();
        let first = complete.saturating_sub(WINDOW);
        if complete == first {
            return Rates::default();
        }
        let inside = self.slots.iter().filter(|slot| (first..complete).contains(&slot.number));
        let (requests, failures) = inside.fold((0, 0), |sum, slot| (sum.0 + slot.requests, sum.1 + slot.failures));
        let seconds = (complete - first) as f64;
        Rates { requests: requests as f64 / seconds, failures: failures as f64 / seconds }
    }
}

fn slot_of(second: u64) -> usize {
    // Below SLOTS, so it fits.
    usize::try_from(second % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn the_rate_is_over_complete_seconds_and_falls_to_0() {
        let mut recent = RecentRates::default();
        // 100 per second for 5 s, one in ten failed.
        (0..500).for_each(|n| recent.record(at(n * 10), n % 10 == 0));
        assert_eq!(recent.rates(at(500)), Rates::default());
        assert_eq!(recent.rates(at(3_200)), Rates { requests: 100.0, failures: 10.0 });
        assert_eq!(recent.rates(at(10_000)), Rates { requests: 50.0, failures: 5.0 });
        assert_eq!(recent.rates(at(15_000)), Rates::default());
    }

    #[test]
    fn a_slot_is_cleared_before_it_is_used_for_another_second() {
        let mut recent = RecentRates::default();
        recent.record(at(1_000), false);
        recent.record(at(17_000), false);
        // Too late to be counted: the slot already holds a later second.
        recent.record(at(1_500), false);
        assert_eq!(recent.rates(at(18_000)), Rates { requests: 0.1, failures: 0.0 });
    }
}
