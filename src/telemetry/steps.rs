//! The lines about the steps of a search for capacity. The same types are written and read.

use serde::{Deserialize, Serialize};

use super::answer::word;
use super::check_event::CheckEvent;
use super::text::clipped;
use crate::stats::check::CheckResult;
use crate::stats::unfinished::JudgedTimes;
use crate::vocabulary::{StepPurpose, StepVerdict};

/// Maximum checks in the line of a step.
const MAX_STEP_CHECKS: usize = 8;

/// Maximum bytes of a check in the line of a step, and of a reason, as JSON; the settings have each check as written.
const MAX_STEP_TEXT: usize = 150;

/// Maximum reasons in the line of a step.
const MAX_STEP_REASONS: usize = 4;

/// One step. Its requests are those due in the measured part, also if they ended later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Its number, from 1.
    pub number: u32,
    /// What it is for.
    #[serde(deserialize_with = "word")]
    pub purpose: StepPurpose,
    /// Arrivals per second.
    pub rate: f64,
    /// When its first arrival was due.
    pub settle_start: String,
    /// When the measured part began.
    pub interval_start: String,
    /// When the measured part ended.
    pub interval_end: String,
    /// Requests due in the measured part: sent and unsent.
    pub due: u64,
    /// Of those, requests started: completed and aborted.
    pub sent: u64,
    /// Of those, requests completed: ok and failed.
    pub completed: u64,
    /// Of those, requests failed.
    pub failed: u64,
    /// Arrivals due but never sent.
    pub unsent: u64,
    /// Requests sent over 10 ms after they were due although a user was free.
    pub late: u64,
    /// Requests sent late because every user was busy.
    pub users_busy: u64,
    /// Requests due but not completed when the measured part began.
    pub backlog_start: u64,
    /// Requests due but not completed when it ended.
    pub backlog_end: u64,
    /// Response times as they are judged.
    pub judged: JudgedTimes,
    /// The result of each check, as far as they fit.
    pub checks: Vec<StepCheck>,
    /// Checks that did not fit.
    pub checks_left_out: usize,
    /// Whether it passed.
    #[serde(deserialize_with = "word")]
    pub result: StepVerdict,
    /// Why it did not pass, in sentences.
    pub reasons: Vec<String>,
}

/// The result of a check in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepCheck {
    /// The check as written, cut off if it is long.
    pub check: String,
    /// Whether it was met.
    pub met: bool,
    /// Whether there were any requests to judge it by; without, it is missed, and the value is 0.
    pub has_data: bool,
    /// The value reached.
    pub value: f64,
    /// Whether the value is a lower bound, raised by unfinished requests.
    pub is_bound: bool,
    /// `ms`, `1/s`, `ratio` (a share of 1) or `requests`.
    pub unit: String,
}

impl StepCheck {
    /// The value in human-readable form, `312.5ms`, `1.25%` or `≥ 5.9s`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        self.has_data.then(|| crate::stats::check::value_text(self.value, &self.unit, self.is_bound))
    }
}

/// The results of the checks as the line of a step has them, and how many are left out.
#[must_use]
pub fn step_checks(results: &[CheckResult]) -> (Vec<StepCheck>, usize) {
    let check = |result: &CheckResult| {
        let event = CheckEvent::of(result, MAX_STEP_TEXT);
        let (check, unit) = (event.check, event.unit.to_owned());
        StepCheck {
            check,
            met: event.met,
            has_data: event.has_data,
            value: event.value,
            is_bound: event.is_bound,
            unit,
        }
    };
    let checks: Vec<StepCheck> = results.iter().take(MAX_STEP_CHECKS).map(check).collect();
    let left_out = results.len() - checks.len();
    (checks, left_out)
}

/// The reasons as the line of a step has them.
#[must_use]
pub fn step_reasons(reasons: &[String]) -> Vec<String> {
    reasons.iter().take(MAX_STEP_REASONS).map(|reason| clipped(reason, MAX_STEP_TEXT).into_owned()).collect()
}
