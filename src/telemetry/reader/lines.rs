//! The lines of an input, with bounded memory and without waiting: of files, named pipes and standard input.

use std::io::{self, BufRead as _};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use memchr::memchr;

use super::input::MergeInput;
use crate::error::Result;
use crate::telemetry::interrupt::Interrupt;

/// Longest line that is looked at: a record, and whatever a transport puts around it. Of a longer one, which cannot be of
/// a stream, this much.
const MOST_LINE: usize = 64 * 1024;

/// An input, line by line.
pub struct Lines {
    input: MergeInput,
    /// A line whose rest is still to come.
    begun: Vec<u8>,
    /// Lines so far.
    count: u64,
}

/// What an input has.
#[derive(Debug)]
pub enum NextLine {
    /// A line is in the buffer that was given.
    Line,
    /// The same, without its end: the last of an input whose writer was cut off.
    Tail,
    /// Nothing, until its writer writes.
    NotYet,
    /// Nothing more.
    Over,
    /// Nothing more that can be read, and why.
    Damaged(io::Error),
}

impl Lines {
    /// Opens a file, a named pipe, or standard input where the path is `-`.
    ///
    /// # Errors
    /// Names the file: exit 2.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { input: MergeInput::open(path)?, begun: Vec::new(), count: 0 })
    }

    /// As it is named in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        self.input.name()
    }

    /// Whether it is a file, of which everything is there.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.input.pipe().is_none()
    }

    /// Number of the line that was read last, from 1.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether the input is compressed, as far as it has begun.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.input.is_compressed()
    }

    /// Puts the next line into `line`, without its end. Waits neither for one nor for the rest of one: a writer that
    /// stops within a line keeps no other waiting.
    pub fn next(&mut self, line: &mut Vec<u8>) -> NextLine {
        line.clear();
        line.append(&mut self.begun);
        loop {
            let piece = match self.input.fill_buf() {
                Ok(piece) => piece,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                    self.begun.append(line);
                    return NextLine::NotYet;
                }
                Err(why) => return NextLine::Damaged(why),
            };
            if piece.is_empty() {
                self.count += u64::from(!line.is_empty());
                return if line.is_empty() { NextLine::Over } else { NextLine::Tail };
            }
            let end = memchr(b'\n', piece);
            let (taken, used) = end.map_or((piece.len(), piece.len()), |end| (end, end + 1));
            let room = MOST_LINE.saturating_sub(line.len());
            line.extend_from_slice(&piece[..taken.min(room)]);
            self.input.consume(used);
            if end.is_some() {
                self.count += 1;
                return NextLine::Line;
            }
        }
    }

    /// How long its writer may still take after a signal, if one came, `stop_timeout` being the run's. A file has none.
    #[must_use]
    pub fn left(&self, interrupt: &Interrupt, stop_timeout: Duration) -> Option<Duration> {
        let left = interrupt.left(self.input.has_begun().then_some(stop_timeout))?;
        Some(if self.input.pipe().is_some() { left } else { Duration::ZERO })
    }

    /// Whether a signal came and its writer is not waited for any longer.
    #[must_use]
    pub fn is_given_up(&self, interrupt: &Interrupt, stop_timeout: Duration) -> bool {
        interrupt.has_come() && self.left(interrupt, stop_timeout) == Some(Duration::ZERO)
    }
}

/// Which of these inputs have something to read, or are over; waits for the first at most so long. Files always have.
///
/// # Errors
/// The system's error.
pub fn ready(inputs: &[&Lines], interrupt: &Interrupt, most: Option<Duration>) -> io::Result<Vec<bool>> {
    let pipes: Vec<Option<BorrowedFd<'_>>> = inputs.iter().map(|lines| lines.input.pipe()).collect();
    let mut found = interrupt.wait(&pipes.iter().flatten().copied().collect::<Vec<_>>(), most)?.into_iter();
    Ok(pipes.iter().map(|pipe| pipe.is_none() || found.next() == Some(true)).collect())
}
