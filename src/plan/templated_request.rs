//! A request that is rendered each time it is sent.

use std::sync::Arc;

use super::body_template::BodyTemplate;
use super::endpoint::EndpointId;
use super::request::Request;
use super::template::{RenderError, Template, Values};
use super::url::Origin;
use super::wire::{self, WireBuffer, WireRequest};

/// A request that is rendered each time it is sent.
#[derive(Clone, Debug)]
pub struct TemplatedRequest {
    endpoint: EndpointId,
    origin: Arc<Origin>,
    head: Template,
    body: Option<BodyTemplate>,
}

impl TemplatedRequest {
    /// Creates a request from its head (request line and fields with line ends, without `Content-Length` and
    /// the empty line) and body.
    #[must_use]
    pub const fn new(endpoint: EndpointId, origin: Arc<Origin>, head: Template, body: Option<BodyTemplate>) -> Self {
        Self { endpoint, origin, head, body }
    }

    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// The origin that its connection goes to.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Minimum length in bytes, without the files in its body.
    #[must_use]
    pub fn min_len(&self) -> usize {
        self.head.literal_len() + self.body.as_ref().map_or(0, BodyTemplate::literal_len)
    }

    /// Returns whether there are files in its body.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.body.as_ref().is_some_and(BodyTemplate::has_files)
    }

    /// Renders the request.
    ///
    /// # Errors
    /// A value is missing or not allowed: the request cannot be sent.
    pub fn render<'w>(
        &'w self,
        values: &mut Values<'_>,
        buffer: &'w mut WireBuffer,
    ) -> Result<WireRequest<'w>, RenderError> {
        let (head, body, files) = buffer.begin();
        self.head.render(values, head)?;
        self.body.as_ref().map_or(Ok(()), |template| template.render(values, body, files))?;
        buffer.seal(self.body.is_some());
        Ok(buffer.wire(self.endpoint, &self.origin))
    }

    /// Head (without `Content-Length`) and body for display, with secrets masked.
    ///
    /// # Errors
    /// As [`TemplatedRequest::render`].
    pub fn example(&self, values: &mut Values<'_>) -> Result<(Vec<u8>, Vec<u8>), RenderError> {
        let mut head = Vec::new();
        self.head.render_masked(values, &mut head)?;
        let body = self.body.as_ref().map(|template| template.example(values)).transpose()?;
        Ok((head, body.unwrap_or_default()))
    }

    /// The prepared request, if it is the same each time.
    #[must_use]
    pub fn fixed(&self) -> Option<Request> {
        let mut bytes = self.head.fixed()?;
        let body = self.body.as_ref().map(|body| body.fixed().ok_or(())).transpose().ok()?;
        let (text, files) = body.map_or((None, Vec::new()), |(text, files)| (Some(text), files));
        let start = wire::seal(&mut bytes, text.as_deref(), &files);
        Some(Request::from_bytes(self.endpoint, Arc::clone(&self.origin), bytes, start).with_files(files))
    }
}
