//! The result of a request: plain data, sent once to the aggregator, never printed by a load thread.

mod framing;
mod result;
mod timeout;
mod tls;

use std::time::Duration;

use crate::clock::{Elapsed, Moment};
use crate::plan::body_file::BodyFileTrouble;
use crate::plan::endpoint::EndpointId;
use crate::plan::expect::ExpectationFailure;
use crate::plan::response::ContentCoding;
use crate::plan::trace::RequestId;
use crate::vocabulary::FailureClass;
pub use framing::ProtocolTrouble;
pub use timeout::{TimedOut, TimeoutPhase};
pub use tls::TlsTrouble;

/// Why a request failed. Failures are counted, so none has a field that differs from one request to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The host has no address.
    Dns(DnsTrouble),
    /// The server, or something on the way, refused the connection.
    ConnectRefused,
    /// Name lookup done, but no connection (TLS included) within `--connect-timeout`.
    ConnectTimeout,
    /// No connection for another reason.
    ConnectOther(ConnectTrouble),
    /// TLS could not be established, or broke.
    Tls(TlsTrouble),
    /// The request could not be written.
    Send,
    /// A file of the request's body could no longer be sent.
    BodyFile(BodyFileTrouble),
    /// No complete response within the request's timeout.
    Timeout(TimedOut),
    /// The server reset the connection.
    Reset,
    /// The server closed the connection before the response was complete.
    ClosedEarly,
    /// The response's framing is broken (RFC 9112).
    Protocol(ProtocolTrouble),
    /// A redirect that could not be followed.
    Redirect(RedirectTrouble),
    /// A status that counts as failed.
    Status(u16),
    /// A response that is not as expected, apart from its status.
    Expectation(ExpectationFailure),
    /// A response without a value that later requests need.
    Extract(ExtractTrouble),
}

/// Why a value could not be extracted from a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtractTrouble {
    /// There is nothing at that place of the JSON body, or the body is not JSON.
    Json,
    /// No such header field.
    Header,
    /// No such cookie.
    Cookie,
    /// The texts that enclose it are not there.
    Between,
    /// The pattern does not match.
    Regex,
    /// There is no such form field in the HTML body.
    Input,
    /// The body cannot be decoded.
    Undecodable,
    /// The body's content coding is not decoded here.
    Unsupported(ContentCoding),
    /// The body, or the text between the two, is longer than `--max-body`. As a failure this is an
    /// [`ExpectationFailure::Body`], which has the size.
    OverMaxBody,
}

impl ExtractTrouble {
    /// A short fixed text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Json => "no such JSON value",
            Self::Header => "no such header",
            Self::Cookie => "no such cookie",
            Self::Between => "text not found",
            Self::Regex => "no match",
            Self::Input => "no such form field",
            Self::Undecodable => "body cannot be decoded",
            Self::Unsupported(coding) => coding.text(),
            Self::OverMaxBody => "body over --max-body",
        }
    }
}

/// Why a host has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DnsTrouble {
    /// The name is unknown, or has no address of the requested family.
    NotFound,
    /// No response within `--connect-timeout`.
    Timeout,
}

/// Why there is no connection, apart from refusal and timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectTrouble {
    /// No route to the network or host.
    Unreachable,
    /// This machine has no free local port for that destination.
    NoPorts,
    /// This process or machine has no free file descriptor.
    NoDescriptors,
    /// The Unix socket is no longer there.
    NoSocket,
    /// The proxy responded, but did not connect to the server.
    Proxy(ProxyTrouble),
    /// Anything else.
    Other,
}

/// Why a proxy did not connect to the server, apart from the reasons that a server itself may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyTrouble {
    /// It denied access, or could not connect to the server.
    Refused,
    /// It requires credentials, or other ones.
    Credentials,
    /// It closed the connection.
    Closed,
    /// Its response is malformed.
    Broken,
}

/// Why a redirect could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedirectTrouble {
    /// More than `--max-redirects`.
    TooMany,
    /// The location is not a URL that can be requested.
    BadLocation,
}

