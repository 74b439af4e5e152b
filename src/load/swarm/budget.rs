//! How many requests may still be started: `-n`, exactly.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many requests may still be started.
#[derive(Debug)]
pub(in crate::load) struct Budget(Option<AtomicU64>);

/// What a user may do about its next request.
pub(in crate::load) enum Permit {
    /// Send it.
    Go,
    /// This one, and none after it, by anyone.
    Last,
    /// Not even this one.
    None,
}

impl Budget {
    /// `None`: as many as there is time for.
    pub(in crate::load) fn new(requests: Option<u64>) -> Self {
        Self(requests.map(AtomicU64::new))
    }

    /// Requests that may still be started; `None` where any number may.
    pub(in crate::load) fn left(&self) -> Option<u64> {
        self.0.as_ref().map(|left| left.load(Ordering::Relaxed))
    }

    /// Takes one.
    pub(in crate::load) fn take(&self) -> Permit {
        let Some(left) = &self.0 else { return Permit::Go };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match taken {
            Ok(1) => Permit::Last,
            Ok(_) => Permit::Go,
            Err(_) => Permit::None,
        }
    }
}
