//! Through a proxy: what is said to it before the connection is the origin's.
//!
//! ureq's connectors do not fit. Its SOCKS connector opens a socket of its own, which the cut would not find; both turn
//! what the proxy answers into texts, where the stream wants a class and a fixed reason; and its CONNECT boxes the
//! transport, which every read and write of a request would then pay for.

pub(super) mod connect;
pub(super) mod socks5;
pub(in crate::load) mod whole;

use std::time::Instant;

use super::input::is_time_over;
use super::socket::SocketTransport;
use crate::outcome::{ConnectTrouble, Failure, ProxyTrouble};

/// The conversation with a proxy, over before a deadline, however slowly the proxy speaks.
pub(super) struct Handshake<'t> {
    transport: &'t mut SocketTransport,
    deadline: Instant,
}

impl<'t> Handshake<'t> {
    /// A conversation that may last until `deadline`.
    pub(in crate::load) const fn new(transport: &'t mut SocketTransport, deadline: Instant) -> Self {
        Self { transport, deadline }
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.transport.send(bytes, left).map_err(|error| failure(&error))
    }

    /// Receives at least one byte.
    fn hear(&mut self, room: &mut [u8]) -> Result<usize, Failure> {
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

    /// Receives so many bytes, and none of what comes behind them.
    fn hear_exactly<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Failure> {
        let mut bytes = [0; COUNT];
        let mut received = 0;
        while received < COUNT {
            received += self.hear(&mut bytes[received..])?;
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
