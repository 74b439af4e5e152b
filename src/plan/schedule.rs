//! What is due when. Pure: no clock, the same for the same plan.

use std::time::Duration;

/// The ramp of the closed model: user k (counted from 0) starts at k / spawn rate.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    users: u32,
    users_a_second: f64,
}

impl Ramp {
    /// A ramp to `users` at `users_a_second`, both above 0.
    #[must_use]
    pub fn new(users: u32, users_a_second: f64) -> Self {
        assert!(users > 0 && users_a_second > 0.0, "flags and scenario refuse a ramp that goes nowhere");
        Self { users, users_a_second }
    }

    /// How many users there are when the ramp is done.
    #[must_use]
    pub const fn users(&self) -> u32 {
        self.users
    }

    /// When user `k` starts, since the start of the run; `None` for a user that the ramp does not have.
    #[must_use]
    pub fn due(&self, k: u32) -> Option<Duration> {
        /// Centuries: a start that far off is as good as never, and every sum with it stays in range.
        const NEVER: f64 = 1e10;
        (k < self.users).then(|| Duration::from_secs_f64((f64::from(k) / self.users_a_second).min(NEVER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_start_at_k_over_the_spawn_rate() {
        for rate in [0.1, 0.3, 1.0, 7.0, 1000.0, 100_000.0] {
            let ramp = Ramp::new(10_000, rate);
            for k in 0..10_000 {
                let exact = f64::from(k) / rate;
                let due = ramp.due(k).unwrap().as_secs_f64();
                assert!((due - exact).abs() <= 1e-9 * exact.max(1.0), "user {k} at {rate}/s");
                assert!(k == 0 || ramp.due(k - 1) <= ramp.due(k));
            }
            assert_eq!(ramp.due(10_000), None);
        }
        assert!(Ramp::new(2, 1e-300).due(1).is_some(), "a hopeless rate is late, not a panic");
    }
}
