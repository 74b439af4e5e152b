//! The threads of observers: started before the first user, told the final result, and waited for within a limit.

use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, after, bounded, select};

use super::latest::Latest;
use super::observer::{Observer, Wants};
use super::snapshot::Snapshot;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::load::swarm::stop::Never;
use crate::telemetry::ending::RunEnding;

/// How long the end of a run waits for its observers, all together.
pub const LIMIT: Duration = Duration::from_secs(1);

/// Observers that run. Dropping it ends them too, without a final result.
pub struct Observers(Vec<Running>);

/// One observer, seen from the run.
struct Running {
    wants: Wants,
    latest: Latest<ObserverMessage>,
    /// Disconnected when its thread has ended, in whatever way.
    ended: Receiver<Never>,
}

/// A message to an observer.
enum ObserverMessage {
    Snapshot(Arc<Snapshot>),
    End(Arc<Snapshot>, Arc<RunEnding>),
}

impl Observers {
    /// Starts a thread for each.
    ///
    /// # Errors
    /// Exit 2: a thread cannot be started.
    pub fn start(observers: Vec<Box<dyn Observer>>, clock: Clock) -> Result<Self> {
        let mut running = Self(Vec::new());
        for observer in observers {
            let wants = observer.wants();
            let (latest, messages) = Latest::new();
            let (end, ended) = bounded(0);
            let name = observer.name().to_owned();
            let work = move || observe(observer, wants.repeat, (&messages, clock), end);
            // Not joined: one that is stuck in a system call must not keep the process.
            Builder::new().name(name).spawn(work).map_err(|why| Error::usage("threads", why))?;
            running.0.push(Running { wants, latest, ended });
        }
        Ok(running)
    }

    /// What each wants.
    #[must_use]
    pub fn wants(&self) -> impl ExactSizeIterator<Item = Wants> {
        self.0.iter().map(|observer| observer.wants)
    }

    /// Gives a snapshot to the observer at this place; one that it has not taken yet is replaced. Does not wait.
    pub fn give(&self, place: usize, snapshot: &Arc<Snapshot>) {
        self.0[place].latest.put(ObserverMessage::Snapshot(Arc::clone(snapshot)));
    }

    /// Gives all of them the final result, and waits until they have taken it, at most [`LIMIT`].
    pub fn finish(self, last: Snapshot, ending: &Arc<RunEnding>) {
        let last = Arc::new(last);
        for observer in &self.0 {
            observer.latest.put(ObserverMessage::End(Arc::clone(&last), Arc::clone(ending)));
        }
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        // All are told before the first is waited for: a slot whose writing end is gone is still read to its end.
        let ended: Vec<Receiver<Never>> = self.0.drain(..).map(|observer| observer.ended).collect();
        let limit = after(LIMIT);
        for ended in ended {
            select! {
                recv(ended) -> _ => {}
                recv(limit) -> _ => return,
            }
        }
    }
}

/// Calls an observer until the end. `_end` is dropped after the observer is.
fn observe(
    observer: Box<dyn Observer>,
    repeat: Option<Duration>,
    (messages, clock): (&Receiver<ObserverMessage>, Clock),
    _end: Sender<Never>,
) {
    let mut observer = observer;
    let mut latest = None;
    loop {
        let next = match repeat {
            Some(pause) => messages.recv_timeout(pause),
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(ObserverMessage::Snapshot(snapshot)) => observer.observe(latest.insert(snapshot), clock.now()),
            Ok(ObserverMessage::End(last, ending)) => return observer.finish(&last, &ending),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(snapshot) = &latest {
                    observer.observe(snapshot, clock.now());
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests;
