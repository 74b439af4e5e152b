//! Judges one step of the search: load at one rate, and what came of the requests that were due while it was measured.

use std::fmt::{self, Display, Formatter};

/// Share of the arrivals by which the backlog may grow during a step.
const MAX_GROWTH_SHARE: f64 = 0.02;

/// Requests by which it may grow in any case: those in flight vary by a few.
const MAX_GROWTH: u64 = 10;

/// Share of failed requests that a step may have if no check limits failures: an error page is quick, so that a service
/// which refuses all requests would meet every check of times.
const MAX_UNCHECKED_FAILURES: f64 = 0.01;

/// What was observed of a step. Its requests are those due in the measured part; they have ended, or they are counted
/// with the time that they have waited.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepInput {
    /// Requests due in the measured part.
    pub due: u64,
    /// Requests due but not completed when the measured part began, those of the settling time included.
    pub backlog_at_start: u64,
    /// Requests due but not completed when the measured part ended.
    pub backlog_at_end: u64,
    /// Whether none of these requests got a complete response.
    pub is_unanswered: bool,
    /// Checks that these requests miss, each as a sentence with the value.
    pub missed: Vec<String>,
    /// Failed requests that no check covers.
    pub unchecked_failures: u64,
    /// What made the measurement worthless, as opposed to the result bad.
    pub fault: Option<VoidReason>,
    /// Whether an arrival found every user busy with no further user allowed.
    pub is_without_users: bool,
    /// Whether the times from sent to the last byte alone, without waiting for a user, miss a check.
    pub is_missed_by_service: bool,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepResult {
    /// The service kept up with the rate and met every check.
    Passed,
    /// It did not; at least one reason.
    Failed(Vec<FailReason>),
    /// The step shows nothing about the service.
    Void(VoidReason),
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq)]
pub enum FailReason {
    /// A check was missed: a sentence with the value.
    Check(String),
    /// Requests arrived faster than they were completed.
    Backlog {
        /// Requests by which the backlog grew in the measured part.
        growth: u64,
        /// Requests due in that time.
        due: u64,
    },
    /// No request got a complete response: the service is gone, or takes longer than the timeout for each.
    NoAnswer {
        /// Requests due in the measured part.
        due: u64,
    },
    /// Too many requests failed, and no check says how many may.
    Failures {
        /// Failed requests that no check covers.
        failed: u64,
        /// Requests due in the measured part.
        due: u64,
    },
}

/// Why a step shows nothing about the service. It ends the search, as higher rates would show no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidReason {
    /// The generator sent requests late.
    GeneratorLate,
    /// The data of the scenario was used up.
    DataUsedUp,
    /// All users were busy, and the service had not missed a check by itself.
    AllUsersBusy,
}

impl StepResult {
    /// Judges a step.
    ///
    /// A step in which the users ran out has failed if the times since sending alone miss a check: with more users at once
    /// the service would not have been faster. Otherwise arrivals waited for a user rather than for the service. A step that
    /// passes although some arrivals waited passes: the wait is part of its times. The same holds of requests that the
    /// generator sent late, but not of a step whose data was used up: it was cut short.
    #[must_use]
    pub fn of(input: StepInput) -> Self {
        if input.fault == Some(VoidReason::DataUsedUp) {
            return Self::Void(VoidReason::DataUsedUp);
        }
        let due = input.due;
        let no_answer = (input.is_unanswered && due > 0).then_some(FailReason::NoAnswer { due });
        let is_by_service = input.is_missed_by_service || no_answer.is_some();
        let missed = input.missed.into_iter().map(FailReason::Check);
        let mut reasons: Vec<FailReason> = no_answer.into_iter().chain(missed).collect();
        let growth = input.backlog_at_end.saturating_sub(input.backlog_at_start);
        if growth > MAX_GROWTH && growth as f64 > due as f64 * MAX_GROWTH_SHARE {
            reasons.push(FailReason::Backlog { growth, due });
        }
        let failed = input.unchecked_failures;
        if failed as f64 > due as f64 * MAX_UNCHECKED_FAILURES {
            reasons.push(FailReason::Failures { failed, due });
        }
        if reasons.is_empty() {
            Self::Passed
        } else if let Some(fault) = input.fault {
            Self::Void(fault)
        } else if input.is_without_users && !is_by_service {
            Self::Void(VoidReason::AllUsersBusy)
        } else {
            Self::Failed(reasons)
        }
    }
}

