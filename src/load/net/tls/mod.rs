//! TLS over a socket, using rustls directly: so an idle connection can be checked through the session, and the end of
//! the handshake is sent in one segment with the first request.

pub mod trouble;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::input::{CallError, InputBuffer, is_time_over};
use super::socket::{NotReceived, Sent, SocketTransport};
use crate::outcome::{Failure, TlsTrouble};

/// Plaintext encrypted at a time: the maximum of one record (RFC 8446 section 5.1).
const PIECE: usize = 16 * 1024;

/// Capacity for outgoing records that a connection keeps; what a large request needed is freed.
const USUAL_ROOM: usize = 4 * 1024;

/// A TLS session and its socket.
#[derive(Debug)]
pub(super) struct TlsTransport {
    socket: SocketTransport,
    session: ClientConnection,
    /// Bytes received and not yet passed to the session.
    records: InputBuffer,
    /// Records to send, and how many of their bytes have been sent.
    out: Vec<u8>,
    out_sent: usize,
    /// Decrypted bytes held by the session.
    plaintext: usize,
    /// Whether the server announced the end of its data.
    is_closed: bool,
}

/// The result of a wait for input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Received {
    /// Bytes for the reader.
    Bytes,
    /// Only something for the session (a ticket, a new key, a part of a record), or nothing yet.
    Nothing,
    /// The end of input.
    End,
}

impl TlsTransport {
    /// Performs the handshake with `host`, at the latest until `limit`.
    ///
    /// # Errors
    /// `ConnectTimeout`; or `Tls` with the reason.
    #[inline(never)]
    pub(super) fn connect(
        socket: SocketTransport,
        config: &Arc<ClientConfig>,
        host: &str,
        limit: Instant,
    ) -> Result<Self, Failure> {
        let host = host.strip_suffix('.').unwrap_or(host).to_owned();
        let name = ServerName::try_from(host).map_err(|_| Failure::Tls(TlsTrouble::UnknownName))?;
        let session = ClientConnection::new(Arc::clone(config), name);
        let session = session.map_err(|error| Failure::Tls(trouble::of(&error)))?;
        let (records, out) = (InputBuffer::default(), Vec::new());
        let mut tls = Self { socket, session, records, out, out_sent: 0, plaintext: 0, is_closed: false };
        loop {
            tls.collect_records().map_err(|error| handshake_failure(&error))?;
            if !tls.session.is_handshaking() {
                // `out` now has the end of the handshake: it is sent with the first request.
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
                Ok(_) => tls.process_records()?,
                Err(error) => return Err(handshake_failure(&error)),
            }
        }
    }

