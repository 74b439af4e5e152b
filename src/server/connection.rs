//! One connection: reads requests one after another and responds to each before it reads the next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use httparse::Status;

use crate::server::body::{MAX_ECHO, RequestBody};
use crate::server::registry::OpenConnection;
use crate::server::request::{
    self, After, BodyPresence, HeadParse, RequestFraming, RequestVersion, ServerRequest, ServerRoute,
};
use crate::server::response::{self, Next, Response};

/// Maximum bytes of a request head; also of the trailers.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum bytes of a chunk-size line, extensions included.
const MAX_CHUNK_LINE: usize = 4096;
/// Maximum bytes kept of a body sent to the shop; each number in it takes up to 64 bytes when parsed.
const MAX_FORM: usize = 16 * 1024;
/// Initial bytes of the read buffer: enough for an ordinary request's head, and small because there may be 10,000
/// connections.
const BUFFER: usize = 2048;
/// Bytes of the read buffer for a longer body: an upload then needs an eighth of the system calls.
const BODY_BUFFER: usize = 16 * 1024;
/// Maximum bytes and time of reading from a client after it was refused: closing with unread input resets the
/// connection, and the client would lose the response.
const LINGER_BYTES: u64 = 1 << 20;
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Serves requests until the client leaves or one side asks to close.
pub(super) fn serve(connection: &OpenConnection) {
    let mut inbox = RequestReader::new(&connection.stream);
    let mut out = Vec::new();
    // An error is a client that went away, or the end of the server: either way there is nobody to tell.
    while let Ok(Next::Request) = exchange(connection, &mut inbox, &mut out) {}
}

/// Reads one complete request and responds to it.
fn exchange(connection: &OpenConnection, inbox: &mut RequestReader<'_>, out: &mut Vec<u8>) -> io::Result<Next> {
    let stream = &*connection.stream;
    let request = match inbox.head()? {
        IncomingRequest::End => return Ok(Next::Close),
        IncomingRequest::Broken(status, why) => return refuse(stream, out, status, why),
        IncomingRequest::Request(request) => request,
    };
    connection.shared.count(request.endpoint);
    let framing = match request.framing {
        Ok(framing) => framing,
        Err(why) => return refuse(stream, out, 400, why),
    };
    // A client that has already begun to send the body does not wait for permission (RFC 9110 §10.1.1).
    if request.expects_continue && framing != RequestFraming::Length(0) && inbox.unread().is_empty() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let limit = match request.route {
        ServerRoute::Echo(_) => MAX_ECHO,
        ServerRoute::Shop(_) => MAX_FORM,
        _ => 0,
    };
    let mut body = RequestBody { limit, ..RequestBody::default() };
    match inbox.body(framing, &mut body) {
        Err(error) if error.kind() == ErrorKind::InvalidData => refuse(stream, out, 400, "broken chunked body"),
        Err(error) => Err(error),
        Ok(()) => response::respond(stream, out, &request, &body, &connection.shared),
    }
}

/// Refuses a malformed request, and closes in a way that lets the response arrive.
fn refuse(stream: &TcpStream, out: &mut Vec<u8>, status: u16, why: &str) -> io::Result<Next> {
    Response { stream, out, version: RequestVersion::Http11, extent: BodyPresence::Whole, after: After::Close }
        .text(status, why)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER_TIME))?;
    io::copy(&mut stream.take(LINGER_BYTES), &mut io::sink())?;
    Ok(Next::Close)
}

/// The result of reading a request head.
enum IncomingRequest {
    /// The client closed between requests or within a head.
    End,
    Request(ServerRequest),
    /// The status to refuse with, and why.
    Broken(u16, &'static str),
}

/// The receiving half; bytes beyond the current request are kept for the next.
struct RequestReader<'s> {
    stream: &'s TcpStream,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'s> RequestReader<'s> {
    fn new(stream: &'s TcpStream) -> Self {
        Self { stream, bytes: vec![0; BUFFER], start: 0, end: 0 }
    }

    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "only what was read is consumed");
    }

    /// Reads once. The end of input is an error, [`ErrorKind::UnexpectedEof`].
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            assert!(self.end < MAX_HEAD, "who reads on has checked the limit");
            self.bytes.resize((2 * self.end).min(MAX_HEAD), 0);
        }
        loop {
            match self.stream.read(&mut self.bytes[self.end..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next request's head.
    fn head(&mut self) -> io::Result<IncomingRequest> {
        loop {
            if !self.unread().is_empty() {
                match request::parse(self.unread()) {
                    HeadParse::Complete(length, request) => {
                        self.consume(length);
                        return Ok(IncomingRequest::Request(request));
                    }
                    HeadParse::Broken(status, why) => return Ok(IncomingRequest::Broken(status, why)),
                    HeadParse::Partial if self.unread().len() >= MAX_HEAD => {
                        return Ok(IncomingRequest::Broken(431, "the request head is longer than 64 KiB"));
                    }
                    HeadParse::Partial => {}
                }
            }
            match self.fill() {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(IncomingRequest::End),
                other => other?,
            }
        }
    }

    /// Reads a complete body. Broken chunks are [`ErrorKind::InvalidData`].
    fn body(&mut self, framing: RequestFraming, body: &mut RequestBody) -> io::Result<()> {
        match framing {
            RequestFraming::Length(length) => self.take(length, body),
            RequestFraming::Chunked => loop {
                let size = self.chunk_size()?;
                if size == 0 {
                    return self.trailers();
                }
                self.take(size, body)?;
                while self.unread().len() < 2 {
                    self.fill()?;
                }
                if !self.unread().starts_with(b"\r\n") {
                    return Err(ErrorKind::InvalidData.into());
                }
                self.consume(2);
            },
        }
    }

    fn take(&mut self, mut left: u64, body: &mut RequestBody) -> io::Result<()> {
        while left > 0 {
            if self.unread().is_empty() {
                if left > self.bytes.len() as u64 && self.bytes.len() < BODY_BUFFER {
                    self.bytes.resize(BODY_BUFFER, 0);
                }
                self.fill()?;
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.unread().len());
            body.push(&self.bytes[self.start..self.start + count]);
            self.consume(count);
            left -= count as u64;
        }
        Ok(())
    }

    fn chunk_size(&mut self) -> io::Result<u64> {
        loop {
            // httparse accepts a line without digits as a size of 0.
            let has_digit = self.unread().first().is_none_or(u8::is_ascii_hexdigit);
            match httparse::parse_chunk_size(self.unread()) {
                Ok(Status::Complete((length, size))) if has_digit => {
                    self.consume(length);
                    return Ok(size);
                }
                Ok(Status::Partial) if has_digit && self.unread().len() < MAX_CHUNK_LINE => self.fill()?,
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Reads and ignores the fields after the last chunk.
    fn trailers(&mut self) -> io::Result<()> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; 32];
            match httparse::parse_headers(self.unread(), &mut fields) {
                Ok(Status::Complete((length, _))) => {
                    self.consume(length);
                    return Ok(());
                }
                Ok(Status::Partial) if self.unread().len() < MAX_HEAD => self.fill()?,
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }
}
