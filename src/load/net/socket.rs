//! Sockets that a stop can close at any time: created first, registered where the stop finds them, then connected.
//!
//! A connector that blocks in `connect_timeout` returns its socket only afterwards, so a connection attempt without any
//! response could not be ended. On Linux, `shutdown()` of a TCP socket that is still connecting wakes it at once.
//!
//! TCP and Unix sockets differ only in how they connect: after that a socket is just a descriptor, and the code below
//! does not distinguish them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay, socket_error};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recv};
use rustix::thread::sched_yield;

use super::prefetch::{fetch_frames, fetch_room, fetch_value};
use super::yielding::Yielding;
use crate::load::swarm::roster::UserSlot;
use crate::load::swarm::stop::Stop;

/// Cancellation of a wait: the stop, and the slot at which sockets are registered for it.
#[derive(Clone, Copy)]
pub(in crate::load) struct Cancellation<'u> {
    pub(in crate::load) stop: &'u Stop,
    pub(in crate::load) user_slot: &'u UserSlot,
}

/// Connects to one address within `limit`.
///
/// # Errors
/// The error of `socket` or `connect`; `TimedOut` when `limit` has passed; any error after the cut.
pub(super) fn connect(address: SocketAddr, limit: Duration, watch: Cancellation<'_>) -> io::Result<Arc<OwnedFd>> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = make(family, watch)?;
    // connect(2) on a blocking socket waits for at most SO_SNDTIMEO (socket(7)).
    set_socket_timeout(&socket, Timeout::Send, Some(limit.max(MIN_LIMIT)))?;
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
/// As [`connect`]; `NotFound` if the socket no longer exists.
pub(super) fn connect_unix(path: &Path, limit: Duration, watch: Cancellation<'_>) -> io::Result<Arc<OwnedFd>> {
    let address = SocketAddrUnix::new(path)?;
    let socket = make(AddressFamily::UNIX, watch)?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        set_socket_timeout(&socket, Timeout::Send, Some(left.clamp(MIN_LIMIT, CUT_CHECK_INTERVAL)))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            // The server's queue is full, or a signal arrived: unlike with TCP, the kernel does not continue
            // connecting.
            Err(Errno::AGAIN | Errno::INTR) if !watch.stop.is_cut() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A thread waiting for room in a Unix socket's queue is woken by the server only, not by `shutdown()` of its own
/// socket, so it checks for the cut this often.
const CUT_CHECK_INTERVAL: Duration = Duration::from_millis(200);

fn make(family: AddressFamily, watch: Cancellation<'_>) -> io::Result<Arc<OwnedFd>> {
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let socket = Arc::new(socket);
    watch.user_slot.register_socket(&socket);
    // The order matters: a later cut finds the registered socket, an earlier one is seen here.
    if watch.stop.is_cut() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(socket) }
}

/// Zero would mean no limit at all (socket(7)).
const MIN_LIMIT: Duration = Duration::from_millis(1);

/// Waits for a connect that a signal interrupted: the handshake continues in the kernel.
fn finish_connect(socket: &OwnedFd, limit: Duration) -> io::Result<()> {
    wait(socket, PollFlags::OUT, limit)?;
    Ok(socket_error(socket)??)
}

/// How much of a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Sent {
    /// All of it.
    Whole,
    /// Only this many bytes: there is no room for more now.
    UpTo(usize),
}

/// Readiness of a socket: what it can do without blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) struct Ready {
    /// Input or the end of input is available.
    pub(in crate::load) readable: bool,
    /// There is room for more output, or the peer is gone.
    pub(in crate::load) writable: bool,
}

/// A connected socket.
#[derive(Debug)]
pub(super) struct SocketTransport {
    socket: Arc<OwnedFd>,
    read_limit: ReadTimeout,
    yielding: Yielding,
}

/// Why a receive returned nothing.
#[derive(Debug)]
pub(super) enum NotReceived {
    /// Other threads ran meanwhile, and there is nothing yet: time has passed, so that the limit must be renewed.
    Yet,
    /// It failed, or its limit has passed.
    Failed(io::Error),
}

impl SocketTransport {
    /// Wraps a socket; `usual` is the limit that most reads will have.
    pub(in crate::load) fn new(socket: Arc<OwnedFd>, usual: Duration, yielding: Yielding) -> Self {
        Self { socket, read_limit: ReadTimeout::new(usual), yielding }
    }

    /// Sends all of `bytes` within `limit`, however slowly the peer reads. For handshakes only: while a request is
    /// being sent, its response may already arrive.
    pub(in crate::load) fn send(&self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        let mut sent = self.send_now(bytes)?;
        let deadline = Instant::now() + limit;
        while sent < bytes.len() {
            wait(&self.socket, PollFlags::OUT, deadline.saturating_duration_since(Instant::now()))?;
            sent += self.send_now(&bytes[sent..])?;
        }
        Ok(())
    }

