//! A client that exposes the bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Server;

/// Longer than any test takes, so that a fault ends the test instead of hanging it.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// A client that exposes the bytes.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    unread: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub(super) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.addr()).unwrap();
        stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub(super) fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n")).answer()
    }

    fn until(&mut self, complete: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        loop {
            if let Some(end) = complete(&self.unread) {
                return self.unread.drain(..end).collect();
            }
            let mut buffer = [0; 16 * 1024];
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&self.unread));
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    pub(super) fn head(&mut self) -> (u16, String) {
        let head = self.until(|bytes| Some(bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4));
        let head = String::from_utf8(head).unwrap();
        (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), head)
    }

    pub(super) fn answer(&mut self) -> Response {
        let (status, head) = self.head();
        let length = field(&head, "Content-Length").map_or(0, |length| length.parse().unwrap());
        let body = self.until(|bytes| (bytes.len() >= length).then_some(length));
        Response { status, head, body }
    }

    /// Reads everything until the server closes the connection.
    pub(super) fn rest(&mut self) -> String {
        self.stream.read_to_end(&mut self.unread).unwrap();
        String::from_utf8(std::mem::take(&mut self.unread)).unwrap()
    }

    /// Reads once; returns whether the server has closed in any way.
    pub(super) fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 16 * 1024]) {
            Ok(count) => count == 0,
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        }
    }
}

/// The value of a header.
pub(super) fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| *known == name).map(|(_, value)| value)
}
