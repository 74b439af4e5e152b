//! Requests in wire format: head, empty line and body in one buffer, so that one `send` transmits a request.

use std::io::Write as _;
use std::sync::Arc;

use super::request::{EndpointId, Request};
use super::url::{Origin, Url};

/// A request in wire format, prepared or rendered: everything that an exchange needs. Other properties are
/// read from its bytes when needed, which is rare (redirects, cookies), so nothing else is stored.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'w> {
    endpoint: EndpointId,
    origin: &'w Arc<Origin>,
    bytes: &'w [u8],
    /// Start of the body in `bytes`.
    body: usize,
}

impl<'w> Wire<'w> {
    /// Creates a request from bytes whose body starts at `body`, after the empty line.
    pub(super) const fn new(endpoint: EndpointId, origin: &'w Arc<Origin>, bytes: &'w [u8], body: usize) -> Self {
        Self { endpoint, origin, bytes, body }
    }

    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// The origin that its connection goes to.
    #[must_use]
    pub const fn origin(&self) -> &'w Arc<Origin> {
        self.origin
    }

    /// Head, empty line and body as sent.
    #[must_use]
    pub const fn bytes(&self) -> &'w [u8] {
        self.bytes
    }

    /// The bytes before the empty line, and the rest: further header fields can be inserted between them.
    #[must_use]
    pub fn halves(&self) -> (&'w [u8], &'w [u8]) {
        self.bytes.split_at(self.body - END_OF_LINE.len())
    }

    /// Length of the body in bytes.
    #[must_use]
    pub const fn body_len(&self) -> usize {
        self.bytes.len() - self.body
    }

    /// Returns whether the response never has a body, whatever its head says (RFC 9112 section 6.3).
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method() == b"HEAD"
    }

    /// Returns whether it may be repeated automatically (RFC 9110 section 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.method(), b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS")
    }

    /// Path and query, as in the request line.
    #[must_use]
    pub fn target(&self) -> &'w [u8] {
        self.bytes.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }

    /// Returns whether it already has a field with this name.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        self.fields().any(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The request that follows a redirect of `status` to `location`, with the method changes of RFC 9110
    /// section 15.4 as implemented by every browser and curl, and without secrets if the origin differs.
    ///
    /// # Errors
    /// A sentence, if `location` is not a URL that can be requested.
    pub fn redirected(&self, status: u16, location: &str) -> Result<Request, String> {
        let target = String::from_utf8_lossy(self.target()).into_owned();
        let url = Url::at(Arc::clone(self.origin), target).join(location)?;
        let method = self.method();
        let becomes_get = match status {
            303 => method != b"HEAD",
            301 | 302 => method == b"POST",
            _ => false,
        };
        let same_origin = url.origin() == self.origin;
        let keeps = |name: &[u8]| {
            let secret = ["authorization", "cookie", "proxy-authorization", "host"];
            let of_body = ["content-type", "content-encoding", "content-language"];
            let dropped = becomes_get && is_one_of(name, &of_body) || !same_origin && is_one_of(name, &secret);
            !dropped && !is_one_of(name, &["content-length"])
        };
        let method = if becomes_get { b"GET" } else { method };
        let mut bytes = Vec::with_capacity(self.bytes.len() + url.target().len());
        bytes.extend_from_slice(method);
        // Writing into a Vec cannot fail.
        let _ = write!(bytes, " {} HTTP/1.1\r\n", url.target());
        if !same_origin {
            let _ = write!(bytes, "Host: {}\r\n", url.origin().authority());
        }
        for (name, value) in self.fields().filter(|(name, _)| keeps(name)) {
            for part in [name, b": ", value, END_OF_LINE] {
                bytes.extend_from_slice(part);
            }
        }
        // An empty body cannot be seen in the bytes, but its length was written.
        let body = (!becomes_get && self.has_field("content-length")).then(|| &self.bytes[self.body..]);
        let start = seal(&mut bytes, body);
        Ok(Request::of_bytes(self.endpoint, Arc::clone(url.origin()), bytes, start))
    }

    fn method(&self) -> &'w [u8] {
        self.bytes.split(|byte| *byte == b' ').next().unwrap_or_default()
    }

    /// Name and value of each header field.
    fn fields(&self) -> impl Iterator<Item = (&'w [u8], &'w [u8])> + use<'w> {
        let (head, _) = self.halves();
        let lines = head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

const END_OF_LINE: &[u8] = b"\r\n";

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| other.as_bytes().eq_ignore_ascii_case(name))
}