impl Failure {
    /// Whether this machine, not the server, ran out of something, which makes the run invalid.
    #[must_use]
    pub const fn is_own_limit(self) -> bool {
        let Self::ConnectOther(trouble) = self else { return false };
        match trouble {
            ConnectTrouble::NoPorts | ConnectTrouble::NoDescriptors => true,
            ConnectTrouble::Unreachable
            | ConnectTrouble::NoSocket
            | ConnectTrouble::Proxy(_)
            | ConnectTrouble::Other => false,
        }
    }

    /// The failure's class, as in the stream.
    #[must_use]
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Dns(_) => FailureClass::Dns,
            Self::ConnectRefused => FailureClass::ConnectRefused,
            Self::ConnectTimeout => FailureClass::ConnectTimeout,
            Self::ConnectOther(_) => FailureClass::ConnectOther,
            Self::Tls(_) => FailureClass::Tls,
            Self::Send | Self::BodyFile(_) => FailureClass::Send,
            Self::Timeout(_) => FailureClass::Timeout,
            Self::Reset => FailureClass::Reset,
            Self::ClosedEarly => FailureClass::ClosedEarly,
            Self::Protocol(_) => FailureClass::Protocol,
            Self::Redirect(_) => FailureClass::Redirect,
            Self::Status(400..=499) => FailureClass::Http4xx,
            Self::Status(500..=599) => FailureClass::Http5xx,
            Self::Status(..400) | Self::Expectation(_) => FailureClass::Expectation,
            Self::Extract(_) => FailureClass::Extract,
            Self::Status(_) => FailureClass::Other,
        }
    }

    /// `<class>: <status or short fixed text>`, without anything that differs from one request to the next.
    #[must_use]
    pub fn text(self) -> String {
        let class = self.class().as_str();
        match self {
            Self::Status(status @ 400..=599) => format!("{class}: {status}"),
            Self::Status(status) => format!("{class}: status {status}"),
            Self::Expectation(trouble) => format!("{class}: {}", trouble.text()),
            Self::Timeout(timed_out) => format!("{class}: {}", timed_out.text()),
            _ => format!("{class}: {}", self.reason()),
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Dns(DnsTrouble::NotFound) => "no address",
            Self::Dns(DnsTrouble::Timeout) => "no answer in time",
            Self::ConnectRefused => "connection refused",
            Self::ConnectTimeout => "not connected in time",
            Self::ConnectOther(ConnectTrouble::Unreachable) => "unreachable",
            Self::ConnectOther(ConnectTrouble::NoPorts) => "no free local port",
            Self::ConnectOther(ConnectTrouble::NoDescriptors) => "too many open files",
            Self::ConnectOther(ConnectTrouble::NoSocket) => "the socket is gone",
            Self::ConnectOther(ConnectTrouble::Proxy(ProxyTrouble::Refused)) => "refused by the proxy",
            Self::ConnectOther(ConnectTrouble::Proxy(ProxyTrouble::Credentials)) => "the proxy wants other credentials",
            Self::ConnectOther(ConnectTrouble::Proxy(ProxyTrouble::Closed)) => "closed by the proxy",
            Self::ConnectOther(ConnectTrouble::Proxy(ProxyTrouble::Broken)) => "no proper answer from the proxy",
            Self::ConnectOther(ConnectTrouble::Other) => "not connected",
            Self::Tls(trouble) => trouble.text(),
            Self::Send => "request could not be sent",
            Self::BodyFile(trouble) => trouble.text(),
            Self::Timeout(_) => "no complete response",
            Self::Reset => "connection reset",
            Self::ClosedEarly => "closed before the answer was complete",
            Self::Protocol(broken) => broken.text(),
            Self::Redirect(RedirectTrouble::TooMany) => "too many",
            Self::Redirect(RedirectTrouble::BadLocation) => "bad location",
            Self::Extract(trouble) => trouble.text(),
            Self::Expectation(_) => "not as expected",
            Self::Status(_) => "status",
        }
    }
}

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
    pub const fn of_request(self, id: RequestId, is_traced: bool) -> Self {
        Self { id, is_traced, ..self }
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
