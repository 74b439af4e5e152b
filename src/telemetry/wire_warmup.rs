//! What lines that count all requests say of those that were in the warm-up.

use serde::Serialize;

use crate::stats::judged_counts::WarmupTotals;
use crate::stats::warmup::WarmupCounts;

/// Requests of the warm-up, in a line of statistics.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WireWarmup {
    /// Completed.
    pub warmup_requests: u64,
    /// Failed.
    pub warmup_failures: u64,
    /// Bytes of response bodies.
    pub warmup_content_bytes: u64,
}

impl From<&WarmupCounts> for WireWarmup {
    fn from(counts: &WarmupCounts) -> Self {
        Self {
            warmup_requests: counts.completed(),
            warmup_failures: counts.failed,
            warmup_content_bytes: u64::try_from(counts.content_bytes).unwrap_or(u64::MAX),
        }
    }
}

/// Requests of the warm-up, in the last line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WireWarmupTotals {
    /// Succeeded.
    pub warmup_ok: u64,
    /// Failed.
    pub warmup_failed: u64,
    /// Due in the warm-up, and cut off by the end of the run.
    pub warmup_aborted: u64,
    /// Due in the warm-up, and never sent.
    pub warmup_unsent: u64,
}

impl From<WarmupTotals> for WireWarmupTotals {
    fn from(WarmupTotals { ok, failed, aborted, unsent }: WarmupTotals) -> Self {
        Self { warmup_ok: ok, warmup_failed: failed, warmup_aborted: aborted, warmup_unsent: unsent }
    }
}
