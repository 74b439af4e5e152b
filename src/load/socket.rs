//! Sockets that a stop can end at any time: made first, put where the stop finds them, then connected.
//!
//! ureq's own connector blocks in `connect_timeout` and hands out its socket only afterwards, so a connection into a
//! black hole could not be ended. On Linux `shutdown()` of a TCP socket that still connects wakes it at once.
//!
//! TCP or Unix is a matter of connecting only: past it a socket is a descriptor, and the kernel knows which kind, so
//! nothing here asks again.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay, socket_error};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recv};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::input::is_time_over;
use super::roster::Desk;
use super::stop::Stop;

/// What ends a wait, and where a socket is put for that.
pub(super) type Watch<'u> = (&'u Stop, &'u Desk);

/// Connects to one address within `limit`.
///
/// # Errors
/// That of `socket` or `connect`; `TimedOut` when `limit` is over; any error after the cut.
pub(super) fn connect(address: SocketAddr, limit: Duration, watch: Watch<'_>) -> io::Result<Arc<OwnedFd>> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = make(family, watch)?;
    // connect(2) on a blocking socket waits as long as SO_SNDTIMEO says (socket(7)).
    set_socket_timeout(&socket, Timeout::Send, Some(limit.max(SHORTEST_LIMIT)))?;
    let began = Instant::now();
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
        Err(Errno::INTR) => finish_connect(&socket, limit.saturating_sub(began.elapsed()))?,
        Err(error) => return Err(error.into()),
    }
    set_tcp_nodelay(&socket, true)?;
    Ok(socket)
}

/// Connects to the Unix socket at `path` within `limit`.
///
/// # Errors
/// As [`connect`]; `NotFound` where the socket is gone.
pub(super) fn connect_unix(path: &Path, limit: Duration, watch: Watch<'_>) -> io::Result<Arc<OwnedFd>> {
    let address = SocketAddrUnix::new(path)?;
    let socket = make(AddressFamily::UNIX, watch)?;
    let (stop, _) = watch;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        set_socket_timeout(&socket, Timeout::Send, Some(left.clamp(SHORTEST_LIMIT, GLANCE)))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            // The server's queue is full, or a signal came: nothing goes on by itself as it does with TCP.
            Err(Errno::AGAIN | Errno::INTR) if !stop.is_cut() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// One that waits for room in a Unix socket's queue is woken by the server only, not by `shutdown()` of its own socket;
/// so it looks up this often to see whether the cut came.
const GLANCE: Duration = Duration::from_millis(200);

fn make(family: AddressFamily, (stop, desk): Watch<'_>) -> io::Result<Arc<OwnedFd>> {
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let socket = Arc::new(socket);
    desk.keep(&socket);
    // In this order: a cut that comes now finds the socket, one that came before is seen here.
    if stop.is_cut() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(socket) }
}

/// A zero would mean no limit at all (socket(7)).
const SHORTEST_LIMIT: Duration = Duration::from_millis(1);

/// A signal interrupted `connect`; the handshake goes on by itself, wait for its end.
fn finish_connect(socket: &OwnedFd, limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::TimedOut)?;
        match poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&timeout)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(socket_error(socket)??),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the other side has neither closed the connection nor sent anything: one look that does not wait.
