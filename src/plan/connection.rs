//! How connections are made, as far as the plan says it.

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
    /// Time for name lookup, connecting and TLS together.
    pub timeout: Duration,
    /// The way that they take.
    pub route: Route,
    /// Whether a connection serves one request or many.
    pub reuse: Reuse,
    /// Address family.
    pub family: Family,
    /// Certificates and keys, checked.
    pub tls: Arc<TlsPlan>,
    /// Addresses given in place of a lookup.
    pub resolve: Vec<Resolve>,
    /// Age at which a host's addresses are asked for again.
    pub dns_ttl: Duration,
}

/// Whether a connection serves one request or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// A user keeps its connection.
    KeepAlive,
    /// A new connection for every request.
    Never,
}

/// Which addresses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Both families.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// What the flags and OpenSSL's variables say of connections; `uses_tls` where a request of the plan goes by `https`.
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
        (true, true) => return Err(Error::usage("-4 and -6", "exclude each other")),
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
