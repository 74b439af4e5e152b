//! The body of a request.

/// Maximum bytes of a body that `/echo` sends back: a connection holds at most twice as much in all its buffers.
pub(super) const MAX_ECHO: usize = 512 * 1024;

/// A request's body, as much of it as is needed.
#[derive(Debug, Default)]
pub(super) struct RequestBody {
    /// Bytes received.
    pub(super) length: u64,
    /// The first bytes.
    pub(super) kept: Vec<u8>,
    /// Maximum bytes to keep.
    pub(super) limit: usize,
}

impl RequestBody {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let kept = &bytes[..bytes.len().min(self.limit - self.kept.len())];
        if self.kept.len() + kept.len() > self.kept.capacity() {
            // Doubled, but never beyond the limit.
            let wanted = (2 * self.kept.len()).clamp(self.kept.len() + kept.len(), self.limit);
            self.kept.reserve_exact(wanted - self.kept.len());
        }
        self.kept.extend_from_slice(kept);
    }
}
