//! Running a plan on many hosts: which shard this is, which run it belongs to, and when it starts.

use std::time::Duration;

use super::ProcessContext;
use super::engine::{self, DetectedShard};
use super::random::seed_of;
use super::shard::Shard;
use crate::cli::RunFlags;
use crate::error::{Error, Result};
use crate::value::shard::ShardFlag;

/// When a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As soon as possible.
    Now,
    /// At this time since the Unix epoch.
    At(Duration),
    /// At the next multiple of this duration on the wall clock.
    Aligned(Duration),
}

/// The placement of this process in a run of several shards.
#[derive(Debug)]
pub(super) struct ShardPlacement {
    /// `None` for a run without shards.
    pub(super) shard: Option<Shard>,
    /// The engine that determined the shard.
    pub(super) engine: Option<&'static str>,
    /// The id of the run, shared by all shards.
    pub(super) run_id: String,
    /// When the run starts.
    pub(super) start: Start,
    /// How long to wait, before that, until the hosts accept connections.
    pub(super) await_host: Option<Duration>,
    /// Notes for the user about how the placement was determined.
    pub(super) notes: Vec<String>,
}

/// Determines the placement.
///
/// # Errors
/// Names the flag: the shard does not exist or was not detected, or there is no run id that all shards share.
pub(super) fn determine_placement(flags: &RunFlags, surroundings: &ProcessContext<'_>) -> Result<ShardPlacement> {
    let start = match (flags.start_at, flags.start_align) {
        (Some(_), Some(_)) => return Err(Error::usage("--start-at and --start-align", "cannot be combined")),
        (Some(_), None) if flags.await_host.is_some() => {
            return Err(Error::usage("--await-host and --start-at", "cannot be combined"));
        }
        (None, Some(_)) if flags.await_host.is_some() => {
            return Err(Error::usage("--await-host and --start-align", "cannot be combined"));
        }
        (Some(at), None) => Start::At(at),
        (None, Some(step)) => Start::Aligned(step),
        (None, None) => Start::Now,
    };
    let found = match flags.shard {
        Some(ShardFlag::Auto(total)) => {
            Some(engine::detect(surroundings.environment, total).map_err(|why| Error::usage("--shard", why))?)
        }
        _ => None,
    };
    let shard = match flags.shard {
        Some(ShardFlag::Given { index, count }) => {
            Some(Shard::new(index, count).map_err(|why| Error::usage("--shard", why))?)
        }
        _ => found.as_ref().map(|found| found.shard),
    };
    let job = found.as_ref().and_then(|found| found.job.as_deref());
    let run_id = match (&flags.run_id, shard, job) {
        (Some(id), ..) => id.clone(),
        (None, None, _) => format!("{:08x}", surroundings.entropy >> 32),
        (None, Some(_), Some(job)) => format!("{:08x}", seed_of(job) >> 32),
        (None, Some(_), None) => {
            return Err(Error::usage("--run-id", "must be given with this --shard: all shards of a run share it"));
        }
    };
    let notes = found.as_ref().map(|found| note(found, &run_id)).into_iter().collect();
    Ok(ShardPlacement {
        shard,
        engine: found.map(|found| found.engine),
        run_id,
        start,
        await_host: flags.await_host,
        notes,
    })
}

fn note(found: &DetectedShard, run_id: &str) -> String {
    let DetectedShard { shard, engine, used: taken, ignored: passed_over, .. } = found;
    let passed_over =
        if passed_over.is_empty() { String::new() } else { format!("; ignored: {}", passed_over.join(", ")) };
    format!("shard {shard} of run {run_id}, according to {engine} ({}){passed_over}", taken.join(", "))
}
