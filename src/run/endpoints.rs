//! Names of the endpoints that a run keeps statistics by.

use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::stats::aggregate::{Aggregate, EndpointKey};
use crate::stats::check::unchecked_failures;

/// The endpoint's name in checks.
pub(super) fn endpoint_name(plan: &Plan, place: EndpointKey) -> String {
    endpoint(plan, place).to_string()
}

/// Method and name of a place in the statistics.
pub(super) fn endpoint(plan: &Plan, place: EndpointKey) -> Endpoint {
    match place {
        EndpointKey::Endpoint(id) => plan.endpoints()[id.0 as usize].clone(),
        EndpointKey::Other => Endpoint { method: String::new(), name: "other".to_owned() },
    }
}

/// Failed requests that no check covers.
pub(super) fn failures_without_check(plan: &Plan, aggregate: &Aggregate) -> u64 {
    let failures: Vec<(String, u64)> = aggregate
        .endpoints()
        .iter()
        .map(|endpoint| (endpoint_name(plan, endpoint.key), endpoint.tally.judged_counts().failed))
        .collect();
    unchecked_failures(plan.checks(), failures.iter().map(|(name, failed)| (name.as_str(), *failed)))
}
