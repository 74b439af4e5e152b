//! Notices from users to the person who runs the test, each kind once: load threads themselves print nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use super::outcome::ExtractTrouble;
use super::swarm::{SwarmEvent, SwarmEventKind};
use super::tls::trouble::TlsTrouble;
use crate::clock::Moment;
use crate::plan::data::SourceId;
use crate::plan::template::{SlotId, Unset};

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
    Unset(Unset),
    /// All rows of a source are used up: users that need one end.
    DataEnd(SourceId),
    /// All rows of a source are used up, and the plan forbids that: the run is over and not valid.
    DataFailed(SourceId),
    /// Users have tasks for the end of the run, but there is no time for them.
    NoTimeToStop,
    /// A TLS connection could not be made.
    Tls(TlsTrouble),
}

impl Notice {
    const KINDS: usize = 5;

    const fn kind(self) -> usize {
        match self {
            Self::NotExtracted { .. } => 0,
            Self::Unset(_) => 1,
            Self::DataEnd(_) | Self::DataFailed(_) => 2,
            Self::NoTimeToStop => 3,
            Self::Tls(_) => 4,
        }
    }
}

/// The kinds reported so far.
#[derive(Debug, Default)]
pub(super) struct Notices([AtomicBool; Notice::KINDS]);

impl Notices {
    /// Reports the first notice of each kind.
    pub(super) fn tell(&self, notice: Notice, at: Moment, events: &Sender<SwarmEvent>) {
        if !self.0[notice.kind()].swap(true, Ordering::Relaxed) {
            // Cannot fail: the aggregator receives events as long as there are users.
            let _ = events.send(SwarmEvent { at, kind: SwarmEventKind::Notice(notice) });
        }
    }
}
