//! The stream: its tick, and where it goes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::shard::{Shard, path_of_shard};
use crate::cli::RunFlags;
use crate::error::{Error, Result};

/// Minimum tick: each tick writes a dozen lines and samples the machine once, which should stay far below 1 %
/// of a core.
pub(super) const MIN_TICK: Duration = Duration::from_millis(100);

/// The stream and its destination.
#[derive(Debug)]
pub struct StreamPlan {
    /// Interval between telemetry ticks.
    pub interval: Duration,
    /// The destination.
    pub sink: Sink,
}

impl StreamPlan {
    /// The stream as the flags describe it, of a run or a shard of it.
    ///
    /// # Errors
    /// The interval is too short.
    pub(super) fn of(
        flags: &RunFlags,
        (shard, run_id): (Option<Shard>, &str),
        stdout_is_terminal: bool,
    ) -> Result<Self> {
        if flags.interval < MIN_TICK {
            return Err(Error::usage("--interval", "must be at least 100ms"));
        }
        let sink = match &flags.telemetry {
            Some(path) => Sink::of(&path_of_shard(path, shard)),
            None if stdout_is_terminal => {
                let shard = shard.map(|shard| format!("-{}", shard.index())).unwrap_or_default();
                Sink::File(format!("swarmline-{run_id}{shard}.ndjson").into())
            }
            None => Sink::Stdout,
        };
        Ok(Self { interval: flags.interval, sink })
    }
}

/// The destination of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// A file, which is overwritten.
    File(PathBuf),
    /// A gzip-compressed file, flushed at each tick.
    Gzip(PathBuf),
}

impl Sink {
    /// The sink for a path.
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
    /// In the form of the flag, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => write!(f, "--telemetry -"),
            Self::File(path) | Self::Gzip(path) => write!(f, "--telemetry {}", path.display()),
        }
    }
}
