//! How many users passed their `on_start`, and where the others failed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::NotReady;
use crate::plan::endpoint::EndpointId;

/// Users that have an `on_start`.
#[derive(Debug, Default)]
pub(in crate::load) struct Readiness {
    begun: AtomicU32,
    passed: AtomicU32,
    /// Failed requests of users that ended without having passed, by endpoint.
    failures: Mutex<BTreeMap<EndpointId, u64>>,
}

impl Readiness {
    /// Counts a user that begins its `on_start`.
    pub(in crate::load) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a user whose `on_start` has passed.
    pub(in crate::load) fn pass(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the failures of a user that ends without having passed.
    pub(in crate::load) fn add_failures(&self, failures: BTreeMap<EndpointId, u64>) {
        let mut all = self.lock_failures();
        for (endpoint, count) in failures {
            *all.entry(endpoint).or_default() += count;
        }
    }

    /// What is to be reported when all users have ended; `None` if none failed to get ready.
    pub(super) fn not_ready(&self) -> Option<NotReady> {
        let failures = self.lock_failures();
        // Of several with equal counts, the first written.
        let (endpoint, failures) = failures.iter().rev().max_by_key(|(_, count)| **count)?;
        let (ready, users) = (self.passed.load(Ordering::Relaxed), self.begun.load(Ordering::Relaxed));
        Some(NotReady { ready, users, endpoint: *endpoint, failures: *failures })
    }

    fn lock_failures(&self) -> MutexGuard<'_, BTreeMap<EndpointId, u64>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
