//! The connection settings of the plan.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Environment;
use super::route::Route;
use super::tls::{TlsFlags, TlsPlan};
use crate::cli::RunFlags;
use crate::error::{Error, Result};
use crate::value::Resolve;

/// How connections are made.
#[derive(Debug)]
pub struct ConnectionPlan {
    /// Time limit for name lookup, connecting and TLS together.
    pub timeout: Duration,
    /// The route of the connections: direct, through a proxy or a Unix socket.
    pub route: Route,
    /// Whether connections are reused.
    pub reuse: Reuse,
    /// Address family.
    pub family: Family,
    /// Certificates and keys, checked.
    pub tls: Arc<TlsPlan>,
    /// Addresses given in place of a lookup.
    pub resolve: Vec<Resolve>,
    /// Age at which the addresses of a host are looked up again.
    pub dns_ttl: Duration,
}

/// Whether connections are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// A user keeps its connection open.
    KeepAlive,
    /// A new connection for every request.
    Never,
}

/// The address families to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Both families.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Reads the connection settings from the flags and OpenSSL's variables; `uses_tls` if a request of the plan
/// uses `https`.
///
/// # Errors
/// Names the flag, variable or file.
pub(super) fn from_flags(
    flags: &RunFlags,
    route: Route,
    environment: &Environment,
    uses_tls: bool,
) -> Result<ConnectionPlan> {
    let family = match (flags.ipv4, flags.ipv6) {
        (true, true) => return Err(Error::usage("-4 and -6", "cannot be combined")),
        (true, false) => Family::V4,
        (false, true) => Family::V6,
        (false, false) => Family::Any,
    };
    let files = TlsFlags {
        insecure: flags.insecure,
        cacert: &flags.cacert,
        cert: flags.cert.as_deref(),
        key: flags.key.as_deref(),
    };
    let tls = TlsPlan::from_flags(&files, environment)?;
    if uses_tls {
        tls.prepare()?;
    }
    Ok(ConnectionPlan {
        timeout: flags.connect_timeout,
        route,
        reuse: if flags.no_keepalive { Reuse::Never } else { Reuse::KeepAlive },
        family,
        tls: Arc::new(tls),
        resolve: flags.resolve.clone(),
        dns_ttl: flags.dns_ttl,
    })
}
