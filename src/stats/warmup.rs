//! The requests of the warm-up, which are counted and not judged.

use super::interval::Interval;

/// Requests that completed in the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmupCounts {
    /// Completed as expected.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Failed without a response from the server.
    pub unanswered: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened.
    pub reopened: u64,
    /// Bytes of response bodies.
    pub content_bytes: u128,
}

impl WarmupCounts {
    /// Adds an interval of the warm-up.
    pub fn add(&mut self, interval: &Interval) {
        self.ok += interval.ok;
        self.failed += interval.failures();
        self.unanswered += interval.unanswered();
        self.redirects += interval.redirects;
        self.reopened += interval.reopened;
        self.content_bytes += interval.content_bytes;
    }

    /// Requests that completed.
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.ok + self.failed
    }
}
