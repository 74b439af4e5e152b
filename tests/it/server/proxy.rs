//! Servers that carry what is said to them elsewhere.

use std::io::copy;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{Peer, Seen, Server};

impl Server {
    /// An HTTP proxy that opens a tunnel to `origin` whatever it is asked for, and answers that with `answer`.
    pub(crate) fn tunnel(origin: SocketAddr, answer: &'static str) -> Self {
        Self::start(move |mut peer| {
            if peer.read().is_some_and(|seen| is_connect(&seen)) {
                peer.say(answer);
                peer.relay(origin);
            }
        })
    }
}

/// A SOCKS 5 proxy (RFC 1928) that notes what it is asked for.
pub(crate) struct Socks {
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a SOCKS proxy does about a request.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// Connects there, whatever it was asked for.
    Connected(SocketAddr),
    /// Says this number.
    Failed(u8),
}

impl Socks {
    /// Lets in who knows `login`, where there is one (RFC 1929).
    pub(crate) fn start(
        login: Option<(&'static str, &'static str)>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        let server = Server::start(move |mut peer| {
            let Some(goal) = peer.socks_request(login) else { return };
            let reply = reply(&goal);
            notes.lock().unwrap().push(goal);
            match reply {
                Reply::Failed(number) => peer.say([5, number, 0, 1, 0, 0, 0, 0, 0, 0]),
                Reply::Connected(origin) => {
                    // Bound to a name of three bytes: what a proxy says there has any length.
                    peer.say([5, 0, 0, 3, 3, b'a', b'.', b'b', 0, 0]);
                    peer.relay(origin);
                }
            }
        });
        Self { server, asked }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// What it was asked for so far: `address 127.0.0.1:80`, `name shop.test:80`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Whether a request asks for a tunnel.
pub(crate) fn is_connect(seen: &Seen) -> bool {
    seen.asked().starts_with("CONNECT ")
}

impl Peer {
    /// Greeting, login and request of a SOCKS client; what it asks for, unless it was turned away or is gone.
    fn socks_request(&mut self, login: Option<(&str, &str)>) -> Option<String> {
        let count = self.take(2)?[1];
        let methods = self.take(count.into())?;
        let method = if login.is_some() { 2 } else { 0 };
        if !methods.contains(&method) {
            self.say([5, 0xff]);
            return None;
        }
        self.say([5, method]);
        if let Some((name, password)) = login {
            assert_eq!(self.take(1)?, [1], "version of RFC 1929");
            let theirs = (self.take_text()?, self.take_text()?);
            let is_right = theirs == (name.to_owned(), password.to_owned());
            self.say([1, u8::from(!is_right)]);
            is_right.then_some(())?;
        }
        let head = self.take(4)?;
        assert_eq!(head[..3], [5, 1, 0], "version, CONNECT, reserved");
        let host = match head[3] {
            1 => format!("address {}", Ipv4Addr::from(<[u8; 4]>::try_from(self.take(4)?).unwrap())),
            3 => format!("name {}", self.take_text()?),
            4 => format!("address [{}]", Ipv6Addr::from(<[u8; 16]>::try_from(self.take(16)?).unwrap())),
            other => panic!("an address of type {other}"),
        };
        let port = self.take(2)?;
        Some(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])))
    }

    fn take_text(&mut self) -> Option<String> {
        let length = self.take(1)?[0];
        self.take(length.into()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// So many bytes; `None` when the client is gone.
    pub(crate) fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.input.len() < count {
            self.fill()?;
        }
        Some(self.input.drain(..count).collect())
    }

    /// Carries bytes both ways until one side has gone.
    pub(crate) fn relay(mut self, origin: SocketAddr) {
        assert!(self.input.is_empty(), "the client waits for the answer");
        let mut there = TcpStream::connect(origin).unwrap();
        there.set_nodelay(true).unwrap();
        let (mut from, mut to) = (there.try_clone().unwrap(), self.stream.try_clone().unwrap());
        let back = thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        // A side that has gone is how it ends.
        let _ = copy(&mut self.stream, &mut there);
        let _ = there.shutdown(Shutdown::Both);
        back.join().unwrap();
    }
}