impl Display for FailReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(sentence) => f.write_str(sentence),
            Self::Backlog { growth, due } => {
                write!(f, "the backlog grew by {growth} requests while {due} were due")
            }
            Self::NoAnswer { due } => write!(f, "none of {due} requests got a response"),
            Self::Failures { failed, due } => {
                write!(f, "{failed} of {due} requests failed; a check such as fail_ratio < 5% may allow more than 1 %")
            }
        }
    }
}

impl Display for VoidReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneratorLate => "the generator could not keep up",
            Self::DataUsedUp => "the data of the scenario was used up",
            Self::AllUsersBusy => "all users were busy; raise -u",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(due: u64, backlog: (u64, u64)) -> StepInput {
        StepInput { due, backlog_at_start: backlog.0, backlog_at_end: backlog.1, ..StepInput::default() }
    }

    #[test]
    fn a_backlog_fails_a_step_when_it_grows_by_more_than_a_fiftieth_of_the_arrivals_and_by_more_than_10() {
        let failed = |growth, due| StepResult::Failed(vec![FailReason::Backlog { growth, due }]);
        assert_eq!(StepResult::of(input(1000, (5, 25))), StepResult::Passed);
        assert_eq!(StepResult::of(input(1000, (5, 26))), failed(21, 1000));
        assert_eq!(StepResult::of(input(100, (0, 10))), StepResult::Passed);
        assert_eq!(StepResult::of(input(100, (0, 11))), failed(11, 100));
        assert_eq!(StepResult::of(input(100, (500, 20))), StepResult::Passed, "a backlog that shrinks");
    }

    #[test]
    fn every_reason_is_given() {
        let missed = vec!["p99 is 61 ms".to_owned(), "max is 1 s".to_owned()];
        let StepResult::Failed(reasons) = StepResult::of(StepInput { missed, ..input(100, (0, 50)) }) else {
            panic!("it missed two checks");
        };
        let said: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["p99 is 61 ms", "max is 1 s", "the backlog grew by 50 requests while 100 were due"]);
    }

    #[test]
    fn a_step_without_an_answer_fails_although_no_time_misses_a_check() {
        let of = |due| StepResult::of(StepInput { is_unanswered: true, ..input(due, (0, 0)) });
        assert_eq!(of(7), StepResult::Failed(vec![FailReason::NoAnswer { due: 7 }]));
        assert_eq!(of(0), StepResult::Passed, "nothing was due");
        let busy = StepInput { is_unanswered: true, is_without_users: true, ..input(7, (0, 0)) };
        assert_eq!(StepResult::of(busy), of(7), "more users would get no answer either");
    }

    #[test]
    fn failures_that_no_check_covers_fail_a_step_when_they_are_over_1_percent() {
        let of = |unchecked_failures| StepResult::of(StepInput { unchecked_failures, ..input(1000, (0, 0)) });
        assert_eq!(of(10), StepResult::Passed);
        assert_eq!(of(11), StepResult::Failed(vec![FailReason::Failures { failed: 11, due: 1000 }]));
    }

    #[test]
    fn a_fault_of_the_measurement_makes_a_step_void_that_missed_checks() {
        let missed = vec!["p99 is 61 ms".to_owned()];
        for fault in [VoidReason::GeneratorLate, VoidReason::DataUsedUp] {
            let input = StepInput { missed: missed.clone(), fault: Some(fault), ..input(100, (0, 50)) };
            assert_eq!(StepResult::of(input), StepResult::Void(fault));
        }
        let passes = |fault| StepResult::of(StepInput { fault: Some(fault), ..input(100, (0, 0)) });
        assert_eq!(passes(VoidReason::GeneratorLate), StepResult::Passed, "its times include the delay");
        assert_eq!(passes(VoidReason::DataUsedUp), StepResult::Void(VoidReason::DataUsedUp), "it was cut short");
    }

    #[test]
    fn a_step_without_free_users_failed_only_if_the_service_alone_missed_a_check() {
        let missed = vec!["p99 is 61 ms".to_owned()];
        let without = StepInput { missed, is_without_users: true, ..input(100, (0, 50)) };
        assert_eq!(StepResult::of(without.clone()), StepResult::Void(VoidReason::AllUsersBusy));
        let by_service = StepInput { is_missed_by_service: true, ..without };
        assert!(matches!(StepResult::of(by_service), StepResult::Failed(reasons) if reasons.len() == 2));
    }
}
