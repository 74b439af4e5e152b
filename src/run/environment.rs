//! Where and when a run takes place, as the stream says at its start.

use crate::clock::{Clock, Moment, rfc3339};
use crate::machine::limits::{self, MachineLimits};
use crate::plan::Plan;
use crate::telemetry::ours::{RunEnvironment, Target, WireShard};

/// Where the run takes place.
pub(super) fn environment(
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

/// Seconds of the host's monotonic clock, which is the same for all its processes.
fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
