//! What users have to tell people, each kind once: load threads themselves print nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use crate::clock::Moment;
use crate::event::{Notice, SwarmEvent, SwarmEventKind};

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
