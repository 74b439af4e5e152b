//! Connecting to an origin: name lookup, then a socket to its address, through a proxy, or to a Unix socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::input::is_time_over;
use super::proxy::socks5::Destination;
use super::proxy::whole_urls::WholeUrls;
use super::proxy::{Handshake, connect, socks5};
use super::resolve::{Resolver, in_turn};
use super::socket::{self, Cancellation, SocketTransport};
use super::yielding::Yielding;
use crate::outcome::{ConnectTrouble, Connecting, Failure};
use crate::plan::route::{Lookup, Route};
use crate::plan::url::{Origin, Scheme};
use crate::plan::{LoadModel, Plan};
use crate::value::Wait;

/// Connects to origins by the plan's route; shared by all users.
#[derive(Debug)]
pub(super) struct Connector {
    route: Route,
    resolver: Resolver,
    request_timeout: Duration,
    /// Whether connections yield before they receive, at first.
    yielding: Yielding,
    /// Connections begun so far: the addresses are used in turn across all users.
    next_address: AtomicUsize,
}

/// The shortest timeout of any request; the sockets' own timeouts must be at least that fine.
fn shortest_timeout(plan: &Plan) -> Duration {
    let timeouts = plan.requests().map(|step| step.rules.timeout);
    timeouts.min().unwrap_or(Duration::MAX)
}

/// Users that pause leave room on their cores: there others would only go first, and the response would be seen later.
fn yielding(plan: &Plan) -> Yielding {
    let is_closed = matches!(plan.load().model, LoadModel::Closed(_));
    let has_pauses = plan.classes().iter().any(|class| class.wait != Wait::None);
    if is_closed && !has_pauses { Yielding::START } else { Yielding::Never }
}

impl Connector {
    /// A connector for the plan's route.
    pub(in crate::load) fn new(plan: &Plan) -> Self {
        Self {
            route: plan.connection().route.clone(),
            resolver: Resolver::new(plan.connection()),
            request_timeout: shortest_timeout(plan),
            yielding: yielding(plan),
            next_address: AtomicUsize::new(0),
        }
    }

    /// The addresses of an origin's host, looked up within `patience`; none if the route does not look them up here.
    pub(super) fn known_addresses(&self, origin: &Origin, patience: Duration) -> Vec<IpAddr> {
        match self.route {
            Route::Direct | Route::Socks5 { lookup: Lookup::Here, .. } => self.resolver.known_within(origin, patience),
            Route::HttpProxy { .. } | Route::Socks5 { lookup: Lookup::Proxy, .. } | Route::UnixSocket(_) => Vec::new(),
        }
    }

    /// Connects to `origin` before `limit`; adds the time of each phase to `connecting`, even if the connection fails.
    /// The conversation with a proxy counts as connecting.
    pub(super) fn connect(
        &self,
        origin: &Origin,
        limit: Instant,
        watch: Cancellation<'_>,
        connecting: &mut Connecting,
    ) -> Result<SocketTransport, Failure> {
        let began = Instant::now();
        let addresses = self.look_up(origin, limit, watch);
        let resolved = Instant::now();
        connecting.dns += resolved - began;
        let connected = self.connect_by_route(origin, &addresses?, limit, watch);
        connecting.connect += resolved.elapsed();
        connected
    }

    /// The rewriting of requests to `origin`, if an HTTP proxy reads them.
    pub(super) fn whole_urls(&self, origin: &Origin) -> Option<WholeUrls> {
        match &self.route {
            Route::HttpProxy { authorization, .. } if origin.scheme() == Scheme::Http => {
                Some(WholeUrls::new(origin, authorization.as_ref()))
            }
            _ => None,
        }
    }

    fn look_up(&self, origin: &Origin, limit: Instant, watch: Cancellation<'_>) -> Result<RouteAddresses, Failure> {
        let turn = self.next_address.fetch_add(1, Ordering::Relaxed);
        let ask = |host: &Origin| {
            let addresses = self.resolver.addresses(host, limit, watch.stop.cut_off()).map_err(Failure::Dns)?;
            Ok(in_turn(&addresses, host.port(), turn).collect())
        };
        let (hop, goals) = match &self.route {
            Route::Direct => (ask(origin)?, Vec::new()),
            Route::HttpProxy { proxy, .. } | Route::Socks5 { proxy, lookup: Lookup::Proxy, .. } => {
                (ask(proxy)?, Vec::new())
            }
            Route::Socks5 { proxy, lookup: Lookup::Here, .. } => (ask(proxy)?, ask(origin)?),
            Route::UnixSocket(_) => (Vec::new(), Vec::new()),
        };
        Ok(RouteAddresses { first_hop: hop, destinations: goals })
    }

    fn connect_by_route(
        &self,
        origin: &Origin,
        known: &RouteAddresses,
        limit: Instant,
        watch: Cancellation<'_>,
    ) -> Result<SocketTransport, Failure> {
        match &self.route {
            Route::Direct => self.connect_any(&known.first_hop, limit, watch),
            Route::HttpProxy { authorization, .. } => {
                let mut transport = self.connect_any(&known.first_hop, limit, watch)?;
                if origin.scheme() == Scheme::Https {
                    connect::open(Handshake::new(&mut transport, limit), origin, authorization.as_deref())?;
                }
                Ok(transport)
            }
            Route::Socks5 { login, lookup, .. } => {
                let through = |goal, limit| {
                    let mut transport = self.connect_any(&known.first_hop, limit, watch)?;
                    socks5::open(Handshake::new(&mut transport, limit), login.as_ref(), goal)?;
                    Ok(transport)
                };
                match lookup {
                    Lookup::Here => {
                        try_each(&known.destinations, limit, |goal, limit| through(Destination::Address(goal), limit))
                    }
                    Lookup::Proxy => through(Destination::unresolved(origin), limit),
                }
            }
            Route::UnixSocket(path) => {
                let socket = socket::connect_unix(path, left(limit), watch).map_err(|error| failure(&error))?;
                Ok(SocketTransport::new(socket, self.request_timeout, self.yielding))
            }
        }
    }

    fn connect_any(
        &self,
        addresses: &[SocketAddr],
        limit: Instant,
        watch: Cancellation<'_>,
    ) -> Result<SocketTransport, Failure> {
        let socket = try_each(addresses, limit, |address, limit| {
            socket::connect(address, left(limit), watch).map_err(|error| failure(&error))
        })?;
        Ok(SocketTransport::new(socket, self.request_timeout, self.yielding))
    }
}

/// The addresses looked up for one connection, in the order to try them.
struct RouteAddresses {
    /// Addresses of the first hop: the origin itself, or the proxy.
    first_hop: Vec<SocketAddr>,
    /// Addresses of the origin, for a proxy that is given addresses.
    destinations: Vec<SocketAddr>,
}

/// Tries the addresses one after another, each with an equal part of the remaining time.
fn try_each<T>(
    addresses: &[SocketAddr],
    limit: Instant,
    mut attempt: impl FnMut(SocketAddr, Instant) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut last = Failure::ConnectOther(ConnectTrouble::Other);
    for (tried, address) in addresses.iter().enumerate() {
        let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match attempt(*address, Instant::now() + left(limit) / untried) {
            Ok(reached) => return Ok(reached),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

fn left(limit: Instant) -> Duration {
    limit.saturating_duration_since(Instant::now())
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
