//! Takes the lines of shards, each kind to where it belongs.

use super::forward::can_pass;
use super::join::Join;
use super::samples::ShardSample;
use super::shard::ShardStage;
use super::ticks::{self, ShardTick};
use super::totals::{ErrorTotal, Extra};
use super::troubles::MergeTrouble;
use crate::clock::unix_time;
use crate::stats::tally::Counts;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::reader::form::rewritten;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::telemetry::reader::sample::sample;
use crate::telemetry::reader::value::ReasonValue;
use crate::telemetry::text::{MAX_NAME, clipped};
use crate::vocabulary::{LineKind, ReasonKind, StatsType, Status, Verdict};

/// The use that was made of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineUse {
    /// It could not be read.
    Torn,
    /// It was taken, or was none to be taken.
    Read,
    /// It was the last of a tick, or of a stream: the master may have something to say.
    Progress,
}

impl Join {
    /// Takes a record, which is line `number` of an input.
    pub(super) fn take(&mut self, input: usize, number: u64, record: &[u8]) -> LineUse {
        let Ok((text, line)) = Line::read(record) else { return LineUse::Torn };
        let Some(index) = self.admit((input, number), text, &line) else { return LineUse::Read };
        let telemetry = &line.telemetry;
        if telemetry.kind() != Some(LineKind::Histogram) {
            self.end_pieces(index);
        }
        let over = telemetry.tick.and_then(|tick| self.shard(index).turns_to(tick));
        if let Some(before) = over {
            self.end_tick(index, before, None);
        }
        let taken = self.take_of((index, number), &line, text);
        if over.is_some() { LineUse::Progress } else { taken }
    }

    /// Takes a record of a shard.
    fn take_of(&mut self, (index, number): (u32, u64), line: &Line<'_>, record: &str) -> LineUse {
        let telemetry = &line.telemetry;
        let Some(kind) = telemetry.kind() else { return LineUse::Read };
        match kind {
            LineKind::Interval | LineKind::Unfinished => {
                self.take_counted((index, number), telemetry, record);
            }
            LineKind::Histogram => self.take_piece((index, number), telemetry),
            LineKind::Health => {
                self.note_time(line.unix());
                self.end_tick(index, telemetry.tick.unwrap_or(0), Some(line));
                return LineUse::Progress;
            }
            LineKind::Sample => self.take_sample(index, telemetry),
            LineKind::Stats => self.take_stats((index, number), line),
            LineKind::Cpu | LineKind::Mem | LineKind::Network | LineKind::CpuWarning | LineKind::Warning => {
                if line.has_envelope() {
                    self.pass((index, number), record);
                } else {
                    self.contradict(index, number, "a line without its level, logger or message");
                }
            }
            LineKind::Exchange => {
                let plan = self.run.as_ref().and_then(|run| run.plan.as_ref());
                let each = plan.and_then(|plan| plan.number("debug-failures")).unwrap_or(0);
                if self.exchanges.admits(index, telemetry, each) {
                    self.pass((index, number), record);
                }
            }
            LineKind::Config => self.take_config(index, line),
            LineKind::SpawnComplete => {
                let has_room = self.shard(index).reach(telemetry.user_count);
                self.demand_room(index, has_room);
            }
            LineKind::TestStop => {
                let stopped = unix_time(&telemetry.stopped_at).unwrap_or_default();
                self.shard(index).stopped = telemetry.reason.0.map(|reason| (stopped, reason));
            }
            LineKind::RunEnd => {
                self.take_end(index, line);
                return LineUse::Progress;
            }
            // A search has no shards.
            LineKind::TestStart | LineKind::Shard | LineKind::Check | LineKind::Step => {}
        }
        LineUse::Read
    }

    /// Keeps a line of a shard that goes into the master's stream, in the form that a stream has.
    fn pass(&mut self, (index, number): (u32, u64), record: &str) {
        let rewritten = if can_pass(record.as_bytes()) {
            None
        } else if let Some(text) = rewritten(record).filter(|text| can_pass(text.as_bytes())) {
            Some(text)
        } else {
            return self.contradict(index, number, "a line of another form than ours");
        };
        let has_room = self.shard(index).keep(rewritten.as_deref().unwrap_or(record).as_bytes());
        self.demand_room(index, has_room);
    }

