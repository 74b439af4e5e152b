//! What the connections and the owner share: counts.

use std::sync::atomic::{AtomicU64, Ordering};

use super::request::ServerPath;

/// State shared by the connections and the owner.
#[derive(Debug, Default)]
pub(super) struct ServerState {
    requests: [AtomicU64; ServerPath::ALL.len()],
    orders: AtomicU64,
}

impl ServerState {
    /// Requests to all paths.
    pub(super) fn requests(&self) -> u64 {
        self.requests.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Requests to the paths that begin with this segment.
    pub(super) fn requests_to(&self, prefix: &str) -> u64 {
        ServerPath::named(prefix).map_or(0, |endpoint| self.requests[endpoint as usize].load(Ordering::Relaxed))
    }

    /// The number of the next order, from 1.
    pub(super) fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn count(&self, endpoint: ServerPath) {
        self.requests[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }
}
