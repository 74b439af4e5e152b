//! Reads requests from a connection: a head, then its body.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Instant;

use httparse::Status;

use crate::server::body::RequestBody;
use crate::server::head::{HeadParse, RequestFraming};

/// Maximum bytes of a chunk-size line, extensions included.
const MAX_CHUNK_LINE: usize = 4096;
/// Initial bytes of the read buffer: enough for an ordinary request's head, and small because there may be 10,000
/// connections.
const BUFFER: usize = 2048;
/// Bytes of the read buffer for a longer body: an upload then needs an eighth of the system calls.
const BODY_BUFFER: usize = 16 * 1024;

/// The result of reading a request head.
pub(super) enum HeadRead<T> {
    /// The client closed between requests or within a head.
    End,
    /// A whole head.
    Head(T),
    /// The status to refuse with, and why.
    Broken(u16, &'static str),
}

/// The receiving half; bytes beyond the current request are kept for the next.
pub(super) struct RequestReader<'s> {
    stream: &'s TcpStream,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Maximum bytes of a head; also of the trailers.
    max_head: usize,
    /// When what is being read must be complete.
    deadline: Option<Instant>,
}

impl<'s> RequestReader<'s> {
    pub(super) fn new(stream: &'s TcpStream, max_head: usize) -> Self {
        Self { stream, bytes: vec![0; BUFFER], start: 0, end: 0, max_head, deadline: None }
    }

    /// From now on, what has not arrived by then is an error, [`ErrorKind::TimedOut`]. The time limit of a single read is the
    /// socket's.
    pub(super) const fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "only what was read is consumed");
    }

    /// Reads once. The end of input is an error, [`ErrorKind::UnexpectedEof`].
    pub(super) fn fill(&mut self) -> io::Result<()> {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(ErrorKind::TimedOut.into());
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            assert!(self.end < self.max_head, "who reads on has checked the limit");
            self.bytes.resize((2 * self.end).min(self.max_head), 0);
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

    /// The next request's head, which `parse` parses.
    pub(super) fn head<T>(&mut self, parse: impl Fn(&[u8]) -> HeadParse<T>) -> io::Result<HeadRead<T>> {
        loop {
            if !self.unread().is_empty() {
                match parse(self.unread()) {
                    HeadParse::Complete(length, request) => {
                        self.consume(length);
                        return Ok(HeadRead::Head(request));
                    }
                    HeadParse::Broken(status, why) => return Ok(HeadRead::Broken(status, why)),
                    HeadParse::Partial if self.unread().len() >= self.max_head => {
                        return Ok(HeadRead::Broken(431, "the request head is too long"));
                    }
                    HeadParse::Partial => {}
                }
            }
            match self.fill() {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(HeadRead::End),
                other => other?,
            }
        }
    }

    /// Reads a complete body. Broken chunks are [`ErrorKind::InvalidData`].
    pub(super) fn body(&mut self, framing: RequestFraming, body: &mut RequestBody) -> io::Result<()> {
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
                Ok(Status::Partial) if self.unread().len() < self.max_head => self.fill()?,
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }
}
