//! The sampler thread: looks at machine and swarm on the grid of ticks, and so sets the stream's pace.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::heartbeat::{BEAT, Heartbeat};
use crate::clock::Moment;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::stop::Never;
use crate::machine::sampler::Sampler;
use crate::telemetry::look::Look;
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
    pub(super) run: RunContext<'run>,
    pub(super) writer_cpu: CpuGauge,
    pub(super) open_files_limit: u64,
    pub(super) heartbeat: Heartbeat,
}

impl Watch<'_> {
    /// Looks once.
    pub(super) fn look(&mut self, tick: u64) -> Look {
        let now = self.run.clock.now();
        Look {
            tick,
            users: self.run.roster.users(),
            flight: self.run.roster.flight(now),
            stopped: self.run.stop.begun_at().map(|at| self.run.clock.moment(at)),
            sample: self.sampler.look(now),
            writer_cpu: self.writer_cpu.read(),
            open_files_limit: self.open_files_limit,
            overslept: self.heartbeat.take(),
        }
    }

    /// Waits until `due`; returns whether `over` was closed before.
    fn is_over(&mut self, over: &Receiver<Never>, due: Moment) -> bool {
        loop {
            let now = self.run.clock.now();
            self.heartbeat.beat(now);
            if now >= due {
                return false;
            }
            let next = self.run.clock.instant(due.min(now.after(BEAT)));
            if !matches!(over.recv_deadline(next), Err(RecvTimeoutError::Timeout)) {
                return true;
            }
        }
    }

    /// Looks at each tick of the grid after the first, and once more when `over` is closed.
    pub(super) fn run(mut self, grid: Grid, over: &Receiver<Never>, looks: &Sender<Sighting>) {
        let mut tick = grid.first() + 1;
        self.heartbeat.excuse(self.run.clock.now());
        while !self.is_over(over, grid.due(tick)) {
            // A machine that stood still has missed ticks; the one that is said is the one that is due now.
            tick = tick.max(grid.passed(self.run.clock.now()));
            if looks.send(Sighting::Grid(self.look(tick))).is_err() {
                return;
            }
            // An aggregator that is busy may have kept it.
            self.heartbeat.excuse(self.run.clock.now());
            tick += 1;
        }
        let mut last = self.look(tick.max(grid.passed(self.run.clock.now())));
        last.users = self.run.roster.users_at_stop();
        // The aggregator waits for this one.
        let _ = looks.send(Sighting::Last(last));
    }
}

/// When ticks are due, and their numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    interval: u64,
    /// Time from tick 0 to the start of the run, in nanoseconds.
    origin: u64,
}

impl Grid {
    /// Ticks at the multiples of the interval since the start.
    pub(super) fn from_start(interval: Duration) -> Self {
        Self { interval: nanos(interval).max(1), origin: 0 }
    }

    /// Ticks at the multiples of the interval on the wall clock, where the intervals of all shards join; the first is
    /// the multiple before the `start`, and said at the start.
    pub(super) fn of_wall_clock(interval: Duration, start: Duration) -> Self {
        Self { interval: nanos(interval).max(1), origin: nanos(start) }
    }

    /// The tick of the start.
    pub(super) const fn first(self) -> u64 {
        self.origin / self.interval
    }

    /// When a tick after the first is due.
    fn due(self, tick: u64) -> Moment {
        Moment::from_nanos(self.interval.saturating_mul(tick).saturating_sub(self.origin))
    }

    /// The last tick that is due by a moment.
    const fn passed(self, moment: Moment) -> u64 {
        self.origin.saturating_add(moment.nanos()) / self.interval
    }
}

/// 584 years fit.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_on_its_own_ticks_from_its_start() {
        let grid = Grid::from_start(Duration::from_secs(3));
        assert_eq!(grid.first(), 0);
        assert_eq!(grid.due(2), Moment::at(Duration::from_secs(6)));
        assert_eq!(grid.passed(Moment::at(Duration::from_millis(8999))), 2);
    }

    #[test]
    fn shards_tick_together_whenever_they_started() {
        let interval = Duration::from_secs(3);
        let unix = |millis: u64| Duration::from_secs(1_795_381_200) + Duration::from_millis(millis);
        for start in [0, 1, 999, 1_000, 2_999, 3_000, 7_777] {
            let grid = Grid::of_wall_clock(interval, unix(start));
            assert_eq!(grid.first(), 598_460_400 + start / 3000, "started {start} ms after a multiple");
            let due = unix(start) + grid.due(598_460_404).since_start();
            assert_eq!(due, unix(12_000), "the same tick is the same time");
            assert_eq!(grid.passed(grid.due(598_460_404)), 598_460_404);
            assert_eq!(grid.passed(Moment::START), grid.first());
        }
    }
}
