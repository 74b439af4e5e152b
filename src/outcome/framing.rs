//! Why the framing of a response is broken: a fixed text for each kind.

/// Why a response is not valid, or that it was cut off.
///
/// It has no field that differs from one response to the next, so that it can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtocolTrouble {
    /// The first bytes cannot begin an HTTP/1.0 or HTTP/1.1 response.
    BadVersion,
    /// The status line has a control character, or no status of three digits from 100 on.
    BadStatusLine,
    /// A line of the head is not a field.
    BadField,
    /// The head does not end within 64 KiB.
    HeadTooLong,
    /// 101, although swarmline never requests an upgrade.
    Upgrade,
    /// A `content-length` that is not a number, or beyond 64 bits.
    BadLength,
    /// Several `content-length` values that differ.
    ConflictingLengths,
    /// Both `content-length` and `transfer-encoding`.
    LengthAndEncoding,
    /// `transfer-encoding` in an HTTP/1.0 response.
    EncodingInHttp10,
    /// `transfer-encoding` is not a list of codings, or gives `chunked` a parameter.
    BadEncoding,
    /// `chunked` is applied twice, or another coding after it.
    ChunkedNotLast,
    /// A chunk begins with something other than its size, or the size is beyond 64 bits.
    BadChunkSize,
    /// The line with a chunk's size is longer than 4 KiB.
    ChunkLineTooLong,
    /// A chunk's data is not followed by CRLF.
    BadChunkEnd,
    /// A line of the trailers does not end with CRLF.
    BadTrailer,
    /// The trailers are longer than 64 KiB.
    TrailersTooLong,
    /// The peer closed the connection before the response was complete.
    ClosedEarly,
}

impl ProtocolTrouble {
    /// A short fixed text for error lines.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::BadVersion => "not HTTP/1.0 or HTTP/1.1",
            Self::BadStatusLine => "bad status line",
            Self::BadField => "bad header field",
            Self::HeadTooLong => "head over 64 KiB",
            Self::Upgrade => "upgrade not asked for",
            Self::BadLength => "bad content-length",
            Self::ConflictingLengths => "conflicting content-length",
            Self::LengthAndEncoding => "content-length beside transfer-encoding",
            Self::EncodingInHttp10 => "transfer-encoding in HTTP/1.0",
            Self::BadEncoding => "bad transfer-encoding",
            Self::ChunkedNotLast => "chunked is not the last coding",
            Self::BadChunkSize => "bad chunk size",
            Self::ChunkLineTooLong => "chunk size line over 4 KiB",
            Self::BadChunkEnd => "no CRLF after chunk",
            Self::BadTrailer => "bad trailer",
            Self::TrailersTooLong => "trailers over 64 KiB",
            Self::ClosedEarly => "closed early",
        }
    }
}
