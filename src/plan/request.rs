//! A request in wire format, prepared once so that sending it needs no formatting.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::url::{Origin, Url};
use super::wire::{self, Wire};
use crate::cli::value::Header;

/// Index of an endpoint in [`Plan::endpoints`](super::Plan::endpoints), which statistics are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// The unit that statistics are grouped by: a method and a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The method, at most 32 bytes.
    pub method: String,
    /// Path and query as written, preceded by the host if it differs from `--host`.
    pub name: String,
}

impl fmt::Display for Endpoint {
    /// `METHOD name`, as used in checks and reports; only the name for the group of endpoints beyond the
    /// maximum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.method.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{}", self.method, self.name)
    }
}

/// The parts of a request besides its URL.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The method as sent.
    pub method: String,
    /// Header fields in the order sent, without `Host` (unless set by the user) and `Content-Length`.
    pub headers: Arc<[(String, String)]>,
    /// The body; `None` sends no body.
    pub body: Option<Arc<[u8]>>,
}

/// A request that can be sent repeatedly.
#[derive(Clone, Debug)]
pub struct Request {
    endpoint: EndpointId,
    origin: Arc<Origin>,
    bytes: Box<[u8]>,
    /// Start of the body in `bytes`.
    body: usize,
}

impl Request {
    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Prepares a request.
    #[must_use]
    pub fn new(endpoint: EndpointId, url: &Url, parts: &Parts) -> Self {
        let mut bytes = head(url, parts);
        let body = wire::seal(&mut bytes, parts.body.as_deref());
        Self::of_bytes(endpoint, Arc::clone(url.origin()), bytes, body)
    }

    /// Creates a request from bytes whose body starts at `body`.
    pub(super) fn of_bytes(endpoint: EndpointId, origin: Arc<Origin>, bytes: Vec<u8>, body: usize) -> Self {
        Self { endpoint, origin, bytes: bytes.into_boxed_slice(), body }
    }

    /// The origin that its connection goes to.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The request in wire format.
    #[must_use]
    pub const fn wire(&self) -> Wire<'_> {
        Wire::new(self.endpoint, &self.origin, &self.bytes, self.body)
    }
}

/// Request line and header fields, without `Content-Length` and the empty line.
fn head(url: &Url, parts: &Parts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + parts.body.as_deref().map_or(0, <[u8]>::len));
    // Writing into a Vec cannot fail.
    let _ = write!(bytes, "{} {} HTTP/1.1\r\n", parts.method, url.target());
    if !parts.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        let _ = write!(bytes, "Host: {}\r\n", url.origin().authority());
    }
    for (name, value) in parts.headers.iter() {
        let _ = write!(bytes, "{name}: {value}\r\n");
    }
    bytes
}

/// The value of `Authorization` or `Proxy-Authorization` for `name:password` (RFC 7617).
#[must_use]
pub fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// The header fields of every request: the defaults, unless the user's own replace or remove them, and the
/// user's own.
#[must_use]
pub fn headers(defaults: &[(&str, String)], own: &[Header]) -> Arc<[(String, String)]> {
    let is_own = |name: &str| own.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    let kept = defaults.iter().filter(|(name, _)| !is_own(name)).map(|(n, v)| ((*n).to_owned(), v.clone()));
    let added = own.iter().filter_map(|header| header.value.clone().map(|value| (header.name.clone(), value)));
    kept.chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        let own = ["Authorization: Basic x".parse().unwrap(), "accept: text/x".parse().unwrap()];
        let defaults = [("Accept", "*/*".to_owned()), ("Content-Type", "text/plain".to_owned())];
        let parts = Parts {
            method: method.to_owned(),
            headers: headers(&defaults, &own),
            body: body.map(|b| Arc::from(b.as_bytes())),
        };
        Request::new(EndpointId(0), &Url::parse(url).unwrap().url, &parts)
    }

    fn text(request: &Request) -> &str {
        std::str::from_utf8(request.wire().bytes()).unwrap()
    }

    #[test]
    fn a_request_is_prepared_byte_for_byte() {
        assert_eq!(
            text(&request("POST", "http://h:81/a?b", Some("hi"))),
            "POST /a?b HTTP/1.1\r\nHost: h:81\r\nContent-Type: text/plain\r\nAuthorization: Basic x\r\n\
             accept: text/x\r\nContent-Length: 2\r\n\r\nhi"
        );
        assert!(text(&request("PUT", "http://h/", None)).contains("Content-Length: 0\r\n"));
        assert!(!text(&request("GET", "http://h/", None)).contains("Content-Length"));
    }
}
