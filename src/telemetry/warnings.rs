//! Warnings that concern the validity of the numbers, as kind and sentence: the kind for programs, the sentence for
//! people.

use super::exports::ExportCounts;
use crate::event::{NotReady, Notice};
use crate::plan::data::SourceId;
use crate::plan::endpoint::Endpoint;
use crate::plan::template::{MAX_ITEMS, RenderError, SlotId};
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
            ("generator_limit", format!("this machine ran out of a resource: {}", failure.text()))
        }
    }
}

/// What became of pushed metrics, as kind and sentence, when something did not arrive for the first time.
#[must_use]
pub fn first_export_loss(
    before: Option<ExportCounts>,
    now: Option<ExportCounts>,
) -> Option<(&'static str, &'static str)> {
    let (before, now) = (before.unwrap_or_default(), now?);
    if now.rejected > 0 && before.rejected == 0 {
        return Some(("otlp_rejected", "the backend of --otlp refused data points: they are lost to it"));
    }
    let is_first = now.failed > 0 && before.failed == 0;
    is_first.then_some((
        "otlp_failed",
        "a push of metrics by --otlp failed; its values arrive with the next push that succeeds",
    ))
}

/// A user's notice as kind and sentence. Each kind is reported once.
#[must_use]
pub fn notice(plan: &Plan, notice: Notice) -> (&'static str, String) {
    let variable = |slot: SlotId| &plan.variables()[slot.0 as usize];
    let source = |source: SourceId| plan.sources()[source.0 as usize].name();
    let skipped = "the rest of that task was skipped";
    match notice {
        Notice::NotExtracted { variable: slot, trouble } => (
            "extract_failed",
            format!("${{{}}} was not found in a response ({}), so {skipped}", variable(slot), trouble.text()),
        ),
        Notice::Unset(why) => ("unset_variable", unset(plan, why)),
        Notice::DataEnd(id) => {
            let arrivals = match plan.load().model {
                LoadModel::Closed(_) => "",
                LoadModel::Open { .. } | LoadModel::Search { .. } => "; arrivals that no user is left for are not made",
            };
            (
                "data_end",
                format!("every row of data {:?} has been used: users that need another one end{arrivals}", source(id)),
            )
        }
        Notice::DataFailed(id) => ("data_end", format!("every row of data {:?} has been used", source(id))),
        Notice::NoTimeToStop => ("on_stop_not_sent", no_time_to_stop(plan)),
        Notice::NoTimeForTeardown => (
            "teardown_not_sent",
            "the scenario's teardown was not sent: when the last user had ended, --stop-timeout was over".to_owned(),
        ),
        Notice::ListFull(slot) => (
            "list_full",
            format!("the list {} has {MAX_ITEMS} items, the most: further ones were not added", variable(slot)),
        ),
        Notice::PollGaveUp => (
            "until_not_met",
            "a loop \"until\" ended after \"at_most\" rounds, and its condition was not met".to_owned(),
        ),
        Notice::SetupTooLong => ("setup_failed", "setup sends more than 100,000 requests, the maximum".to_owned()),
        Notice::NotReady(NotReady { ready, users, endpoint, failures }) => {
            let Endpoint { method, name } = &plan.endpoints()[endpoint.0 as usize];
            let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times") };
            ("users_not_ready", format!("{ready} of {users} users got ready: {method} {name} failed {times}"))
        }
        Notice::Tls(trouble) => {
            let cure = trouble.remedy().map(|cure| format!(": {cure}")).unwrap_or_default();
            ("tls_failed", format!("no TLS connection could be made ({}){cure}", trouble.text()))
        }
        Notice::BodyFile(id, trouble) => {
            let name = plan.body_files()[id.0 as usize].name();
            ("body_file", format!("{name}: {}; requests that send it fail", trouble.text()))
        }
    }
}

/// Why a step was not done.
fn unset(plan: &Plan, why: RenderError) -> String {
    let skipped = "the rest of that task was skipped";
    match why {
        RenderError::Slot(slot) => {
            let name = &plan.variables()[slot.0 as usize];
            format!("a step needs ${{{name}}}, which no response gave and no step set: it was not done, and {skipped}")
        }
        RenderError::EmptyList(slot) => {
            let name = &plan.variables()[slot.0 as usize];
            format!("a step needs an item of {name}, which is empty: it was not done, and {skipped}")
        }
        RenderError::ControlCharacter => {
            format!("a header of a request would have a control character: it was not sent, and {skipped}")
        }
        RenderError::NotANumber => {
            format!("what is to be a JSON number in a request is none: it was not sent, and {skipped}")
        }
    }
}

fn no_time_to_stop(plan: &Plan) -> String {
    let has_on_stop = plan.classes().iter().any(|class| !class.on_stop.is_empty());
    let what = match (has_on_stop, plan.once().teardown.is_empty()) {
        (true, true) => "on_stop is",
        (true, false) => "on_stop and teardown are",
        (false, _) => "teardown is",
    };
    format!("the scenario's {what} not sent, as --stop-timeout leaves no time for it")
}
