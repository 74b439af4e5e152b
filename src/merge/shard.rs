//! One shard, as its stream tells.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::forward::ForwardedLine;
use super::slots::PendingPiece;
use super::ticks::ShardTick;
use super::totals::Extra;
use crate::stats::tally::Counts;
use crate::vocabulary::{EndReason, FailureClass};

/// Where a shard's stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShardStage {
    /// More is to come.
    Going,
    /// It has come to its end.
    Ended,
    /// Its input is over, it is not.
    CutOff,
}

/// Failures, and in which intervals they were, in Unix seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailureTimes {
    pub(super) count: u64,
    /// How many of them were in the warm-up.
    pub(super) warmup: u64,
    pub(super) first_seen: f64,
    pub(super) last_seen: f64,
}

/// An interval some of whose histograms are in lines of their own, until all have come: as text, for it is counted whole
/// or not at all. A report, which shows the counts of an interval even if a histogram is lost, reads each piece as it
/// comes (`report/model/pending.rs`); what both demand of a whole one is [`Distribution`](crate::telemetry::claims).
#[derive(Debug)]
pub(super) struct OpenInterval {
    /// Number of its line in the input.
    pub(super) number: u64,
    pub(super) record: Box<str>,
    /// Pieces that are still to come.
    pub(super) left: usize,
    pub(super) pieces: Vec<PendingPiece>,
}

/// A shard.
#[derive(Debug)]
pub(super) struct ShardState {
    /// Where its lines come from.
    pub(super) input: usize,
    pub(super) stage: ShardStage,
    pub(super) seq: u64,
    /// Lines that did not come, as its numbers tell.
    pub(super) lost: u64,
    /// The last tick that it has completed.
    pub(super) tick: Option<u64>,
    /// The tick of its last line that had one.
    telling: Option<u64>,
    pub(super) is_late: bool,
    /// When it started, since the Unix epoch.
    pub(super) started: Option<Duration>,
    /// Users and rates as last shown in the master's stream.
    pub(super) users: u32,
    pub(super) extra: Extra,
    /// Requests begun, as last shown.
    pub(super) sent: u64,
    /// What its intervals add up to.
    pub(super) counts: Counts,
    /// Failures by endpoint and class that no line about an error has told of yet.
    pub(super) failed: BTreeMap<(usize, FailureClass), FailureTimes>,
    /// Body bytes that its intervals add up to, and times in microseconds.
    pub(super) bytes: u64,
    pub(super) times_us: u64,
    /// Failures that lines about errors have told of.
    pub(super) errors: u64,
    /// Lines of it that were not believed: it cannot add up.
    pub(super) contradictions: u64,
    /// When its last line was made, since the Unix epoch.
    pub(super) unix: Option<Duration>,
    /// What it says at its end.
    pub(super) end: Option<Counts>,
    /// Users that were reached, each time, and in which tick.
    pub(super) spawned: VecDeque<(u64, u32)>,
    /// End of its load, since the Unix epoch, in seconds.
    pub(super) load_end: f64,
    /// When its stop began, and why.
    pub(super) stopped: Option<(Duration, EndReason)>,
    /// Of the tick that it is telling of: users and rates,
    pub(super) current: (u32, Extra),
    /// lines to be passed on,
    pub(super) passed: Vec<ForwardedLine>,
    /// numbers of users reached,
    pub(super) reached: Vec<u32>,
    /// and the last interval, where pieces of its histograms are still to come.
    pub(super) open: Option<OpenInterval>,
}

impl ShardState {
    /// A shard of which nothing is known but where it comes from.
    pub(super) fn new(input: usize) -> Self {
        Self {
            input,
            stage: ShardStage::Going,
            seq: 0,
            lost: 0,
            tick: None,
            telling: None,
            is_late: false,
            started: None,
            users: 0,
            extra: Extra::default(),
            sent: 0,
            counts: Counts::default(),
            failed: BTreeMap::new(),
            end: None,
            spawned: VecDeque::new(),
            load_end: 0.0,
            stopped: None,
            current: (0, Extra::default()),
            passed: Vec::new(),
            reached: Vec::new(),
            open: None,
            unix: None,
            bytes: 0,
            times_us: 0,
            errors: 0,
            contradictions: 0,
        }
    }

