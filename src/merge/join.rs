//! The shards' lines joined on their ticks: pure, no clock and no file, so that whichever line comes first the same
//! comes out.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use super::run::Run;
use super::shard::{Failed, Shard, Stage};
use super::ticks::{self, Passed, Report, Tick, Tools};
use super::totals::{ErrorTotal, Extra, Totals};
use super::troubles::{Kind as Trouble, Troubles};
use super::unfinished;
use super::wire::{self, Line, Telemetry};
use crate::clock::unix_time;
use crate::stats::interval::Kind;
use crate::stats::tally::Counts;
use crate::stats::unfinished::Unfinished;
use crate::stats::verdict::{ReasonKind, VerdictReason};

/// What a line was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
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
    pub(super) run: Option<Run>,
    pub(super) shards: BTreeMap<u32, Shard>,
    /// Ticks that are not written yet.
    pub(super) pending: BTreeMap<u64, Tick>,
    /// How many of the shards that go on have told of each tick last, one more than its number; 0: of none.
    pub(super) going: BTreeMap<u64, usize>,
    /// The last tick that a shard has told of.
    pub(super) foremost: u64,
    /// The last tick that is written.
    pub(super) written: Option<u64>,
    pub(super) tools: Tools,
    pub(super) totals: Totals,
    /// What had not ended.
    pub(super) unfinished: BTreeMap<unfinished::Key, Unfinished>,
    pub(super) troubles: Troubles,
    /// What shards say that is worth knowing, and no fault.
    pub(super) notes: Vec<VerdictReason>,
    /// Shards of which nothing came by the time that it was missed.
    pub(super) unseen: BTreeSet<u32>,
    /// Lines of workers that came after their last tick.
    pub(super) closing: BTreeMap<u32, Vec<Passed>>,
    /// The latest time of a line, since the Unix epoch.
    pub(super) latest: Duration,
    inputs: Vec<String>,
    noted: HashSet<String>,
    /// Inputs and shards of which nothing is taken.
    pub(super) refused: HashSet<(usize, u32)>,
    /// Input, `source_id` and number of the shard whose line was taken last: mostly the next one's too.
    last_source: (usize, String, u32),
}

impl Join {
    /// A merge of inputs with these names.
    pub(super) fn new(inputs: Vec<String>) -> Self {
        Self { inputs, ..Self::default() }
    }

    /// Takes a record of an input.
    pub(super) fn take(&mut self, input: usize, record: &[u8]) -> Taken {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(record) else { return Taken::Torn };
        let Some(index) = self.admit(input, &line.telemetry) else { return Taken::Read };
        let telemetry = &line.telemetry;
        let over = telemetry.tick.and_then(|tick| self.shard(index).turns_to(tick));
        if let Some(before) = over {
            self.end_tick(index, before, None);
        }
        let taken = self.take_of(index, &line, record);
        if over.is_some() { Taken::Progress } else { taken }
    }

    /// Takes a record of a shard.
    fn take_of(&mut self, index: u32, line: &Line<'_>, record: &[u8]) -> Taken {
        let telemetry = &line.telemetry;
        match telemetry.telemetry_name {
            "swarmline.metric.interval" => self.take_interval(index, telemetry),
            "swarmline.metric.histogram" if telemetry.kind.starts_with("unfinished_") => {
                self.take_unfinished_piece(index, telemetry.kind, telemetry.histogram);
            }
            "swarmline.metric.histogram" => self.take_piece(index, telemetry),
            "swarmline.metric.unfinished" => self.take_unfinished(index, telemetry),
            "swarmline.metric.health" => {
                self.note_time(line.unix());
                self.end_tick(index, telemetry.tick.unwrap_or(0), Some(line));
                return Taken::Progress;
            }
            "locust.tl.request.metric.stats" => self.take_stats(index, line),
            "locust.tl.system.metric.cpu"
            | "locust.tl.system.metric.mem"
            | "locust.tl.system.metric.network"
            | "locust.tl.event.cpu.warning"
            | "swarmline.event.warning" => {
                let has_room = self.shard(index).keep(record);
                self.demand_room(index, has_room);
            }
            "swarmline.event.config" => self.take_config(index, line),
            "locust.tl.event.spawn.complete" => {
                let has_room = self.shard(index).reach(telemetry.user_count);
                self.demand_room(index, has_room);
            }
            "locust.tl.event.test.stop" => {
                let stopped = unix_time(telemetry.stopped_at).unwrap_or_default();
                self.shard(index).stopped = Some((stopped, telemetry.reason.to_owned()));
            }
            "swarmline.event.run.end" => {
                self.take_end(index, line);
                return Taken::Progress;
            }
            _ => {}
        }
        Taken::Read
    }

    /// The shard with a number that was admitted.
    pub(super) fn shard(&mut self, index: u32) -> &mut Shard {
        self.shards.entry(index).or_insert_with(|| Shard::new(0))
    }

    fn name(&self, input: usize) -> &str {
        self.inputs.get(input).map_or("", String::as_str)
    }

