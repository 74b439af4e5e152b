//! The amount of load, and when it ends.

use std::time::Duration;

use super::capacity::{SearchPlan, without_load};
use super::placement::ShardPlacement;
use super::random::seed_of;
use super::schedule::Ramp;
use super::schedule::arrivals::{Arrivals, Spacing};
use super::schedule::stepped::SteppedArrivals;
use super::schedule::users::Users;
use super::shard::Shard;
use crate::cli::{ArrivalSpacing, RunFlags, SettingSources};
use crate::clock::Moment;
use crate::error::{Error, Result};
use crate::value::Wait;
use crate::vocabulary::Phase;

/// The amount of load, and when it ends.
#[derive(Debug)]
pub struct Load {
    /// What determines when requests are sent.
    pub model: LoadModel,
    /// Think time between two tasks of a user; always none in the open model.
    pub wait: Wait,
    /// Duration of the load; unlimited if `None`.
    pub run_time: Option<Duration>,
    /// Exact number of requests to start, unless the run time ends first.
    pub requests: Option<u64>,
    /// The first part of the run, which is counted and not judged; zero without one.
    pub warmup: Duration,
    /// How long requests in flight may take after the end of the run time or the stages, or after a signal.
    pub stop_timeout: Duration,
    /// Seed for random choices.
    pub seed: u64,
    /// This process's part of the run; times and numbers are those of the whole run.
    pub shard: Shard,
}

/// What determines when requests are sent.
#[derive(Debug)]
pub enum LoadModel {
    /// Users: each sends its next request after the previous one has ended and its think time is over.
    Closed(Users),
    /// A schedule of arrivals, independent of responses.
    Open {
        /// When arrivals are due.
        arrivals: Arrivals,
        /// Maximum number of users.
        most_users: u32,
    },
    /// A search for capacity: arrivals at rates that are decided step by step, independent of responses.
    Search {
        /// How it is done.
        search: SearchPlan,
        /// How the arrivals of a step are spaced.
        spacing: Spacing,
        /// Maximum number of users.
        most_users: u32,
    },
}

impl LoadModel {
    /// Returns the part of a shard, and the number of users of the whole run.
    fn of_shard(self, shard: Shard) -> Result<(Self, u32)> {
        match self {
            Self::Closed(users) => {
                let most = users.max_users();
                Ok((Self::Closed(users.of_shard(shard)), most))
            }
            // A shard without a user could not send its arrivals.
            Self::Open { most_users, .. } if most_users < shard.count() => Err(Error::usage(
                "--users",
                format!("must be at least 1 per shard with --rate, {} here", shard.count()),
            )),
            Self::Open { arrivals, most_users } => {
                let own = shard.share_of_users(most_users);
                Ok((Self::Open { arrivals: arrivals.of_shard(shard), most_users: own }, most_users))
            }
            // A search has no shards.
            Self::Search { most_users, .. } => Ok((self, most_users)),
        }
    }
}

/// Default for the maximum number of users in the open model.
pub const DEFAULT_OPEN_USERS: u32 = 1000;

/// More users than any machine has threads for.
pub(super) const MAX_USERS: u32 = 1_000_000;

impl Load {
    /// Reads the load from the flags.
    ///
    /// # Errors
    /// Names the flags that cannot be combined.
    pub(super) fn from_flags(flags: &RunFlags, search: Option<SearchPlan>, place: &ShardPlacement) -> Result<Self> {
        let seed = flags.seed.unwrap_or_else(|| seed_of(&place.run_id));
        let shard = place.shard.unwrap_or(Shard::WHOLE);
        let model = model(flags, search, seed)?;
        check_warmup(flags, &model)?;
        let (model, users) = model.of_shard(shard)?;
        Ok(Self {
            model,
            wait: flags.wait,
            run_time: flags.run_time,
            requests: flags.max_requests.map(|total| shard.share_of_requests(total, users)),
            warmup: flags.warmup.unwrap_or_default(),
            stop_timeout: flags.stop_timeout,
            seed,
            shard,
        })
    }

