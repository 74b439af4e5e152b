//! TLS over a socket, by rustls without a layer between: so an idle connection can be looked at through the session, and
//! what a handshake says last goes in one segment with the first request.

pub mod trouble;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::input::{Input, is_time_over};
use super::outcome::Failure;
use super::socket::{Sent, SocketTransport};
use trouble::TlsTrouble;

/// Plaintext that becomes records at a time: a record's most (RFC 8446 section 5.1).
const PIECE: usize = 16 * 1024;

/// Room for records to be sent that stays with a connection; what a large request took is given back.
const USUAL_ROOM: usize = 4 * 1024;

/// A TLS session and the socket that it goes over.
#[derive(Debug)]
pub(super) struct TlsTransport {
    socket: SocketTransport,
    session: ClientConnection,
    /// Received and not yet given to the session.
    records: Input,
    /// Records to be sent, and how many of their bytes are.
    out: Vec<u8>,
    out_sent: usize,
    /// Plaintext that the session holds, in bytes.
    plaintext: usize,
    /// Whether the server said that nothing more comes.
    is_closed: bool,
}

/// What a wait for input brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Bytes for the reader.
    Bytes,
    /// Something that is only the session's: a ticket, a new key, a part of a record.
    Nothing,
    /// The end.
    End,
}

impl TlsTransport {
    /// Shakes hands with `host`, to be over before `limit`.
    ///
    /// # Errors
    /// `ConnectTimeout`; or `Tls` with what was wrong.
    pub(super) fn connect(
        socket: SocketTransport,
        config: &Arc<ClientConfig>,
        host: &str,
        limit: Instant,
    ) -> Result<Self, Failure> {
        let host = host.strip_suffix('.').unwrap_or(host).to_owned();
        let name = ServerName::try_from(host).map_err(|_| Failure::Tls(TlsTrouble::UnknownName))?;
        let session = ClientConnection::new(Arc::clone(config), name);
        let session = session.map_err(|error| Failure::Tls(TlsTrouble::of(&error)))?;
        let (records, out) = (Input::default(), Vec::new());
        let mut tls = Self { socket, session, records, out, out_sent: 0, plaintext: 0, is_closed: false };
        loop {
            tls.collect().map_err(|error| handshake_failure(&error))?;
            if !tls.session.is_handshaking() {
                // What is left in `out` is the handshake's end: it waits for the first request.
                return Ok(tls);
            }
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::ConnectTimeout);
            }
            let said = std::mem::take(&mut tls.out);
            tls.socket.send(&said, left).map_err(|error| handshake_failure(&error))?;
            let left = limit.saturating_duration_since(Instant::now());
            match tls.records.fill(|room| tls.socket.receive(room, left)) {
                Ok(0) => return Err(Failure::Tls(TlsTrouble::Closed)),
                Ok(_) => tls.digest()?,
                Err(error) => return Err(handshake_failure(&error)),
            }
        }
    }

    /// Makes records of the plaintext from `done` on and sends them, without waiting; the first with what was kept back.
    pub(super) fn send(&mut self, plaintext: &[u8], mut done: usize) -> io::Result<Sent> {
        loop {
            if done < plaintext.len() && self.out.len() - self.out_sent < PIECE {
                let piece = &plaintext[done..(done + PIECE).min(plaintext.len())];
                done += self.session.writer().write(piece)?;
                self.collect()?;
            }
            self.out_sent += self.socket.send_now(&self.out[self.out_sent..])?;
            if self.out_sent < self.out.len() {
                return Ok(Sent::UpTo(done));
            }
            self.out_sent = 0;
            self.out.clear();
            if done == plaintext.len() {
                self.out.shrink_to(USUAL_ROOM);
                return Ok(Sent::Whole);
            }
        }
    }

    /// Waits at most `limit` for plaintext.
    pub(super) fn receive(&mut self, input: &mut Input, limit: Duration) -> Result<Received, Failure> {
        if self.plaintext == 0 {
            if self.records.unconsumed().is_empty() {
                let socket = &mut self.socket;
                match self.records.fill(|room| socket.receive(room, limit)) {
                    // Closed without close_notify: a cut cannot be told from the end (RFC 8446 section 6.1).
                    Ok(0) => return if self.is_closed { Ok(Received::End) } else { Err(Failure::ClosedEarly) },
                    Ok(_) => {}
                    Err(error) if is_time_over(&error) => return Err(Failure::Timeout),
                    Err(_) => return Err(Failure::Reset),
                }
            }
            self.digest()?;
        }
        if self.plaintext == 0 {
            return Ok(if self.is_closed { Received::End } else { Received::Nothing });
        }
        let session = &mut self.session;
        let taken = input.fill(|room| session.reader().read(room)).map_err(|_| Failure::Tls(TlsTrouble::Other))?;
        self.plaintext = self.plaintext.saturating_sub(taken);
        Ok(Received::Bytes)
    }

    /// Whether something of what was received waits to be read.
    pub(super) fn has_buffered(&self) -> bool {
        self.plaintext > 0 || !self.records.unconsumed().is_empty()
    }

    /// Whether an answer left something behind that is the reader's, or the end.
    pub(super) fn has_leftover(&mut self) -> bool {
        !self.records.unconsumed().is_empty() && self.digest().is_err() || self.plaintext > 0 || self.is_closed
    }

    /// Takes what lies in the socket, without waiting. Returns whether the connection can still be used: neither plaintext
    /// nor the end was there. Tickets and new keys are the session's own business.
    pub(super) fn is_quiet(&mut self) -> bool {
        loop {
            let socket = &self.socket;
            match self.records.fill(|room| socket.receive_now(room)) {
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                Ok(0) => return false,
                Ok(_) if self.has_leftover() => return false,
                Ok(_) => {}
            }
        }
    }

    /// The socket that it goes over.
    pub(super) const fn socket(&self) -> &SocketTransport {
        &self.socket
    }

    /// Gives the session what was received, until there is plaintext.
    fn digest(&mut self) -> Result<(), Failure> {
        while !self.records.unconsumed().is_empty() && self.plaintext == 0 {
            let mut rest = self.records.unconsumed();
            let taken = self.session.read_tls(&mut rest).map_err(|_| Failure::Tls(TlsTrouble::Other))?;
            // Behind close_notify nothing counts (RFC 8446 section 6.1).
            self.records.consume(if taken == 0 { rest.len() } else { taken });
            match self.session.process_new_packets() {
                Ok(state) => {
                    self.plaintext = state.plaintext_bytes_to_read();
                    self.is_closed |= state.peer_has_closed();
                }
                Err(error) => {
                    // The alert that says why; whether it still arrives changes nothing.
                    let _ = self.collect();
                    let _ = self.socket.send_now(&self.out[self.out_sent..]);
                    return Err(Failure::Tls(TlsTrouble::of(&error)));
                }
            }
        }
        Ok(())
    }

    /// Takes the records that the session has to send.
    fn collect(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.out)?;
        }
        Ok(())
    }
}

/// The failure that an error of the socket is during the handshake.
fn handshake_failure(error: &io::Error) -> Failure {
    let closed = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    match error.kind() {
        _ if is_time_over(error) => Failure::ConnectTimeout,
        kind if closed.contains(&kind) => Failure::Tls(TlsTrouble::Closed),
        _ => Failure::Tls(TlsTrouble::Other),
    }
}