    /// A shard has told all of a tick, with its line about itself where that came.
    fn end_tick(&mut self, index: u32, tick: u64, health: Option<&Line<'_>>) {
        let shard = self.shard(index);
        let before = shard.tick.replace(tick);
        let ((users, extra), passed) = (shard.current, std::mem::take(&mut shard.passed));
        let reached = std::mem::take(&mut shard.reached);
        shard.spawned.extend(reached.into_iter().map(|users| (tick, users)));
        let unix = health.map(Line::unix);
        let health = health.map(|line| ticks::health(&line.telemetry));
        let report = ShardTick { shard: index, unix, users, extra, health, passed };
        self.tick(tick).add_report(report);
        self.move_going(before, Some(tick));
        self.foremost = self.foremost.max(tick);
    }

    fn take_stats(&mut self, (index, number): (u32, u64), line: &Line<'_>) {
        let telemetry = &line.telemetry;
        match (telemetry.stats_type.0, telemetry.status.0) {
            (Some(StatsType::Current), _) => self.shard(index).current = (telemetry.user_count, Extra::of(telemetry)),
            (Some(StatsType::Final), _) => self.take_final((index, number), telemetry),
            (_, Some(Status::Success)) => {
                let number = self.tools.endpoints.number(&telemetry.method, &telemetry.name);
                self.totals.endpoint(number).extra.add(&Extra::of(telemetry));
            }
            (_, Some(Status::Error)) => self.take_error((index, number), telemetry),
            _ => {}
        }
    }

    fn take_sample(&mut self, index: u32, line: &Telemetry<'_>) {
        let endpoint = self.tools.endpoints.number(&line.method, &line.name);
        let started = self.shard(index).started.unwrap_or_default();
        let sample = ShardSample { shard: index, started, event: sample(line) };
        self.tick(line.tick.unwrap_or(0)).samples.add(endpoint, &sample);
    }

    fn take_final(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>) {
        let shard = self.shard(index);
        let counted = (shard.counts.completed(), shard.counts.failed);
        if shard.is_whole() && (line.num_requests, line.num_failures) != counted {
            self.contradict(index, number, "the final line does not count what the intervals count");
            return;
        }
        let shard = self.shard(index);
        shard.current = (line.user_count, Extra::of(line));
        if line.total_rps > 0.0 {
            let seconds = line.num_requests as f64 / line.total_rps;
            shard.load_end = shard.started.unwrap_or_default().as_secs_f64() + seconds;
        }
    }

    fn take_error(&mut self, (index, number): (u32, u64), line: &Telemetry<'_>) {
        let shard = self.shard(index);
        let told = shard.errors.saturating_add(line.occurrences);
        if shard.is_whole() && told > shard.counts.failed {
            self.contradict(index, number, "errors that occurred more often than requests failed");
            return;
        }
        shard.errors = told;
        let endpoint = self.tools.endpoints.number(&line.method, &line.name);
        // No more than failed, so that the errors of all shards add up to their failures.
        let occurrences = self.shard(index).tell_failed(endpoint, &line.error, line.occurrences);
        if occurrences == 0 {
            return;
        }
        self.totals.endpoint(endpoint).add_error(&ErrorTotal {
            text: clipped(&line.error, MAX_NAME).into_owned(),
            occurrences,
            warmup: line.warmup_occurrences.min(occurrences),
            first_seen: line.first_seen,
            last_seen: line.last_seen,
        });
    }

    fn take_end(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        self.note_time(line.unix());
        let Telemetry { ok, failed, aborted, redirects, reopened, .. } = *telemetry;
        if telemetry.verdict.0 == Some(Verdict::Invalid) {
            let reasons = telemetry.reasons.iter().map(ReasonValue::text).collect::<Vec<_>>().join("; ");
            self.troubles.add(MergeTrouble::Invalid, format!("shard {index} is not valid: {reasons}"));
        }
        for reason in telemetry.reasons.iter().filter(|reason| reason.kind() == Some(ReasonKind::DataEnd)) {
            self.notes.push(VerdictReason::new(ReasonKind::DataEnd, format!("shard {index}: {}", reason.text())));
        }
        let shard = self.shard(index);
        if let Some(seconds) = telemetry.load_seconds {
            shard.load_end = shard.started.unwrap_or_default().as_secs_f64() + seconds;
        }
        shard.end = Some(Counts { ok, failed, aborted, redirects, reopened });
        self.leave(index, ShardStage::Ended);
    }
}
