//! A client of the page that sends what it is told to.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::process::{Pid, Signal, kill_process};

use crate::server::WAIT_LIMIT;
use crate::support::Running;

/// A connection.
pub(super) struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// A response.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

/// The host and port of the page, as the process says it.
pub(super) fn page_url(running: &mut Running) -> String {
    let found = RefCell::new(None);
    running.await_output(|text| {
        let url = text.split_once("live page: http://").and_then(|(_, rest)| rest.split_once("/\n"));
        *found.borrow_mut() = url.map(|(url, _)| url.to_owned());
        url.is_some()
    });
    found.into_inner().unwrap()
}

/// Sends a signal to the process.
pub(super) fn signal(running: &Running, signal: Signal) {
    kill_process(Pid::from_child(&running.child), signal).unwrap();
}

/// Gets one path on a connection of its own.
pub(super) fn get(page: &str, path: &str) -> Answer {
    Client::connect(page).ask(&format!("GET {path} HTTP/1.1\r\nHost: {page}\r\n\r\n"))
}

impl Client {
    pub(super) fn connect(page: &str) -> Self {
        let stream = TcpStream::connect(page).unwrap();
        stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
        Self { stream, rest: Vec::new() }
    }

    /// Lets the kernel take next to nothing for a client that does not read.
    pub(super) fn take_little(&self) {
        set_socket_recv_buffer_size(&self.stream, 4096).unwrap();
    }

    /// Sends; the server may have closed already.
    pub(super) fn send(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes());
    }

    pub(super) fn ask(&mut self, text: &str) -> Answer {
        self.send(text);
        self.answer()
    }

    /// The head of the response to a request without a response body, after which the server closes.
    pub(super) fn ask_head(&mut self, text: &str) -> String {
        self.send(text);
        let mut all = Vec::new();
        self.stream.read_to_end(&mut all).unwrap();
        let all = String::from_utf8(all).unwrap();
        assert!(all.ends_with("\r\n\r\n"), "{all}");
        all
    }

    /// Reads one response.
    pub(super) fn answer(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self.rest.windows(4).position(|part| part == b"\r\n\r\n") {
                break String::from_utf8(self.rest.drain(..end + 4).collect()).unwrap();
            }
            self.fill();
        };
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let length: usize = length.parse().unwrap();
        while self.rest.len() < length {
            self.fill();
        }
        let body = String::from_utf8(self.rest.drain(..length).collect()).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }

    /// Waits until the server closes, without taking what it has sent.
    pub(super) fn await_end(&self) {
        let limit = Timespec::try_from(WAIT_LIMIT).unwrap();
        let ready = poll(&mut [PollFd::new(&self.stream, PollFlags::RDHUP)], Some(&limit)).unwrap();
        assert_eq!(ready, 1, "the server keeps the connection");
    }

    fn fill(&mut self) {
        let mut piece = vec![0; 64 * 1024];
        let read = self.stream.read(&mut piece).unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&self.rest));
        self.rest.extend(&piece[..read]);
    }
}