    /// Takes note of a line's number; returns whether the line is new. A report puts a line that comes late in its place
    /// (`telemetry/reader/sequence.rs`); a merge cannot, as its tick may be written already, so it keeps no gaps.
    pub(super) const fn follows(&mut self, seq: u64) -> bool {
        if seq <= self.seq {
            return false;
        }
        self.lost += seq - self.seq - 1;
        self.seq = seq;
        true
    }

    /// Takes note of the number of a line that is not believed, unless it is the number that is not.
    pub(super) const fn follows_closely(&mut self, seq: u64) {
        if seq == self.seq + 1 {
            self.seq = seq;
        }
    }

    /// Whether all that it has said by now was taken, so that it must add up.
    pub(super) const fn is_whole(&self) -> bool {
        self.lost == 0 && self.contradictions == 0
    }

    /// Takes note of the tick of a line; gives the one before where that is over and its last line did not come.
    pub(super) fn turns_to(&mut self, tick: u64) -> Option<u64> {
        let before = self.telling.filter(|before| *before >= tick);
        let before = if before.is_some() { None } else { self.telling.replace(tick) };
        before.filter(|before| self.tick.is_none_or(|told| told < *before))
    }

    /// Keeps a line to be passed on; returns whether there was room.
    pub(super) fn keep(&mut self, line: &[u8]) -> bool {
        /// Lines of one tick: CPU, memory, network and what there is to warn of. A stream that never ends a tick is broken.
        const MOST: usize = 1000;
        let has_room = self.passed.len() < MOST;
        if has_room {
            self.passed.push(line.into());
        }
        has_room
    }

    /// Notes a number of users that was reached; returns whether there was room.
    pub(super) fn reach(&mut self, users: u32) -> bool {
        /// Numbers that wait for those of the other shards: stages, each two at most.
        const MOST: usize = 10_000;
        let has_room = self.reached.len() + self.spawned.len() < MOST;
        if has_room {
            self.reached.push(users);
        }
        has_room
    }

    /// Notes failures of an interval.
    pub(super) fn note_failed(&mut self, endpoint: usize, class: FailureClass, failed: FailureTimes) {
        let known = self.failed.entry((endpoint, class)).or_insert(FailureTimes { count: 0, warmup: 0, ..failed });
        known.count += failed.count;
        known.warmup += failed.warmup;
        known.last_seen = failed.last_seen;
    }

    /// A line about an error tells of failures that were noted; gives how many of them.
    pub(super) fn tell_failed(&mut self, endpoint: usize, error: &str, occurrences: u64) -> u64 {
        let mut left = occurrences;
        // `other errors` may be of any class.
        let class = error.split(':').next().and_then(FailureClass::parse);
        let is_of_any = error == "other errors";
        for ((at, known), failed) in &mut self.failed {
            if *at == endpoint && (Some(*known) == class || is_of_any) {
                let told = failed.count.min(left);
                failed.count -= told;
                failed.warmup = failed.warmup.min(failed.count);
                left -= told;
            }
        }
        self.failed.retain(|_, failed| failed.count > 0);
        occurrences - left
    }

    /// What it shows from now on.
    pub(super) fn show(&mut self, report: &ShardTick) {
        (self.users, self.extra) = (report.users, report.extra);
        self.sent = report.health.as_ref().map_or(self.sent, |health| health.sent);
    }

    /// Users and rates in a tick: none any more once it has ended, but for the tick in which the others end.
    pub(super) fn shown(&self, tick: u64) -> (u32, Extra) {
        let is_over = self.stage != ShardStage::Going && self.tick.is_none_or(|told| told + 1 < tick);
        if is_over { (0, Extra { rps: 0.0, fail_per_sec: 0.0, ..self.extra }) } else { (self.users, self.extra) }
    }

    /// Whether it has told of a tick, or will tell no more.
    pub(super) fn has_told(&self, tick: u64) -> bool {
        self.stage != ShardStage::Going || self.tick.is_some_and(|told| told >= tick)
    }
}
