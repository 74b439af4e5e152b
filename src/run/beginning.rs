//! What a run begins with: its clock, the ticks of its stream, and the place where it runs.

use super::sampler_thread::TickGrid;
use crate::clock::{Clock, Moment, rfc3339};
use crate::error::{Error, Result};
use crate::load::net::connection::Dialer;
use crate::load::swarm::await_host::{self, AwaitEnd};
use crate::load::swarm::roster::Roster;
use crate::load::swarm::stop::Stop;
use crate::machine::limits::{self, MachineLimits};
use crate::plan::Plan;
use crate::plan::placement::Start;
use crate::telemetry::line::{Envelope, StreamSource};
use crate::telemetry::own_records::{RunEnvironment, Target, WireShard};

/// The clock of a run whose start is given as a time: one that has passed is refused before anything is opened or sent.
///
/// # Errors
/// The time has passed.
pub(super) fn fixed_start(plan: &Plan) -> Result<Option<Clock>> {
    matches!(plan.start(), Start::At(_)).then(|| start(plan.start())).transpose()
}

/// The clock of a run, started as planned.
pub(super) fn start(start: Start) -> Result<Clock> {
    match start {
        Start::Now => Ok(Clock::start_now()),
        Start::Aligned(step) => Ok(Clock::start_aligned(step)),
        Start::At(unix) => Clock::start_at(unix)
            .map_err(|ago| Error::usage("--start-at", format!("{} was {:.3} s ago", rfc3339(unix), ago.as_secs_f64()))),
    }
}

/// Waits until the hosts of the plan accept connections, if it asks for that.
///
/// # Errors
/// Exit 4: they do not within the time that it gives.
pub(super) fn await_hosts(plan: &Plan, dialer: &Dialer, stop: (&Stop, &Roster)) -> Result<()> {
    let Some(limit) = plan.await_host() else { return Ok(()) };
    match await_host::await_hosts(plan, dialer, stop, limit) {
        AwaitEnd::Done => Ok(()),
        AwaitEnd::TimedOut(why) => Err(Error::invalid(format!("--await-host {}s", limit.as_secs_f64()), why)),
    }
}

/// What every line of the run's stream begins with.
pub(super) fn envelope(plan: &Plan, clock: Clock) -> Envelope {
    let source = plan.shard().map_or(StreamSource::Local, |shard| StreamSource::Worker(shard.index()));
    Envelope::new(source, plan.run_id(), plan.testplan(), clock)
}

/// Where the run takes place.
pub(super) fn place(
    plan: &Plan,
    clock: &Clock,
    targets: Vec<Target>,
    limits: &MachineLimits,
    open_files_limit: u64,
) -> RunEnvironment {
    RunEnvironment {
        shard: plan.shard().map(|shard| WireShard {
            index: shard.index(),
            count: shard.count(),
            engine: plan.engine(),
        }),
        shards: None,
        targets,
        available_cpus: limits::available_cpus(),
        open_files_limit,
        memory_limit_bytes: limits.memory_bytes,
        started_at: rfc3339(clock.unix(Moment::START)),
        started_monotonic: monotonic_seconds() - clock.now().since_start().as_secs_f64(),
    }
}

/// When the stream ticks: in a shard, at the same times as the other shards.
pub(super) fn grid(plan: &Plan, clock: &Clock) -> TickGrid {
    let interval = plan.stream().interval;
    match plan.shard() {
        None => TickGrid::from_start(interval),
        Some(_) => TickGrid::of_wall_clock(interval, clock.unix(Moment::START)),
    }
}

/// Seconds of the host's monotonic clock, which is the same for all its processes.
fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