    /// Checks that there can be a user of each class: in the open model arrivals wait for users of their own
    /// class, and without one they would wait forever.
    pub(super) fn check_classes(&self, classes: usize) -> Result<()> {
        match self.model {
            LoadModel::Open { most_users, .. } | LoadModel::Search { most_users, .. }
                if (most_users as usize) < classes =>
            {
                Err(Error::usage("--users", format!("must be at least 1 per user class with --rate, {classes} here")))
            }
            _ => Ok(()),
        }
    }

    /// The maximum number of users.
    #[must_use]
    pub fn max_users(&self) -> u32 {
        match &self.model {
            LoadModel::Closed(users) => users.max_users(),
            LoadModel::Open { most_users, .. } | LoadModel::Search { most_users, .. } => *most_users,
        }
    }

    /// Returns whether this process has no part of the load: a shard of a run that has fewer users, or requests, than
    /// shards.
    #[must_use]
    pub fn has_nothing_to_do(&self) -> bool {
        self.max_users() == 0 || self.requests == Some(0)
    }

    /// The end of the last stage; `None` if the load has no end of its own.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        match &self.model {
            LoadModel::Closed(users) => users.end(),
            LoadModel::Open { arrivals, .. } => arrivals.end(),
            LoadModel::Search { .. } => None,
        }
    }

    /// The phase of the load between two moments: warm-up if that is at least half of the time.
    #[must_use]
    pub fn phase(&self, from: Moment, until: Moment) -> Phase {
        let (from, until) = (from.since_start(), until.since_start());
        let warmup = self.warmup.min(until).saturating_sub(from);
        if from < self.warmup && warmup * 2 >= until.saturating_sub(from) {
            return Phase::Warmup;
        }
        let from = from.max(self.warmup).min(until);
        match &self.model {
            LoadModel::Closed(users) => users.phase_of(from, until),
            LoadModel::Open { arrivals, .. } => arrivals.phase_of(from, until),
            // Its steps say more: SteppedArrivals::phase_of.
            LoadModel::Search { .. } => Phase::Drain,
        }
    }

    /// The schedule of arrivals, where it is known before the run.
    #[must_use]
    pub const fn arrivals(&self) -> Option<&Arrivals> {
        match &self.model {
            LoadModel::Open { arrivals, .. } => Some(arrivals),
            LoadModel::Closed(_) | LoadModel::Search { .. } => None,
        }
    }

    /// How the search for capacity is done, if the run is one.
    #[must_use]
    pub const fn search(&self) -> Option<&SearchPlan> {
        match &self.model {
            LoadModel::Search { search, .. } => Some(search),
            LoadModel::Closed(_) | LoadModel::Open { .. } => None,
        }
    }

    /// The arrivals of a search for capacity, before its first step.
    #[must_use]
    pub fn stepped_arrivals(&self) -> Option<SteppedArrivals> {
        match &self.model {
            LoadModel::Search { spacing, .. } => Some(SteppedArrivals::new(*spacing)),
            LoadModel::Closed(_) | LoadModel::Open { .. } => None,
        }
    }

    /// The first time at which the rate of the open model is constant; `None` if it never is.
    #[must_use]
    pub fn plateau(&self) -> Option<Duration> {
        match &self.model {
            LoadModel::Closed(_) => None,
            LoadModel::Open { arrivals, .. } => arrivals.plateau(),
            LoadModel::Search { .. } => Some(Duration::ZERO),
        }
    }

    /// The planned number of users at a moment; `None` in the open model, which starts users as needed.
    #[must_use]
    pub fn users_wanted(&self, at: Moment) -> Option<u32> {
        match &self.model {
            LoadModel::Closed(users) => Some(users.wanted(at.since_start())),
            LoadModel::Open { .. } | LoadModel::Search { .. } => None,
        }
    }

    /// Number of arrivals due until a moment; `None` without a schedule that is known before the run.
    #[must_use]
    pub fn arrivals_due(&self, until: Moment) -> Option<f64> {
        Some(self.arrivals()?.arrivals_due(until.since_start()))
    }
}

/// The warm-up as it is: the intervals of which it has at least half.
fn in_intervals(warmup: Duration, interval: Duration) -> Duration {
    let intervals = (warmup + interval / 2).as_nanos() / interval.as_nanos().max(1);
    interval.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX))
}

