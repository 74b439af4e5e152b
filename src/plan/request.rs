//! A request in wire format, prepared once so that sending it needs no formatting.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::body_file::BodyContent;
use super::endpoint::EndpointId;
use super::url::{Origin, Url};
use super::wire::{self, END_OF_LINE, InsertedFile, WireRequest};
use crate::value::Header;

/// The parts of a request besides its URL.
#[derive(Clone, Debug)]
pub struct RequestParts {
    /// The method as sent.
    pub method: String,
    /// Header fields in the order sent, without `Host` (unless set by the user) and `Content-Length`.
    pub headers: Arc<[(String, String)]>,
    /// The body; `None` sends no body.
    pub body: Option<BodyContent>,
}

/// A request that can be sent repeatedly.
#[derive(Clone, Debug)]
pub struct Request {
    endpoint: EndpointId,
    origin: Arc<Origin>,
    bytes: Box<[u8]>,
    /// Start of the body in `bytes`.
    body: usize,
    /// Files in the body.
    files: Box<[InsertedFile]>,
}

impl Request {
    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Prepares a request.
    #[must_use]
    pub fn new(endpoint: EndpointId, url: &Url, parts: &RequestParts) -> Self {
        let mut bytes = head(url, parts);
        let (text, files) = match &parts.body {
            None => (None, Vec::new()),
            Some(BodyContent::Memory(bytes)) => (Some(&**bytes), Vec::new()),
            Some(BodyContent::Disk(file)) => (Some(&[][..]), vec![InsertedFile { at: 0, file: Arc::clone(file) }]),
        };
        let body = wire::seal(&mut bytes, text, &files);
        Self::from_bytes(endpoint, Arc::clone(url.origin()), bytes, body).with_files(files)
    }

    /// The request that follows a redirect of `from`, with `status` to `location`, with the method changes of RFC 9110
    /// section 15.4 as implemented by every browser and curl, and without secrets if the origin differs.
    ///
    /// # Errors
    /// A sentence, if `location` is not a URL that can be requested.
    pub fn redirected(from: WireRequest<'_>, status: u16, location: &str) -> Result<Self, String> {
        let target = String::from_utf8_lossy(from.target()).into_owned();
        let url = Url::at(Arc::clone(from.origin()), target).join(location)?;
        let method = from.method();
        let becomes_get = match status {
            303 => method != b"HEAD",
            301 | 302 => method == b"POST",
            _ => false,
        };
        let same_origin = url.origin() == from.origin();
        let keeps = |name: &[u8]| {
            let secret = ["authorization", "cookie", "proxy-authorization", "host"];
            let of_body = ["content-type", "content-encoding", "content-language"];
            let dropped = becomes_get && is_one_of(name, &of_body) || !same_origin && is_one_of(name, &secret);
            !dropped && !is_one_of(name, &["content-length"])
        };
        let method = if becomes_get { b"GET" } else { method };
        let mut bytes = Vec::with_capacity(from.bytes().len() + url.target().len());
        bytes.extend_from_slice(method);
        // Writing into a Vec cannot fail.
        let _ = write!(bytes, " {} HTTP/1.1\r\n", url.target());
        if !same_origin {
            let _ = write!(bytes, "Host: {}\r\n", url.origin().authority());
        }
        for (name, value) in from.fields().filter(|(name, _)| keeps(name)) {
            for part in [name, b": ", value, END_OF_LINE] {
                bytes.extend_from_slice(part);
            }
        }
        // An empty body cannot be seen in the bytes, but its length was written.
        let body = (!becomes_get && from.has_header("content-length")).then(|| from.body_text());
        let files = if becomes_get { &[] } else { from.files() };
        let start = wire::seal(&mut bytes, body, files);
        Ok(Self::from_bytes(from.endpoint(), Arc::clone(url.origin()), bytes, start).with_files(files.to_vec()))
    }

