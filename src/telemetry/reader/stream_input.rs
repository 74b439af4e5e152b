//! The inputs of a report or a merge: files are read ahead, pipes as their writers write.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ahead::{LinesAhead, ReadAhead};
use super::lines::{Lines, NextLine};
use crate::error::Result;
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::interrupt::Interrupt;

/// Files beyond which none is read ahead: it takes about 400 KB a file.
const MOST_AHEAD: usize = 64;

/// An input.
pub enum StreamInput {
    /// Read when asked.
    Direct(Lines),
    /// Read ahead.
    Ahead(LinesAhead),
}

impl StreamInput {
    /// Opens all inputs.
    ///
    /// # Errors
    /// As [`Lines::open`].
    pub fn open_all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let all = paths.iter().map(|path| Lines::open(path)).collect::<Result<Vec<_>>>()?;
        let files = all.iter().filter(|lines| lines.is_file()).count();
        let ahead = if (1..=MOST_AHEAD).contains(&files) { ReadAhead::start() } else { None };
        Ok(all.into_iter().map(|lines| Self::of(lines, ahead.as_ref())).collect())
    }

    /// Opens one input.
    ///
    /// # Errors
    /// As [`Lines::open`].
    pub fn open(path: &Path) -> Result<Self> {
        let lines = Lines::open(path)?;
        let ahead = if lines.is_file() { ReadAhead::start() } else { None };
        Ok(Self::of(lines, ahead.as_ref()))
    }

    fn of(lines: Lines, ahead: Option<&ReadAhead>) -> Self {
        match ahead {
            Some(ahead) if lines.is_file() => Self::Ahead(ahead.read(lines)),
            _ => Self::Direct(lines),
        }
    }

    /// As it is named in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Direct(lines) => lines.name(),
            Self::Ahead(lines) => lines.name(),
        }
    }

    /// Number of the line that was read last, from 1.
    #[must_use]
    pub const fn count(&self) -> u64 {
        match self {
            Self::Direct(lines) => lines.count(),
            Self::Ahead(lines) => lines.count(),
        }
    }

    /// As [`Lines::is_compressed`].
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        match self {
            Self::Direct(lines) => lines.is_compressed(),
            Self::Ahead(lines) => lines.is_compressed(),
        }
    }

    /// Lends the histograms that were parsed ahead to `parser`, or takes them back: before and after lines are read.
    pub const fn swap_histograms(&mut self, parser: &mut HistogramParser) {
        if let Self::Ahead(lines) = self {
            lines.swap_histograms(parser);
        }
    }

    /// As [`Lines::next`].
    pub fn next(&mut self, line: &mut Vec<u8>, parser: &mut HistogramParser) -> NextLine {
        match self {
            Self::Direct(lines) => lines.next(line),
            Self::Ahead(lines) => lines.next(line, parser),
        }
    }

    /// As [`Lines::is_given_up`]: a file is at once.
    #[must_use]
    pub fn is_given_up(&self, interrupt: &Interrupt, stop_timeout: Duration) -> bool {
        match self {
            Self::Direct(lines) => lines.is_given_up(interrupt, stop_timeout),
            Self::Ahead(_) => interrupt.has_come(),
        }
    }

    /// What is to be waited for, unless it is a file that is read ahead, which always has something to read.
    #[must_use]
    pub const fn waits(&self) -> Option<&Lines> {
        match self {
            Self::Direct(lines) => Some(lines),
            Self::Ahead(_) => None,
        }
    }
}
