//! The counts of the document.

use serde::Serialize;

use crate::report::model::RunData;

/// Requests by what became of them.
#[derive(Serialize)]
pub(super) struct SummaryCounts {
    due: u64,
    sent: u64,
    unsent: u64,
    overdue: u64,
    completed: u64,
    ok: u64,
    failed: u64,
    aborted: u64,
    redirects: u64,
    reopened: u64,
}

impl SummaryCounts {
    /// All but those of the warm-up.
    pub(super) fn of(run: &RunData) -> Self {
        let (counts, unfinished) = (run.counts(), run.unfinished());
        Self {
            due: counts.sent() + unfinished.unsent,
            sent: counts.sent(),
            unsent: unfinished.unsent,
            overdue: unfinished.overdue,
            completed: counts.completed(),
            ok: counts.ok,
            failed: counts.failed,
            aborted: counts.aborted,
            redirects: counts.redirects,
            reopened: counts.reopened,
        }
    }
}
