//! The schedule of users and arrivals. Pure, without clock: the same plan gives the same schedule.
//!
//! Users and arrivals are numbered from 0 in order over the whole run: shard i of N has user or arrival k if
//! k mod N = i, at the same time as here, and all shards together produce the schedule of one host.
//!
//! Times are whole nanoseconds, rates and targets whole trillionths (the decimal number that was typed), and
//! sums are 128-bit integers: no count is off by one because of a float.

pub mod arrivals;
mod curve;
pub mod stepped;
pub mod users;

use std::time::Duration;

/// The ramp of the closed model: user k (numbered from 0) starts at k / spawn rate.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    users: u32,
    /// Users per second, in trillionths; at least 1.
    rate: u128,
}

impl Ramp {
    /// A ramp to `users` at `users_a_second`; both must be above 0. The rate is limited to one user per
    /// nanosecond.
    #[must_use]
    pub fn new(users: u32, users_a_second: f64) -> Self {
        assert!(users > 0 && users_a_second > 0.0, "flags and scenario refuse a ramp that goes nowhere");
        Self { users, rate: curve::trillionths(users_a_second).max(1) }
    }

    /// The number of users at the end of the ramp.
    #[must_use]
    pub const fn users(&self) -> u32 {
        self.users
    }

    /// When user `k` starts, since the start of the run, rounded down to the nanosecond; `None` for a user
    /// that is not part of the ramp.
    #[must_use]
    pub fn due(&self, k: u32) -> Option<Duration> {
        (k < self.users).then(|| curve::nanoseconds(u128::from(k) * curve::ONE_AT_ONE / self.rate))
    }

    /// When the last user starts.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.due(self.users - 1).unwrap_or_default()
    }

    /// The number of users that should be running at `at`.
    #[must_use]
    pub fn wanted(&self, at: Duration) -> u32 {
        // With rounding down, k / rate is at most t exactly if k is below (t + 1 ns) * rate.
        let below = (at.as_nanos() + 1).saturating_mul(self.rate).div_ceil(curve::ONE_AT_ONE);
        u32::try_from(below).unwrap_or(u32::MAX).min(self.users)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_start_at_k_over_the_spawn_rate() {
        for (rate, numerator, denominator) in [
            (0.1, 1, 10_u128),
            (0.3, 3, 10),
            (1.0, 1, 1),
            (7.0, 7, 1),
            (1000.0, 1000, 1),
            (100_000.0, 100_000, 1),
            (1e6, 1_000_000, 1),
            (1_000_000.1, 10_000_001, 10),
        ] {
            let ramp = Ramp::new(10_000, rate);
            for k in 0..10_000 {
                let exact = u128::from(k) * denominator * 1_000_000_000 / numerator;
                assert_eq!(ramp.due(k).unwrap().as_nanos(), exact, "user {k} at {rate}/s");
                assert!(k == 0 || ramp.due(k - 1) <= ramp.due(k));
            }
            assert_eq!(ramp.due(10_000), None);
            assert_eq!(ramp.end(), ramp.due(9_999).unwrap());
        }
    }

    #[test]
    fn hopeless_rates_are_late_but_do_not_panic() {
        for rate in [f64::MIN_POSITIVE, 1e-300, 1e-12, 1e9, 1e300, f64::MAX, f64::INFINITY] {
            let ramp = Ramp::new(u32::MAX, rate);
            assert!(ramp.due(1).is_some() && ramp.end() >= ramp.due(1).unwrap(), "{rate}");
            assert_eq!(ramp.wanted(Duration::ZERO), 1);
            assert!(ramp.wanted(Duration::MAX) > 1);
        }
    }

    #[test]
    fn the_target_number_of_users_is_the_number_due() {
        for rate in [0.3, 1.0, 7.0, 1e8, 1e9] {
            let ramp = Ramp::new(5, rate);
            for k in 0..5 {
                let due = ramp.due(k).unwrap();
                assert_eq!(ramp.wanted(due), k + 1, "at the start of user {k} at {rate}/s");
                assert_eq!(ramp.wanted(due.saturating_sub(Duration::from_nanos(1))), k.max(1), "just before");
            }
            assert_eq!(ramp.wanted(Duration::MAX), 5);
        }
    }
}
