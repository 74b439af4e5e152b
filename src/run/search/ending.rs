//! What a search comes to: its answer in the last line, and the verdict and exit code that follow from it.

use crate::capacity::search::{Answer, Bounds};
use crate::capacity::step::VoidReason;
use crate::plan::capacity::SearchPlan;
use crate::stats::check::CheckResult;
use crate::stats::step_counts::Withdrawn;
use crate::stats::verdict::{Assessment, VerdictReason};
use crate::telemetry::answer::{AnswerEvent, rate_text};
use crate::vocabulary::{ReasonKind, SearchAnswer, Verdict};

/// The end of a search.
#[derive(Debug)]
pub(in crate::run) struct SearchEnd {
    pub(super) answer: Answer,
    pub(super) bounds: Bounds,
    pub(super) steps: u32,
    /// Arrivals of its steps that were never sent.
    pub(in crate::run) withdrawn: Vec<Withdrawn>,
    /// The steps that passed: their rates and the results of the checks.
    pub(super) passed: Vec<(f64, Vec<CheckResult>)>,
    /// The results of the checks in the last step.
    pub(super) last: Vec<CheckResult>,
    /// Why the last step that did not pass failed.
    pub(super) reason: Option<String>,
}

impl SearchEnd {
    /// The answer as the last line has it.
    pub(in crate::run) fn event(&self) -> AnswerEvent {
        let (answer, rate, why) = match self.answer {
            Answer::Found(rate) => (SearchAnswer::Found, Some(rate), None),
            Answer::ReachedTo(rate) => (SearchAnswer::ReachedTo, Some(rate), None),
            Answer::AtLeast(rate, why) => (SearchAnswer::AtLeast, Some(rate), Some(why.to_string())),
            Answer::NothingMeasured(why) => (SearchAnswer::NotMeasured, None, Some(why.to_string())),
            Answer::NoRate(rate) => (SearchAnswer::NoRate, Some(rate), self.reason.clone()),
            Answer::NotStable(rate) => (SearchAnswer::NotStable, Some(rate), self.reason.clone()),
            Answer::Interrupted => (SearchAnswer::Interrupted, None, None),
        };
        let Bounds { passed, failed } = self.bounds;
        AnswerEvent { answer, rate, passed, failed, steps: self.steps, why }
    }

    /// Judges the run. `faults` are those that make any run invalid.
    pub(in crate::run) fn assess(&self, plan: &SearchPlan, faults: Vec<VerdictReason>) -> Assessment {
        let (verdict, reason) = self.verdict(plan);
        let mut reasons = faults;
        let verdict = if reasons.is_empty() { verdict } else { Verdict::Invalid };
        reasons.extend(reason);
        Assessment { verdict, reasons, check_results: self.check_results() }
    }

    /// The results of the checks in the last step at the rate of the answer, if one passed there; else in the last step.
    fn check_results(&self) -> Vec<CheckResult> {
        let rate = match self.answer {
            Answer::Found(rate) | Answer::ReachedTo(rate) | Answer::AtLeast(rate, _) => Some(rate),
            Answer::Interrupted => self.bounds.passed,
            Answer::NothingMeasured(_) | Answer::NoRate(_) | Answer::NotStable(_) => None,
        };
        let rate = rate.map(f64::to_bits);
        let found = self.passed.iter().rev().find(|(passed, _)| Some(passed.to_bits()) == rate);
        found.map_or_else(|| self.last.clone(), |(_, results)| results.clone())
    }

    fn verdict(&self, plan: &SearchPlan) -> (Verdict, Option<VerdictReason>) {
        let sentence = || self.event().sentence();
        let invalid = |kind| (Verdict::Invalid, Some(VerdictReason::new(kind, sentence())));
        match self.answer {
            Answer::Found(rate) | Answer::ReachedTo(rate) => match plan.min_rate.filter(|min| rate < *min) {
                None => (Verdict::Pass, None),
                Some(min) => {
                    let text = format!("{}/s is below --min-rate {}/s", rate_text(rate), rate_text(min));
                    (Verdict::CheckFailed, Some(VerdictReason::new(ReasonKind::Check, text)))
                }
            },
            Answer::NoRate(_) => (Verdict::CheckFailed, Some(VerdictReason::new(ReasonKind::Check, sentence()))),
            Answer::AtLeast(_, VoidReason::DataUsedUp) | Answer::NothingMeasured(VoidReason::DataUsedUp) => {
                invalid(ReasonKind::Data)
            }
            Answer::AtLeast(..) | Answer::NothingMeasured(_) => invalid(ReasonKind::Generator),
            Answer::NotStable(_) | Answer::Interrupted => invalid(ReasonKind::Search),
        }
    }
}
