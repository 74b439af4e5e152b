//! Waiting on a socket.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// The time is over.
    Elapsed,
    /// The socket was closed, by its peer or by the server's drop.
    Closed,
}

/// Waits for a time, or with none for good, but no longer than the socket is open in both directions.
///
/// One poll of the own socket. Waiting on one channel for all would cost each sleeper a search through all others.
pub(super) fn pause(socket: &impl AsFd, time: Option<Duration>) -> Pause {
    let end = time.map(|time| Instant::now() + time);
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(socket, PollFlags::RDHUP)], left.as_ref()) {
            Ok(0) => return Pause::Elapsed,
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return Pause::Closed,
        }
    }
}
