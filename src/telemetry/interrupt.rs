//! Signals in readers of streams: the writers of those streams got the signal too, and will come to their end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// How long a writer that has not begun yet may take to begin after a signal.
const NOT_BEGUN: Duration = Duration::from_secs(1);

/// How much longer than its stop timeout a writer may take to end after a signal; a run grants its own reader the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signals within this time count as one: GNU timeout sends two within milliseconds.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

/// Which signal this was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The first, or one that counts with it.
    First,
    /// A second or more after the first: the process ends at once.
    Second,
}

/// Whether a signal arrived, and when.
#[derive(Debug)]
pub struct Interrupt {
    since: OnceLock<Instant>,
    /// Becomes readable with the signal, to wake a thread that waits for input.
    wake: OwnedFd,
}

impl Interrupt {
    /// Before any signal.
    ///
    /// # Errors
    /// If the system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { since: OnceLock::new(), wake })
    }

    /// Records a signal.
    pub fn signal(&self) -> Signal {
        let since = *self.since.get_or_init(Instant::now);
        // Fails only if it is readable already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        if since.elapsed() < ONE_SIGNAL { Signal::First } else { Signal::Second }
    }

    /// Whether a signal arrived.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.since.get().is_some()
    }

    /// How much longer to wait for a writer; `begun` is its stop timeout, if it has begun. `None` before a signal.
    #[must_use]
    pub fn left(&self, begun: Option<Duration>) -> Option<Duration> {
        let granted = begun.map_or(NOT_BEGUN, |stop_timeout| stop_timeout.saturating_add(PATIENCE));
        self.since.get().map(|since| granted.saturating_sub(since.elapsed()))
    }

    /// Waits until one of these descriptors is readable or closed, a signal arrives, or `most` has passed. After a
    /// signal, further signals do not end the wait. Returns which descriptors are ready; with `most` of zero it only
    /// checks.
    ///
    /// # Errors
    /// The system's error.
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