    /// Encrypts the plaintext from `done` on and sends the records without waiting, after what was held back.
    pub(in crate::load) fn send(&mut self, plaintext: &[u8], mut done: usize) -> io::Result<Sent> {
        loop {
            if done < plaintext.len() && self.out.len() - self.out_sent < PIECE {
                let piece = &plaintext[done..(done + PIECE).min(plaintext.len())];
                done += self.session.writer().write(piece)?;
                self.collect_records()?;
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
    pub(in crate::load) fn receive(&mut self, input: &mut InputBuffer, limit: Duration) -> Result<Received, CallError> {
        if self.plaintext == 0 {
            if self.records.unconsumed().is_empty() {
                let socket = &mut self.socket;
                match self.records.fill(|room| socket.receive_response(room, limit)) {
                    // Closed without close_notify: a truncated response cannot be told from a complete one (RFC 8446
                    // section 6.1).
                    Ok(0) => return if self.is_closed { Ok(Received::End) } else { Err(Failure::ClosedEarly.into()) },
                    Ok(_) => {}
                    Err(NotReceived::Yet) => return Ok(Received::Nothing),
                    Err(NotReceived::Failed(error)) => return Err(CallError::of(&error)),
                }
            }
            self.process_records()?;
        }
        if self.plaintext == 0 {
            return Ok(if self.is_closed { Received::End } else { Received::Nothing });
        }
        let session = &mut self.session;
        let taken = input.fill(|room| session.reader().read(room)).map_err(|_| Failure::Tls(TlsTrouble::Other))?;
        self.plaintext = self.plaintext.saturating_sub(taken);
        Ok(Received::Bytes)
    }

    /// Whether bytes that were received wait to be read.
    pub(in crate::load) fn has_buffered(&self) -> bool {
        self.plaintext > 0 || !self.records.unconsumed().is_empty()
    }

    /// Whether bytes are left after a response, or the end of input was received.
    pub(in crate::load) fn has_leftover(&mut self) -> bool {
        !self.records.unconsumed().is_empty() && self.process_records().is_err() || self.plaintext > 0 || self.is_closed
    }

    /// Reads what is available in the socket, without waiting. Returns whether the connection can still be used:
    /// neither plaintext nor the end was there. Tickets and new keys concern the session only.
    pub(in crate::load) fn is_quiet(&mut self) -> bool {
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

    /// The underlying socket.
    pub(in crate::load) const fn socket(&self) -> &SocketTransport {
        &self.socket
    }

    /// Passes received bytes to the session until there is plaintext.
    fn process_records(&mut self) -> Result<(), Failure> {
        while !self.records.unconsumed().is_empty() && self.plaintext == 0 {
            let mut rest = self.records.unconsumed();
            let taken = self.session.read_tls(&mut rest).map_err(|_| Failure::Tls(TlsTrouble::Other))?;
            // Anything after close_notify is ignored (RFC 8446 section 6.1).
            self.records.consume(if taken == 0 { rest.len() } else { taken });
            match self.session.process_new_packets() {
                Ok(state) => {
                    self.plaintext = state.plaintext_bytes_to_read();
                    self.is_closed |= state.peer_has_closed();
                }
                Err(error) => {
                    // Sends the alert with the reason; it does not matter whether it still arrives.
                    let _ = self.collect_records();
                    let _ = self.socket.send_now(&self.out[self.out_sent..]);
                    return Err(Failure::Tls(trouble::of(&error)));
                }
            }
        }
        Ok(())
    }

    /// Collects the records that the session has to send.
    fn collect_records(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.out)?;
        }
        Ok(())
    }
}

/// The failure for a socket error during the handshake.
fn handshake_failure(error: &io::Error) -> Failure {
    let closed = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    match error.kind() {
        _ if is_time_over(error) => Failure::ConnectTimeout,
        kind if closed.contains(&kind) => Failure::Tls(TlsTrouble::Closed),
        _ => Failure::Tls(TlsTrouble::Other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};

    use super::super::yielding::Yielding;
    use super::*;

    const AUTHORITY: &[u8] = include_bytes!("../../../../tests/it/tls/ca.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../../../tests/it/tls/server.pem");

    /// Both ends of a session and the server's socket, after the client's handshake.
    fn connected() -> (TlsTransport, ServerConnection, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let server = thread::spawn(move || {
            let key = PrivateKeyDer::from_pem_slice(CERTIFICATE).unwrap();
            let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
            let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
            let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
            let mut session = ServerConnection::new(Arc::new(config.with_single_cert(chain, key).unwrap())).unwrap();
            session.read_tls(&mut theirs).unwrap();
            session.process_new_packets().unwrap();
            while session.wants_write() {
                session.write_tls(&mut theirs).unwrap();
            }
            (session, theirs)
        });
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let config = Arc::new(config.with_no_client_auth());
        let limit = Duration::from_secs(30);
        let socket = SocketTransport::new(Arc::new(ours.into()), limit, Yielding::START);
        let client = TlsTransport::connect(socket, &config, "shop.test", Instant::now() + limit).unwrap();
        let (session, theirs) = server.join().unwrap();
        (client, session, theirs)
    }

    #[test]
    fn the_end_of_a_handshake_is_sent_with_the_first_request() {
        let (mut client, mut session, mut theirs) = connected();
        theirs.set_nonblocking(true).unwrap();
        let nothing = io::Read::read(&mut theirs, &mut [0]).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock, "the end of the handshake is held back");
        assert_eq!(client.send(b"request", 0).unwrap(), Sent::Whole);
        assert_eq!(client.send(b" and another", 0).unwrap(), Sent::Whole);
        let mut heard = [0; 19];
        Stream::new(&mut session, &mut theirs).read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"request and another", "what was sent is not sent again");
    }

    #[test]
    fn a_partial_write_continues_where_it_stopped() {
        let (mut client, mut session, mut theirs) = connected();
        let request: Vec<u8> = (0..4 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 4]).collect();
        let Sent::UpTo(mut done) = client.send(&request, 0).unwrap() else { panic!("a socket holds less than 4 MiB") };
        let length = request.len();
        let reader = thread::spawn(move || {
            let mut heard = vec![0; length];
            Stream::new(&mut session, &mut theirs).read_exact(&mut heard).unwrap();
            heard
        });
        loop {
            if client.socket.wait(Duration::from_secs(30)).unwrap().readable {
                assert!(client.is_quiet(), "the server sends only tickets");
            }
            match client.send(&request, done).unwrap() {
                Sent::UpTo(further) => done = further,
                Sent::Whole => break,
            }
        }
        assert!(reader.join().unwrap() == request, "the bytes of the request, in their order");
        assert!(client.out.capacity() <= USUAL_ROOM, "memory for a large request is released");
    }

    #[test]
    fn a_response_larger_than_the_session_buffer_is_complete_and_leaves_nothing_behind() {
        let (mut client, mut session, mut theirs) = connected();
        client.send(b"request", 0).unwrap();
        let answer = "x".repeat(300_000);
        let writer = thread::spawn(move || {
            let mut stream = Stream::new(&mut session, &mut theirs);
            stream.read_exact(&mut [0; 7]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            stream.flush().unwrap();
            (session, theirs)
        });
        let (mut input, mut heard) = (InputBuffer::default(), 0);
        while heard < 300_000 {
            assert_ne!(client.receive(&mut input, Duration::from_secs(30)), Ok(Received::End));
            heard += input.unconsumed().len();
            assert!(input.unconsumed().iter().all(|byte| *byte == b'x'));
            input.consume(input.unconsumed().len());
        }
        let (mut session, mut theirs) = writer.join().unwrap();
        assert!(!client.has_leftover() && client.is_quiet());
        session.refresh_traffic_keys().unwrap();
        session.write_tls(&mut theirs).unwrap();
        assert!(client.is_quiet(), "a key update does not end the session");
        session.send_close_notify();
        session.write_tls(&mut theirs).unwrap();
        assert!(!client.is_quiet(), "close_notify ends it");
    }
}
