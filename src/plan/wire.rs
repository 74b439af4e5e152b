//! What goes over the wire: head, empty line and body in one piece, so that one `send` carries a request.

use std::io::Write as _;
use std::sync::Arc;

use super::endpoint::EndpointId;
use super::url::Origin;

/// A request as it is sent, prepared or rendered: all that an exchange needs. Whatever else is to be known of it is
/// read from its bytes, which is rare (redirects, cookies), so that nothing is kept beside them.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'w> {
    endpoint: EndpointId,
    origin: &'w Arc<Origin>,
    bytes: &'w [u8],
    /// Where in `bytes` the body begins.
    body: usize,
}

impl<'w> Wire<'w> {
    /// A request of these bytes, whose body begins at `body`, behind the empty line.
    pub(super) const fn new(endpoint: EndpointId, origin: &'w Arc<Origin>, bytes: &'w [u8], body: usize) -> Self {
        Self { endpoint, origin, bytes, body }
    }

    /// Where it is counted.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Where a connection for it goes.
    #[must_use]
    pub const fn origin(&self) -> &'w Arc<Origin> {
        self.origin
    }

    /// Head, empty line and body as they are sent.
    #[must_use]
    pub const fn bytes(&self) -> &'w [u8] {
        self.bytes
    }

    /// The bytes before the empty line and from it on: between them is room for another field.
    #[must_use]
    pub fn halves(&self) -> (&'w [u8], &'w [u8]) {
        self.bytes.split_at(self.body - END_OF_LINE.len())
    }

    /// The body.
    pub(super) fn body(&self) -> &'w [u8] {
        &self.bytes[self.body..]
    }

    /// Length of the body in bytes.
    #[must_use]
    pub const fn body_len(&self) -> usize {
        self.bytes.len() - self.body
    }

    /// Whether the answer has no body whatever its head says (RFC 9112 section 6.3).
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method() == b"HEAD"
    }

    /// Whether it may be sent again without being asked (RFC 9110 section 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.method(), b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS")
    }

    /// Path and query, as in the request line.
    #[must_use]
    pub fn target(&self) -> &'w [u8] {
        self.bytes.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }

    /// Whether it has a field of this name already.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        self.fields().any(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The method.
    pub(super) fn method(&self) -> &'w [u8] {
        self.bytes.split(|byte| *byte == b' ').next().unwrap_or_default()
    }

    /// Name and value of each field.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'w [u8], &'w [u8])> + use<'w> {
        let (head, _) = self.halves();
        let lines = head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

pub(super) const END_OF_LINE: &[u8] = b"\r\n";

/// Ends a head of request line and fields with `Content-Length`, the empty line and the body; says where that begins.
pub(super) fn seal(head: &mut Vec<u8>, body: Option<&[u8]>) -> usize {
    // RFC 9110 section 8.6: a length of 0 where the method's meaning expects a body.
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

/// Room for a request that is rendered each time; one a user, used again and again.
#[derive(Debug, Default)]
pub struct WireBuffer {
    bytes: Vec<u8>,
    body: Vec<u8>,
    start: usize,
}

impl WireBuffer {
    /// Empty room for the head (request line and fields, each with its line end, without `Content-Length` and the empty
    /// line) and for the body.
    pub fn begin(&mut self) -> (&mut Vec<u8>, &mut Vec<u8>) {
        self.bytes.clear();
        self.body.clear();
        (&mut self.bytes, &mut self.body)
    }

    /// Puts both together; `has_body` says whether there is a body, which may be empty.
    pub fn seal(&mut self, has_body: bool) {
        self.start = seal(&mut self.bytes, has_body.then_some(self.body.as_slice()));
    }

    /// The request that was sealed.
    #[must_use]
    pub fn wire<'w>(&'w self, endpoint: EndpointId, origin: &'w Arc<Origin>) -> Wire<'w> {
        Wire::new(endpoint, origin, &self.bytes, self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::request::{Parts, Request};
    use crate::plan::url::Url;

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        let headers = [("Content-Type", "text/plain"), ("authorization", "Basic x"), ("X-Trace", "a: b")];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let parts = Parts { method: method.to_owned(), headers, body: body.map(|b| Arc::from(b.as_bytes())) };
        Request::new(EndpointId(0), &Url::parse(url).unwrap().url, &parts)
    }

    #[test]
    fn what_was_sent_says_what_it_is() {
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
    fn a_buffer_is_filled_again_and_again() {
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
