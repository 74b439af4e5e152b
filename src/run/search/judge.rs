//! Judges a step by the checks of the plan, with the same code as a run.

use std::time::Duration;

use super::progress::purpose;
use crate::capacity::search::Step;
use crate::capacity::step::{FailReason, StepInput, StepResult, VoidReason};
use crate::clock::{Moment, rfc3339};
use crate::load::swarm::context::RunContext;
use crate::load::swarm::start::Swarm;
use crate::plan::schedule::stepped::StepWindow;
use crate::run::endpoints::{endpoint_name, failures_without_check};
use crate::run::shared_aggregate::SharedAggregate;
use crate::stats::aggregate::{AggregateWarning, EndpointInterval};
use crate::stats::check::{CheckInput, CheckResult, CheckSet, TimesRef, UnfinishedInput};
use crate::stats::send_lateness::is_too_many;
use crate::stats::step_counts::{StepRequests, Withdrawn};
use crate::stats::unfinished::{Judged as JudgedRequests, UnfinishedCounts};
use crate::telemetry::steps::{StepEvent, step_checks, step_reasons};
use crate::vocabulary::{Phase, StepVerdict};

/// A step and its result.
pub(super) struct Judged {
    pub(super) result: StepResult,
    pub(super) check_results: Vec<CheckResult>,
    pub(super) event: StepEvent,
}

impl Judged {
    pub(super) fn has_passed(&self) -> bool {
        self.result == StepResult::Passed
    }
}

/// Judges steps.
pub(super) struct StepJudge<'run> {
    pub(super) run: RunContext<'run>,
    pub(super) swarm: &'run Swarm<'run>,
    pub(super) shared: &'run SharedAggregate<'run>,
}

impl StepJudge<'_> {
    /// Judges a step that has ended.
    pub(super) fn judge(&self, step: (u32, Step, StepWindow), withdrawn: &[Withdrawn]) -> Judged {
        let plan = self.run.plan;
        let requests = self.shared.step_counts().map(|mut counts| counts.finish(withdrawn));
        let mut requests = requests.unwrap_or_else(StepRequests::none);
        let length = step.2.end.saturating_sub(step.2.measured);
        let check_results = self.check_results(&requests, TimesFrom::Due, length);
        let by_service = self.check_results(&requests, TimesFrom::Sent, length);
        let unchecked = failures_without_check(plan, &requests.aggregate);
        let fault = self.fault(&mut requests);
        let missed: Vec<String> = check_results.iter().filter_map(missed).collect();
        let due = requests.due();
        let mut input = StepInput {
            due,
            backlog_at_start: requests.backlog_at_start,
            backlog_at_end: requests.backlog_at_end,
            is_unanswered: requests.aggregate.total().answered() == 0,
            missed,
            unchecked_failures: unchecked,
            fault,
            is_without_users: requests.busy + requests.unsent() > 0,
            is_missed_by_service: by_service.iter().any(|result| !result.met),
        };
        // Failures do not come from waiting for a user.
        let failures = StepInput { due, unchecked_failures: unchecked, ..StepInput::default() };
        input.is_missed_by_service |= StepResult::of(failures) != StepResult::Passed;
        let result = StepResult::of(input);
        let event = self.event(step, &requests, &check_results, &result);
        Judged { result, check_results, event }
    }

    /// The result of each check. A rate is one of requests due in the measured part, over its length.
    fn check_results(&self, requests: &StepRequests, from: TimesFrom, length: Duration) -> Vec<CheckResult> {
        let plan = self.run.plan;
        let mut check_set = CheckSet::new(plan.checks());
        for EndpointInterval { key, interval, .. } in &requests.intervals {
            let name = endpoint_name(plan, *key);
            let input = CheckInput::from_interval(&name, Phase::Steady, interval);
            let response = if from == TimesFrom::Due { input.response } else { input.service };
            check_set.add(&CheckInput { response, ..input });
        }
        for (key, part) in &requests.unfinished {
            let service = TimesRef::Counted(&part.service);
            let response = if from == TimesFrom::Due { TimesRef::Counted(&part.response) } else { service };
            check_set.add_unfinished(&UnfinishedInput {
                endpoint: &endpoint_name(plan, *key),
                phase: part.phase,
                service,
                response,
                first_byte: TimesRef::Counted(&part.first_byte),
            });
        }
        check_set.results(length)
    }

    /// What made the measurement worthless: by the rules by which a run is not valid.
    fn fault(&self, requests: &mut StepRequests) -> Option<VoidReason> {
        let is_own_limit = |warning: &AggregateWarning| matches!(warning, AggregateWarning::OwnLimit(_));
        let sends = requests.aggregate.sends();
        if self.swarm.is_short_of_data() {
            Some(VoidReason::DataUsedUp)
        } else if is_too_many(sends.late(), sends.scheduled())
            || requests.aggregate.take_warnings().iter().any(is_own_limit)
        {
            Some(VoidReason::GeneratorLate)
        } else {
            None
        }
    }

    fn event(
        &self,
        (number, step, window): (u32, Step, StepWindow),
        requests: &StepRequests,
        check_results: &[CheckResult],
        result: &StepResult,
    ) -> StepEvent {
        let text = |at: Duration| rfc3339(self.run.clock.unix(Moment::at(at)));
        let counts = requests.aggregate.counts();
        let parts = requests.unfinished.iter().map(|(_, part)| part);
        let (checks, checks_left_out) = step_checks(check_results);
        let (verdict, reasons) = match result {
            StepResult::Passed => (StepVerdict::Passed, Vec::new()),
            StepResult::Failed(why) => (StepVerdict::Failed, why.iter().map(FailReason::to_string).collect()),
            StepResult::Void(why) => (StepVerdict::Void, vec![why.to_string()]),
        };
        StepEvent {
            number,
            purpose: purpose(step.kind),
            rate: step.rate,
            settle_start: text(window.start),
            interval_start: text(window.measured),
            interval_end: text(window.end),
            due: requests.due(),
            sent: counts.sent(),
            completed: counts.completed(),
            failed: counts.failed,
            unsent: requests.unsent(),
            late: requests.aggregate.sends().late(),
            users_busy: requests.busy,
            backlog_start: requests.backlog_at_start,
            backlog_end: requests.backlog_at_end,
            judged: JudgedRequests::of(requests.aggregate.total(), parts).response,
            checks,
            checks_left_out,
            result: verdict,
            reasons: step_reasons(&reasons),
        }
    }
}

/// A check that is missed, with its value: short, because a table has it in one of its columns.
fn missed(result: &CheckResult) -> Option<String> {
    let value = result.value_text().unwrap_or_else(|| "no data".to_owned());
    (!result.met).then(|| format!("{} ({value})", result.check))
}

/// From when times are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimesFrom {
    /// When a request was due.
    Due,
    /// When it was sent: time spent waiting for a user is left out.
    Sent,
}

impl StepRequests {
    /// No requests.
    fn none() -> Self {
        crate::stats::step_counts::StepCounts::new(0).finish(&[])
    }

    /// Requests due in the measured part that were not sent.
    fn unsent(&self) -> u64 {
        self.unfinished
            .iter()
            .fold(UnfinishedCounts::default(), |mut sum, (_, part)| {
                sum.add(&part.counts);
                sum
            })
            .unsent
    }

    /// Requests due in the measured part.
    fn due(&self) -> u64 {
        self.aggregate.counts().sent() + self.unsent()
    }
}
