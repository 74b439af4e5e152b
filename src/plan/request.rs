//! A request as it goes on the wire, prepared once: sending it costs no formatting.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::url::{Origin, Url};
use super::wire::{self, Wire};
use crate::value::Header;

/// Index of an endpoint in [`Plan::endpoints`](super::Plan::endpoints): what statistics are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// What statistics are kept by: a method and a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The method, at most 32 bytes.
    pub method: String,
    /// Path and query as written, with the host in front where it is not `--host`.
    pub name: String,
}

impl fmt::Display for Endpoint {
    /// `METHOD name`, as people and checks call it; the name alone for the rest of too many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.method.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{}", self.method, self.name)
    }
}

/// What a request carries besides its URL.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The method as sent.
    pub method: String,
    /// Header fields in the order sent, without `Host` (unless the user set one) and `Content-Length`.
    pub headers: Arc<[(String, String)]>,
    /// The body; `None` sends none.
    pub body: Option<Arc<[u8]>>,
}

/// A request, ready to be sent again and again.
#[derive(Clone, Debug)]
pub struct Request {
    endpoint: EndpointId,
    origin: Arc<Origin>,
    bytes: Box<[u8]>,
    /// Where in `bytes` the body begins.
    body: usize,
}

impl Request {
    /// Where it is counted.
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

    /// A request of these bytes, whose body begins at `body`.
    pub(super) fn of_bytes(endpoint: EndpointId, origin: Arc<Origin>, bytes: Vec<u8>, body: usize) -> Self {
        Self { endpoint, origin, bytes: bytes.into_boxed_slice(), body }
    }

    /// Where a connection for it goes.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The request as it is sent.
    #[must_use]
    pub const fn wire(&self) -> Wire<'_> {
        Wire::new(self.endpoint, &self.origin, &self.bytes, self.body)
    }
}

/// Request line and fields, without `Content-Length` and the empty line.
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

/// Value of `Authorization` or `Proxy-Authorization` for `name:password` (RFC 7617).
#[must_use]
pub fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// Header fields of every request: those sent by default, unless the user's own replace or remove them.
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
