//! Warnings that concern the validity of the numbers, as kind and sentence: the kind for programs, the sentence for
//! people.

use crate::event::Notice;
use crate::plan::data::SourceId;
use crate::plan::template::{SlotId, Unset};
use crate::plan::{Model, Plan};
use crate::stats::aggregate::{FINE_ENDPOINTS, MOST_ENDPOINTS, MOST_ERRORS, Remark};

/// A warning of the aggregate as kind and sentence.
#[must_use]
pub fn remark(remark: Remark) -> (&'static str, String) {
    match remark {
        Remark::OverAnHour => {
            ("time_over_range", "a response time was over 1 h and counts as 1 h in percentiles".into())
        }
        Remark::CoarseEndpoints => (
            "coarse_endpoints",
            format!("over {FINE_ENDPOINTS} endpoints: percentiles of the further ones are within 1 %"),
        ),
        Remark::OtherEndpoints => {
            ("other_endpoints", format!("over {MOST_ENDPOINTS} endpoints: the further ones are counted as 'other'"))
        }
        Remark::OtherErrors => (
            "other_errors",
            format!("over {MOST_ERRORS} distinct errors of an endpoint: the further ones are 'other errors'"),
        ),
        Remark::OwnLimit(failure) => {
            ("generator_limit", format!("this machine ran out of something: {}", failure.text()))
        }
    }
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
        Notice::Unset(Unset::Slot(slot)) => {
            let what = format!(
                "a request needs ${{{}}}, which no answer gave: it was not sent, and {skipped}",
                variable(slot)
            );
            ("unset_variable", what)
        }
        Notice::Unset(Unset::ControlCharacter) => {
            let what = format!("a header of a request would have a control character: it was not sent, and {skipped}");
            ("unset_variable", what)
        }
        Notice::Unset(Unset::NotANumber) => {
            let what = format!("what is to be a JSON number in a request is none: it was not sent, and {skipped}");
            ("unset_variable", what)
        }
        Notice::DataEnd(id) => {
            let arrivals = match plan.load().model {
                Model::Closed(_) => "",
                Model::Open { .. } => "; arrivals that no user is left for are not made",
            };
            ("data_end", format!("every row of data {:?} is taken: users that need one more end{arrivals}", source(id)))
        }
        Notice::DataFailed(id) => ("data_end", format!("every row of data {:?} is taken", source(id))),
        Notice::NoTimeToStop => (
            "on_stop_not_sent",
            "the scenario's on_stop is not sent, as --stop-timeout leaves no time for it".to_owned(),
        ),
        Notice::Tls(trouble) => {
            let cure = trouble.cure().map(|cure| format!(": {cure}")).unwrap_or_default();
            ("tls_failed", format!("no TLS connection, {}{cure}", trouble.text()))
        }
    }
}
