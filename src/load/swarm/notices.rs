//! What users have to tell people, each kind once: load threads themselves print nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use super::start::{SwarmEvent, SwarmEventKind};
use crate::clock::Moment;
use crate::load::net::tls::trouble::TlsTrouble;
use crate::load::outcome::ExtractTrouble;
use crate::plan::data::SourceId;
use crate::plan::template::{SlotId, Unset};

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

/// Which kinds were told.
#[derive(Debug, Default)]
pub(in crate::load) struct Notices([AtomicBool; Notice::KINDS]);

impl Notices {
    /// Tells the first of each kind.
    pub(in crate::load) fn tell(&self, notice: Notice, at: Moment, events: &Sender<SwarmEvent>) {
        if !self.0[notice.kind()].swap(true, Ordering::Relaxed) {
            // The aggregator takes them as long as there are users; it cannot be gone before.
            let _ = events.send(SwarmEvent { at, kind: SwarmEventKind::Notice(notice) });
        }
    }
}
