//! How a search for capacity goes, for people who follow it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capacity::search::{Bounds, Search, Step, StepKind};
use crate::publish::snapshot::{SearchSoFar, StepStage};
use crate::vocabulary::StepPurpose;

/// How the search goes: written by the thread that searches, read when a snapshot is made.
#[derive(Debug, Default)]
pub(in crate::run) struct SearchProgress(Mutex<Option<SearchSoFar>>);

impl SearchProgress {
    /// The search so far; `None` before its first step.
    pub(in crate::run) fn read(&self) -> Option<SearchSoFar> {
        *self.lock()
    }

    /// Notes the beginning of a step.
    pub(super) fn begin(&self, number: u32, step: Step, search: &Search) {
        let Bounds { passed, failed } = search.bounds();
        *self.lock() = Some(SearchSoFar {
            step: number,
            rate: step.rate,
            purpose: purpose(step.kind),
            steps_expected: search.steps_expected().map(|expected| number - 1 + expected),
            stage: StepStage::Settling,
            passed,
            failed,
        });
    }

    /// Notes the next stage of the step.
    pub(super) fn enter(&self, stage: StepStage) {
        if let Some(so_far) = &mut *self.lock() {
            so_far.stage = stage;
        }
    }

    /// Notes the result of the step.
    pub(super) fn end(&self, search: &Search) {
        if let Some(so_far) = &mut *self.lock() {
            let Bounds { passed, failed } = search.bounds();
            (so_far.passed, so_far.failed) = (passed, failed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SearchSoFar>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a step is for, in the words of the stream.
pub(super) const fn purpose(kind: StepKind) -> StepPurpose {
    match kind {
        StepKind::Search => StepPurpose::Search,
        StepKind::Confirm(_) => StepPurpose::Confirm,
        StepKind::Recheck => StepPurpose::Recheck,
    }
}