pub(super) fn is_quiet(socket: &OwnedFd) -> bool {
    let mut byte = [0_u8; 1];
    let looked = recv(socket, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
    matches!(looked, Err(Errno::AGAIN))
}

/// A connected socket as ureq's connectors want it, and with shorter ways for plain HTTP.
#[derive(Debug)]
pub(super) struct SocketTransport {
    socket: Arc<OwnedFd>,
    /// For TLS only, which reads and writes by them; plain HTTP never touches them.
    buffers: LazyBuffers,
    cork: Cork,
    /// Said, but not sent yet.
    held: Vec<u8>,
    read_limit: Limit,
    write_limit: Limit,
}

/// Holds back what a TLS handshake says until it waits for an answer, or is over and the first request goes with its
/// last words: three pieces in one segment, where each on its own would cost a system call and wake the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Cork(Arc<AtomicBool>);

impl Cork {
    pub(super) fn hold(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// From here on all is sent at once, with what is held before it.
    pub(super) fn release(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Room for TLS records on their way: a handshake flight or a small answer a call, larger ones in several.
const RECORD_INPUT: usize = 8 * 1024;
const RECORD_OUTPUT: usize = 4 * 1024;

impl SocketTransport {
    /// Wraps a socket; `usual` is the limit that most reads will have.
    pub(super) fn new(socket: Arc<OwnedFd>, usual: Duration) -> Self {
        let buffers = LazyBuffers::new(RECORD_INPUT, RECORD_OUTPUT);
        let (cork, held) = (Cork::default(), Vec::new());
        Self { socket, buffers, cork, held, read_limit: Limit::new(usual), write_limit: Limit::new(usual) }
    }

    /// What holds back its TLS records, for whoever knows when the handshake is over.
    pub(super) fn cork(&self) -> Cork {
        self.cork.clone()
    }

    /// The socket, for whoever looks at it beside the transport.
    pub(super) fn socket(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.socket)
    }

    /// Sends all of `bytes` within `limit`, however slowly the other side makes room for them.
    pub(super) fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        send(&self.socket, &mut self.write_limit, bytes, limit)
    }

    /// Receives into `room`, waiting at most `limit`; 0 is the end.
    pub(super) fn receive(&mut self, room: &mut [u8], limit: Duration) -> io::Result<usize> {
        receive(&self.socket, &mut self.read_limit, room, limit)
    }

    fn send_held(&mut self, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.held.is_empty() {
            return Ok(());
        }
        // Taken, not kept: it is never needed again, and there are 10,000 of them.
        let held = std::mem::take(&mut self.held);
        let sent = send(&self.socket, &mut self.write_limit, &held, limit(timeout)?);
        sent.map_err(|error| timed(error, timeout))
    }
}

/// Sends at once what there is room for: nearly always all of it, so that no clock is read and no limit set.
fn send(socket: &OwnedFd, limits: &mut Limit, bytes: &[u8], limit: Duration) -> io::Result<()> {
    match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Ok(sent) => send_slowly(socket, limits, &bytes[sent..], limit),
        Err(Errno::AGAIN | Errno::INTR) => send_slowly(socket, limits, bytes, limit),
        Err(error) => Err(error.into()),
    }
}

/// Sends as the other side makes room.
fn send_slowly(socket: &OwnedFd, limits: &mut Limit, bytes: &[u8], limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    let (mut rest, mut left) = (bytes, limit);
    loop {
        limits.apply(left, |limit| set_socket_timeout(socket, Timeout::Send, Some(limit)))?;
        match rustix::net::send(socket, rest, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == rest.len() => return Ok(()),
            // SO_SNDTIMEO ends a send that has got rid of some bytes with their number (socket(7)), not with an error.
            Ok(sent) => rest = &rest[sent..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

fn receive(socket: &OwnedFd, limits: &mut Limit, room: &mut [u8], limit: Duration) -> io::Result<usize> {
    limits.apply(limit, |limit| set_socket_timeout(socket, Timeout::Recv, Some(limit)))?;
    match recv(socket, &mut *room, RecvFlags::empty()) {
        Ok((received, _)) => Ok(received),
        // With SO_RCVTIMEO a signal ends recv even where handlers restart calls (signal(7)); rare, so the clock is
        // asked only then.
        Err(Errno::INTR) => {
            let deadline = Instant::now() + limit;
            loop {
                let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST_LIMIT);
                limits.apply(left, |limit| set_socket_timeout(socket, Timeout::Recv, Some(limit)))?;
                match recv(socket, &mut *room, RecvFlags::empty()) {
                    Ok((received, _)) => return Ok(received),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The timeout that is set on a socket, changed only when it must be: a system call each time would double the
/// cost of a request.
#[derive(Debug)]
struct Limit {
    set: Duration,
    grain: Duration,
}

impl Limit {
    /// Limits may be longer than asked for by this part of the usual one: a request of 30 s ends within 0.25 s of it,
    /// and a body that drips costs at most so many calls.
    const GRAINS: u32 = 128;

    fn new(usual: Duration) -> Self {
        Self { set: Duration::ZERO, grain: (usual / Self::GRAINS).max(SHORTEST_LIMIT) }
    }

    fn apply(&mut self, wanted: Duration, set: impl FnOnce(Duration) -> Result<(), Errno>) -> io::Result<()> {
        if wanted <= self.set && self.set.saturating_sub(wanted) < self.grain {
            return Ok(());
        }
        let grains = wanted.as_nanos().div_ceil(self.grain.as_nanos()).max(1);
        let rounded = self.grain * u32::try_from(grains).unwrap_or(u32::MAX);
        set(rounded)?;
        self.set = rounded;
        Ok(())
    }
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let limit = limit(timeout)?;
        let said = &self.buffers.output()[..amount];
        if self.held.is_empty() && !self.cork.holds() {
            return send(&self.socket, &mut self.write_limit, said, limit).map_err(|error| timed(error, timeout));
        }
        self.held.extend_from_slice(said);
        if self.cork.holds() { Ok(()) } else { self.send_held(timeout) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let limit = limit(timeout)?;
        self.send_held(timeout)?;
        let room = self.buffers.input_append_buf();
        let received = receive(&self.socket, &mut self.read_limit, room, limit);
        let received = received.map_err(|error| timed(error, timeout))?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    fn is_open(&mut self) -> bool {
        is_quiet(&self.socket)
    }
}

fn limit(timeout: NextTimeout) -> Result<Duration, ureq::Error> {
    if timeout.after.is_zero() { Err(ureq::Error::Timeout(timeout.reason)) } else { Ok(*timeout.after) }
}

fn timed(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    if is_time_over(&error) { ureq::Error::Timeout(timeout.reason) } else { error.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    const SOON: NextTimeout = NextTimeout {
        after: ureq::unversioned::transport::time::Duration::Exact(Duration::from_secs(5)),
        reason: ureq::Timeout::Global,
        per_read: None,
        per_write: None,
    };

    fn pair() -> (SocketTransport, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (SocketTransport::new(Arc::new(ours.into()), Duration::from_secs(5)), theirs)
    }

    fn say(transport: &mut SocketTransport, words: &[u8]) {
        transport.buffers().output()[..words.len()].copy_from_slice(words);
        transport.transmit_output(words.len(), SOON).unwrap();
    }

    fn heard(other: &mut UnixStream) -> Vec<u8> {
        let mut bytes = [0; 64];
        let count = other.read(&mut bytes).unwrap();
        bytes[..count].to_vec()
    }

    #[test]
    fn the_last_words_of_a_handshake_go_with_the_first_request() {
        let (mut transport, mut other) = pair();
        let cork = transport.cork();
        cork.hold();
        say(&mut transport, b"change ");
        say(&mut transport, b"finished ");
        assert!(is_quiet(&other.try_clone().unwrap().into()), "nothing is sent yet");
        cork.release();
        say(&mut transport, b"request");
        assert_eq!(heard(&mut other), b"change finished request");
        say(&mut transport, b"another");
        assert_eq!(heard(&mut other), b"another", "what was sent is not sent again");
    }

    #[test]
    fn a_handshake_that_waits_for_an_answer_has_asked_before() {
        let (mut transport, mut other) = pair();
        transport.cork().hold();
        say(&mut transport, b"hello");
        let answering = std::thread::spawn(move || {
            let hello = heard(&mut other);
            std::io::Write::write_all(&mut other, b"hello yourself").unwrap();
            hello
        });
        assert!(transport.await_input(SOON).unwrap());
        assert_eq!(transport.buffers().input(), b"hello yourself");
        assert_eq!(answering.join().unwrap(), b"hello");
    }
}
