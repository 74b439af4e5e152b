//! Judges a run at its end.

use super::endpoints::{endpoint_name, failures_without_check};
use super::search::SearchEnd;
use crate::clock::Moment;
use crate::plan::Plan;
use crate::stats::aggregate::{Aggregate, EndpointKey};
use crate::stats::check::{CheckSet, TimesRef, UnfinishedInput};
use crate::stats::judged_counts::JudgedCounts;
use crate::stats::unfinished::{Unfinished, UnfinishedCounts};
use crate::stats::verdict::{Assessment, Evidence, VerdictReason};

/// Requests that were due and did not complete.
pub(super) struct LeftOver {
    pub(super) unfinished: Vec<(EndpointKey, Unfinished)>,
    /// Requests not sent because their data was used up.
    pub(super) without_data: u64,
    /// What the search for capacity came to, if the run is one.
    pub(super) search: Option<SearchEnd>,
}

/// Judges the run.
pub(super) fn judge(
    plan: &Plan,
    aggregate: &Aggregate,
    check_set: &mut CheckSet,
    faults: Vec<VerdictReason>,
    left_over: &LeftOver,
    load_end: Moment,
) -> Assessment {
    if let (Some(search), Some(search_plan)) = (&left_over.search, plan.load().search()) {
        return search.assess(search_plan, faults);
    }
    for (place, part) in &left_over.unfinished {
        check_set.add_unfinished(&UnfinishedInput {
            endpoint: &endpoint_name(plan, *place),
            phase: part.phase,
            service: TimesRef::Counted(&part.service),
            response: TimesRef::Counted(&part.response),
            first_byte: TimesRef::Counted(&part.first_byte),
        });
    }
    let unfinished = left_over.unfinished.iter().map(|(_, part)| (part.phase, &part.counts));
    let mut requests = JudgedCounts::of(aggregate.total(), unfinished);
    if plan.shard().is_some() {
        // A shard may have nothing to do, at all or after the warm-up, and what is unfinished is known only when all shards
        // are merged.
        if requests.counts.sent() + requests.unfinished.unsent == 0 && faults.is_empty() {
            return Assessment::pass();
        }
        requests.unfinished = UnfinishedCounts::default();
    }
    Assessment::of(Evidence {
        requests,
        faults,
        check_results: check_set.results(load_end.since_start()),
        unchecked: failures_without_check(plan, aggregate),
        without_data: left_over.without_data,
    })
}