    /// The number of the shard that a line is of, if it is to be taken.
    fn admit(&mut self, input: usize, line: &Telemetry<'_>) -> Option<u32> {
        let index = self.index_of(input, line)?;
        if self.refused.contains(&(input, index)) {
            return None;
        }
        let run = self.run.get_or_insert_with(|| Run {
            run_id: line.run_id.to_owned(),
            testplan: line.testplan.clone().into_owned(),
            plan: None,
        });
        if run.run_id != line.run_id {
            let sentence = format!(
                "{}: shard {index} is of run {}, the others of {}",
                self.inputs[input], line.run_id, run.run_id
            );
            self.once(Trouble::Foreign, sentence);
            return None;
        }
        let shard = self.shards.entry(index).or_insert_with(|| {
            *self.going.entry(0).or_default() += 1;
            Shard::new(input)
        });
        if shard.input != input {
            let (one, two) = (shard.input, input);
            let sentence = format!("shard {index} is there twice: {} and {}", self.inputs[one], self.inputs[two]);
            self.once(Trouble::Twice, sentence);
            return None;
        }
        if !shard.follows(line.seq) {
            let sentence = format!("shard {index} is there twice in {}", self.inputs[input]);
            self.once(Trouble::Twice, sentence);
            return None;
        }
        Some(index)
    }

    fn index_of(&mut self, input: usize, line: &Telemetry<'_>) -> Option<u32> {
        if self.last_source.0 == input && self.last_source.1 == line.source_id {
            return Some(self.last_source.2);
        }
        let index = line.source_id.strip_prefix("worker-").and_then(|index| index.parse().ok());
        let Some(index) = index.filter(|_| line.source == "WorkerRunner") else {
            let what = match line.source {
                "LocalRunner" => "a run on its own; swarmline report reads it",
                "MasterRunner" => "what merge wrote; give the shards' streams",
                _ => "no shard",
            };
            let sentence = format!("{}: the stream of {what}", self.name(input));
            self.once(Trouble::Foreign, sentence);
            return None;
        };
        self.last_source = (input, line.source_id.to_owned(), index);
        Some(index)
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

    fn take_interval(&mut self, index: u32, line: &Telemetry<'_>) {
        let tick = line.tick.unwrap_or(0);
        let tick = self.written.map_or(tick, |written| tick.max(written + 1));
        let pending = self.pending.entry(tick).or_default();
        let added = pending.add_interval(index, line, &mut self.tools);
        let counts = &mut self.shard(index).counts;
        counts.ok += line.ok;
        counts.failed += line.failed;
        counts.aborted += line.aborted;
        counts.redirects += line.redirects;
        counts.reopened += line.reopened;
        let kind = if line.response_is_service { Kind::Both } else { Kind::Service };
        match added {
            Ok(number) => {
                let shard = self.shard(index);
                shard.interval = Some((number, kind));
                if line.failed > 0 {
                    let unix = |time| unix_time(time).unwrap_or_default().as_secs_f64();
                    let (first_seen, last_seen) = (unix(line.interval_start), unix(line.interval_end));
                    for (class, count) in line.failed() {
                        shard.note_failed(number, class, Failed { count, first_seen, last_seen });
                    }
                }
            }
            Err(why) => self.once(Trouble::Wrong, format!("shard {index}: {why}")),
        }
    }

    fn take_piece(&mut self, index: u32, line: &Telemetry<'_>) {
        let Some((number, service)) = self.shard(index).interval else { return };
        let kind = if line.kind == "response" { Kind::Response } else { service };
        let tick = line.tick.unwrap_or(0);
        let tick = self.written.map_or(tick, |written| tick.max(written + 1));
        let pending = self.pending.entry(tick).or_default();
        if let Err(why) = pending.add_piece(number, kind, line.histogram, &mut self.tools.decoder) {
            self.once(Trouble::Wrong, format!("shard {index}: {why}"));
        }
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
        let report = Report { shard: index, unix, users, extra, health, passed };
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

    fn take_stats(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        match (telemetry.stats_type, telemetry.status) {
            ("current", _) => self.shard(index).current = (telemetry.user_count, Extra::of(telemetry)),
            ("final", _) => self.take_final(index, telemetry),
            (_, "success") => {
                let number = self.tools.endpoints.number(&telemetry.method, &telemetry.name);
                self.totals.endpoint(number).extra.add(&Extra::of(telemetry));
            }
            (_, "error") => {
                let number = self.tools.endpoints.number(&telemetry.method, &telemetry.name);
                self.shard(index).tell_failed(number, &telemetry.error, telemetry.occurrences);
                self.totals.endpoint(number).add_error(&ErrorTotal {
                    text: telemetry.error.clone().into_owned(),
                    occurrences: telemetry.occurrences,
                    first_seen: telemetry.first_seen,
                    last_seen: telemetry.last_seen,
                });
            }
            _ => {}
        }
    }

    fn take_final(&mut self, index: u32, line: &Telemetry<'_>) {
        let shard = self.shard(index);
        shard.current = (line.user_count, Extra::of(line));
        if line.total_rps > 0.0 {
            let seconds = line.num_requests as f64 / line.total_rps;
            shard.load_end = shard.started.unwrap_or_default().as_secs_f64() + seconds;
        }
    }

    fn take_end(&mut self, index: u32, line: &Line<'_>) {
        let telemetry = &line.telemetry;
        self.note_time(line.unix());
        let Telemetry { ok, failed, aborted, redirects, reopened, .. } = *telemetry;
        if telemetry.verdict == "invalid" {
            let reasons = telemetry.reasons.iter().map(wire::Reason::text).collect::<Vec<_>>().join("; ");
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
        self.leave(index, Stage::Ended);
    }

    /// The shard goes no further.
    pub(super) fn leave(&mut self, index: u32, stage: Stage) {
        let shard = self.shard(index);
        if shard.stage != Stage::Going {
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
            self.leave(index, Stage::CutOff);
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
