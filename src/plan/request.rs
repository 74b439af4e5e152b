//! A request as it goes on the wire, prepared once: sending it costs no formatting.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::url::{Origin, Scheme, Url};
use crate::cli::value::Header;

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

/// What a request carries besides its URL; redirects make new requests of it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The method as sent.
    pub method: String,
    /// Header fields in the order sent, without `Host` (unless the user set one) and `Content-Length`.
    pub headers: Arc<[(String, String)]>,
    /// The body; `None` sends none.
    pub body: Option<Arc<[u8]>>,
    /// Who reads the request where it is not encrypted.
    pub reader: Reader,
}

/// Who reads a request over plain HTTP; over TLS it is always the origin.
#[derive(Clone, Debug)]
pub enum Reader {
    /// The origin: the request line has path and query.
    Origin,
    /// An HTTP proxy: the request line has the whole URL (RFC 9112 section 3.2.2).
    Proxy {
        /// Value of `Proxy-Authorization`.
        authorization: Option<Arc<str>>,
    },
}

/// A request, ready to be sent again and again.
#[derive(Clone, Debug)]
pub struct Request {
    endpoint: EndpointId,
    url: Url,
    parts: Parts,
    bytes: Box<[u8]>,
}

impl Request {
    /// Prepares a request.
    #[must_use]
    pub fn new(endpoint: EndpointId, url: Url, parts: Parts) -> Self {
        let bytes = wire_bytes(&url, &parts).into_boxed_slice();
        Self { endpoint, url, parts, bytes }
    }

    /// Where it is counted.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Where a connection for it goes.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        self.url.origin()
    }

    /// Head and body as they are sent.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of the body in bytes.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.parts.body.as_ref().map_or(0, |body| body.len())
    }

    /// Whether the answer has no body whatever its head says (RFC 9112 section 6.3).
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.parts.method == "HEAD"
    }

    /// Whether it may be sent again without being asked (RFC 9110 section 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.parts.method.as_str(), "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
    }

    /// The request that follows a redirect of `status` to `location`, with the method changes of RFC 9110
    /// section 15.4 as every browser and curl make them, and without secrets where the origin is another.
    ///
    /// # Errors
    /// A sentence, when `location` is no URL that can be asked.
    pub fn redirected(&self, status: u16, location: &str) -> Result<Self, String> {
        let url = self.url.join(location)?;
        let becomes_get = match status {
            303 => self.parts.method != "HEAD",
            301 | 302 => self.parts.method == "POST",
            _ => false,
        };
        let same_origin = url.origin() == self.url.origin();
        let keeps = |name: &str| {
            let secret = ["authorization", "cookie", "proxy-authorization", "host"];
            let of_body = ["content-type", "content-encoding", "content-language"];
            !(becomes_get && is_one_of(name, &of_body) || !same_origin && is_one_of(name, &secret))
        };
        let headers = self.parts.headers.iter().filter(|(name, _)| keeps(name)).cloned().collect();
        let reader = self.parts.reader.clone();
        let parts = if becomes_get {
            Parts { method: "GET".to_owned(), headers, body: None, reader }
        } else {
            Parts { method: self.parts.method.clone(), headers, body: self.parts.body.clone(), reader }
        };
        Ok(Self::new(self.endpoint, url, parts))
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn wire_bytes(url: &Url, parts: &Parts) -> Vec<u8> {
    let body = parts.body.as_deref();
    let mut bytes = Vec::with_capacity(256 + body.map_or(0, <[u8]>::len));
    let is_own = |name: &str| parts.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let (authority, target) = (url.origin().authority(), url.target());
    let proxy = match &parts.reader {
        Reader::Proxy { authorization } if url.origin().scheme() == Scheme::Http => Some(authorization),
        _ => None,
    };
    // Writing into a Vec cannot fail.
    let _ = match proxy {
        Some(_) => write!(bytes, "{} http://{authority}{target} HTTP/1.1\r\n", parts.method),
        None => write!(bytes, "{} {target} HTTP/1.1\r\n", parts.method),
    };
    if !is_own("host") {
        let _ = write!(bytes, "Host: {authority}\r\n");
    }
    if let Some(authorization) = proxy.and_then(Option::as_ref).filter(|_| !is_own("proxy-authorization")) {
        let _ = write!(bytes, "Proxy-Authorization: {authorization}\r\n");
    }
    for (name, value) in parts.headers.iter() {
        let _ = write!(bytes, "{name}: {value}\r\n");
    }
    // RFC 9110 section 8.6: a length of 0 where the method's meaning expects a body.
    let expects_body = matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH");
    match body {
        Some(body) => drop(write!(bytes, "Content-Length: {}\r\n", body.len())),
        None if expects_body => bytes.extend_from_slice(b"Content-Length: 0\r\n"),
        None => {}
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.unwrap_or_default());
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
            reader: Reader::Origin,
        };
        Request::new(EndpointId(0), Url::parse(url).unwrap().url, parts)
    }

    fn by_proxy(url: &str, own: &[Header]) -> Request {
        let reader = Reader::Proxy { authorization: Some("Basic p".into()) };
        let parts = Parts { method: "GET".to_owned(), headers: headers(&[], own), body: None, reader };
        Request::new(EndpointId(0), Url::parse(url).unwrap().url, parts)
    }

    fn text(request: &Request) -> &str {
        std::str::from_utf8(request.bytes()).unwrap()
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

    #[test]
    fn a_proxy_reads_the_whole_url_of_plain_http_and_nothing_of_what_is_encrypted() {
        let plain = by_proxy("http://h:81/a?b", &[]);
        assert_eq!(text(&plain), "GET http://h:81/a?b HTTP/1.1\r\nHost: h:81\r\nProxy-Authorization: Basic p\r\n\r\n");
        let elsewhere = plain.redirected(302, "http://other/b").unwrap();
        assert!(
            text(&elsewhere).starts_with("GET http://other/b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: Basic p")
        );
        let encrypted = plain.redirected(302, "https://h/b").unwrap();
        assert_eq!(text(&encrypted), "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        let own = by_proxy("http://h/", &["proxy-authorization: x".parse().unwrap()]);
        assert_eq!(text(&own), "GET http://h/ HTTP/1.1\r\nHost: h\r\nproxy-authorization: x\r\n\r\n");
    }

    #[test]
    fn redirects_change_the_method_as_rfc_9110_says() {
        for (status, method, expected) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (301, "PUT", "PUT"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let next = request(method, "http://h/a", Some("hi")).redirected(status, "/b").unwrap();
            assert!(text(&next).starts_with(&format!("{expected} /b ")), "{status} {method}");
            assert_eq!(next.body_len() == 0, expected != method, "{status} {method}");
            assert_eq!(text(&next).contains("Content-Type"), expected == method, "{status} {method}");
        }
    }

    #[test]
    fn secrets_do_not_follow_a_redirect_to_another_origin() {
        let first = request("GET", "http://h/a", None);
        assert!(text(&first.redirected(302, "http://h:80/b").unwrap()).contains("Authorization"));
        for elsewhere in ["http://h:81/b", "https://h/b", "//other/b"] {
            assert!(!text(&first.redirected(302, elsewhere).unwrap()).contains("Authorization"), "{elsewhere}");
        }
    }
}
