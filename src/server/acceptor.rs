//! Accepts connections: one thread that accepts, and one for each connection, up to a maximum. Dropping the acceptor ends
//! them all.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::pause::{PauseEnd, pause};

/// Pause after a failed accept (usually no descriptors left): long enough not to spin, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The limits of an acceptor.
#[derive(Clone, Copy, Debug)]
pub(super) struct AcceptLimits {
    /// Name of the threads.
    pub(super) name: &'static str,
    /// Length of the accept queue; the kernel limits it to `net.core.somaxconn` (4096 by default).
    pub(super) backlog: i32,
    /// Maximum open connections.
    pub(super) connections: usize,
    /// How long a client may send or read nothing when it is its turn.
    pub(super) idle: Duration,
    /// Stack size of a connection's thread in bytes.
    pub(super) stack: usize,
}

/// What is done with connections.
pub(super) trait Service: Send + Sync + 'static {
    /// Serves a connection to its end, on a thread of its own.
    fn serve(&self, stream: &TcpStream);

    /// Does without waiting what there is to do with a connection beyond the maximum, which is closed then.
    fn refuse(&self, stream: &TcpStream) {
        let _ = stream;
    }
}

/// A listener that accepts.
#[derive(Debug)]
pub(super) struct Acceptor {
    addr: SocketAddr,
    listener: Arc<TcpListener>,
    accepting: Option<JoinHandle<()>>,
    open: Arc<OpenConnections>,
}

impl Acceptor {
    /// Starts accepting.
    ///
    /// # Errors
    /// The system's error: no thread can be started.
    pub(super) fn start(listener: TcpListener, limits: AcceptLimits, service: Arc<impl Service>) -> io::Result<Self> {
        // Listening a second time replaces the backlog.
        rustix::net::listen(&listener, limits.backlog)?;
        let addr = listener.local_addr()?;
        let listener = Arc::new(listener);
        let open = Arc::new(OpenConnections::default());
        let accepting = {
            let (listener, open) = (Arc::clone(&listener), Arc::clone(&open));
            let name = format!("{}-accept", limits.name);
            Builder::new().name(name).spawn(move || accept(&listener, limits, &service, &open))?
        };
        Ok(Self { addr, listener, accepting: Some(accepting), open })
    }

    /// The address it listens on, with the actual port.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Number of connections accepted so far.
    pub(super) fn accepted(&self) -> u64 {
        self.open.accepted.load(Ordering::Relaxed)
    }

    /// The connections, which are all closed some time after the acceptor was dropped.
    #[cfg(test)]
    pub(super) fn open(&self) -> Arc<OpenConnections> {
        Arc::clone(&self.open)
    }

    /// Waits for the end of the accept thread, which only a panic or a system that closes the listener brings about; returns
    /// the reason.
    pub(super) fn wait(mut self) -> &'static str {
        match self.accepting.take().map(JoinHandle::join) {
            Some(Err(_)) => "the accept thread panicked",
            _ => "the listener was closed",
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        // Wakes the accept thread. The registry is complete only when that has ended.
        let woken = rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both);
        assert!(woken.is_ok() || self.accepting.is_none(), "a listener that accepts can be shut down: {woken:?}");
        if let Some(accepting) = self.accepting.take() {
            // A panic was already printed by its thread; the connections are closed in any case.
            let _ended = accepting.join();
        }
        for stream in self.open.lock().values() {
            // Fails if the client has already left.
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct OpenConnections {
    accepted: AtomicU64,
    /// Used only when a connection is accepted or closed, never for a request.
    open: Mutex<HashMap<u64, Arc<TcpStream>>>,
}

impl OpenConnections {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<TcpStream>>> {
        // A map of sockets is still valid after a panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection in the registry; dropping it removes it there and closes it.
struct OpenConnection {
    id: u64,
    stream: Arc<TcpStream>,
    open: Arc<OpenConnections>,
}

impl OpenConnection {
    /// Registers a connection. `None` if the maximum is open.
    fn open(stream: &Arc<TcpStream>, open: &Arc<OpenConnections>, most: usize) -> Option<Self> {
        let id = open.accepted.fetch_add(1, Ordering::Relaxed);
        let mut known = open.lock();
        if known.len() >= most {
            return None;
        }
        known.insert(id, Arc::clone(stream));
        drop(known);
        Some(Self { id, stream: Arc::clone(stream), open: Arc::clone(open) })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.open.lock().remove(&self.id);
    }
}

/// Accepts until the listener is shut down.
fn accept(listener: &TcpListener, limits: AcceptLimits, service: &Arc<impl Service>, open: &Arc<OpenConnections>) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                // A failure here only costs latency; the first read will report the error.
                let _nodelay = stream.set_nodelay(true);
                let _read = stream.set_read_timeout(Some(limits.idle));
                let _write = stream.set_write_timeout(Some(limits.idle));
                let stream = Arc::new(stream);
                let Some(connection) = OpenConnection::open(&stream, open, limits.connections) else {
                    service.refuse(&stream);
                    continue;
                };
                let service = Arc::clone(service);
                let thread = Builder::new().name(limits.name.to_owned()).stack_size(limits.stack);
                // If no thread can be started, the connection is dropped with the closure, which closes it.
                let _detached = thread.spawn(move || service.serve(&connection.stream));
            }
            // Out of descriptors or memory, or the client left before it was accepted, or the listener was shut down.
            Err(_) if pause(listener, Some(ACCEPT_PAUSE)) == PauseEnd::Closed => return,
            Err(_) => {}
        }
    }
}
