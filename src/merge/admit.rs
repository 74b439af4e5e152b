//! Which lines are taken: those of a shard of this run that has told its config, in their order, and none that contradicts
//! itself. What is wrong with one shard's changes nothing of the others'.

use std::time::Duration;

use super::join::{EarlyLines, Join, MOST_NAMED};
use super::run::{RunIdentity, ShardPlan};
use super::shard::ShardState;
use super::troubles::MergeTrouble;
use crate::clock::unix_time;
use crate::telemetry::claims::{Contradiction, MAX_SHARDS, Ticks};
use crate::telemetry::line::MAX_LINE;
use crate::telemetry::reader::checks::TimesExtent;
use crate::telemetry::reader::form::rewritten;
use crate::telemetry::reader::line::{Line, Telemetry};
use crate::vocabulary::{LineKind, SourceKind};

/// Where a line is: its input, and its number there.
type LinePosition = (usize, u64);

/// How far the time of a line may lie before the one of the line before: streams are written in milliseconds.
const BACK: Duration = Duration::from_millis(1);

/// How far it may lie behind it: longer than any process is stopped and goes on.
const AHEAD: Duration = Duration::from_secs(3600);

impl Join {
    /// The number of the shard that a line is of, if it is to be taken.
    pub(super) fn admit(&mut self, place: LinePosition, text: &str, line: &Line<'_>) -> Option<u32> {
        let telemetry = &line.telemetry;
        let index = self.index_of(place.0, telemetry)?;
        if self.refused.contains(&(place.0, index)) {
            if telemetry.kind() == Some(LineKind::Config) && self.other_plans.contains_key(&(place.0, index)) {
                self.note_other_plan((place.0, index), telemetry);
            }
            return None;
        }
        // What wrote a line anew may have put blanks between its keys.
        let is_short = text.len() < MAX_LINE || rewritten(text).is_some_and(|text| text.len() < MAX_LINE);
        let checked = if is_short { line.check(TimesExtent::Shard) } else { Err("a line of more than 4096 bytes") };
        if let Err(why) = checked {
            self.disbelieve(place, index, telemetry, why);
            return None;
        }
        if !self.shards.contains_key(&index) && !self.begin(place, index, telemetry) {
            return None;
        }
        self.is_of_run(place.0, index, telemetry).then_some(())?;
        if let Err(why) = self.check_time(index, line) {
            self.contradict(index, place.1, why);
            return None;
        }
        Some(index)
    }

    /// Whether a line begins a shard: its config does, and what comes before says nothing.
    fn begin(&mut self, (input, number): LinePosition, index: u32, line: &Telemetry<'_>) -> bool {
        if line.kind() != Some(LineKind::Config) || line.shard.is_none() {
            if self.begun.len() < MAX_SHARDS as usize {
                let key = (input, index, (*line.run_id).to_owned());
                self.begun.entry(key).or_insert(EarlyLines { number, seq: 0 }).seq = line.seq;
            }
            return false;
        }
        let run =
            || RunIdentity { run_id: (*line.run_id).to_owned(), testplan: (*line.testplan).to_owned(), plan: None };
        if self.run.get_or_insert_with(run).run_id == *line.run_id {
            let mut shard = ShardState::new(input);
            let before = self.begun.remove(&(input, index, (*line.run_id).to_owned()));
            shard.seq = before.map_or(0, |begun| begun.seq);
            self.shards.insert(index, shard);
            self.used_inputs.insert(input);
            *self.going.entry(0).or_default() += 1;
        }
        true
    }

    /// Whether a line is the next of a shard of this run.
    fn is_of_run(&mut self, input: usize, index: u32, line: &Telemetry<'_>) -> bool {
        let Some(run) = self.run.as_ref().filter(|run| *run.run_id != *line.run_id) else {
            return self.follows(input, index, line.seq);
        };
        let sentence =
            format!("{}: shard {index} is of run {}, the others of {}", self.inputs[input], &*line.run_id, run.run_id);
        self.once(MergeTrouble::Foreign, sentence);
        false
    }

