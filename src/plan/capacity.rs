//! The plan of a search for capacity, and which settings of a run it replaces.

use std::time::Duration;

use super::check::{Check, Metric, Relation};
use crate::cli::{RunFlags, SearchFlags, SettingSource, SettingSources};
use crate::error::{Error, Result};

/// Shortest measured part of a step: below it, times of the machine's scheduler decide.
const MIN_STEP: Duration = Duration::from_millis(100);

/// How the highest rate is searched for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// Rate of the first step, per second; no more than `to`.
    pub from: f64,
    /// Highest rate to try; no limit if `None`.
    pub to: Option<f64>,
    /// Measured part of an ordinary step.
    pub step_time: Duration,
    /// Time at the rate of a step before it is measured.
    pub settle: Duration,
    /// Largest relative distance between the answer and a rate that failed.
    pub precision: f64,
    /// The rate that the service is expected to take at least.
    pub min_rate: Option<f64>,
}

impl SearchPlan {
    /// Reads it from the flags.
    ///
    /// # Errors
    /// Names the flags that contradict each other.
    pub(super) fn from_flags(flags: &SearchFlags) -> Result<Self> {
        let SearchFlags { from, to, step_time, settle, precision, min_rate } = *flags;
        if step_time < MIN_STEP {
            return Err(Error::usage("--step-time", format!("must be at least {}ms", MIN_STEP.as_millis())));
        }
        if to.is_some_and(|to| to < from) {
            return Err(Error::usage("--to", format!("must not be below --from, which is {from}")));
        }
        if let (Some(min), Some(to)) = (min_rate, to)
            && min > to
        {
            return Err(Error::usage("--min-rate", format!("must not be above --to, which is {to}")));
        }
        Ok(Self { from, to, step_time, settle, precision, min_rate })
    }
}

/// The flags of a run without those that say how much load there is: in a search they can only come from a scenario file.
/// Adds a note about each.
pub(super) fn without_load(flags: &RunFlags, origins: &SettingSources, notes: &mut Vec<String>) -> RunFlags {
    let users = flags.users.filter(|_| origins.of("users") != SettingSource::File);
    let ignored = [
        ("users", users != flags.users),
        ("warmup", flags.warmup.is_some()),
        ("run_time", flags.run_time.is_some()),
        ("requests", flags.max_requests.is_some()),
        ("stages", flags.stages.is_some()),
        ("spawn_rate", flags.spawn_rate.is_some()),
    ];
    for (key, _) in ignored.iter().filter(|(_, is_set)| *is_set) {
        notes.push(format!("\"{key}\" of the scenario file has no effect: the search decides on the load"));
    }
    let without = RunFlags { run_time: None, max_requests: None, stages: None, spawn_rate: None, ..flags.clone() };
    RunFlags { users, warmup: None, ..without }
}

/// Refuses checks that a search cannot be made by.
///
/// # Errors
/// There is none, or one with a phase or with `abort`, or one that a lower rate does not meet more easily.
pub(super) fn check_checks<'c>(checks: impl Iterator<Item = &'c Check>) -> Result<()> {
    let mut checks = checks.peekable();
    if checks.peek().is_none() {
        let why = "is needed: the search is for the highest rate that meets it, such as --check 'p99 < 50ms'";
        return Err(Error::usage("--check", why));
    }
    for check in checks {
        let refuse = |why: &str| Err(Error::usage(format!("--check '{check}'"), why));
        if check.scope().phase.is_some() {
            return refuse(
                "has a phase: the checks of a search are of the measured part of each step; leave out @PHASE",
            );
        }
        match check.metric() {
            Metric::Rps => {
                return refuse("is about the rate, which the search is for; --min-rate R holds the answer to it");
            }
            Metric::Requests | Metric::Failures => {
                return refuse("is about a number of requests, which is another in each step; use fail_ratio");
            }
            Metric::Percentile(_) | Metric::Min | Metric::Avg | Metric::Max | Metric::FailRatio => {}
        }
        if !matches!(check.relation(), Relation::Below | Relation::AtMost) {
            return refuse("is not an upper limit, so a lower rate may miss it: checks of a search use < or <=");
        }
        if check.abort().is_some() {
            return refuse("has abort: a check that is missed ends a step, and never the search; leave out abort");
        }
    }
    Ok(())
}
