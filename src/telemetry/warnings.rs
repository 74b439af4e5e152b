//! Warnings that concern the validity of the numbers, as kind and sentence: the kind for programs, the sentence for
//! people.

use crate::event::{NotReady, Notice};
use crate::plan::data::SourceId;
use crate::plan::template::{RenderError, SlotId};
use crate::plan::{LoadModel, Plan};
use crate::stats::aggregate::{AggregateWarning, MAX_ENDPOINTS, MAX_ERRORS_PER_ENDPOINT, MAX_FINE_ENDPOINTS};

/// A warning of the aggregate as kind and sentence.
#[must_use]
pub fn aggregate_warning(warning: AggregateWarning) -> (&'static str, String) {
    match warning {
        AggregateWarning::OverAnHour => {
            ("time_over_range", "a response time was over 1 h and counts as 1 h in percentiles".into())
        }
        AggregateWarning::CoarseEndpoints => (
            "coarse_endpoints",
            format!("over {MAX_FINE_ENDPOINTS} endpoints: percentiles of the further ones are within 1 %"),
        ),
        AggregateWarning::OtherEndpoints => {
            ("other_endpoints", format!("over {MAX_ENDPOINTS} endpoints: the further ones are counted as 'other'"))
        }
        AggregateWarning::OtherErrors => (
            "other_errors",
            format!(
                "over {MAX_ERRORS_PER_ENDPOINT} distinct errors of an endpoint: the further ones are 'other errors'"
            ),
        ),
        AggregateWarning::OwnLimit(failure) => {
            ("generator_limit", format!("this machine ran out of something: {}", failure.text()))
        }
    }
}

/// Users that did not succeed with the requests before their first task, as a sentence.
#[must_use]
pub fn not_ready(plan: &Plan, NotReady { ready, started, failed }: &NotReady) -> String {
    /// Endpoints that are named.
    const MOST: usize = 5;
    let failed = failed.iter().take(MOST).map(|(endpoint, count)| {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        format!("{} failed {times}", plan.endpoints()[endpoint.0 as usize])
    });
    let failed = failed.collect::<Vec<_>>().join(", ");
    format!("{ready} of {started} users got ready: {failed}")
}

/// A user's notice as kind and sentence. Each kind is reported once.
#[must_use]
pub fn notice(plan: &Plan, notice: Notice) -> (&'static str, String) {
    let variable = |slot: SlotId| &plan.variables()[slot.0 as usize];
    let source = |source: SourceId| plan.sources()[source.0 as usize].name();
    let skipped = "the rest of that task was skipped";
    match notice {
        Notice::NotExtracted { variable: slot, trouble } => {
            ("extract_failed", format!("an answer gave no ${{{}}}, {}: {skipped}", variable(slot), trouble.text()))
        }
        Notice::Unset(RenderError::Slot(slot)) => {
            let what = format!(
                "a request needs ${{{}}}, which no answer gave: it was not sent, and {skipped}",
                variable(slot)
            );
            ("unset_variable", what)
        }
        Notice::Unset(RenderError::ControlCharacter) => {
            let what = format!("a header of a request would have a control character: it was not sent, and {skipped}");
            ("unset_variable", what)
        }
        Notice::Unset(RenderError::NotANumber) => {
            let what = format!("what is to be a JSON number in a request is none: it was not sent, and {skipped}");
            ("unset_variable", what)
        }
        Notice::DataEnd(id) => {
            let arrivals = match plan.load().model {
                LoadModel::Closed(_) => "",
                LoadModel::Open { .. } => "; arrivals that no user is left for are not made",
            };
            ("data_end", format!("every row of data {:?} is taken: users that need one more end{arrivals}", source(id)))
        }
        Notice::DataFailed(id) => ("data_end", format!("every row of data {:?} is taken", source(id))),
        Notice::NoTimeToStop => (
            "on_stop_not_sent",
            "the scenario's on_stop is not sent, as --stop-timeout leaves no time for it".to_owned(),
        ),
        Notice::Tls(trouble) => {
            let cure = trouble.remedy().map(|cure| format!(": {cure}")).unwrap_or_default();
            ("tls_failed", format!("no TLS connection, {}{cure}", trouble.text()))
        }
    }
}
