//! The pages that are open, as far as they can be known: which have asked lately, and whether they have what they wait for.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server::pages::MAX_READERS;

/// A page that has not asked for so long is gone, or not seen by anybody.
const GONE: Duration = Duration::from_secs(5);

/// The pages that are open.
#[derive(Debug, Default)]
pub(super) struct Readers {
    known: Mutex<HashMap<u32, Known>>,
    served: Condvar,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    asked: Instant,
    has_end: bool,
}

impl Readers {
    /// Notes that a page asks.
    pub(super) fn ask(&self, reader: u32) {
        let mut known = self.known();
        if known.len() >= MAX_READERS {
            known.retain(|_, known| known.asked.elapsed() < GONE);
        }
        if known.len() < MAX_READERS {
            known.insert(reader, Known { asked: Instant::now(), has_end: false });
        }
    }

    /// Notes that a page has been sent the end of the run.
    pub(super) fn has_end(&self, reader: u32) {
        if let Some(known) = self.known().get_mut(&reader) {
            known.has_end = true;
        }
        self.served.notify_all();
    }

    /// Waits until all pages have been sent the end of the run, at most `limit`.
    pub(super) fn wait_for_all(&self, limit: Duration) {
        let is_waiting = |known: &mut HashMap<u32, Known>| {
            known.values().any(|known| !known.has_end && known.asked.elapsed() < GONE)
        };
        drop(self.served.wait_timeout_while(self.known(), limit, is_waiting));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u32, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
