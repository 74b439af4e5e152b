//! What became of a request: data, sent once to the aggregator, never printed by a load thread.

use std::time::Duration;

use super::response::Broken;
use super::tls::trouble::TlsTrouble;
use crate::clock::{Elapsed, Moment};
use crate::plan::expect::ExpectTrouble;
use crate::plan::request::EndpointId;
use crate::vocabulary::FailureClass;

/// Why a request failed. Counted, so it carries nothing that differs from one request to the next.
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
    /// TLS did not come about, or broke.
    Tls(TlsTrouble),
    /// The request could not be written.
    Send,
    /// No complete answer within `--timeout`.
    Timeout,
    /// The server reset the connection.
    Reset,
    /// The server closed the connection before the answer was complete.
    ClosedEarly,
    /// The answer's framing is broken (RFC 9112).
    Protocol(Broken),
    /// A redirect that could not be followed.
    Redirect(RedirectTrouble),
    /// A status that is not ok.
    Status(u16),
    /// An answer that is not as expected, its status aside.
    Expectation(ExpectTrouble),
    /// An answer without a value that later requests need.
    Extract(ExtractTrouble),
}

/// Why an answer did not have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtractTrouble {
    /// Nothing at that place of a JSON body, or it is no JSON.
    Json,
    /// No such header field.
    Header,
    /// No such cookie.
    Cookie,
    /// The texts around it are not in the body.
    Between,
    /// The body's coding cannot be undone.
    Undecodable,
    /// The body, or the text between the two, is longer than `--max-body`: as a failure an
    /// [`ExpectTrouble::Body`], which has the size.
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
            Self::Undecodable => "body cannot be decoded",
            Self::OverMaxBody => "body over --max-body",
        }
    }
}

/// Why a host has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DnsTrouble {
    /// The name is not known, or has no address of the family asked for.
    NotFound,
    /// No answer within `--connect-timeout`.
    Timeout,
}

/// Why there is no connection, besides refusal and time.
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
    /// The proxy is there, but did not connect to the server.
    Proxy(ProxyTrouble),
    /// Anything else.
    Other,
}

/// Why a proxy did not connect to the server, besides the reasons that a server itself may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyTrouble {
    /// It does not let us, or did not reach the server.
    Refused,
    /// It wants credentials, or others.
    Credentials,
    /// It closed the connection.
    Closed,
    /// Its answer cannot be understood.
    Broken,
}

/// Why a redirect could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedirectTrouble {
    /// More than `--max-redirects`.
    TooMany,
    /// The location is no URL that can be asked.
    BadLocation,
}

impl Failure {
    /// Whether this machine, not the server, ran out of something: the run is not valid then.
    #[must_use]
    pub const fn is_own_limit(self) -> bool {
        matches!(self, Self::ConnectOther(ConnectTrouble::NoPorts | ConnectTrouble::NoDescriptors))
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
            Self::Send => FailureClass::Send,
            Self::Timeout => FailureClass::Timeout,
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

    /// `<class>: <status or short fixed text>`, free of what differs each time.
    #[must_use]
    pub fn text(self) -> String {
        let class = self.class().as_str();
        match self {
            Self::Status(status @ 400..=599) => format!("{class}: {status}"),
            Self::Status(status) => format!("{class}: status {status}"),
            Self::Expectation(trouble) => format!("{class}: {}", trouble.text()),
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
            Self::Timeout => "no complete answer in time",
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
    /// The answer came whole and its status is ok.
    Ok,
    /// It failed.
    Failed(Failure),
    /// The run ended first. In no count but its own.
    Aborted,
}

/// New connections that a request needed, and what they took; zero where it went over a kept one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connecting {
    /// Connections made.
    pub connections: u16,
    /// Time in name lookups.
    pub dns: Elapsed,
    /// Time in TCP handshakes, and in what is said to a proxy before the connection is the origin's.
    pub connect: Elapsed,
    /// Time in TLS handshakes.
    pub tls: Elapsed,
}

/// What was counted while a request was under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// When the last answer's first byte came.
    pub first_byte: Option<Moment>,
    /// Status of the last answer; 0 without one.
    pub status: u16,
    /// Body bytes of the last answer, after de-chunking, before decoding.
    pub content_length: u64,
    /// Body bytes received, redirects' own included.
    pub bytes_in: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// Redirects followed.
    pub redirects: u16,
    /// Kept connections that had been closed while idle and were replaced.
    pub reopened: u16,
    /// New connections.
    pub connecting: Connecting,
}

/// When a request was due, and whether anybody was there to send it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Whenever it was sent.
    WhenSent,
    /// At this moment, and a user was free for it: if it was sent late, this machine was too slow.
    Free(Moment),
    /// At this moment, but every user was busy: if it was sent late, the server was too slow.
    Busy(Moment),
}

/// What became of one request. Small, as each is written into the channel and read again, by another core or out of a
/// cache that thousands of users share.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    endpoint: EndpointId,
    schedule: Schedule,
    due: Moment,
    sent: Moment,
    done: Moment,
    traffic: Traffic,
    ending: Ending,
}

const _: () = assert!(size_of::<Outcome>() <= 112, "an outcome has grown");

/// A [`Turn`] without its moment.
#[derive(Clone, Copy, Debug)]
enum Schedule {
    WhenSent,
    Free,
    Busy,
}

impl Outcome {
    /// An outcome of a request that was begun at `sent` and over at `done`.
    #[must_use]
    pub fn new(
        endpoint: EndpointId,
        turn: Turn,
        (sent, done): (Moment, Moment),
        traffic: Traffic,
        ending: Ending,
    ) -> Self {
        let (schedule, due) = match turn {
            Turn::WhenSent => (Schedule::WhenSent, sent),
            Turn::Free(due) => (Schedule::Free, due),
            Turn::Busy(due) => (Schedule::Busy, due),
        };
        assert!(due <= sent && sent <= done, "a request is due, then sent, then done");
        Self { endpoint, schedule, due, sent, done, traffic, ending }
    }

    /// When it was due, and whether a user was free then.
    #[must_use]
    pub const fn turn(&self) -> Turn {
        match self.schedule {
            Schedule::WhenSent => Turn::WhenSent,
            Schedule::Free => Turn::Free(self.due),
            Schedule::Busy => Turn::Busy(self.due),
        }
    }

    /// Where it is counted.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// When it was due.
    #[must_use]
    pub const fn due(&self) -> Moment {
        self.due
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

    /// Response time: from when it was due to the last byte.
    #[must_use]
    pub const fn response_time(&self) -> Duration {
        self.done.since(self.due)
    }

    /// From sending to the first byte of the last answer, where one came.
    #[must_use]
    pub fn first_byte_time(&self) -> Option<Duration> {
        self.traffic.first_byte.map(|first_byte| first_byte.since(self.sent))
    }

    /// How long after it was due it was sent.
    #[must_use]
    pub const fn lateness(&self) -> Duration {
        self.sent.since(self.due)
    }

    /// What was counted on the way.
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
