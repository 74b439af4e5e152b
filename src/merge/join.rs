//! What the shards' lines have said so far, joined on their ticks: pure, no clock and no file, so that whichever line
//! comes first the same comes out.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use super::exchanges::ExchangeLimits;
use super::forward::ForwardedLine;
use super::run::RunIdentity;
use super::shard::{ShardStage, ShardState};
use super::ticks::{ReadBuffers, Tick};
use super::totals::MergeTotals;
use super::troubles::{MergeTrouble, MergeTroubles};
use crate::stats::shard_comparison::ShardComparison;
use crate::stats::unfinished::Unfinished;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::claims::Contradiction;
use crate::telemetry::own_records::WireSetting;
use crate::vocabulary::{EndReason, Phase};

/// The endpoint, and the phase in which they were due.
pub(super) type EndpointPhase = (usize, Phase);

/// Lines of a shard whose config has not come.
#[derive(Debug)]
pub(super) struct EarlyLines {
    /// Number of the first one in the input.
    pub(super) number: u64,
    /// The `seq` of the last one.
    pub(super) seq: u64,
}

/// Lines that contradict themselves which are named one by one of each shard; further ones are counted.
pub(super) const MOST_NAMED: u64 = 3;

/// Everything known of the shards and of what is to be written.
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
    pub(super) shard_comparison: ShardComparison,
    /// Unfinished requests.
    pub(super) unfinished: BTreeMap<EndpointPhase, Unfinished>,
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
    pub(super) exchanges: ExchangeLimits,
    noted: HashSet<String>,
    /// Inputs of which a line of a shard of this run was taken.
    pub(super) used_inputs: BTreeSet<usize>,
    /// Inputs and shards of which nothing is taken.
    pub(super) refused: HashSet<(usize, u32)>,
    /// Settings of the refused shards that run another plan, by input and shard.
    pub(super) other_plans: BTreeMap<(usize, u32), Vec<WireSetting>>,
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

    /// The shard with a number that was admitted.
    pub(super) fn shard(&mut self, index: u32) -> &mut ShardState {
        self.shards.entry(index).or_insert_with(|| ShardState::new(0))
    }

    pub(super) fn name(&self, input: usize) -> &str {
        self.inputs.get(input).map_or("", String::as_str)
    }

    pub(super) fn once(&mut self, kind: MergeTrouble, sentence: String) {
        /// Sentences that are told apart; an input may hold anything.
        const MOST: usize = 10_000;
        if self.noted.len() < MOST && self.noted.insert(sentence.clone()) {
            self.troubles.add(kind, sentence);
        }
    }

    /// The tick that a line of this tick counts for: that of a late shard is written already, so it is the next.
    pub(super) fn tick(&mut self, tick: u64) -> &mut Tick {
        let tick = self.written.map_or(tick, |written| tick.max(written + 1));
        self.pending.entry(tick).or_default()
    }

    pub(super) fn demand_room(&mut self, index: u32, has_room: bool) {
        if !has_room {
            self.once(
                MergeTrouble::Wrong,
                format!("shard {index}: more lines in a tick than any has; they are left out"),
            );
        }
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
        self.once(MergeTrouble::Damaged, sentence);
    }

    /// The last tick that the shard has told of whose line was taken last.
    pub(super) fn told(&self) -> Option<u64> {
        self.shards.get(&self.last_source.2).and_then(|shard| shard.tick)
    }

    /// What a shard says contradicts itself, or what it said before.
    pub(super) fn contradict(&mut self, index: u32, number: u64, why: Contradiction) {
        let shard = self.shard(index);
        shard.contradictions += 1;
        if shard.contradictions > MOST_NAMED {
            return;
        }
        let sentence = format!("{}: line {number}: shard {index}: {why}", self.inputs[self.shards[&index].input]);
        self.once(MergeTrouble::Contradiction, sentence);
    }

    /// How many shards the run has, as far as it is known.
    pub(super) fn count(&self) -> usize {
        let told = self.run.as_ref().and_then(|run| run.plan.as_ref()).map(|plan| plan.count as usize);
        told.unwrap_or(self.shards.len())
    }

    /// Whether every shard has shown up.
    pub(super) fn is_complete(&self) -> bool {
        self.shards.len() >= self.count()
    }

    /// Whether every shard has told of a tick, or will tell no more.
    pub(super) fn all_told(&self, tick: u64) -> bool {
        self.is_complete() && self.going.first_key_value().is_none_or(|(told, _)| *told > tick)
    }

    /// Shards that go on, or have ended in order.
    pub(super) fn shards_in(&self, stage: ShardStage) -> Vec<u32> {
        self.shards.iter().filter(|(_, shard)| shard.stage == stage).map(|(index, _)| *index).collect()
    }

    /// When the load of the shard that stopped last ended, since the Unix epoch; `None` with `-n`, where all requests end
    /// by themselves.
    pub(super) fn stopped(&self) -> Option<Duration> {
        let (stopped, reason) = self.shards.values().filter_map(|shard| shard.stopped.as_ref()).max()?;
        (*reason != EndReason::Requests).then_some(*stopped)
    }
}
