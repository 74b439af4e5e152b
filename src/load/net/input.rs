//! Bytes received and not consumed yet.

use std::io;

use crate::outcome::Failure;

/// Initial size: one small response with its head. Most users never need more, and there are 10,000 of them.
const INITIAL_SIZE: usize = 4 * 1024;

/// Maximum size: holds the longest head, and reads large bodies with few system calls.
const MAX_SIZE: usize = 64 * 1024;

/// A buffer that starts small and grows when a read fills it.
#[derive(Debug, Default)]
pub(super) struct InputBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl InputBuffer {
    /// Bytes received and not consumed.
    pub(super) fn unconsumed(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The same, to be rewritten in place.
    pub(super) fn unconsumed_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// Discards the first `count` of them.
    pub(in crate::load) fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "only what was received can be consumed");
    }

    /// Calls `read` with free room and keeps as many bytes as it returns; 0 is the end of the input.
    pub(in crate::load) fn fill<E>(&mut self, read: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<usize, E> {
        self.make_room();
        let received = read(&mut self.bytes[self.end..])?;
        self.end += received;
        Ok(received)
    }

    fn make_room(&mut self) {
        let was_full = self.end == self.bytes.len() && !self.bytes.is_empty();
        self.compact();
        if self.bytes.is_empty() {
            self.bytes.resize(INITIAL_SIZE, 0);
        } else if was_full && self.bytes.len() < MAX_SIZE {
            self.bytes.resize((self.bytes.len() * 2).clamp(INITIAL_SIZE, MAX_SIZE), 0);
        } else if self.end == self.bytes.len() {
            // Only a head longer than allowed gets here, and the parser refuses it before the next read.
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
    }

    fn compact(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
    }
}

/// Why a call on a connection delivered nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum CallError {
    /// The time given to it was over.
    TimeOver,
    /// The connection is broken.
    Broken(Failure),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

impl CallError {
    /// The error of a system call on a connected socket.
    pub(super) fn of(error: &io::Error) -> Self {
        if is_time_over(error) { Self::TimeOver } else { Self::Broken(Failure::Reset) }
    }
}

/// Whether a call failed because its time was over.
pub(super) fn is_time_over(error: &io::Error) -> bool {
    // SO_RCVTIMEO and SO_SNDTIMEO report EAGAIN (socket(7)), a connect EINPROGRESS.
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
