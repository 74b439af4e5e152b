//! The inputs of a merge, line by line.

use std::io::{self, BufRead as _, Read as _};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::input::Input as Source;

/// Longest line that is looked at: a record, and whatever a transport puts in front.
const MOST_LINE: u64 = 64 * 1024;

/// An input.
pub(super) struct Input {
    source: Source,
    /// A line whose rest is still to come.
    begun: Vec<u8>,
    /// Lines that came.
    pub(super) lines: u64,
}

/// What an input has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line is in the buffer that was given.
    Line,
    /// The same, without its end: the last of an input whose writer was cut off.
    Tail,
    /// Nothing, until its writer writes.
    NotYet,
    /// Nothing more.
    Over,
    /// Nothing more that can be read, and why.
    Damaged(String),
}

impl Input {
    /// Opens a file, a named pipe, or standard input where the path is `-`.
    ///
    /// # Errors
    /// Names the file: exit 2.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self { source: Source::open(path)?, begun: Vec::new(), lines: 0 })
    }

    /// As it is named in messages.
    pub(super) fn name(&self) -> &str {
        self.source.name()
    }

    /// Puts the next line into `line`, without its end. Waits neither for one nor for the rest of one: a writer that
    /// stops within a line keeps no other waiting.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Next {
        line.clear();
        line.append(&mut self.begun);
        let room = MOST_LINE.saturating_sub(line.len() as u64);
        match (&mut self.source).take(room).read_until(b'\n', line) {
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                self.begun.append(line);
                return Next::NotYet;
            }
            // A compressed stream whose writer was killed.
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(why) => return Next::Damaged(why.to_string()),
        }
        self.lines += u64::from(!line.is_empty());
        match line.last() {
            None => Next::Over,
            Some(b'\n') => {
                line.pop();
                Next::Line
            }
            Some(_) if line.len() as u64 == MOST_LINE => Next::Line,
            Some(_) => Next::Tail,
        }
    }

    /// How long its writer may still take after a signal, if one came, `stop_timeout` being the run's. A file has none.
    pub(super) fn left(&self, interrupt: &Interrupt, stop_timeout: Duration) -> Option<Duration> {
        let left = interrupt.left(self.source.has_begun().then_some(stop_timeout))?;
        Some(if self.source.pipe().is_some() { left } else { Duration::ZERO })
    }
}

/// Which of these inputs have something to read, or are over; waits for the first at most so long. Files always have.
pub(super) fn ready(inputs: &[&Input], interrupt: &Interrupt, most: Option<Duration>) -> io::Result<Vec<bool>> {
    let pipes: Vec<Option<BorrowedFd<'_>>> = inputs.iter().map(|input| input.source.pipe()).collect();
    let mut found = interrupt.wait(&pipes.iter().flatten().copied().collect::<Vec<_>>(), most)?.into_iter();
    Ok(pipes.iter().map(|pipe| pipe.is_none() || found.next() == Some(true)).collect())
}