/// The flags as they count for the load, with a note about each that counts otherwise than it was given.
pub(super) fn effective_flags(
    flags: &RunFlags,
    is_search: bool,
    origins: &SettingSources,
    notes: &mut Vec<String>,
) -> RunFlags {
    if is_search {
        return without_load(flags, origins, notes);
    }
    notes.extend(warmup_note(flags));
    flags.clone()
}

/// What people should know if the warm-up is not as long as they said.
fn warmup_note(flags: &RunFlags) -> Option<String> {
    let (given, interval) = (flags.warmup?, flags.interval);
    let warmup = in_intervals(given, interval);
    (given != warmup && !warmup.is_zero()).then(|| {
        format!("--warmup {given:?}: is {warmup:?}, as it is made of whole intervals of {interval:?} (--interval)")
    })
}

/// Demands that something is left to be judged, as far as that is known before the run.
fn check_warmup(flags: &RunFlags, model: &LoadModel) -> Result<()> {
    let Some(given) = flags.warmup else { return Ok(()) };
    let warmup = in_intervals(given, flags.interval);
    if warmup.is_zero() {
        let why = format!(
            "must be at least half an --interval, which is {:?} here: it is made of whole ones",
            flags.interval
        );
        return Err(Error::usage("--warmup", why));
    }
    let (end, arrivals_due) = match model {
        LoadModel::Closed(users) => (users.end(), 0.0),
        LoadModel::Open { arrivals, .. } => (arrivals.end(), arrivals.arrivals_due(given.max(warmup))),
        // It has a --settle of its own, and refuses the flag.
        LoadModel::Search { .. } => return Ok(()),
    };
    if let Some(end) = flags.run_time.into_iter().chain(end).min().filter(|end| given.max(warmup) >= *end) {
        let rounded = if given >= end { String::new() } else { format!("; it takes {warmup:?}") };
        return Err(Error::usage("--warmup", format!("must be shorter than the run, which takes {end:?}{rounded}")));
    }
    match flags.max_requests {
        Some(requests) if arrivals_due >= requests as f64 => Err(Error::usage(
            "--warmup",
            format!("must be shorter than the run, whose {requests} requests are due in it"),
        )),
        _ => Ok(()),
    }
}

fn model(flags: &RunFlags, search: Option<SearchPlan>, seed: u64) -> Result<LoadModel> {
    let Some(rate) = flags.rate else {
        if flags.arrival.is_some() {
            return Err(Error::usage("--arrival", "works only with --rate"));
        }
        return closed(flags).map(LoadModel::Closed);
    };
    if flags.wait != Wait::None {
        return Err(Error::usage("--wait", "cannot be combined with --rate, which says when requests are sent"));
    }
    if flags.spawn_rate.is_some() {
        return Err(Error::usage(
            "--spawn-rate",
            "cannot be combined with --rate, which starts users as they are needed",
        ));
    }
    let spacing = match flags.arrival.unwrap_or(ArrivalSpacing::Constant) {
        ArrivalSpacing::Constant => Spacing::Constant,
        ArrivalSpacing::Poisson => Spacing::Poisson { seed },
    };
    let most_users = flags.users.unwrap_or(DEFAULT_OPEN_USERS);
    if let Some(search) = search {
        return Ok(LoadModel::Search { search, spacing, most_users });
    }
    let arrivals = match &flags.stages {
        None => Arrivals::constant(rate, spacing),
        Some(stages) => Arrivals::stages(rate, stages, spacing),
    };
    Ok(LoadModel::Open { arrivals, most_users })
}

fn closed(flags: &RunFlags) -> Result<Users> {
    let Some(stages) = &flags.stages else {
        return Ok(Users::ramp(Ramp::new(flags.users.unwrap_or(1), flags.spawn_rate.unwrap_or(1.0))));
    };
    if flags.users.is_some() {
        return Err(Error::usage("--users", "cannot be combined with --stages, which say how many there are"));
    }
    if flags.spawn_rate.is_some() {
        return Err(Error::usage("--spawn-rate", "cannot be combined with --stages, which say when users start"));
    }
    let users = Users::stages(stages);
    match users.max_users() {
        0 => Err(Error::usage("--stages", "never reach a user")),
        most if most > MAX_USERS => Err(Error::usage("--stages", format!("go over {MAX_USERS} users"))),
        _ => Ok(users),
    }
}
