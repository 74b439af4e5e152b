//! Names of the endpoints that a run keeps statistics by.

use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::stats::aggregate::EndpointKey;

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
