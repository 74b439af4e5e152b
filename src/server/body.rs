//! The body of a request.

/// The longest body that `/echo` gives back, bytes: a connection holds at most twice as much, all buffers together.
pub(super) const MAX_ECHO: usize = 512 * 1024;

/// A request's body as far as it is wanted.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Bytes that came.
    pub(super) length: u64,
    /// The first of them.
    pub(super) kept: Vec<u8>,
    /// How many to keep.
    pub(super) limit: usize,
}

impl Body {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let kept = &bytes[..bytes.len().min(self.limit - self.kept.len())];
        if self.kept.len() + kept.len() > self.kept.capacity() {
            // Doubled, and never beyond the limit.
            let wanted = (2 * self.kept.len()).clamp(self.kept.len() + kept.len(), self.limit);
            self.kept.reserve_exact(wanted - self.kept.len());
        }
        self.kept.extend_from_slice(kept);
    }
}
