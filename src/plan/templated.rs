//! A request that is made anew each time it is sent.

use std::sync::Arc;

use super::request::EndpointId;
use super::template::{Template, Unset, Values};
use super::url::Origin;

/// A request that is made anew each time it is sent.
#[derive(Clone, Debug)]
pub struct TemplatedRequest {
    endpoint: EndpointId,
    origin: Arc<Origin>,
    head: Template,
    body: Option<Template>,
}

impl TemplatedRequest {
    /// A request of this head (request line and fields with their line ends, without `Content-Length` and the empty
    /// line) and body.
    #[must_use]
    pub const fn new(endpoint: EndpointId, origin: Arc<Origin>, head: Template, body: Option<Template>) -> Self {
        Self { endpoint, origin, head, body }
    }

    /// Where it is counted.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Where a connection for it goes.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Whether it has a body, if only an empty one.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Writes head and body.
    ///
    /// # Errors
    /// A value is not there, or does not fit: nothing is to be sent.
    pub fn render(&self, values: &mut Values<'_>, head: &mut Vec<u8>, body: &mut Vec<u8>) -> Result<(), Unset> {
        self.head.render(values, head)?;
        self.body.as_ref().map_or(Ok(()), |template| template.render(values, body))
    }
}
