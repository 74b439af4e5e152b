//! The number of requests that may still be started: `-n`, exactly.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of requests that may still be started, shared by all users.
#[derive(Debug)]
pub(in crate::load) struct RequestQuota(Option<AtomicU64>);

/// Permission for a user's next request.
pub(in crate::load) enum Permit {
    /// Send it.
    Go,
    /// Send it; it is the last one, no user may send another.
    Last,
    /// Do not send it.
    None,
}

impl RequestQuota {
    /// `None` means no limit but time.
    pub(in crate::load) fn new(requests: Option<u64>) -> Self {
        Self(requests.map(AtomicU64::new))
    }

    /// Requests that may still be started; `None` if there is no limit.
    pub(in crate::load) fn left(&self) -> Option<u64> {
        self.0.as_ref().map(|left| left.load(Ordering::Relaxed))
    }

    /// Takes one request from the quota.
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
