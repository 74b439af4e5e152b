//! What a shard's intervals count, each when its histograms are there and belong to it.

use super::join::Join;
use super::shard::{FailureTimes, OpenInterval};
use super::slots::PendingPiece;
use crate::clock::unix_time;
use crate::telemetry::claims::Contradiction;
use crate::telemetry::line::MAX_COUNT;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::vocabulary::{LineKind, Phase};

/// Pieces of the histograms of an interval: over an hour's every slot, twice, and those of each class of failures.
const MOST_PIECES: usize = 300;

impl Join {
    /// Takes an interval, or what had not ended: at once, or when the pieces of its histograms have come.
    pub(super) fn take_counted(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>, record: &str) {
        let pieces = line.histogram_lines;
        if pieces == 0 {
            self.count_line((index, number), line, &[]);
        } else if pieces > MOST_PIECES {
            self.contradict(index, number, "more pieces of a histogram than any has");
        } else {
            let open = OpenInterval { number, record: record.into(), left: pieces, pieces: Vec::new() };
            self.shard(index).open = Some(open);
        }
    }

    pub(super) fn take_piece(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>) {
        let Some(mut open) = self.shard(index).open.take() else {
            self.contradict(index, number, "a piece of a histogram without its interval");
            return;
        };
        open.pieces.push(PendingPiece {
            kind: line.histogram_kind(),
            class: line.failure_class(),
            histogram: (*line.histogram).into(),
        });
        open.left -= 1;
        if open.left > 0 {
            self.shard(index).open = Some(open);
            return;
        }
        // It was read before; what it borrows from was kept.
        if let Ok((_, whole)) = Line::read(open.record.as_bytes()) {
            self.count_line((index, open.number), &whole.telemetry, &open.pieces);
        }
    }

    /// The pieces of an interval end where another line begins.
    pub(super) fn end_pieces(&mut self, index: u32) {
        if let Some(open) = self.shards.get_mut(&index).and_then(|shard| shard.open.take()) {
            self.contradict(index, open.number, "an interval without all pieces of its histograms");
        }
    }

    fn count_line(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>, pieces: &[PendingPiece]) {
        if line.kind() != Some(LineKind::Unfinished) {
            return self.count_interval((index, number), line, pieces);
        }
        let room = self.room_for(index, line);
        match room.and_then(|()| line.unfinished_slots(pieces, &mut self.tools.decoder)) {
            Ok(slots) => self.count_unfinished(line, &slots),
            Err(why) => self.contradict(index, number, why),
        }
    }

    fn count_interval(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>, pieces: &[PendingPiece]) {
        let added = self.room_for(index, line).and_then(|()| line.slots(pieces, &mut self.tools.decoder));
        let slots = match added {
            Ok(slots) => slots,
            Err(why) => return self.contradict(index, number, why),
        };
        let tick = line.tick.unwrap_or(0);
        let tick = self.written.map_or(tick, |written| tick.max(written + 1));
        let endpoint = self.pending.entry(tick).or_default().add_interval(index, line, &slots, &mut self.tools);
        let shard = self.shard(index);
        shard.counts.ok += line.ok;
        shard.counts.failed += line.failed;
        shard.counts.aborted += line.aborted;
        shard.counts.redirects += line.redirects;
        shard.counts.reopened += line.reopened;
        shard.bytes += line.bytes_sent + line.bytes_received;
        shard.times_us += line.service.claim().sum_us.max(line.response.claim().sum_us);
        if line.failed > 0 {
            let unix = |time: &str| unix_time(time).unwrap_or_default().as_secs_f64();
            let (first_seen, last_seen) = (unix(&line.interval_start), unix(&line.interval_end));
            for (class, count) in &*line.failed_by_class {
                let warmup = if line.phase() == Phase::Warmup { *count } else { 0 };
                shard.note_failed(endpoint, *class, FailureTimes { count: *count, warmup, first_seen, last_seen });
            }
        }
    }

    /// Demands that the sums over all shards stay numbers, were each to count as much.
    fn room_for(&mut self, index: u32, line: &Telemetry<'_>) -> Result<(), Contradiction> {
        let shards = self.count_of_shards().max(1);
        let shard = self.shard(index);
        let counted = shard.counts.sent() + shard.counts.redirects + shard.counts.reopened;
        let more = line.ok + line.failed + line.aborted + line.unsent + line.redirects + line.reopened;
        let more = more.saturating_add(line.connections.count);
        let bytes = shard.bytes + line.bytes_sent + line.bytes_received;
        let times_us = shard.times_us.saturating_add(line.service.claim().sum_us.max(line.response.claim().sum_us));
        let most = MAX_COUNT / shards;
        let is_room = counted.saturating_add(more) <= most && bytes <= most && times_us <= (1 << 62) / shards;
        if is_room { Ok(()) } else { Err("counts that add up to more than any run has") }
    }

    fn count_of_shards(&self) -> u64 {
        self.run.as_ref().and_then(|run| run.plan.as_ref()).map_or(1, |plan| u64::from(plan.count))
    }
}
