//! The sampler thread: observes machine and swarm at each tick, and so sets the pace of the stream.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::heartbeat::{BEAT, Heartbeat};
use crate::clock::Moment;
use crate::load::swarm::context::RunContext;
use crate::load::swarm::stop::Never;
use crate::machine::sampler::Sampler;
use crate::telemetry::exports::ExportCounter;
use crate::telemetry::tick::TickSample;
use crate::telemetry::writer::CpuGauge;

/// A sample, and whether it is the last.
pub(super) enum Observation {
    /// A sample at a tick.
    Tick(TickSample),
    /// The sample after the last user has ended.
    Last(TickSample),
}

/// Observes machine and swarm.
pub(super) struct SamplerThread<'run> {
    pub(super) sampler: Sampler,
    pub(super) run: RunContext<'run>,
    pub(super) writer_cpu: CpuGauge,
    pub(super) open_files_limit: u64,
    pub(super) heartbeat: Heartbeat,
    /// How pushing metrics goes, where that is done.
    pub(super) exports: Option<Arc<ExportCounter>>,
}

impl SamplerThread<'_> {
    /// Takes one sample.
    pub(super) fn observe(&mut self, tick: u64) -> TickSample {
        let now = self.run.clock.now();
        TickSample {
            tick,
            due: now,
            users: self.run.roster.users(),
            flight: self.run.roster.flight(now),
            stopped: self.run.stop.begun_at().map(|at| self.run.clock.moment(at)),
            machine: self.sampler.sample(now),
            writer_cpu: self.writer_cpu.read(),
            open_files_limit: self.open_files_limit,
            overslept: self.heartbeat.take(),
            exports: self.exports.as_ref().map(|exports| exports.read()),
        }
    }

    /// Waits until `due`; returns whether `over` was closed first.
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

    /// Takes a sample at each tick after the first, and a last one when `over` is closed.
    pub(super) fn run(mut self, grid: TickGrid, over: &Receiver<Never>, looks: &Sender<Observation>) {
        let mut tick = grid.first() + 1;
        let mut has_stopped = false;
        self.heartbeat.excuse(self.run.clock.now());
        while !self.is_over(over, grid.due(tick)) {
            // After a standstill several ticks are overdue; only the latest is reported.
            tick = tick.max(grid.passed(self.run.clock.now()));
            let mut sample = TickSample { due: grid.due(tick), ..self.observe(tick) };
            // The tick in which the load ended is one of the load: its users are not those that are left just after.
            if !std::mem::replace(&mut has_stopped, sample.is_draining()) && sample.is_draining() {
                sample.users = self.run.roster.users_at_stop();
            }
            if looks.send(Observation::Tick(sample)).is_err() {
                return;
            }
            // Sending may have waited for a busy aggregator, which is not a standstill.
            self.heartbeat.excuse(self.run.clock.now());
            tick += 1;
        }
        let mut last = self.observe(tick.max(grid.passed(self.run.clock.now())));
        last.users = self.run.roster.users_at_stop();
        // The aggregator waits for this one.
        let _ = looks.send(Observation::Last(last));
    }
}

/// The due times of ticks and their numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct TickGrid {
    interval: u64,
    /// Time from tick 0 to the start of the run, in nanoseconds.
    origin: u64,
}

impl TickGrid {
    /// Ticks at the multiples of the interval since the start.
    pub(super) fn from_start(interval: Duration) -> Self {
        Self { interval: nanos(interval).max(1), origin: 0 }
    }

    /// Ticks at the multiples of the interval on the wall clock, so that the intervals of all shards match. The first
    /// is the multiple before `start`, and is reported at the start.
    pub(super) fn of_wall_clock(interval: Duration, start: Duration) -> Self {
        Self { interval: nanos(interval).max(1), origin: nanos(start) }
    }

    /// The number of the tick at the start.
    pub(super) const fn first(self) -> u64 {
        self.origin / self.interval
    }

    /// When a tick after the first is due.
    fn due(self, tick: u64) -> Moment {
        Moment::from_nanos(self.interval.saturating_mul(tick).saturating_sub(self.origin))
    }

    /// The last tick that is due at a moment.
    const fn passed(self, moment: Moment) -> u64 {
        self.origin.saturating_add(moment.nanos()) / self.interval
    }
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_process_run_ticks_from_its_start() {
        let grid = TickGrid::from_start(Duration::from_secs(3));
        assert_eq!(grid.first(), 0);
        assert_eq!(grid.due(2), Moment::at(Duration::from_secs(6)));
        assert_eq!(grid.passed(Moment::at(Duration::from_millis(8999))), 2);
    }

    #[test]
    fn shards_tick_together_whenever_they_started() {
        let interval = Duration::from_secs(3);
        let unix = |millis: u64| Duration::from_secs(1_795_381_200) + Duration::from_millis(millis);
        for start in [0, 1, 999, 1_000, 2_999, 3_000, 7_777] {
            let grid = TickGrid::of_wall_clock(interval, unix(start));
            assert_eq!(grid.first(), 598_460_400 + start / 3000, "started {start} ms after a multiple");
            let due = unix(start) + grid.due(598_460_404).since_start();
            assert_eq!(due, unix(12_000), "the same tick is the same time");
            assert_eq!(grid.passed(grid.due(598_460_404)), 598_460_404);
            assert_eq!(grid.passed(Moment::START), grid.first());
        }
    }
}
