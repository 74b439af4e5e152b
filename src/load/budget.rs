//! How many requests may still be started: `-n`, exactly.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many requests may still be started.
#[derive(Debug)]
pub(super) struct Budget(Option<AtomicU64>);

/// What a user may do about its next request.
pub(super) enum Permit {
    /// Send it.
    Go,
    /// This one, and none after it, by anyone.
    Last,
    /// Not even this one.
    None,
}

impl Budget {
    /// `None`: as many as there is time for.
    pub(super) fn new(requests: Option<u64>) -> Self {
        Self(requests.map(AtomicU64::new))
    }

    /// Requests that may still be started; `None` where any number may.
    pub(super) fn left(&self) -> Option<u64> {
        self.0.as_ref().map(|left| left.load(Ordering::Relaxed))
    }

    /// Takes one.
    pub(super) fn take(&self) -> Permit {
        let Some(left) = &self.0 else { return Permit::Go };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match taken {
            Ok(1) => Permit::Last,
            Ok(_) => Permit::Go,
            Err(_) => Permit::None,
        }
    }
}
