//! What the accept thread, the connections and the owner share: counts, and the connections that are open.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::request::ServerPath;

/// Maximum open connections; further ones are closed at once. A thread takes 4 mappings and std aborts the process at
/// `vm.max_map_count` (65,530 by default), which is 16,368 threads: stay clear of it.
const MAX_CONNECTIONS: usize = 12_000;

/// State shared by the accept thread, the connections and the owner.
#[derive(Debug, Default)]
pub(super) struct ServerState {
    requests: [AtomicU64; ServerPath::ALL.len()],
    accepted: AtomicU64,
    orders: AtomicU64,
    /// Used only when a connection is accepted or closed, never for a request.
    open: Mutex<HashMap<u64, Arc<TcpStream>>>,
}

impl ServerState {
    pub(super) fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<TcpStream>>> {
        // A map of sockets is still valid after a panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests to all paths.
    pub(super) fn requests(&self) -> u64 {
        self.requests.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Requests to the paths that begin with this segment.
    pub(super) fn requests_to(&self, prefix: &str) -> u64 {
        ServerPath::named(prefix).map_or(0, |endpoint| self.requests[endpoint as usize].load(Ordering::Relaxed))
    }

    /// Number of connections accepted so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// The number of the next order, from 1.
    pub(super) fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn count(&self, endpoint: ServerPath) {
        self.requests[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// An open connection in the registry; dropping it removes it there and closes it.
pub(super) struct OpenConnection {
    id: u64,
    pub(super) stream: Arc<TcpStream>,
    pub(super) shared: Arc<ServerState>,
}

impl OpenConnection {
    /// Registers a connection. `None`, and the stream is closed, if [`MAX_CONNECTIONS`] are open.
    pub(super) fn open(stream: TcpStream, shared: &Arc<ServerState>) -> Option<Self> {
        let id = shared.accepted.fetch_add(1, Ordering::Relaxed);
        let stream = Arc::new(stream);
        let mut open = shared.open();
        if open.len() >= MAX_CONNECTIONS {
            return None;
        }
        open.insert(id, Arc::clone(&stream));
        drop(open);
        Some(Self { id, stream, shared: Arc::clone(shared) })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.shared.open().remove(&self.id);
    }
}
