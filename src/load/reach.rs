//! Reaching an origin: names to addresses, then to its own address or to a Unix socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::input::is_time_over;
use super::outcome::{ConnectTrouble, Connecting, Failure};
use super::resolve::{Addresses, Resolver, in_turn};
use super::roster::Desk;
use super::socket::{connect, connect_unix};
use super::stop::Stop;
use crate::plan::url::Origin;
use crate::plan::{Plan, Route};

/// What ends a wait, and where a new socket is put for that.
pub(super) type Watch<'u> = (&'u Stop, &'u Desk);

/// The way to every origin, shared by all users.
#[derive(Debug)]
pub(super) struct Reach {
    route: Route,
    resolver: Resolver,
    /// Connections begun so far: addresses are taken in turn over all users.
    turn: AtomicUsize,
}

impl Reach {
    /// The way that the plan says.
    pub(super) fn new(plan: &Plan) -> Self {
        let connection = plan.connection();
        Self { route: connection.route.clone(), resolver: Resolver::new(connection), turn: AtomicUsize::new(0) }
    }

    /// The addresses of an origin's host, asked for within `patience`; none where they do not matter.
    pub(super) fn known_addresses(&self, origin: &Origin, patience: Duration) -> Vec<IpAddr> {
        match self.route {
            Route::Direct => self.resolver.known_within(origin, patience),
            Route::UnixSocket(_) => Vec::new(),
        }
    }

    /// A socket that leads to `origin`, made before `limit`; adds the phases to `connecting`, also those of one that
    /// did not come about.
    pub(super) fn socket(
        &self,
        origin: &Origin,
        limit: Instant,
        watch: Watch<'_>,
        connecting: &mut Connecting,
    ) -> Result<Arc<OwnedFd>, Failure> {
        match &self.route {
            Route::Direct => {
                let addresses = self.look_up(origin, limit, watch, connecting)?;
                let began = Instant::now();
                let socket = self.connect_any(&addresses, origin.port(), limit, watch);
                connecting.connect += began.elapsed();
                socket
            }
            Route::UnixSocket(path) => {
                let (began, (stop, desk)) = (Instant::now(), watch);
                let socket = connect_unix(path, limit.saturating_duration_since(began), desk, stop);
                connecting.connect += began.elapsed();
                socket.map_err(|error| failure(&error))
            }
        }
    }

    fn look_up(
        &self,
        host: &Origin,
        limit: Instant,
        (stop, _): Watch<'_>,
        connecting: &mut Connecting,
    ) -> Result<Addresses, Failure> {
        let began = Instant::now();
        let addresses = self.resolver.addresses(host, limit, stop.cut_off());
        connecting.dns += began.elapsed();
        addresses.map_err(Failure::Dns)
    }

    fn connect_any(
        &self,
        addresses: &[IpAddr],
        port: u16,
        limit: Instant,
        (stop, desk): Watch<'_>,
    ) -> Result<Arc<OwnedFd>, Failure> {
        self.any(addresses, port, limit, |address, limit| {
            let left = limit.saturating_duration_since(Instant::now());
            connect(address, left, desk, stop).map_err(|error| failure(&error))
        })
    }

    /// Tries the addresses one after another, each with an equal part of the time that is left.
    fn any<T>(
        &self,
        addresses: &[IpAddr],
        port: u16,
        limit: Instant,
        mut attempt: impl FnMut(SocketAddr, Instant) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let addresses: Vec<SocketAddr> = in_turn(addresses, port, turn).collect();
        let mut last = Failure::ConnectOther(ConnectTrouble::Other);
        for (tried, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match attempt(*address, now + limit.saturating_duration_since(now) / untried) {
                Ok(reached) => return Ok(reached),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }
}

fn failure(error: &io::Error) -> Failure {
    use rustix::io::Errno;
    match error.kind() {
        _ if is_time_over(error) => return Failure::ConnectTimeout,
        io::ErrorKind::ConnectionRefused => return Failure::ConnectRefused,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            return Failure::ConnectOther(ConnectTrouble::Unreachable);
        }
        _ => {}
    }
    Failure::ConnectOther(match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => ConnectTrouble::NoDescriptors,
        Some(Errno::ADDRNOTAVAIL) => ConnectTrouble::NoPorts,
        Some(Errno::NOENT) => ConnectTrouble::NoSocket,
        _ => ConnectTrouble::Other,
    })
}
