//! Notices from users to the person who runs the test, each kind once: load threads themselves print nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use crate::clock::Moment;
use crate::event::{Notice, SwarmEvent, SwarmEventKind};

/// The kinds reported so far.
#[derive(Debug, Default)]
pub(in crate::load) struct Notices([AtomicBool; Notice::KINDS]);

impl Notices {
    /// Reports the first notice of each kind.
    pub(in crate::load) fn report(&self, notice: Notice, at: Moment, events: &Sender<SwarmEvent>) {
        if !self.0[notice.kind()].swap(true, Ordering::Relaxed) {
            // Cannot fail: the aggregator receives events as long as there are users.
            let _ = events.send(SwarmEvent { at, kind: SwarmEventKind::Notice(notice) });
        }
    }
}
