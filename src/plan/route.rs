//! The route of connections: direct, through a proxy or a Unix socket.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::percent;
use super::request;
use super::url::{Origin, Url};
use crate::error::{Error, Result};
use crate::secret::MASK;

/// The route of connections, the same for all requests of a run. It never comes from the environment: a run
/// does what its command line says.
#[derive(Clone, Debug)]
pub enum Route {
    /// Directly to the address of the origin.
    Direct,
    /// Through an HTTP proxy (`--proxy http://…`). Plain HTTP is requested with the absolute URL, as in curl,
    /// because many proxies allow CONNECT only to port 443; for TLS a tunnel is requested.
    HttpProxy {
        /// The proxy's address.
        proxy: Arc<Origin>,
        /// Value of `Proxy-Authorization`.
        authorization: Option<Arc<str>>,
    },
    /// Through a SOCKS 5 proxy (`--proxy socks5://…` and `socks5h://…`).
    Socks5 {
        /// The proxy's address.
        proxy: Arc<Origin>,
        /// The login for the proxy.
        login: Option<Login>,
        /// Which side looks up the origin's name.
        lookup: Lookup,
    },
    /// Through a Unix socket, for every origin (`--unix-socket`, as in curl).
    UnixSocket(PathBuf),
}

/// Which side looks up the name of an origin behind a SOCKS proxy; the schemes are curl's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This machine: `socks5`.
    Here,
    /// The proxy: `socks5h`.
    Proxy,
}

/// A login for a proxy.
#[derive(Clone)]
pub struct Login {
    name: String,
    password: String,
}

impl fmt::Debug for Login {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Login {
    /// The user name; for SOCKS 1 to 255 bytes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The password; for SOCKS at most 255 bytes.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Parses `NAME:PASS` from a URL; `None` if both are empty.
    fn from_userinfo(userinfo: &str) -> Option<Self> {
        let (name, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let (name, password) = (percent::decode_lossy(name), percent::decode_lossy(password));
        (!name.is_empty() || !password.is_empty()).then_some(Self { name, password })
    }
}

/// The flags that determine the route.
#[derive(Debug)]
pub(super) struct RouteFlags<'f> {
    /// `--proxy`.
    pub(super) proxy: Option<&'f str>,
    /// `--unix-socket`.
    pub(super) unix_socket: Option<&'f Path>,
}

impl Route {
    /// Determines the route.
    ///
    /// # Errors
    /// Names the flag; a missing Unix socket is an error.
    pub(super) fn from_flags(flags: &RouteFlags<'_>) -> Result<Self> {
        match (flags.proxy, flags.unix_socket) {
            (Some(_), Some(_)) => Err(Error::usage("--proxy and --unix-socket", "cannot be combined")),
            (Some(url), None) => proxy(url).map_err(|why| Error::usage("--proxy", why)),
            (None, Some(path)) => unix_socket(path).map(Self::UnixSocket),
            (None, None) => Ok(Self::Direct),
        }
    }
}

impl fmt::Display for Route {
    /// In the form of the flag's value, without secrets; empty for the direct route.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => Ok(()),
            Self::HttpProxy { proxy, authorization } => {
                let (mask, at) = if authorization.is_some() { (MASK, "@") } else { ("", "") };
                write!(f, "http://{mask}{at}{}", proxy.host_port())
            }
            Self::Socks5 { proxy, login, lookup } => {
                let scheme = if *lookup == Lookup::Here { "socks5" } else { "socks5h" };
                let (mask, at) = if login.is_some() { (MASK, "@") } else { ("", "") };
                write!(f, "{scheme}://{mask}{at}{}", proxy.host_port())
            }
            Self::UnixSocket(path) => write!(f, "{}", path.display()),
        }
    }
}

const EXPECTED: &str = "expected http://[NAME:PASS@]HOST:PORT, or socks5:// or socks5h:// in front";

/// Parses the URL of a proxy. Error messages repeat none of it: any part may belong to a password.
fn proxy(url: &str) -> std::result::Result<Route, &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("has no scheme; did you mean http:// or socks5:// in front?")?;
    let (login, host_port) = match rest.rsplit_once('@') {
        Some((userinfo, host_port)) => (Login::from_userinfo(userinfo), host_port),
        None => (None, rest),
    };
    let proxy = proxy_origin(host_port).ok_or(EXPECTED)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {
            let value = |Login { name, password }| request::basic(&format!("{name}:{password}")).into();
            Ok(Route::HttpProxy { proxy, authorization: login.map(value) })
        }
        "socks5" => Ok(Route::Socks5 { proxy, login: for_socks(login)?, lookup: Lookup::Here }),
        "socks5h" => Ok(Route::Socks5 { proxy, login: for_socks(login)?, lookup: Lookup::Proxy }),
        "socks" | "socks4" | "socks4a" => Err("only version 5 of SOCKS is supported: socks5:// or socks5h://"),
        "https" => Err("TLS to a proxy is not supported; an http:// proxy also forwards https:// requests"),
        _ => Err(EXPECTED),
    }
}

/// Checks that RFC 1929 can carry a login: lengths have one byte, and a name is required.
fn for_socks(login: Option<Login>) -> std::result::Result<Option<Login>, &'static str> {
    const LONGEST: usize = u8::MAX as usize;
    match &login {
        Some(Login { name, .. }) if name.is_empty() => Err("the name is missing before the password"),
        Some(Login { name, password }) if name.len().max(password.len()) > LONGEST => {
            Err("SOCKS allows names and passwords of at most 255 bytes")
        }
        _ => Ok(login),
    }
}

/// Parses host and port; both are required, because proxies have no common default port.
fn proxy_origin(host_port: &str) -> Option<Arc<Origin>> {
    let host_port = host_port.strip_suffix('/').unwrap_or(host_port);
    let (_, port) = host_port.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let origin = Url::parse(&format!("http://{host_port}")).ok()?.url;
    (origin.target() == "/" && !host_port.contains(['/', '?', '#'])).then(|| Arc::clone(origin.origin()))
}

/// Maximum length of a Unix socket's path: `sun_path` has 108 bytes, the last of them zero (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

fn unix_socket(path: &Path) -> Result<PathBuf> {
    let named = || format!("--unix-socket {}", path.display());
    let length = path.as_os_str().as_bytes().len();
    if length > MAX_SOCKET_PATH {
        let why =
            format!("has {length} bytes, a socket's path has at most {MAX_SOCKET_PATH}; a relative one may be shorter");
        return Err(Error::usage("--unix-socket", why));
    }
    let file = std::fs::metadata(path).map_err(|why| Error::usage(named(), why))?;
    if file.file_type().is_socket() { Ok(path.to_owned()) } else { Err(Error::usage(named(), "is not a socket")) }
}
