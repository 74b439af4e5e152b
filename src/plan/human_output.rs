//! Human-readable output: how much, and where.

use std::path::PathBuf;

use crate::cli::{LogLevel, Outputs, RunFlags};

/// Human-readable output.
#[derive(Debug)]
pub struct HumanOutput {
    /// Verbosity.
    pub verbosity: Verbosity,
    /// File for text that would otherwise go to stderr.
    pub logfile: Option<PathBuf>,
    /// Minimum level of log messages.
    pub loglevel: LogLevel,
    /// Report files to write.
    pub outputs: Outputs,
}

/// How much human-readable text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Only errors that end the run.
    ErrorsOnly,
    /// The summary at the end.
    Summary,
    /// The progress of the run as well.
    All,
}

impl HumanOutput {
    /// Reads it from the flags.
    pub(super) fn from_flags(flags: &RunFlags) -> Self {
        let talk = match (flags.quiet, flags.only_summary) {
            (true, _) => Verbosity::ErrorsOnly,
            (false, true) => Verbosity::Summary,
            (false, false) => Verbosity::All,
        };
        Self {
            verbosity: talk,
            logfile: flags.logfile.clone(),
            loglevel: flags.loglevel,
            outputs: flags.outputs.clone(),
        }
    }
}
