//! Connecting through a proxy: the conversation before the connection leads to the origin.
//!
//! ureq's connectors do not fit. Its SOCKS connector opens a socket of its own, which the cut would not find; both turn
//! the proxy's response into text, while the stream needs a class and a fixed reason; and its CONNECT boxes the
//! transport, which would slow down every read and write of a request.

pub(super) mod connect;
pub(super) mod socks5;
pub(in crate::load) mod whole_urls;

use std::time::Instant;

use super::input::is_time_over;
use super::socket::SocketTransport;
use crate::outcome::{ConnectTrouble, Failure, ProxyTrouble};

/// The conversation with a proxy. It ends before a deadline, however slow the proxy is.
pub(super) struct Handshake<'t> {
    transport: &'t mut SocketTransport,
    deadline: Instant,
}

impl<'t> Handshake<'t> {
    /// A conversation that may last until `deadline`.
    pub(in crate::load) const fn new(transport: &'t mut SocketTransport, deadline: Instant) -> Self {
        Self { transport, deadline }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.transport.send(bytes, left).map_err(|error| failure(&error))
    }

    /// Receives at least one byte.
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::ConnectTimeout);
        }
        match self.transport.receive(room, left) {
            Ok(0) => Err(trouble(ProxyTrouble::Closed)),
            Ok(received) => Ok(received),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Receives exactly `COUNT` bytes and leaves what follows.
    fn receive_exactly<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Failure> {
        let mut bytes = [0; COUNT];
        let mut received = 0;
        while received < COUNT {
            received += self.receive(&mut bytes[received..])?;
        }
        Ok(bytes)
    }
}

const fn trouble(what: ProxyTrouble) -> Failure {
    Failure::ConnectOther(ConnectTrouble::Proxy(what))
}

fn failure(error: &std::io::Error) -> Failure {
    if is_time_over(error) { Failure::ConnectTimeout } else { trouble(ProxyTrouble::Closed) }
}
