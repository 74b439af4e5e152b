//! The result of a request: plain data, sent once to the aggregator, never printed by a load thread.

mod failure;
mod framing;
mod result;
mod timeout;
mod tls;

use std::time::Duration;

use crate::clock::{Elapsed, Moment};
use crate::plan::endpoint::EndpointId;
use crate::plan::trace::RequestId;
pub use failure::{ConnectTrouble, DnsTrouble, ExtractTrouble, Failure, ProxyTrouble, RedirectTrouble};
pub use framing::ProtocolTrouble;
pub use timeout::{TimedOut, TimeoutPhase};
pub use tls::TlsTrouble;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The response is complete and its status is ok.
    Ok,
    /// It failed.
    Failed(Failure),
    /// The run ended first. Counted separately from ok and failed.
    Aborted,
}

/// New connections that a request needed and the time they took; zero if it used a kept one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connecting {
    /// Connections made.
    pub connections: u16,
    /// Time in name lookups.
    pub dns: Elapsed,
    /// Time in TCP handshakes and in the conversation with a proxy before the connection leads to the origin.
    pub connect: Elapsed,
    /// Time in TLS handshakes.
    pub tls: Elapsed,
}

/// Counters of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// When the last response's first byte arrived.
    pub first_byte: Option<Moment>,
    /// Status of the last response; 0 without one.
    pub status: u16,
    /// Body bytes of the last response, after de-chunking, before decoding.
    pub content_length: u64,
    /// Body bytes received, including those of redirects.
    pub bytes_in: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// Reads the maximum number of redirects.
    pub redirects: u16,
    /// Kept connections that had been closed while idle and were replaced.
    pub reopened: u16,
    /// New connections.
    pub connecting: Connecting,
}

/// When a request was due, and whether a user was free to send it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTime {
    /// The time it was sent: there was no earlier due time.
    WhenSent,
    /// At this moment, and a user was free for it: if it was sent late, this machine was too slow.
    Free(Moment),
    /// At this moment, but every user was busy: if it was sent late, the server was too slow.
    Busy(Moment),
}

impl DueTime {
    /// The due time of a request that is due `pause` later, because its user pauses first.
    #[must_use]
    pub fn after(self, pause: Duration) -> Self {
        match self {
            Self::WhenSent => Self::WhenSent,
            Self::Free(due) => Self::Free(due.after(pause)),
            Self::Busy(due) => Self::Busy(due.after(pause)),
        }
    }
}

/// The result of one request. Small, because each is written to the channel and read again by another core, or from a
/// cache shared by thousands of users.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    endpoint: EndpointId,
    id: RequestId,
    is_traced: bool,
    due_kind: DueKind,
    due: Moment,
    sent: Moment,
    done: Moment,
    traffic: Traffic,
    ending: Ending,
}

const _: () = assert!(size_of::<Outcome>() <= 112, "an outcome has grown");

/// A [`DueTime`] without its moment.
#[derive(Clone, Copy, Debug)]
enum DueKind {
    WhenSent,
    Free,
    Busy,
}

impl Outcome {
    /// The outcome of a request sent at `sent` and over at `done`.
    #[must_use]
    pub fn new(
        endpoint: EndpointId,
        due_time: DueTime,
        (sent, done): (Moment, Moment),
        traffic: Traffic,
        ending: Ending,
    ) -> Self {
        let (schedule, due) = match due_time {
            DueTime::WhenSent => (DueKind::WhenSent, sent),
            DueTime::Free(due) => (DueKind::Free, due),
            DueTime::Busy(due) => (DueKind::Busy, due),
        };
        assert!(due <= sent && sent <= done, "a request is due, then sent, then done");
        let (id, is_traced) = (RequestId::default(), false);
        Self { endpoint, id, is_traced, due_kind: schedule, due, sent, done, traffic, ending }
    }

    /// The same, of the request with this id; `is_traced` is whether it carried a `traceparent` field of ours.
    #[must_use]
    pub const fn of_request(mut self, id: RequestId, is_traced: bool) -> Self {
        (self.id, self.is_traced) = (id, is_traced);
        self
    }

    /// Which request it was.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// Whether it carried a `traceparent` field made from its id.
    #[must_use]
    pub const fn is_traced(&self) -> bool {
        self.is_traced
    }

    /// When it was due, and whether a user was free then.
    #[must_use]
    pub const fn turn(&self) -> DueTime {
        match self.due_kind {
            DueKind::WhenSent => DueTime::WhenSent,
            DueKind::Free => DueTime::Free(self.due),
            DueKind::Busy => DueTime::Busy(self.due),
        }
    }

    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// When it was due.
    #[must_use]
    pub const fn due(&self) -> Moment {
        self.due
    }

    /// When it was sent.
    #[must_use]
    pub const fn sent(&self) -> Moment {
        self.sent
    }

    /// When it was over.
    #[must_use]
    pub const fn done(&self) -> Moment {
        self.done
    }

    /// Service time: from sending to the last byte.
    #[must_use]
    pub const fn service_time(&self) -> Duration {
        self.done.since(self.sent)
    }

    /// Response time: from the due time to the last byte.
    #[must_use]
    pub const fn response_time(&self) -> Duration {
        self.done.since(self.due)
    }

    /// From sending to the first byte of the last response, if there was one.
    #[must_use]
    pub fn first_byte_time(&self) -> Option<Duration> {
        self.traffic.first_byte.map(|first_byte| first_byte.since(self.sent))
    }

    /// The same; without a first byte, the time that it was waited for.
    #[must_use]
    pub fn time_to_first_byte(&self) -> Duration {
        self.first_byte_time().unwrap_or_else(|| self.service_time())
    }

    /// How long after its due time it was sent.
    #[must_use]
    pub const fn lateness(&self) -> Duration {
        self.sent.since(self.due)
    }

    /// Counters of the request.
    #[must_use]
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How it ended.
    #[must_use]
    pub const fn ending(&self) -> Ending {
        self.ending
    }
}