    /// Sends as much as there is room for, without waiting. That is nearly always everything, so no clock is read and
    /// no limit set.
    pub(super) fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => return Ok(sent),
                Err(Errno::AGAIN) => return Ok(0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Receives into `room`, waiting at most `limit`; 0 is the end of input.
    pub(in crate::load) fn receive(&mut self, room: &mut [u8], limit: Duration) -> io::Result<usize> {
        receive(&self.socket, &mut self.read_limit, room, limit)
    }

    /// Receives a part of a response: as [`SocketTransport::receive`], or what is there after other threads have run.
    pub(super) fn receive_response(&mut self, room: &mut [u8], limit: Duration) -> Result<usize, NotReceived> {
        if !self.yielding.is_due() {
            return self.receive(room, limit).map_err(NotReceived::Failed);
        }
        // Found before the yield, because afterwards the memory of this user has to be fetched again.
        let socket = self.socket.as_fd();
        sched_yield();
        fetch_frames();
        fetch_value(self);
        fetch_room(room);
        match receive_now(socket, room) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.yielding.missed();
                Err(NotReceived::Yet)
            }
            received => {
                self.yielding.succeeded();
                received.map_err(NotReceived::Failed)
            }
        }
    }

    /// Receives what is available; 0 is the end of input, `WouldBlock` means that there is nothing.
    pub(super) fn receive_now(&self, room: &mut [u8]) -> io::Result<usize> {
        receive_now(self.socket.as_fd(), room)
    }

    /// Whether the peer has neither closed the connection nor sent anything: one check that does not wait.
    pub(in crate::load) fn is_quiet(&self) -> bool {
        matches!(self.receive_now(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits at most `limit` until there is input or room to send.
    pub(in crate::load) fn wait(&self, limit: Duration) -> io::Result<Ready> {
        let seen = wait(&self.socket, PollFlags::IN | PollFlags::OUT, limit)?;
        let is_over = seen.intersects(PollFlags::HUP | PollFlags::ERR);
        Ok(Ready {
            readable: is_over || seen.contains(PollFlags::IN),
            writable: is_over || seen.contains(PollFlags::OUT),
        })
    }
}

/// Waits at most `limit` for one of the events; `TimedOut` if none happens.
fn wait(socket: &OwnedFd, events: PollFlags, limit: Duration) -> io::Result<PollFlags> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::TimedOut)?;
        let mut seen = [PollFd::new(socket, events)];
        match poll(&mut seen, Some(&timeout)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(seen[0].revents()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn receive_now(socket: BorrowedFd<'_>, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match recv(socket, &mut *room, RecvFlags::DONTWAIT) {
            Ok((received, _)) => return Ok(received),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn receive(socket: &OwnedFd, limits: &mut ReadTimeout, room: &mut [u8], limit: Duration) -> io::Result<usize> {
    limits.apply(limit, |limit| set_socket_timeout(socket, Timeout::Recv, Some(limit)))?;
    match recv(socket, &mut *room, RecvFlags::empty()) {
        Ok((received, _)) => Ok(received),
        // With SO_RCVTIMEO a signal ends recv even if handlers restart calls (signal(7)). That is rare, so the clock is
        // read only then.
        Err(Errno::INTR) => {
            let deadline = Instant::now() + limit;
            loop {
                let left = deadline.saturating_duration_since(Instant::now()).max(MIN_LIMIT);
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

/// The timeout set on a socket, changed only when necessary: a system call each time would double the cost of a
/// request.
#[derive(Debug)]
struct ReadTimeout {
    set: Duration,
    grain: Duration,
}

impl ReadTimeout {
    /// The timeout set may exceed the requested one by up to this fraction of the usual one: a request of 30 s ends
    /// within 0.25 s of its limit, and a body that arrives in small pieces costs at most this many calls.
    const GRAINS: u32 = 128;

    fn new(usual: Duration) -> Self {
        Self { set: Duration::ZERO, grain: (usual / Self::GRAINS).max(MIN_LIMIT) }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn connected(yielding: Yielding) -> (SocketTransport, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (SocketTransport::new(Arc::new(ours.into()), LONG, yielding), theirs)
    }

    #[test]
    fn a_response_that_is_not_there_after_a_yield_is_reported_at_once_so_that_its_limit_is_renewed() {
        let (mut ours, mut theirs) = connected(Yielding::START);
        for _ in 0..2 {
            assert!(matches!(ours.receive_response(&mut [0; 4], LONG), Err(NotReceived::Yet)));
        }
        // Now it blocks, and only the limit ends it.
        let limit = Duration::from_millis(1);
        let Err(NotReceived::Failed(error)) = ours.receive_response(&mut [0; 4], limit) else { panic!("a limit") };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        theirs.write_all(b"late").unwrap();
        assert_eq!(ours.receive_response(&mut [0; 4], LONG).unwrap(), 4);
    }

    #[test]
    fn a_response_or_the_end_of_input_that_is_there_is_received_whether_it_yields_or_not() {
        for yielding in [Yielding::START, Yielding::Never] {
            let (mut ours, mut theirs) = connected(yielding);
            for _ in 0..10 {
                theirs.write_all(b"here").unwrap();
                assert_eq!(ours.receive_response(&mut [0; 8], LONG).unwrap(), 4);
            }
            drop(theirs);
            assert_eq!(ours.receive_response(&mut [0; 8], LONG).unwrap(), 0);
        }
    }

    #[test]
    fn without_yields_nothing_but_the_limit_ends_a_wait() {
        let (mut ours, _theirs) = connected(Yielding::Never);
        let received = ours.receive_response(&mut [0; 4], Duration::from_millis(1));
        assert!(matches!(received, Err(NotReceived::Failed(error)) if error.kind() == io::ErrorKind::WouldBlock));
    }
}
