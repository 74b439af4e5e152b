//! The shards' lines joined on their ticks: pure, no clock and no file, so that whichever line comes first the same
//! comes out.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use super::admit::EarlyLines;
use super::output::can_pass;
use super::run::RunIdentity;
use super::samples::ShardSample;
use super::shard::{ShardStage, ShardState};
use super::ticks::{self, ForwardedLine, ReadBuffers, ShardTick, Tick};
use super::totals::{ErrorTotal, Extra, MergeTotals};
use super::troubles::{MergeTroubleKind as Trouble, MergeTroubles};
use super::unfinished;
use crate::clock::unix_time;
use crate::stats::tally::Counts;
use crate::stats::unfinished::Unfinished;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::reader::form::rewritten;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::telemetry::reader::sample::sample;
use crate::telemetry::reader::value::ReasonValue;
use crate::telemetry::text::{MAX_NAME, clipped};
use crate::vocabulary::{LineKind, ReasonKind, StatsType, Status, Verdict};

/// What a line was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineUse {
    /// It could not be read.
    Torn,
    /// It was taken, or was none to be taken.
    Read,
    /// It was the last of a tick, or of a stream: the master may have something to say.
    Progress,
}

/// The merge as it stands.
#[derive(Default)]
pub(super) struct Join {
    pub(super) run: Option<RunIdentity>,
    pub(super) shards: BTreeMap<u32, ShardState>,
    /// Ticks that are not written yet.
    pub(super) pending: BTreeMap<u64, Tick>,
    /// How many of the shards that go on have told of each tick last, one more than its number; 0: of none.
    pub(super) going: BTreeMap<u64, usize>,
    /// The last tick that a shard has told of.
    pub(super) foremost: u64,
    /// The last tick that is written.
    pub(super) written: Option<u64>,
    pub(super) tools: ReadBuffers,
    pub(super) totals: MergeTotals,
    /// Unfinished requests.
    pub(super) unfinished: BTreeMap<unfinished::EndpointPhase, Unfinished>,
    pub(super) troubles: MergeTroubles,
    /// What shards say that is worth knowing, and no fault.
    pub(super) notes: Vec<VerdictReason>,
    /// Shards of which nothing came by the time that it was missed.
    pub(super) unseen: BTreeSet<u32>,
    /// Lines of workers that came after their last tick.
    pub(super) closing: BTreeMap<u32, Vec<ForwardedLine>>,
    /// The latest time of a line, since the Unix epoch.
    pub(super) latest: Duration,
    pub(super) inputs: Vec<String>,
    noted: HashSet<String>,
    /// Inputs and shards of which nothing is taken.
    pub(super) refused: HashSet<(usize, u32)>,
    /// Input, `source_id` and number of the shard whose line was taken last: mostly the next one's too.
    pub(super) last_source: (usize, String, u32),
    /// What came before a shard's config, or without it, by input, shard and run.
    pub(super) begun: BTreeMap<(usize, u32, String), EarlyLines>,
    /// The time that was read last, as text and since the Unix epoch: mostly the next line's too.
    pub(super) last_time: (String, Duration),
}

impl Join {
    /// A merge of inputs with these names.
    pub(super) fn new(inputs: Vec<String>) -> Self {
        Self { inputs, ..Self::default() }
    }

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
            LineKind::TestStart | LineKind::Check => {}
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

    /// The shard with a number that was admitted.
    pub(super) fn shard(&mut self, index: u32) -> &mut ShardState {
        self.shards.entry(index).or_insert_with(|| ShardState::new(0))
    }

    pub(super) fn name(&self, input: usize) -> &str {
        self.inputs.get(input).map_or("", String::as_str)
    }

    pub(super) fn once(&mut self, kind: Trouble, sentence: String) {
        /// Sentences that are told apart; an input may hold anything.
        const MOST: usize = 10_000;
        if self.noted.len() < MOST && self.noted.insert(sentence.clone()) {
            self.troubles.add(kind, sentence);
        }
    }

    /// The tick that a line of this tick counts for: that of a late shard is written already, so it is the next.
    fn tick(&mut self, tick: u64) -> &mut Tick {
        let tick = self.written.map_or(tick, |written| tick.max(written + 1));
        self.pending.entry(tick).or_default()
    }

    fn demand_room(&mut self, index: u32, has_room: bool) {
        if !has_room {
            self.once(Trouble::Wrong, format!("shard {index}: more lines in a tick than any has; they are left out"));
        }
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

    pub(super) fn note_time(&mut self, unix: Duration) {
        self.latest = self.latest.max(unix);
    }

    /// A shard that goes on has told of another tick; `None` where it no longer goes on.
    pub(super) fn move_going(&mut self, from: Option<u64>, to: Option<u64>) {
        let key = |tick: Option<u64>| tick.map_or(0, |tick| tick + 1);
        if let Some(count) = self.going.get_mut(&key(from)) {
            *count -= 1;
            if *count == 0 {
                self.going.remove(&key(from));
            }
        }
        if to.is_some() {
            *self.going.entry(key(to)).or_default() += 1;
        }
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
            self.troubles.add(Trouble::Invalid, format!("shard {index} is not valid: {reasons}"));
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

    /// The shard goes no further.
    pub(super) fn leave(&mut self, index: u32, stage: ShardStage) {
        let shard = self.shard(index);
        if shard.stage != ShardStage::Going {
            return;
        }
        shard.stage = stage;
        let (tick, passed) = (shard.tick, std::mem::take(&mut shard.passed));
        let reached = std::mem::take(&mut shard.reached);
        shard.spawned.extend(reached.into_iter().map(|users| (u64::MAX, users)));
        self.closing.entry(index).or_default().extend(passed);
        self.move_going(tick, None);
    }

    /// An input is over: what came from it and has no end is cut off.
    pub(super) fn end_input(&mut self, input: usize) {
        let cut: Vec<u32> = self.shards.iter().filter(|(_, shard)| shard.input == input).map(|(k, _)| *k).collect();
        for index in cut {
            self.leave(index, ShardStage::CutOff);
        }
    }

    /// An input cannot be read to its end.
    pub(super) fn note_damage(&mut self, input: usize, what: &str) {
        let sentence = format!("{}: {what}", self.name(input));
        self.once(Trouble::Damaged, sentence);
    }

    /// A signal came before these inputs were over.
    pub(super) fn note_given_up(&mut self, names: &[String]) {
        /// Inputs that are named; there may be thousands.
        const MOST: usize = 5;
        if let Some((named, rest)) = names.split_at_checked(MOST.min(names.len())).filter(|_| !names.is_empty()) {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let sentence = format!("a signal came before the end of {}{more}", named.join(", "));
            self.troubles.add(Trouble::Interrupted, sentence);
        }
    }

    /// The last tick that the shard has told of whose line was taken last.
    pub(super) fn told(&self) -> Option<u64> {
        self.shards.get(&self.last_source.2).and_then(|shard| shard.tick)
    }
}
