//! How many users succeeded with the requests before their first task.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::NotReady;
use crate::plan::endpoint::EndpointId;

/// Counts users whose class has requests before the first task.
#[derive(Debug, Default)]
pub(in crate::load) struct Readiness {
    started: AtomicU32,
    ready: AtomicU32,
    failed: Mutex<BTreeMap<EndpointId, u64>>,
}

impl Readiness {
    /// A user begins.
    pub(in crate::load) fn begin(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    /// A user succeeded.
    pub(in crate::load) fn succeed(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    /// A request failed. Rare: a user waits before it tries again.
    pub(in crate::load) fn fail(&self, endpoint: EndpointId) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner).entry(endpoint).or_default() += 1;
    }

    /// What to say at the end; `None` if no request failed or every user succeeded.
    pub(super) fn not_ready(&self) -> Option<NotReady> {
        let (ready, started) = (self.ready.load(Ordering::Relaxed), self.started.load(Ordering::Relaxed));
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let failed: Vec<_> = failed.iter().map(|(endpoint, count)| (*endpoint, *count)).collect();
        (ready < started && !failed.is_empty()).then_some(NotReady { ready, started, failed })
    }
}
