//! The stream: its tick, and where it goes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shortest tick: a tick is a dozen lines and one look at the machine, which are to stay far below 1 % of a core.
pub(super) const SHORTEST_TICK: Duration = Duration::from_millis(100);

/// The stream and where it goes.
#[derive(Debug)]
pub struct StreamPlan {
    /// Tick of the telemetry.
    pub interval: Duration,
    /// Where it goes.
    pub sink: Sink,
}

/// Where the stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// A file, overwritten.
    File(PathBuf),
    /// A file compressed by gzip, flushed each tick.
    Gzip(PathBuf),
}

impl Sink {
    /// The sink that a path stands for.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdout
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            Self::Gzip(path.to_owned())
        } else {
            Self::File(path.to_owned())
        }
    }
}

impl fmt::Display for Sink {
    /// As the flag is written, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => write!(f, "--telemetry -"),
            Self::File(path) | Self::Gzip(path) => write!(f, "--telemetry {}", path.display()),
        }
    }
}
