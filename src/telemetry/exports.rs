//! How pushing metrics out of a run goes, counted by the thread that pushes and reported by the stream.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of pushes, shared by the thread that pushes and those that report.
#[derive(Debug, Default)]
pub struct ExportCounter {
    pushes: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
}

/// Counts of pushes so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Pushes that a backend took.
    pub pushes: u64,
    /// Pushes that failed. The next one has what they had, as all values are cumulative.
    pub failed: u64,
    /// Data points that a backend refused in pushes that it took.
    pub rejected: u64,
}

impl ExportCounter {
    /// Counts a push that a backend took but for these data points.
    pub fn note_pushed(&self, rejected: u64) {
        self.pushes.fetch_add(1, Ordering::Relaxed);
        self.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    /// Counts a push that failed.
    pub fn note_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    #[must_use]
    pub fn read(&self) -> ExportCounts {
        ExportCounts {
            pushes: self.pushes.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
        }
    }
}

impl ExportCounts {
    /// Whether anything did not arrive.
    #[must_use]
    pub const fn has_loss(self) -> bool {
        self.failed > 0 || self.rejected > 0
    }
}
