//! Requests in wire format: head, empty line and body in one buffer, so that one `send` transmits a request. Large files
//! stay on disk: only their places in the body are noted.

use std::io::Write as _;
use std::sync::Arc;

use super::body_file::BodyFile;
use super::endpoint::EndpointId;
use super::url::{Origin, Scheme};

/// A file in a body: its content is sent before byte `at` of the body's text.
#[derive(Clone, Debug)]
pub struct InsertedFile {
    /// Position in the text.
    pub at: usize,
    /// The file.
    pub file: Arc<BodyFile>,
}

/// A request in wire format, prepared or rendered: everything that an exchange needs. Other properties are
/// read from its bytes when needed, which is rare (redirects, cookies), so nothing else is stored.
#[derive(Clone, Copy, Debug)]
pub struct WireRequest<'w> {
    endpoint: EndpointId,
    origin: &'w Arc<Origin>,
    bytes: &'w [u8],
    /// Start of the body in `bytes`.
    body: usize,
    /// Files in the body, in the order sent.
    files: &'w [InsertedFile],
}

impl<'w> WireRequest<'w> {
    /// Creates a request from bytes whose body starts at `body`, after the empty line.
    pub(super) const fn new(endpoint: EndpointId, origin: &'w Arc<Origin>, bytes: &'w [u8], body: usize) -> Self {
        Self { endpoint, origin, bytes, body, files: &[] }
    }

    /// The same request with files in its body.
    pub(super) const fn with_files(self, files: &'w [InsertedFile]) -> Self {
        Self { files, ..self }
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

    /// Head, empty line and body as sent, without the files in the body.
    #[must_use]
    pub const fn bytes(&self) -> &'w [u8] {
        self.bytes
    }

    /// The bytes before the empty line, and the rest: further header fields can be inserted between them.
    #[must_use]
    pub fn split_at_empty_line(&self) -> (&'w [u8], &'w [u8]) {
        self.bytes.split_at(self.body - END_OF_LINE.len())
    }

    /// The body without its files.
    #[must_use]
    pub fn body_text(&self) -> &'w [u8] {
        &self.bytes[self.body..]
    }

    /// The files in the body.
    #[must_use]
    pub const fn files(&self) -> &'w [InsertedFile] {
        self.files
    }

    /// Length of the body in bytes.
    #[must_use]
    pub fn body_len(&self) -> u64 {
        (self.bytes.len() - self.body) as u64 + files_len(self.files)
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

    /// The whole URL, without name and password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.origin.scheme() {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}{}", self.origin.authority(), String::from_utf8_lossy(self.target()))
    }

    /// Returns whether it already has a field with this name.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.fields().any(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The method.
    pub(super) fn method(&self) -> &'w [u8] {
        self.bytes.split(|byte| *byte == b' ').next().unwrap_or_default()
    }

    /// Name and value of each header field.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'w [u8], &'w [u8])> + use<'w> {
        let (head, _) = self.split_at_empty_line();
        let lines = head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

pub(super) const END_OF_LINE: &[u8] = b"\r\n";

/// Completes a head of request line and fields with `Content-Length`, the empty line and the body's text; returns
/// the start of the body. `files` are in the body, too.
pub(super) fn seal(head: &mut Vec<u8>, body: Option<&[u8]>, files: &[InsertedFile]) -> usize {
    // RFC 9110 section 8.6: a length of 0 if the method normally has a body.
    let expects_body = [&b"POST "[..], b"PUT ", b"PATCH "].iter().any(|method| head.starts_with(method));
    match body {
        // Writing into a Vec cannot fail.
        Some(text) => drop(write!(head, "Content-Length: {}\r\n", text.len() as u64 + files_len(files))),
        None if expects_body => head.extend_from_slice(b"Content-Length: 0\r\n"),
        None => {}
    }
    head.extend_from_slice(END_OF_LINE);
    let start = head.len();
    head.extend_from_slice(body.unwrap_or_default());
    start
}

fn files_len(files: &[InsertedFile]) -> u64 {
    files.iter().map(|inserted| inserted.file.len()).sum()
}

/// A buffer for rendering requests; each user has one and reuses it.
#[derive(Debug, Default)]
pub struct WireBuffer {
    bytes: Vec<u8>,
    body: Vec<u8>,
    files: Vec<InsertedFile>,
    start: usize,
}

impl WireBuffer {
    /// Clears the buffer and returns the parts for the head (request line and fields, each with its line end,
    /// without `Content-Length` and the empty line), for the body, and for the files in the body.
    pub fn begin(&mut self) -> (&mut Vec<u8>, &mut Vec<u8>, &mut Vec<InsertedFile>) {
        self.bytes.clear();
        self.body.clear();
        self.files.clear();
        (&mut self.bytes, &mut self.body, &mut self.files)
    }

    /// Joins both parts; `has_body` is whether there is a body, which may be empty.
    pub fn seal(&mut self, has_body: bool) {
        self.start = seal(&mut self.bytes, has_body.then_some(self.body.as_slice()), &self.files);
    }

    /// The sealed request.
    #[must_use]
    pub fn wire<'w>(&'w self, endpoint: EndpointId, origin: &'w Arc<Origin>) -> WireRequest<'w> {
        WireRequest::new(endpoint, origin, &self.bytes, self.start).with_files(&self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::body_file::BodyContent;
    use crate::plan::request::{Request, RequestParts};
    use crate::plan::url::Url;

    fn request(method: &str, url: &str, body: Option<&str>) -> Request {
        let headers = [("Content-Type", "text/plain"), ("authorization", "Basic x"), ("X-Trace", "a: b")];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = body.map(|text| BodyContent::Memory(Arc::from(text.as_bytes())));
        let parts = RequestParts { method: method.to_owned(), headers, body };
        Request::new(EndpointId(0), &Url::parse(url).unwrap().url, &parts)
    }

    #[test]
    fn properties_are_read_from_the_bytes() {
        let post = request("POST", "http://h/a?b", Some("hi"));
        let wire = post.wire();
        assert_eq!((wire.target(), wire.body_len()), (&b"/a?b"[..], 2));
        assert_eq!((wire.is_head(), wire.is_idempotent()), (false, false));
        assert!(wire.has_header("AUTHORIZATION") && !wire.has_header("cookie"));
        let (head, rest) = wire.split_at_empty_line();
        assert!(head.ends_with(b"Content-Length: 2\r\n"));
        assert_eq!(rest, b"\r\nhi");
        let head = request("HEAD", "http://h/", None);
        assert!(head.wire().is_head() && head.wire().is_idempotent());
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
            let (head, room, _) = buffer.begin();
            head.extend_from_slice(format!("{method} / HTTP/1.1\r\n").as_bytes());
            room.extend_from_slice(body.unwrap_or_default().as_bytes());
            buffer.seal(body.is_some());
            let wire = buffer.wire(EndpointId(3), url.origin());
            assert_eq!(wire.bytes(), expected.as_bytes());
            assert_eq!(wire.body_len(), body.map_or(0, str::len) as u64);
        }
    }
}
