//! The way that connections take.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The way that connections take: one for all requests of a run. Never from the environment: a run does what its
/// command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the origin's own address.
    Direct,
    /// To a Unix socket, whatever the origin (`--unix-socket`, as curl's).
    UnixSocket(PathBuf),
}

/// What the flags about the route say.
#[derive(Debug)]
pub(super) struct RouteFlags<'f> {
    /// `--unix-socket`.
    pub(super) unix_socket: Option<&'f Path>,
}

impl Route {
    /// Makes the route.
    ///
    /// # Errors
    /// Names the flag; a Unix socket that is not there is one.
    pub(super) fn from_flags(flags: &RouteFlags<'_>) -> Result<Self> {
        match flags.unix_socket {
            None => Ok(Self::Direct),
            Some(path) => unix_socket(path).map(Self::UnixSocket),
        }
    }
}

impl fmt::Display for Route {
    /// As the flag's value is written, without secrets; nothing for the direct way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => Ok(()),
            Self::UnixSocket(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Bytes of a Unix socket's path: `sun_path` has 108, the last of them zero (unix(7)).
const LONGEST_PATH: usize = 107;

fn unix_socket(path: &Path) -> Result<PathBuf> {
    let named = || format!("--unix-socket {}", path.display());
    let length = path.as_os_str().as_bytes().len();
    if length > LONGEST_PATH {
        let why =
            format!("has {length} bytes, a socket's path has at most {LONGEST_PATH}; a relative one may be shorter");
        return Err(Error::usage("--unix-socket", why));
    }
    let file = std::fs::metadata(path).map_err(|why| Error::usage(named(), why))?;
    if file.file_type().is_socket() { Ok(path.to_owned()) } else { Err(Error::usage(named(), "is not a socket")) }
}
