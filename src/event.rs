//! What the load reports besides outcomes: events of the swarm, why a run ended, and the requests in flight.

use std::time::Duration;

use crate::clock::Moment;
use crate::outcome::{ExtractTrouble, TlsTrouble};
use crate::plan::data::SourceId;
use crate::plan::template::{SlotId, Unset};

/// Something that happened to the swarm as a whole, and when: the aggregator may hear of it later.
#[derive(Clone, Debug)]
pub struct SwarmEvent {
    /// When it happened.
    pub at: Moment,
    /// What.
    pub kind: SwarmEventKind,
}

/// What happens to the swarm as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwarmEventKind {
    /// The number of users asked for is at work; in the open model, the first plateau of the rate.
    Spawned {
        /// Users.
        users: u32,
    },
    /// A user could not be started; no more will be, and the run is not valid.
    SpawnFailed {
        /// Users that run.
        users: u32,
        /// What the system said.
        why: String,
    },
    /// An arrival was due while every user was busy and there may be no more: a result, not a fault.
    UsersExhausted {
        /// Users that run.
        users: u32,
    },
    /// A user came upon something.
    Notice(Notice),
}

/// Something that a user came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An answer had no such value: the rest of the task was skipped.
    NotExtracted {
        /// Which value.
        variable: SlotId,
        /// Where it was looked for.
        trouble: ExtractTrouble,
    },
    /// A request was not sent, as a value was not there or did not fit: the rest of the task was skipped.
    Unset(Unset),
    /// Every row of a source is taken: users that need one end.
    DataEnd(SourceId),
    /// Every row of a source is taken, which must not be: the run is over and not valid.
    DataFailed(SourceId),
    /// Users have something to do at the end, and no time for it.
    NoTimeToStop,
    /// A TLS connection could not be made.
    Tls(TlsTrouble),
}

impl Notice {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 5;

    /// The number of its kind, below [`KINDS`](Self::KINDS).
    pub(crate) const fn kind(self) -> usize {
        match self {
            Self::NotExtracted { .. } => 0,
            Self::Unset(_) => 1,
            Self::DataEnd(_) | Self::DataFailed(_) => 2,
            Self::NoTimeToStop => 3,
            Self::Tls(_) => 4,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `--run-time` is over.
    RunTime,
    /// `--requests` are started.
    Requests,
    /// The last stage is over.
    Stages,
    /// SIGINT, SIGTERM or SIGHUP.
    Signal,
    /// A check with `abort` was clearly missed.
    CheckAbort,
    /// No user is left that has data, or there must always be data.
    DataEnd,
    /// Not one user could be started.
    NoUsers,
    /// Nobody takes the stream any more; no line can tell.
    StreamBroken,
}

impl Reason {
    /// The word in `locust.tl.event.test.stop`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunTime => "run_time",
            Self::Requests => "requests",
            Self::Stages => "stages",
            Self::Signal => "signal",
            Self::CheckAbort => "check_abort",
            Self::DataEnd => "data_end",
            Self::NoUsers => "no_users",
            Self::StreamBroken => "stream_broken",
        }
    }
}

/// The requests of all users at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Requests begun so far.
    pub sent: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Age of the oldest of them; zero without any.
    pub oldest: Duration,
}
