//! Name lookup: once per host and again after each `--dns-ttl`, never per request.
//!
//! A lookup runs on a thread that is not joined at the end: `getaddrinfo` cannot be interrupted, and a name server that
//! never responds must not hold up the stop. All users that need the same host wait for the one lookup in progress.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never, select};

use crate::load::swarm::stop::Never;
use crate::outcome::DnsTrouble;
use crate::plan::url::Origin;
use crate::plan::{ConnectionPlan, Family};

/// A failed lookup is not repeated sooner: an unknown host must not cause a flood of queries.
const FAILED_TTL: Duration = Duration::from_secs(1);

/// The addresses of all hosts, shared by all users.
#[derive(Debug)]
pub struct Resolver {
    family: Family,
    ttl: Duration,
    fixed: HashMap<(String, u16), Addresses>,
    cache: Arc<Mutex<HashMap<String, CacheEntry>>>,
}

/// Addresses of one host, never empty.
pub type Addresses = Arc<[IpAddr]>;

type LookupResult = Result<Addresses, DnsTrouble>;

#[derive(Debug)]
enum CacheEntry {
    /// In progress; the channel is closed when the lookup is done.
    InProgress(Receiver<Never>),
    Done(LookupResult, Instant),
}

impl Resolver {
    /// A resolver with the plan's settings and fixed addresses.
    #[must_use]
    pub fn new(plan: &ConnectionPlan) -> Self {
        let mut fixed: HashMap<(String, u16), Vec<IpAddr>> = HashMap::new();
        for entry in &plan.resolve {
            let wanted = entry.addresses.iter().filter(|a| is_wanted(plan.family, **a));
            fixed.entry((entry.host.clone(), entry.port)).or_default().extend(wanted);
        }
        let fixed = fixed.into_iter().map(|(host, addresses)| (host, addresses.into())).collect();
        Self { family: plan.family, ttl: plan.dns_ttl, fixed, cache: Arc::default() }
    }

    /// The addresses of an origin's host; waits for a lookup until `deadline`, or until `cut_off` is closed.
    ///
    /// # Errors
    /// The host has no address, or none was found in time.
    pub fn addresses(&self, origin: &Origin, deadline: Instant, cut_off: &Receiver<Never>) -> LookupResult {
        if let Some(known) = self.without_lookup(origin) {
            return known;
        }
        loop {
            let asking = match self.look_up(origin.host()) {
                Ok(answer) => return answer,
                Err(asking) => asking,
            };
            select! {
                recv(asking) -> _ => {}
                recv(cut_off) -> _ => return Err(DnsTrouble::Timeout),
                default(deadline.saturating_duration_since(Instant::now())) => return Err(DnsTrouble::Timeout),
            }
        }
    }

    /// The addresses known before the run, for the stream; waits at most `patience` for a lookup.
    #[must_use]
    pub fn known_within(&self, origin: &Origin, patience: Duration) -> Vec<IpAddr> {
        let known = self.addresses(origin, Instant::now() + patience, &never());
        known.map(|addresses| addresses.to_vec()).unwrap_or_default()
    }

    fn without_lookup(&self, origin: &Origin) -> Option<LookupResult> {
        let literal = origin.host().parse::<IpAddr>().ok().map(|address| vec![address]);
        let local = || (origin.host() == "localhost").then(|| LOCALHOST.to_vec());
        let fixed = || self.fixed.get(&(origin.host().to_owned(), origin.port())).map(|a| a.to_vec());
        let addresses = fixed().or(literal).or_else(local)?;
        Some(self.wanted(addresses))
    }

    fn wanted(&self, mut addresses: Vec<IpAddr>) -> LookupResult {
        addresses.retain(|address| is_wanted(self.family, *address));
        if addresses.is_empty() { Err(DnsTrouble::NotFound) } else { Ok(addresses.into()) }
    }

    /// The cached result, or the lookup in progress, which this call may have started.
    fn look_up(&self, host: &str) -> Result<LookupResult, Receiver<Never>> {
        let mut known = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(host) {
            Some(CacheEntry::InProgress(asking)) => return Err(asking.clone()),
            Some(CacheEntry::Done(answer, at)) => {
                let ttl = if answer.is_ok() { self.ttl } else { FAILED_TTL };
                if at.elapsed() < ttl.max(MIN_TTL) {
                    return Ok(answer.clone());
                }
            }
            None => {}
        }
        let (done, asking) = bounded(0);
        known.insert(host.to_owned(), CacheEntry::InProgress(asking.clone()));
        drop(known);
        let (host, family, known) = (host.to_owned(), self.family, Arc::clone(&self.cache));
        let lookup = {
            let host = host.clone();
            move || {
                let answer = system_lookup(&host, family);
                let entry = CacheEntry::Done(answer, Instant::now());
                known.lock().unwrap_or_else(PoisonError::into_inner).insert(host, entry);
                drop(done);
            }
        };
        if std::thread::Builder::new().name("lookup".to_owned()).spawn(lookup).is_err() {
            let entry = CacheEntry::Done(Err(DnsTrouble::NotFound), Instant::now());
            self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(host, entry);
        }
        Err(asking)
    }
}

/// With `--dns-ttl 0` each new connection looks up again, but those that waited for one lookup must be able to use its
/// result.
const MIN_TTL: Duration = Duration::from_millis(10);

/// `localhost` needs no hosts file (RFC 6761 section 6.3). IPv4 first, because most services under test listen there.
const LOCALHOST: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

fn is_wanted(family: Family, address: IpAddr) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    }
}

fn system_lookup(host: &str, family: Family) -> LookupResult {
    let found = (host, 0).to_socket_addrs().map_err(|_| DnsTrouble::NotFound)?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|found| found.ip()).filter(|address| is_wanted(family, *address)) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(DnsTrouble::NotFound) } else { Ok(addresses.into()) }
}

/// The order in which connection number `turn` tries the addresses: first those of the family that the system prefers,
/// rotated by `turn`, then the other family's. So a host whose addresses of one family do not respond costs every other
/// connection nothing.
pub(super) fn in_turn(addresses: &[IpAddr], port: u16, turn: usize) -> impl Iterator<Item = SocketAddr> {
    let prefers_v4 = addresses.first().is_some_and(IpAddr::is_ipv4);
    let (preferred, other): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|a| a.is_ipv4() == prefers_v4);
    let rotate = |mut group: Vec<IpAddr>| {
        let by = if group.is_empty() { 0 } else { turn % group.len() };
        group.rotate_left(by);
        group
    };
    rotate(preferred).into_iter().chain(rotate(other)).map(move |address| SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_preferred_family_come_first_in_turn() {
        let addresses: Vec<IpAddr> = ["10.0.0.1", "::1", "10.0.0.2"].iter().map(|a| a.parse().unwrap()).collect();
        let order = |turn| in_turn(&addresses, 80, turn).map(|a| a.ip().to_string()).collect::<Vec<_>>();
        assert_eq!(order(0), ["10.0.0.1", "10.0.0.2", "::1"]);
        assert_eq!(order(1), ["10.0.0.2", "10.0.0.1", "::1"]);
        assert_eq!(order(2), order(0));
    }
}
