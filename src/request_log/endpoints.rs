//! Method and name of each endpoint, as the log writes them.

use crate::plan::Plan;
use crate::plan::endpoint::EndpointId;
use crate::telemetry::text::{MAX_METHOD, MAX_NAME, clipped};

/// Method and name of each endpoint, as in the stream.
#[derive(Debug, Default)]
pub(super) struct Endpoints(Vec<(String, String)>);

impl Endpoints {
    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let cut = |text: &str, most| clipped(text, most).into_owned();
        let endpoints = plan.endpoints().iter();
        Self(endpoints.map(|endpoint| (cut(&endpoint.method, MAX_METHOD), cut(&endpoint.name, MAX_NAME))).collect())
    }

    /// Method and name.
    pub(super) fn get(&self, endpoint: EndpointId) -> (&str, &str) {
        let (method, name) = &self.0[endpoint.0 as usize];
        (method, name)
    }

    /// Method and name of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(method, name)| (method.as_str(), name.as_str()))
    }
}
