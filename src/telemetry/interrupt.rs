//! A signal, as the readers of streams take it: those who write what is read here got it too, and come to their end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// How long after a signal a writer that has not begun yet may take to begin.
const NOT_BEGUN: Duration = Duration::from_secs(1);

/// How much longer than its stop timeout a writer may take to end after a signal, as a run gives its own reader.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signals within this time are one: GNU timeout sends two within milliseconds.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

/// Which signal this was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The first, or one that belongs to it.
    First,
    /// One that came a second or more after the first: the process ends at once.
    Second,
}

/// Whether a signal came, and when.
#[derive(Debug)]
pub struct Interrupt {
    since: OnceLock<Instant>,
    /// Becomes readable with the signal, so that whoever waits for an input wakes.
    wake: OwnedFd,
}

impl Interrupt {
    /// No signal yet.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { since: OnceLock::new(), wake })
    }

    /// Takes note of a signal.
    pub fn signal(&self) -> Signal {
        let since = *self.since.get_or_init(Instant::now);
        // It is readable already where this fails.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        if since.elapsed() < ONE_SIGNAL { Signal::First } else { Signal::Second }
    }

    /// Whether a signal came.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.since.get().is_some()
    }

    /// How long a writer may still take, which has begun, if it has, with this stop timeout; `None` before a signal.
    #[must_use]
    pub fn left(&self, begun: Option<Duration>) -> Option<Duration> {
        let granted = begun.map_or(NOT_BEGUN, |stop_timeout| stop_timeout.saturating_add(PATIENCE));
        self.since.get().map(|since| granted.saturating_sub(since.elapsed()))
    }

    /// Waits until one of these descriptors has something to read or is over, a signal comes, or, where one came before,
    /// `most` is over. Returns which of them are ready; `most` of zero only looks.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, fds: &[BorrowedFd<'_>], most: Option<Duration>) -> io::Result<Vec<bool>> {
        let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        if !self.has_come() {
            polled.push(PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN));
        }
        let most = most.map(|most| Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: most.subsec_nanos().into(),
        });
        match poll(&mut polled, most.as_ref()) {
            Err(why) if io::Error::from(why).kind() != io::ErrorKind::Interrupted => Err(why.into()),
            _ => Ok(polled.iter().take(fds.len()).map(|fd| !fd.revents().is_empty()).collect()),
        }
    }
}
