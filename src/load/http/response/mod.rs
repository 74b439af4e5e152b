//! Framing of an HTTP/1.1 response: where the head ends, how long the body is, whether the connection may be kept.
//!
//! Pure: bytes in, result out; no socket, no clock, and no allocation unless a head has very many fields. The rules are
//! those of RFC 9112 §6.3; where it leaves a choice between repairing a message and refusing it, it is refused, because
//! a wrong guess would be a wrong count.

pub mod body;
pub mod head;
pub(in crate::load) mod head_cache;

/// How the end of a body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// The body has this many bytes.
    Length(u64),
    /// The body is sent in chunks, the last one empty.
    Chunked,
    /// The body ends where the peer closes the connection.
    UntilClose,
}