    /// Creates a request from bytes whose body starts at `body`.
    pub(super) fn from_bytes(endpoint: EndpointId, origin: Arc<Origin>, bytes: Vec<u8>, body: usize) -> Self {
        Self { endpoint, origin, bytes: bytes.into_boxed_slice(), body, files: Box::default() }
    }

    /// The same request with files in its body, which [`wire::seal`] has counted.
    pub(super) fn with_files(self, files: Vec<InsertedFile>) -> Self {
        Self { files: files.into_boxed_slice(), ..self }
    }

    /// The origin that its connection goes to.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The request in wire format.
    #[must_use]
    pub const fn wire(&self) -> WireRequest<'_> {
        WireRequest::new(self.endpoint, &self.origin, &self.bytes, self.body).with_files(&self.files)
    }
}

/// Request line and header fields, without `Content-Length` and the empty line.
fn head(url: &Url, parts: &RequestParts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + parts.body.as_ref().map_or(0, in_memory));
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

fn in_memory(body: &BodyContent) -> usize {
    if let BodyContent::Memory(bytes) = body { bytes.len() } else { 0 }
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| other.as_bytes().eq_ignore_ascii_case(name))
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

    fn content(text: &str) -> BodyContent {
        BodyContent::Memory(Arc::from(text.as_bytes()))
    }

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        let own = ["Authorization: Basic x".parse().unwrap(), "accept: text/x".parse().unwrap()];
        let defaults = [("Accept", "*/*".to_owned()), ("Content-Type", "text/plain".to_owned())];
        let parts =
            RequestParts { method: method.to_owned(), headers: headers(&defaults, &own), body: body.map(content) };
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

    fn traced(method: &str, url: &str, body: Option<&str>) -> Request {
        let headers = [("Content-Type", "text/plain"), ("authorization", "Basic x"), ("X-Trace", "a: b")];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let parts = RequestParts { method: method.to_owned(), headers, body: body.map(content) };
        Request::new(EndpointId(0), &Url::parse(url).unwrap().url, &parts)
    }

    #[test]
    fn redirects_change_the_method_as_in_rfc_9110() {
        for (status, method, expected) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (301, "PUT", "PUT"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let next = Request::redirected(traced(method, "http://h/a", Some("hi")).wire(), status, "/b").unwrap();
            assert!(text(&next).starts_with(&format!("{expected} /b HTTP/1.1\r\nHost: h\r\n")), "{status} {method}");
            assert_eq!(next.wire().body_len() == 0, expected != method, "{status} {method}");
            assert_eq!(text(&next).contains("Content-Type"), expected == method, "{status} {method}");
            assert_eq!(text(&next).contains("Content-Length: 2\r\n"), expected == method, "{status} {method}");
            assert!(text(&next).contains("X-Trace: a: b\r\n"), "{status} {method}");
        }
    }

    #[test]
    fn a_redirect_repeats_a_request_without_a_body_byte_for_byte() {
        for method in ["GET", "POST"] {
            let first = traced(method, "http://h:81/a", None);
            let next = Request::redirected(first.wire(), 307, "http://h:81/a").unwrap();
            assert_eq!(text(&next), text(&first));
        }
    }

    #[test]
    fn secrets_do_not_follow_a_redirect_to_another_origin() {
        let first = traced("GET", "http://h/a", None);
        assert!(text(&Request::redirected(first.wire(), 302, "http://h:80/b").unwrap()).contains("authorization"));
        for (elsewhere, host) in [("http://h:81/b", "h:81"), ("https://h/b", "h"), ("//other/b", "other")] {
            let next = Request::redirected(first.wire(), 302, elsewhere).unwrap();
            assert!(!text(&next).contains("authorization"), "{elsewhere}");
            assert!(text(&next).starts_with(&format!("GET /b HTTP/1.1\r\nHost: {host}\r\n")), "{elsewhere}");
            assert_eq!(text(&next).matches("Host").count(), 1);
        }
    }
}
