//! Why a request failed.

use super::framing::ProtocolTrouble;
use super::timeout::TimedOut;
use super::tls::TlsTrouble;
use crate::plan::body_file::BodyFileTrouble;
use crate::plan::expect::ExpectationFailure;
use crate::plan::response::ContentCoding;
use crate::vocabulary::FailureClass;

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
