//! Servers that relay to another server.

use std::io::copy;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{Peer, Request, Server};

impl Server {
    /// An HTTP proxy that tunnels every CONNECT to `origin`, after sending `response`.
    pub(crate) fn tunnel(origin: SocketAddr, response: &'static str) -> Self {
        Self::start(move |mut peer| {
            if peer.read().is_some_and(|request| is_connect(&request)) {
                peer.send(response);
                peer.relay(origin);
            }
        })
    }
}

/// A SOCKS 5 proxy (RFC 1928) that records the requested destinations.
pub(crate) struct Socks {
    server: Server,
    destinations: Arc<Mutex<Vec<String>>>,
}

/// How a SOCKS proxy replies to a request.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// Connects to this address, whatever was requested.
    Connected(SocketAddr),
    /// Fails with this reply code.
    Failed(u8),
}

impl Socks {
    /// Requires `login`, where given (RFC 1929).
    pub(crate) fn start(
        login: Option<(&'static str, &'static str)>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let destinations = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&destinations);
        let server = Server::start(move |mut peer| {
            let Some(destination) = peer.socks_request(login) else { return };
            let reply = reply(&destination);
            recorded.lock().unwrap().push(destination);
            match reply {
                Reply::Failed(code) => peer.send([5, code, 0, 1, 0, 0, 0, 0, 0, 0]),
                Reply::Connected(origin) => {
                    // The bound address is a name of three bytes: its length may vary.
                    peer.send([5, 0, 0, 3, 3, b'a', b'.', b'b', 0, 0]);
                    peer.relay(origin);
                }
            }
        });
        Self { server, destinations }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Destinations requested so far: `address 127.0.0.1:80`, `name shop.test:80`.
    pub(crate) fn destinations(&self) -> Vec<String> {
        self.destinations.lock().unwrap().clone()
    }
}

/// Whether this is a CONNECT request.
pub(crate) fn is_connect(request: &Request) -> bool {
    request.line().starts_with("CONNECT ")
}

impl Peer {
    /// Reads greeting, login and request of a SOCKS client. Returns the destination, `None` where the client was
    /// rejected or has closed the connection.
    fn socks_request(&mut self, login: Option<(&str, &str)>) -> Option<String> {
        let count = self.read_exact(2)?[1];
        let methods = self.read_exact(count.into())?;
        let method = if login.is_some() { 2 } else { 0 };
        if !methods.contains(&method) {
            self.send([5, 0xff]);
            return None;
        }
        self.send([5, method]);
        if let Some((name, password)) = login {
            assert_eq!(self.read_exact(1)?, [1], "version of RFC 1929");
            let received = (self.read_text()?, self.read_text()?);
            let is_right = received == (name.to_owned(), password.to_owned());
            self.send([1, u8::from(!is_right)]);
            is_right.then_some(())?;
        }
        let head = self.read_exact(4)?;
        assert_eq!(head[..3], [5, 1, 0], "version, CONNECT, reserved");
        let host = match head[3] {
            1 => format!("address {}", Ipv4Addr::from(<[u8; 4]>::try_from(self.read_exact(4)?).unwrap())),
            3 => format!("name {}", self.read_text()?),
            4 => format!("address [{}]", Ipv6Addr::from(<[u8; 16]>::try_from(self.read_exact(16)?).unwrap())),
            other => panic!("an address of type {other}"),
        };
        let port = self.read_exact(2)?;
        Some(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])))
    }

    /// A text with its length in front, as RFC 1928 and RFC 1929 have it.
    fn read_text(&mut self) -> Option<String> {
        let length = self.read_exact(1)?[0];
        self.read_exact(length.into()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Reads this number of bytes; `None` when the client has closed the connection.
    pub(crate) fn read_exact(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.input.len() < count {
            self.fill()?;
        }
        Some(self.input.drain(..count).collect())
    }

    /// Relays bytes both ways until one side closes.
    pub(crate) fn relay(mut self, origin: SocketAddr) {
        assert!(self.input.is_empty(), "the client waits for the response");
        let mut upstream = TcpStream::connect(origin).unwrap();
        upstream.set_nodelay(true).unwrap();
        let (mut from, mut to) = (upstream.try_clone().unwrap(), self.stream.try_clone().unwrap());
        let back = thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        // Ends with an error or at the end of input; either is fine.
        let _ = copy(&mut self.stream, &mut upstream);
        let _ = upstream.shutdown(Shutdown::Both);
        back.join().unwrap();
    }
}