/// Completes a head of request line and fields with `Content-Length`, the empty line and the body; returns
/// the start of the body.
pub(super) fn seal(head: &mut Vec<u8>, body: Option<&[u8]>) -> usize {
    // RFC 9110 section 8.6: a length of 0 if the method normally has a body.
    let expects_body = [&b"POST "[..], b"PUT ", b"PATCH "].iter().any(|method| head.starts_with(method));
    match body {
        // Writing into a Vec cannot fail.
        Some(body) => drop(write!(head, "Content-Length: {}\r\n", body.len())),
        None if expects_body => head.extend_from_slice(b"Content-Length: 0\r\n"),
        None => {}
    }
    head.extend_from_slice(END_OF_LINE);
    let start = head.len();
    head.extend_from_slice(body.unwrap_or_default());
    start
}

/// A buffer for rendering requests; each user has one and reuses it.
#[derive(Debug, Default)]
pub struct WireBuffer {
    bytes: Vec<u8>,
    body: Vec<u8>,
    start: usize,
}

impl WireBuffer {
    /// Clears the buffer and returns the parts for the head (request line and fields, each with its line end,
    /// without `Content-Length` and the empty line) and for the body.
    pub fn begin(&mut self) -> (&mut Vec<u8>, &mut Vec<u8>) {
        self.bytes.clear();
        self.body.clear();
        (&mut self.bytes, &mut self.body)
    }

    /// Joins both parts; `has_body` is whether there is a body, which may be empty.
    pub fn seal(&mut self, has_body: bool) {
        self.start = seal(&mut self.bytes, has_body.then_some(self.body.as_slice()));
    }

    /// The sealed request.
    #[must_use]
    pub fn wire<'w>(&'w self, endpoint: EndpointId, origin: &'w Arc<Origin>) -> Wire<'w> {
        Wire::new(endpoint, origin, &self.bytes, self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::request::Parts;

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        let headers = [("Content-Type", "text/plain"), ("authorization", "Basic x"), ("X-Trace", "a: b")];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let parts = Parts { method: method.to_owned(), headers, body: body.map(|b| Arc::from(b.as_bytes())) };
        Request::new(EndpointId(0), &Url::parse(url).unwrap().url, &parts)
    }

    fn text(request: &Request) -> &str {
        std::str::from_utf8(request.wire().bytes()).unwrap()
    }

    #[test]
    fn properties_are_read_from_the_bytes() {
        let post = request("POST", "http://h/a?b", Some("hi"));
        let wire = post.wire();
        assert_eq!((wire.target(), wire.body_len()), (&b"/a?b"[..], 2));
        assert_eq!((wire.is_head(), wire.is_idempotent()), (false, false));
        assert!(wire.has_field("AUTHORIZATION") && !wire.has_field("cookie"));
        let (head, rest) = wire.halves();
        assert!(head.ends_with(b"Content-Length: 2\r\n"));
        assert_eq!(rest, b"\r\nhi");
        let head = request("HEAD", "http://h/", None);
        assert!(head.wire().is_head() && head.wire().is_idempotent());
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
            let next = request(method, "http://h/a", Some("hi")).wire().redirected(status, "/b").unwrap();
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
            let first = request(method, "http://h:81/a", None);
            let next = first.wire().redirected(307, "http://h:81/a").unwrap();
            assert_eq!(text(&next), text(&first));
        }
    }

    #[test]
    fn secrets_do_not_follow_a_redirect_to_another_origin() {
        let first = request("GET", "http://h/a", None);
        assert!(text(&first.wire().redirected(302, "http://h:80/b").unwrap()).contains("authorization"));
        for (elsewhere, host) in [("http://h:81/b", "h:81"), ("https://h/b", "h"), ("//other/b", "other")] {
            let next = first.wire().redirected(302, elsewhere).unwrap();
            assert!(!text(&next).contains("authorization"), "{elsewhere}");
            assert!(text(&next).starts_with(&format!("GET /b HTTP/1.1\r\nHost: {host}\r\n")), "{elsewhere}");
            assert_eq!(text(&next).matches("Host").count(), 1);
        }
    }

    #[test]
    fn a_buffer_can_be_reused() {
        let url = Url::parse("http://h/").unwrap().url;
        let mut buffer = WireBuffer::default();
        for (method, body, expected) in [
            ("POST", Some("hello"), "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
            ("POST", None, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
            ("GET", None, "GET / HTTP/1.1\r\n\r\n"),
        ] {
            let (head, room) = buffer.begin();
            head.extend_from_slice(format!("{method} / HTTP/1.1\r\n").as_bytes());
            room.extend_from_slice(body.unwrap_or_default().as_bytes());
            buffer.seal(body.is_some());
            let wire = buffer.wire(EndpointId(3), url.origin());
            assert_eq!(wire.bytes(), expected.as_bytes());
            assert_eq!(wire.body_len(), body.map_or(0, str::len));
        }
    }
}
