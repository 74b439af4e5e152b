//! When a run ends, and how it is stopped.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, after, never, select};

use crate::load::swarm::context::RunContext;
use crate::load::swarm::stop::Never;
use crate::vocabulary::EndReason;

/// Pause between two cuts. Shutting down a socket that was created but has not begun to connect has no effect: its
/// `connect` starts all the same and waits (Linux 6.18), so the next cut has to find it.
const CUT_AGAIN: Duration = Duration::from_millis(50);

/// Waits for the end of a run and stops it.
pub(super) struct StopController<'run> {
    pub(super) run: RunContext<'run>,
    /// Requests of people to stop the run, other than by a signal.
    pub(super) requests: &'run Receiver<()>,
}

impl StopController<'_> {
    /// Returns when the last user has ended. `users` is closed when the last user has ended, `signal` delivers the
    /// first signal.
    pub(super) fn run(&self, users: &Receiver<Never>, signal: &Receiver<()>) {
        self.wait_for_the_end(users);
        match self.run.stop.reason() {
            // Requests in flight run to their own end, at most --timeout later, unless a person loses patience.
            Some(EndReason::Requests) => select! {
                recv(users) -> _ => {}
                recv(signal) -> _ => self.wait_then_cut(users, self.run.plan.load().stop_timeout),
            },
            // The stream is gone, so waiting for these requests is pointless.
            Some(EndReason::StreamBroken) => self.wait_then_cut(users, Duration::ZERO),
            _ => self.wait_then_cut(users, self.run.plan.load().stop_timeout),
        }
    }

    fn wait_for_the_end(&self, users: &Receiver<Never>) {
        if self.run.plan.load().requests == Some(0) {
            // A shard without any of the requests.
            return self.run.stop.begin(EndReason::Requests);
        }
        let left = |run_time: Duration| run_time.saturating_sub(self.run.clock.now().since_start());
        let run_time_over = self.run.plan.load().run_time.map_or_else(never, |run_time| after(left(run_time)));
        let stages_over = self.run.plan.load().end().map_or_else(never, |end| after(left(end)));
        select! {
            recv(self.run.stop.begun()) -> _ => {}
            // As a first signal.
            recv(self.requests) -> _ => self.run.stop.begin(EndReason::Signal),
            recv(run_time_over) -> _ => self.run.stop.begin(EndReason::RunTime),
            recv(stages_over) -> _ => self.run.stop.begin(EndReason::Stages),
            // Users end only when told to, so there were none: not a single one could be started.
            recv(users) -> _ => self.run.stop.begin(EndReason::NoUsers),
        }
    }

    /// Waits `patience` for requests in flight, then shuts down their sockets.
    fn wait_then_cut(&self, users: &Receiver<Never>, patience: Duration) {
        let mut wait = patience;
        // Closed as soon as every user has ended.
        while matches!(users.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
            self.run.stop.cut();
            wait = CUT_AGAIN;
        }
    }
}
