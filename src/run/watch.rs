//! The sampler thread: looks at machine and swarm on the grid of ticks, and so sets the stream's pace.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::clock::{Clock, Moment};
use crate::load::roster::Roster;
use crate::load::stop::{Never, Stop};
use crate::machine::sampler::Sampler;
use crate::telemetry::recorder::Look;
use crate::telemetry::writer::CpuGauge;

/// A look, and whether it is the last.
pub(super) enum Sighting {
    /// One on the grid.
    Grid(Look),
    /// The one when the last user has ended.
    Last(Look),
}

/// Looks at machine and swarm.
pub(super) struct Watch<'run> {
    pub(super) sampler: Sampler,
    pub(super) clock: &'run Clock,
    pub(super) roster: &'run Roster,
    pub(super) stop: &'run Stop,
    pub(super) writer_cpu: CpuGauge,
    pub(super) open_files_limit: u64,
}

impl Watch<'_> {
    /// Looks once.
    pub(super) fn look(&mut self, tick: u64) -> Look {
        let now = self.clock.now();
        Look {
            tick,
            users: self.roster.users(),
            flight: self.roster.flight(now),
            draining: self.stop.is_begun(),
            sample: self.sampler.look(now),
            writer_cpu: self.writer_cpu.read(),
            open_files_limit: self.open_files_limit,
        }
    }

    /// Looks at each multiple of `interval` since the start, and once more when `over` is closed.
    pub(super) fn run(mut self, interval: Duration, over: &Receiver<Never>, looks: &Sender<Sighting>) {
        let mut tick = 1;
        loop {
            let due = Moment::from_nanos(grid(interval, tick));
            match over.recv_deadline(self.clock.instant(due)) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => break,
            }
            // A machine that stood still has missed ticks; the one that is said is the one that is due now.
            tick = tick.max(self.passed(interval));
            if looks.send(Sighting::Grid(self.look(tick))).is_err() {
                return;
            }
            tick += 1;
        }
        let mut last = self.look(tick.max(self.passed(interval)));
        last.users = self.roster.users_at_stop();
        // The aggregator waits for this one.
        let _ = looks.send(Sighting::Last(last));
    }

    /// The last tick that is due by now.
    fn passed(&self, interval: Duration) -> u64 {
        self.clock.now().nanos() / grid(interval, 1).max(1)
    }
}

fn grid(interval: Duration, tick: u64) -> u64 {
    u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).saturating_mul(tick)
}
