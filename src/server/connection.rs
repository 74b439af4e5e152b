//! One connection: requests in, one after another, each answered before the next is looked at.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use httparse::Status;

use crate::server::answer::{self, Answer, Next};
use crate::server::body::{Body, MAX_ECHO};
use crate::server::registry::Connection;
use crate::server::request::{self, After, Extent, Framing, Head, Request, Route, Version};

/// The longest request head, bytes; also the longest trailers.
const MAX_HEAD: usize = 64 * 1024;
/// The longest chunk-size line, extensions included, bytes.
const MAX_CHUNK_LINE: usize = 4096;
/// What is read of a body sent to the shop, bytes; its numbers take up to 64 bytes each once they are read.
const MAX_FORM: usize = 16 * 1024;
/// The read buffer at first, bytes: holds the head of an ordinary request, times 10,000 connections.
const BUFFER: usize = 2048;
/// The read buffer once a body is longer than it, bytes: an upload takes an eighth of the system calls.
const BODY_BUFFER: usize = 16 * 1024;
/// What is read from a client after it was refused, bytes and time: closing with input unread resets the connection,
/// and the client would lose the answer.
const LINGER_BYTES: u64 = 1 << 20;
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Answers requests until the client leaves or one side asks to close.
pub(super) fn serve(connection: &Connection) {
    let mut inbox = Inbox::new(&connection.stream);
    let mut out = Vec::new();
    // An error is a client that went away, or the end of the server: either way there is nobody to tell.
    while let Ok(Next::Request) = exchange(connection, &mut inbox, &mut out) {}
}

/// Reads one request to its end and answers it.
fn exchange(connection: &Connection, inbox: &mut Inbox<'_>, out: &mut Vec<u8>) -> io::Result<Next> {
    let stream = &*connection.stream;
    let request = match inbox.head()? {
        Incoming::End => return Ok(Next::Close),
        Incoming::Broken(status, why) => return refuse(stream, out, status, why),
        Incoming::Request(request) => request,
    };
    connection.shared.count(request.endpoint);
    let framing = match request.framing {
        Ok(framing) => framing,
        Err(why) => return refuse(stream, out, 400, why),
    };
    // Who has begun to send the body does not wait for leave (RFC 9110 §10.1.1).
    if request.expects_continue && framing != Framing::Length(0) && inbox.unread().is_empty() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let limit = match request.route {
        Route::Echo(_) => MAX_ECHO,
        Route::Shop(_) => MAX_FORM,
        _ => 0,
    };
    let mut body = Body { limit, ..Body::default() };
    match inbox.body(framing, &mut body) {
        Err(error) if error.kind() == ErrorKind::InvalidData => refuse(stream, out, 400, "broken chunked body"),
        Err(error) => Err(error),
        Ok(()) => answer::answer(stream, out, &request, &body, &connection.shared),
    }
}

/// Answers what cannot be understood, and closes so that the answer arrives.
fn refuse(stream: &TcpStream, out: &mut Vec<u8>, status: u16, why: &str) -> io::Result<Next> {
    Answer { stream, out, version: Version::Http11, extent: Extent::Whole, after: After::Close }.text(status, why)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER_TIME))?;
    io::copy(&mut stream.take(LINGER_BYTES), &mut io::sink())?;
    Ok(Next::Close)
}

/// What came where a request may begin.
enum Incoming {
    /// The client closed between requests, or in the midst of a head.
    End,
    Request(Request),
    /// The status to refuse with, and why.
    Broken(u16, &'static str),
}

/// The receiving half: what came and was not yet used stays for the next request.
struct Inbox<'s> {
    stream: &'s TcpStream,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'s> Inbox<'s> {
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
    fn head(&mut self) -> io::Result<Incoming> {
        loop {
            if !self.unread().is_empty() {
                match request::parse(self.unread()) {
                    Head::Complete(length, request) => {
                        self.consume(length);
                        return Ok(Incoming::Request(request));
                    }
                    Head::Broken(status, why) => return Ok(Incoming::Broken(status, why)),
                    Head::Partial if self.unread().len() >= MAX_HEAD => {
                        return Ok(Incoming::Broken(431, "the request head is longer than 64 KiB"));
                    }
                    Head::Partial => {}
                }
            }
            match self.fill() {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Incoming::End),
                other => other?,
            }
        }
    }

    /// Reads a body to its end. Broken chunks are [`ErrorKind::InvalidData`].
    fn body(&mut self, framing: Framing, body: &mut Body) -> io::Result<()> {
        match framing {
            Framing::Length(length) => self.take(length, body),
            Framing::Chunked => loop {
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

    fn take(&mut self, mut left: u64, body: &mut Body) -> io::Result<()> {
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
            // httparse takes a line without digits for a size of 0.
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

    /// Reads the fields after the last chunk, and forgets them.
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
