//! What is, at this moment: read by the sampler, written by the users.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Numbers that go up and down during a run.
#[derive(Debug, Default)]
pub struct Gauges {
    users: AtomicU32,
    users_at_stop: OnceLock<u32>,
}

impl Gauges {
    /// A user has started.
    pub fn user_started(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// A user has ended.
    pub fn user_ended(&self) {
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    /// Users that run now.
    #[must_use]
    pub fn users(&self) -> u32 {
        self.users.load(Ordering::Relaxed)
    }

    /// Users that ran when the stop began; those that run now, as long as it has not.
    #[must_use]
    pub fn users_at_stop(&self) -> u32 {
        self.users_at_stop.get().copied().unwrap_or_else(|| self.users())
    }

    /// Remembers how many users run, before the stop sends them home.
    pub(super) fn stop_begins(&self) {
        let _ = self.users_at_stop.set(self.users());
    }
}
