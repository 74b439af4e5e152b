//! The inputs of a merge: files are read ahead, pipes as their writers write.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Result;
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::ahead::{LinesAhead, ReadAhead};
use crate::telemetry::reader::lines::{Lines, NextLine};

/// Files beyond which none is read ahead: it takes about 400 KB a file.
const MOST_AHEAD: usize = 64;

/// An input.
pub(super) enum Input {
    /// Read when asked.
    Direct(Lines),
    /// Read ahead.
    Ahead(LinesAhead),
}

impl Input {
    /// Opens all inputs.
    ///
    /// # Errors
    /// As [`Lines::open`].
    pub(super) fn open_all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let all = paths.iter().map(|path| Lines::open(path)).collect::<Result<Vec<_>>>()?;
        let files = all.iter().filter(|lines| lines.is_file()).count();
        let ahead = if (1..=MOST_AHEAD).contains(&files) { ReadAhead::start() } else { None };
        Ok(all
            .into_iter()
            .map(|lines| match &ahead {
                Some(ahead) if lines.is_file() => Self::Ahead(ahead.read(lines)),
                _ => Self::Direct(lines),
            })
            .collect())
    }

    /// As it is named in messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Direct(lines) => lines.name(),
            Self::Ahead(lines) => lines.name(),
        }
    }

    /// Number of the line that was read last, from 1.
    pub(super) const fn count(&self) -> u64 {
        match self {
            Self::Direct(lines) => lines.count(),
            Self::Ahead(lines) => lines.count(),
        }
    }

    /// Lends the histograms that were parsed ahead to `parser`, or takes them back: before and after lines are read.
    pub(super) const fn swap_histograms(&mut self, parser: &mut HistogramParser) {
        if let Self::Ahead(lines) = self {
            lines.swap_histograms(parser);
        }
    }

    /// As [`Lines::next`].
    pub(super) fn next(&mut self, line: &mut Vec<u8>, parser: &mut HistogramParser) -> NextLine {
        match self {
            Self::Direct(lines) => lines.next(line),
            Self::Ahead(lines) => lines.next(line, parser),
        }
    }

    /// As [`Lines::is_given_up`]: a file is at once.
    pub(super) fn is_given_up(&self, interrupt: &Interrupt, stop_timeout: Duration) -> bool {
        match self {
            Self::Direct(lines) => lines.is_given_up(interrupt, stop_timeout),
            Self::Ahead(_) => interrupt.has_come(),
        }
    }

    /// What is to be waited for, unless it is a file that is read ahead, which always has something to read.
    pub(super) const fn waits(&self) -> Option<&Lines> {
        match self {
            Self::Direct(lines) => Some(lines),
            Self::Ahead(_) => None,
        }
    }
}
