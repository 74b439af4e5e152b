//! The warm-up in the document.

use serde::Serialize;

use crate::report::model::WarmupSeen;

/// Requests of the warm-up.
#[derive(Serialize)]
pub(super) struct SummaryWarmup {
    seconds: f64,
    sent: u64,
    unsent: u64,
    completed: u64,
    ok: u64,
    failed: u64,
    aborted: u64,
}

impl SummaryWarmup {
    pub(super) const fn of(WarmupSeen { seconds, counts, unsent }: &WarmupSeen) -> Self {
        Self {
            seconds: *seconds,
            sent: counts.sent(),
            unsent: *unsent,
            completed: counts.completed(),
            ok: counts.ok,
            failed: counts.failed,
            aborted: counts.aborted,
        }
    }
}