    fn follows(&mut self, input: usize, index: u32, seq: u64) -> bool {
        let shard = self.shard(index);
        let sentence = if shard.input != input {
            let (one, two) = (shard.input, input);
            format!("shard {index} is there twice: {} and {}", self.inputs[one], self.inputs[two])
        } else if !shard.follows(seq) {
            format!("shard {index} is there twice in {}", self.inputs[input])
        } else {
            return true;
        };
        self.used_inputs.insert(input);
        self.once(MergeTrouble::Twice, sentence);
        false
    }

    /// Holds the time of a line against the one before, and its tick against its time.
    fn check_time(&mut self, index: u32, line: &Line<'_>) -> Result<(), Contradiction> {
        if *self.last_time.0 != *line.time {
            (*line.time).clone_into(&mut self.last_time.0);
            self.last_time.1 = unix_time(&line.time).unwrap_or_default();
        }
        let unix = self.last_time.1;
        let ticks = self.run.as_ref().and_then(|run| run.plan.as_ref()).and_then(ShardPlan::interval);
        let ticks = ticks.map(|interval| Ticks::new(interval, Duration::ZERO));
        let shard = self.shard(index);
        if shard.unix.is_some_and(|before| unix + BACK < before || unix > before + AHEAD) {
            return Err("a line whose time does not follow the one before");
        }
        if let Some(tick) = line.telemetry.tick {
            if ticks.is_some_and(|ticks| !ticks.may_be(tick, unix)) {
                return Err("a tick that is not at its time");
            }
            if shard.tick.is_some_and(|told| tick < told) {
                return Err("a tick that was over");
            }
        }
        shard.unix = Some(unix);
        Ok(())
    }

    /// A line contradicts itself: it is named and left out, and the shard's numbers go on behind it.
    fn disbelieve(&mut self, (input, number): LinePosition, index: u32, line: &Telemetry<'_>, why: Contradiction) {
        let is_own = self.run.as_ref().is_some_and(|run| *run.run_id == *line.run_id);
        if let Some(shard) = self.shards.get_mut(&index).filter(|shard| is_own && shard.input == input) {
            shard.follows_closely(line.seq);
            self.contradict(index, number, why);
            return;
        }
        let sentence = format!("{}: line {number}: {why}", self.name(input));
        self.once(MergeTrouble::Contradiction, sentence);
    }

    /// Names shards whose config did not come, and what of each was not named line by line.
    pub(super) fn note_unnamed(&mut self) {
        for ((input, index, run_id), EarlyLines { number, .. }) in std::mem::take(&mut self.begun) {
            let name = self.name(input);
            let sentence =
                format!("{name}: line {number}: of shard {index} of run {run_id}, whose config did not come");
            self.once(MergeTrouble::Foreign, sentence);
        }
        let more: Vec<(u32, usize, u64)> = self
            .shards
            .iter()
            .filter_map(|(index, shard)| Some((*index, shard.input, shard.contradictions.checked_sub(MOST_NAMED)?)))
            .collect();
        for (index, input, more) in more.into_iter().filter(|(.., more)| *more > 0) {
            let sentence = match more {
                1 => format!("{}: shard {index}: and 1 more line that contradicts", self.name(input)),
                _ => format!("{}: shard {index}: and {more} more lines that contradict", self.name(input)),
            };
            self.once(MergeTrouble::Contradiction, sentence);
        }
    }

    fn index_of(&mut self, input: usize, line: &Telemetry<'_>) -> Option<u32> {
        if self.last_source.0 == input && *self.last_source.1 == *line.source_id {
            return Some(self.last_source.2);
        }
        let source = line.source.0;
        let index = line.source_id.strip_prefix("worker-").and_then(|index| index.parse().ok());
        let Some(index) = index.filter(|_| source == Some(SourceKind::Worker)) else {
            let what = match source {
                Some(SourceKind::Local) => "this is the stream of a run on its own; swarmline report reads it",
                Some(SourceKind::Master) => "this stream was written by merge; pass the streams of its shards",
                _ => "this is not the stream of a shard",
            };
            let sentence = format!("{}: {what}", self.name(input));
            self.once(MergeTrouble::Foreign, sentence);
            return None;
        };
        self.last_source = (input, (*line.source_id).to_owned(), index);
        Some(index)
    }
}
