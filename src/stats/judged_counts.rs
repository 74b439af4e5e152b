//! What a run is judged by: its requests without those of the warm-up.

use super::tally::{Counts, Tally};
use super::unfinished::UnfinishedCounts;
use super::warmup::WarmupCounts;
use crate::vocabulary::Phase;

/// The requests after the warm-up. A completed request belongs to the phase of the tick in which it
/// was counted, one that had not ended when the run did to the phase in which it was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JudgedCounts {
    /// Requests by outcome.
    pub counts: Counts,
    /// Requests that got a complete response.
    pub answered: u64,
    /// Requests and arrivals that had not ended.
    pub unfinished: UnfinishedCounts,
    /// Requests that completed in the warm-up.
    pub warmup: u64,
}

impl JudgedCounts {
    /// Computes them from the totals of a run, and from its unfinished requests by the phase in which they were due.
    #[must_use]
    pub fn of<'u>(whole: &Tally, unfinished: impl Iterator<Item = (Phase, &'u UnfinishedCounts)>) -> Self {
        let mut judged = Self {
            counts: whole.judged_counts(),
            answered: whole.judged_answered(),
            warmup: whole.warmup().map_or(0, WarmupCounts::completed),
            ..Self::default()
        };
        for (phase, counts) in unfinished {
            if phase == Phase::Warmup {
                judged.counts.aborted = judged.counts.aborted.saturating_sub(counts.aborted);
            } else {
                judged.unfinished.add(counts);
            }
        }
        judged
    }
}

/// Requests of the warm-up in the form of the last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmupTotals {
    /// Succeeded.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Due in the warm-up, and cut off by the end of the run.
    pub aborted: u64,
    /// Due in the warm-up, and never sent.
    pub unsent: u64,
}

impl WarmupTotals {
    /// Computes them; `None` if there was no request in a warm-up.
    #[must_use]
    pub fn of<'u>(whole: &Tally, unfinished: impl Iterator<Item = (Phase, &'u UnfinishedCounts)>) -> Option<Self> {
        let completed = whole.warmup().copied().unwrap_or_default();
        let mut totals = Self { ok: completed.ok, failed: completed.failed, ..Self::default() };
        for (_, counts) in unfinished.filter(|(phase, _)| *phase == Phase::Warmup) {
            totals.aborted += counts.aborted;
            totals.unsent += counts.unsent;
        }
        (totals != Self::default()).then_some(totals)
    }
}
