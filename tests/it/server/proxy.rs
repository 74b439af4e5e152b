//! Servers that carry what is said to them elsewhere.

use std::io::copy;
use std::net::{Shutdown, SocketAddr, TcpStream};
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

/// Whether a request asks for a tunnel.
pub(crate) fn is_connect(seen: &Seen) -> bool {
    seen.asked().starts_with("CONNECT ")
}

impl Peer {
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
