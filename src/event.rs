//! What the load reports besides outcomes: events of the swarm, why a run ended, and the requests in flight.

use std::time::Duration;

use crate::clock::Moment;
use crate::outcome::{ExtractTrouble, Failure, TlsTrouble};
use crate::plan::body_file::{BodyFileId, BodyFileTrouble};
use crate::plan::data::SourceId;
use crate::plan::endpoint::EndpointId;
use crate::plan::template::{RenderError, SlotId};

/// An event of the whole swarm with its time, because the aggregator may receive it later.
#[derive(Clone, Debug)]
pub struct SwarmEvent {
    /// When it happened.
    pub at: Moment,
    /// What.
    pub kind: SwarmEventKind,
}

/// Kinds of events of the whole swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwarmEventKind {
    /// The requested number of users is running; in the open model, the first plateau of the rate is reached.
    Spawned {
        /// Users.
        users: u32,
    },
    /// A user could not be started; no more will be, and the run is invalid.
    SpawnFailed {
        /// Users that run.
        users: u32,
        /// The system's error message.
        why: String,
    },
    /// An arrival was due while every user was busy and no more are allowed: a result, not a fault.
    UsersExhausted {
        /// Users that run.
        users: u32,
    },
    /// A user noticed something.
    Notice(Notice),
    /// `setup` failed, so that no user starts: the run is invalid.
    SetupFailed {
        /// The request that failed and how, or what else was wrong.
        why: String,
    },
    /// Why a response was not as expected, or did not have a value.
    Explanation(Box<Explanation>),
    /// A failed exchange that is to be shown.
    Exchange(Box<FailedExchange>),
}

/// What a response had beside what was wanted, in words: reported once an endpoint, kind and tick, because outcomes
/// have no texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What its outcome is counted as.
    pub failure: Failure,
    /// A sentence such as `/price is 37, not 5`, without secrets.
    pub text: String,
}

/// A failed exchange as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedExchange {
    /// Its number in the run or shard, from 1.
    pub number: u32,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What its outcome is counted as.
    pub failure: Failure,
    /// All of it, without secrets.
    pub text: String,
}

/// Something that a user noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A response did not have the value: the rest of the task was skipped.
    NotExtracted {
        /// Which value.
        variable: SlotId,
        /// What was wrong.
        trouble: ExtractTrouble,
    },
    /// A request was not sent because a value was missing or did not fit: the rest of the task was skipped.
    Unset(RenderError),
    /// All rows of a source are used up: users that need one end.
    DataEnd(SourceId),
    /// All rows of a source are used up, and the plan forbids that: the run is over and not valid.
    DataFailed(SourceId),
    /// Users have tasks for the end of the run, but there is no time for them.
    NoTimeToStop,
    /// A TLS connection could not be made.
    Tls(TlsTrouble),
    /// A file of a body could no longer be sent.
    BodyFile(BodyFileId, BodyFileTrouble),
    /// A list had as many items as it may have: further ones were not added.
    ListFull(SlotId),
    /// A loop `until` ended after its last round without its condition being met.
    PollGaveUp,
    /// `setup` has sent as many requests as it may send.
    SetupTooLong,
    /// When the run ended, there were users whose `on_start` had not passed.
    NotReady(NotReady),
    /// When the last user had ended, there was no time left for `teardown`.
    NoTimeForTeardown,
}

/// Users whose `on_start` had not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// Users whose `on_start` had passed.
    pub ready: u32,
    /// All users that began one.
    pub users: u32,
    /// The request at which it failed most often for users that never passed.
    pub endpoint: EndpointId,
    /// How often.
    pub failures: u64,
}

impl Notice {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 11;

    /// The number of its kind, below [`KINDS`](Self::KINDS).
    pub(crate) const fn kind(self) -> usize {
        match self {
            Self::NotExtracted { .. } => 0,
            Self::Unset(_) => 1,
            Self::DataEnd(_) | Self::DataFailed(_) => 2,
            Self::NoTimeToStop => 3,
            Self::Tls(_) => 4,
            Self::BodyFile(..) => 5,
            Self::ListFull(_) => 6,
            Self::PollGaveUp => 7,
            Self::SetupTooLong => 8,
            Self::NotReady(_) => 9,
            Self::NoTimeForTeardown => 10,
        }
    }
}

/// The requests of all users at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Requests started so far.
    pub sent: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Age of the oldest request in flight; zero if there is none.
    pub oldest: Duration,
}
