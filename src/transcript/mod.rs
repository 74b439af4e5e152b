//! Transcripts: a request and its answers as they were exchanged, and how people are shown them. Pure, without clock or
//! socket.

mod body;
pub mod plain;
pub mod text;

use std::time::Duration;

use crate::outcome::Ending;
use crate::plan::expect::explain::Finding;

/// A request as it was exchanged, with the redirects that were followed, and how its answer was judged.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Method and name of the endpoint.
    pub endpoint: String,
    /// The request and each request that followed a redirect, in order.
    pub hops: Vec<Hop>,
    /// Further hops that were not kept.
    pub omitted_hops: usize,
    /// Time from sending to the last byte.
    pub took: Duration,
    /// How it ended.
    pub ending: Ending,
    /// What was expected beside what was found; empty without an answer.
    pub findings: Vec<Finding>,
    /// The values that were to be extracted.
    pub extracted: Vec<Extracted>,
}

/// One request of a transcript and its answer.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Request line and header fields as sent, without the empty line.
    pub request_head: Kept,
    /// The body as sent.
    pub request_body: Kept,
    /// Where its time went.
    pub phases: Phases,
    /// The answer, as far as it was received.
    pub answer: Option<Answer>,
}

/// An answer as received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status line and header fields, without the empty line.
    pub head: Kept,
    /// The body, decoded if [`is_coded`](Self::is_coded) is not set; its length is that before decoding.
    pub body: Kept,
    /// Whether the body has a content coding that cannot be decoded.
    pub is_coded: bool,
}

/// The beginning of some bytes.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// What was kept.
    pub bytes: Vec<u8>,
    /// How many bytes there were.
    pub len: u64,
    /// Whether bytes are missing at the end of what was kept.
    pub is_cut: bool,
}

impl Kept {
    /// At most `limit` of these bytes.
    #[must_use]
    pub fn beginning(bytes: &[u8], limit: usize) -> Self {
        let is_cut = bytes.len() > limit;
        Self { bytes: bytes[..bytes.len().min(limit)].to_vec(), len: bytes.len() as u64, is_cut }
    }
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Name lookup, connecting and TLS, if a new connection was needed.
    pub connecting: Option<ConnectPhases>,
    /// From the end of connecting to the first byte of the answer; without an answer the time that it was waited for.
    pub first_byte: Duration,
    /// From the first to the last byte of the answer; `None` without an answer.
    pub body: Option<Duration>,
}

/// The time that a new connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectPhases {
    /// Name lookup.
    pub dns: Duration,
    /// TCP handshake and the conversation with a proxy.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Duration,
}

/// A value that was to be extracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The variable.
    pub name: String,
    /// The value, or why there is none.
    pub value: Result<String, String>,
    /// Whether the value usually is a secret, by the name of the variable or of its source.
    pub is_secret: bool,
}
