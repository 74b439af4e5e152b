//! Waiting on a socket.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PauseEnd {
    /// The time has passed.
    Elapsed,
    /// The socket was closed, by its peer or by the server's drop.
    Closed,
}

/// Waits for a time, or forever if `None`, but only while the socket is open in both directions.
///
/// This polls its own socket. With one channel for all, each sleeper would have to search through all the others.
pub(super) fn pause(socket: &impl AsFd, time: Option<Duration>) -> PauseEnd {
    let end = time.map(|time| Instant::now() + time);
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(socket, PollFlags::RDHUP)], left.as_ref()) {
            Ok(0) => return PauseEnd::Elapsed,
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return PauseEnd::Closed,
        }
    }
}
