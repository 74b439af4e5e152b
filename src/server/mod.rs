//! The embedded server: a target for load tests, on plain OS threads. [`pages`] serves other things with the same code.
//!
//! `swarmline target` runs it alone, `swarmline demo` together with a load, the tests on a free port. There is one
//! accept thread and one thread per connection. A connection's thread only ever waits on its own socket, so shutting
//! down the sockets ends all threads, whatever they are doing.
//!
//! | path | response |
//! | --- | --- |
//! | `/ok` | 200, `{"ok":true}` |
//! | `/bytes/N` | 200, N bytes, at most 1 GiB |
//! | `/delay/MS` | as `/ok`, MS milliseconds later, at most 1 hour; ends early if the client leaves |
//! | `/status/CODE` | that status, 200 to 599 |
//! | `/echo` | 200, method, target, headers and body (at most 512 KiB, otherwise 413) as JSON |
//! | `/drip/N/MS` | 200, N chunks of one byte, MS milliseconds apart |
//! | `/redirect/N` | N redirects, then as `/ok`; `?status=307` chooses the status, `?to=URL` the last location |
//! | `/cookies` | 200, sets `swarm=1`, returns the cookies received |
//! | `/hang` | nothing, until the client leaves |
//! | `/reset` | nothing: the connection is reset |
//! | `POST /login` | 200, a token and a cookie for `user` (or `username`) and `password` in a JSON body, otherwise 401 |
//! | `/items?page=N`, `/items/ID` | 200, ten items of 200, or one, as JSON; otherwise 404 |
//! | `POST /orders` | 201 for `item` in a JSON body, with the token as `Authorization: Bearer`; else 401, 422 |
//! | `POST /logout` | 200, with the token; otherwise 401 |
//! | `/hello`, `/world`, `/item` | as `/ok`: the paths of Locust's quickstart |
//!
//! A connection on which nothing is sent or read for 30 s, between requests or within one, is closed, and none holds
//! more than 1 MiB. The response to an argument out of range is 400, to any other path 404.

mod response;
mod body;
mod acceptor;
mod connection;
mod counts;
mod head;
pub mod pages;
mod pause;
mod reader;
mod request;
mod shop;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use acceptor::{AcceptLimits, Acceptor, Service};
use counts::ServerState;

/// Length of the accept queue: std uses 128, which a spawn rate of thousands a second overruns, and a client whose SYN
/// is dropped waits a second. The kernel limits it to `net.core.somaxconn` (4096 by default).
const BACKLOG: i32 = 4096;

/// Stack size of a connection's thread in bytes. Buffers are on the heap; the largest frame is the parser's, 4 KiB.
const STACK: usize = 64 * 1024;

/// How long a client may send or read nothing when it is its turn.
const IDLE: Duration = Duration::from_secs(30);

/// Maximum open connections; further ones are closed at once. A thread takes 4 mappings and std aborts the process at
/// `vm.max_map_count` (65,530 by default), which is 16,368 threads: stay clear of it.
const MAX_CONNECTIONS: usize = 12_000;

const LIMITS: AcceptLimits =
    AcceptLimits { name: "target", backlog: BACKLOG, connections: MAX_CONNECTIONS, idle: IDLE, stack: STACK };

/// A running server. Dropping it closes the listener and all its connections.
#[derive(Debug)]
pub struct Server {
    acceptor: Acceptor,
    shared: Arc<ServerState>,
}

impl Service for ServerState {
    fn serve(&self, stream: &TcpStream) {
        connection::serve(stream, self);
    }
}

impl Server {
    /// Listens on `listen` (port 0: any free port) and starts serving.
    ///
    /// # Errors
    /// Usage error, naming `--listen`, if the address cannot be listened on or no thread can be started.
    pub fn start(listen: SocketAddr) -> Result<Self> {
        let refused = |error: std::io::Error| Error::usage(format!("--listen {listen}"), error);
        let shared = Arc::new(ServerState::default());
        let listener = TcpListener::bind(listen).map_err(refused)?;
        let acceptor = Acceptor::start(listener, LIMITS, Arc::clone(&shared)).map_err(refused)?;
        Ok(Self { acceptor, shared })
    }

    /// The address it listens on, with the actual port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// Requests whose head was received completely, to any path, including those that turned out to be malformed.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Of [`requests`](Self::requests), those whose path begins with this segment: `ok`, `bytes` … or `other` for all
    /// paths that are not served. 0 for an unknown segment.
    #[must_use]
    pub fn requests_to(&self, prefix: &str) -> u64 {
        self.shared.requests_to(prefix)
    }

    /// Number of connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.acceptor.accepted()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the accept thread ended by itself.
    pub fn wait(self) -> Result<()> {
        let addr = self.addr();
        Err(Error::invalid(format!("target {addr}"), self.acceptor.wait()))
    }
}

/// Refuses to listen on an address that other machines could reach, unless `allow_remote`: the server responds to
/// anyone, with a gigabyte on request.
///
/// # Errors
/// Usage error, naming `--listen` and `--allow-remote`.
pub fn check_listen(addr: SocketAddr, allow_remote: bool) -> Result<()> {
    if allow_remote || addr.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::usage(
        format!("--listen {addr}"),
        "not a loopback address, other machines could reach it; add --allow-remote if they should",
    ))
}
