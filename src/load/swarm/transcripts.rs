//! Which exchanges are recorded for people.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::outcome::Failure;
use crate::plan::endpoint::EndpointId;
use crate::secret::KnownSecrets;
use crate::transcript::Transcript;

/// Maximum failed exchanges of a run that are shown.
const MAX_SHOWN: u32 = 200;

/// Which exchanges are recorded, the same for all users of a run.
#[derive(Clone, Copy)]
pub(in crate::load) enum Recording<'run> {
    /// None, at no cost.
    Off,
    /// Failed ones, up to limits.
    Failures(&'run FailureLimits),
    /// Each, which is passed on as soon as it is judged, with the secrets that it may have.
    All(&'run (dyn Fn(Transcript, KnownSecrets) + Sync)),
}

/// Counts the failed exchanges that are shown.
#[derive(Debug)]
pub(in crate::load) struct FailureLimits {
    /// Maximum of each endpoint and failure.
    each: u32,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    total: u32,
    by_kind: HashMap<(EndpointId, Failure), u32>,
}

impl FailureLimits {
    /// At most `each` of every endpoint and failure, and 200 in all.
    pub(in crate::load) fn new(each: u32) -> Self {
        Self { each, shown: Mutex::default() }
    }

    /// The number of the next exchange that is shown, from 1; `None` if there were enough of its kind, or in all.
    pub(in crate::load) fn take(&self, endpoint: EndpointId, failure: Failure) -> Option<u32> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.total >= MAX_SHOWN {
            return None;
        }
        let of_kind = shown.by_kind.entry((endpoint, failure)).or_default();
        if *of_kind >= self.each {
            return None;
        }
        *of_kind += 1;
        shown.total += 1;
        Some(shown.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_each_endpoint_and_failure_are_shown_and_200_in_all() {
        let limits = FailureLimits::new(2);
        let take = |endpoint, status| limits.take(EndpointId(endpoint), Failure::Status(status));
        assert_eq!(
            [take(0, 400), take(0, 400), take(0, 400), take(0, 500), take(1, 400)],
            [Some(1), Some(2), None, Some(3), Some(4)]
        );
        assert_eq!((2..1000).filter_map(|endpoint| take(endpoint, 400)).max(), Some(MAX_SHOWN));
    }
}
