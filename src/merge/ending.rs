//! The end of a merge: what is wrong, what it comes to, and the last lines.

use std::time::Duration;

use super::join::Join;
use super::master::Master;
use super::output::PendingLine;
use super::policy::MergePolicy;
use super::run::ShardPlan;
use super::shard::{ShardStage, ShardState};
use super::totals::{EndpointTotal, ErrorTotal, Extra};
use super::troubles::{MergeTrouble, ranges};
use crate::clock::{Moment, rfc3339};
use crate::plan::check::Check;
use crate::plan::endpoint::Endpoint;
use crate::stats::check::unchecked_failures;
use crate::stats::judged_counts::{JudgedCounts, WarmupTotals};
use crate::stats::unfinished::Judged;
use crate::stats::verdict::{Assessment, Evidence, VerdictReason};
use crate::telemetry::ending::{EndTotals, last_lines};
use crate::telemetry::intervals::Span;
use crate::telemetry::record::{EndpointError, Record, RecordBody, TestStop};
use crate::telemetry::recorder::{endpoint_stats, final_stats, warning};
use crate::telemetry::text::{MAX_METHOD, MAX_NAME, clipped};
use crate::vocabulary::{EndReason, Phase, ReasonKind, StatsType, Status};

/// Looks at what can only be told at the end.
fn find_troubles(join: &mut Join, torn: &[(u64, String)], rules: &MergePolicy) {
    join.note_missing();
    join.note_unused();
    let cut_off = ranges(join.shards_in(ShardStage::CutOff));
    if !cut_off.is_empty() {
        join.troubles.add(MergeTrouble::CutOff, format!("cut off, without swarmline.event.run.end: shard {cut_off}"));
    }
    let interval = join.run.as_ref().and_then(|run| run.plan.as_ref()).and_then(ShardPlan::interval);
    let starts = || join.shards.iter().filter_map(|(index, shard)| Some((shard.started?, *index)));
    if let (Some(interval), Some((first, one)), Some((last, two))) = (interval, starts().min(), starts().max())
        && last.saturating_sub(first) > interval
    {
        let apart = last.saturating_sub(first).as_secs_f64();
        let sentence =
            format!("shards {one} and {two} started {apart:.3} s apart, more than an interval; see --start-at");
        join.troubles.add(MergeTrouble::Apart, sentence);
    }
    let mut found = Vec::new();
    let settings = join.run.iter().filter_map(|run| run.plan.as_ref()).flat_map(|plan| &plan.settings);
    for setting in settings.filter(|setting| setting.key == "check" && rules.checks.is_empty()) {
        // One that is too long stands in the stream as its length and hash.
        if let Err(why) = Check::parse(&setting.value) {
            found.push((MergeTrouble::Wrong, format!("check '{}' cannot be decided: {why}", setting.value)));
        }
    }
    for (index, shard) in &join.shards {
        if shard.lost > 0 {
            found.push((MergeTrouble::Lost, format!("shard {index}: {} of its lines did not come", shard.lost)));
        }
        if shard.contradictions == 0 && shard.end.is_some_and(|end| end != shard.counts) {
            found.push((MergeTrouble::Wrong, format!("shard {index}: its intervals do not add up to its end")));
        }
    }
    for (kind, sentence) in found {
        join.troubles.add(kind, sentence);
    }
    if let Some((_, first)) = torn.first() {
        let all: u64 = torn.iter().map(|(torn, _)| torn).sum();
        let cure = "processes that share a pipe tore each other's lines; give each shard a file of its own \
                    (--telemetry run-%s.ndjson), or use parallel --line-buffer or srun -l";
        join.troubles.add(MergeTrouble::Torn, format!("torn lines: {all}, the first at {first}; {cure}"));
    }
}

/// A shard that was cut off has told how many requests failed and of which class, but not why.
fn add_untold_errors(join: &mut Join) {
    for shard in join.shards.values() {
        for ((endpoint, class), failed) in &shard.failed {
            join.totals.endpoint(*endpoint).add_error(&ErrorTotal {
                text: format!("{}: not told by the end of its shard", class.as_str()),
                occurrences: failed.count,
                warmup: failed.warmup,
                first_seen: failed.first_seen,
                last_seen: failed.last_seen,
            });
        }
    }
}

/// The result of a merge.
#[derive(Debug)]
pub struct MergeResult {
    /// Judges the run.
    pub assessment: Assessment,
    /// Shards that there are, and that there should be.
    pub shards: (usize, usize),
    /// Everything that is wrong, allowed or not.
    pub troubles: Vec<String>,
}

/// The last lines, and what the run came to.
pub(super) fn end(join: &mut Join, master: &mut Master, torn: &[(u64, String)]) -> (Vec<PendingLine>, MergeResult) {
    find_troubles(join, torn, master.rules());
    let mut said = master.rest(join);
    add_untold_errors(join);
    let at = master.moment(join.latest);
    let record = |body| PendingLine::Record(Box::new(Record { at, tick: None, body }));
    for (kind, sentence) in join.troubles.all() {
        said.push(record(warning(kind.as_str(), &sentence)));
    }
    said.extend(stopped_shards(join).map(record));
    let (odd_shards, shard_lines) = join.shard_lines();
    said.extend(odd_shards.into_iter().map(record));
    let load_end = load_end(join, master);
    let assessment = judge(join, master, load_end);
    let stop = stop(join);
    let started = rfc3339(master.clock().unix(Moment::START));
    let span = Span { start: started, end: stop.stopped_at.clone(), phase: Phase::Drain };
    said.push(record(RecordBody::TestStop(stop)));
    let tick = join.written;
    let unfinished = join.unfinished_lines(&span).into_iter();
    said.extend(unfinished.map(|body| PendingLine::Record(Box::new(Record { at, tick, body }))));
    let mut extra = Extra::default();
    for shard in join.shards.values_mut() {
        if shard.stage == ShardStage::Ended {
            (shard.users, shard.extra) = shard.current;
        }
        extra.add(&shard.extra);
    }
    let users = join.shards.values().map(|shard| shard.users).fold(0, u32::saturating_add);
    let whole = extra.added_to(join.totals.whole().statistics(at, load_end));
    said.push(record(final_stats(users, join.totals.whole(), extra.warmup_of(join.totals.whole()), &whole)));
    let endpoints = join.totals.endpoints();
    said.extend(endpoints.iter().flat_map(|endpoint| errors(join, endpoint)).map(record));
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.tally.counts().completed() > 0) {
        let statistics = endpoint.extra.added_to(endpoint.tally.statistics(at, load_end));
        let name = join.tools.endpoints.name(endpoint.number).clone();
        said.push(record(endpoint_stats(
            name,
            &endpoint.tally,
            endpoint.extra.warmup_of(&endpoint.tally),
            &statistics,
        )));
    }
    said.extend(shard_lines.into_iter().map(record));
    let exit_code = assessment.exit(master.rules().exit_code_on_error.0).code();
    let totals = EndTotals {
        counts: join.totals.counts(),
        unfinished: join.unfinished_counts(),
        warmup: WarmupTotals::of(join.totals.whole(), join.unfinished_by_phase()),
        judged: (!join.unfinished.is_empty()).then(|| Judged::of(join.totals.whole(), join.unfinished.values())),
        load_time: load_end.since_start(),
        answer: None,
    };
    said.extend(last_lines(&assessment, exit_code, &totals).map(record));
    let outcome =
        MergeResult { assessment, shards: (join.shards.len(), join.count()), troubles: join.troubles.sentences() };
    (said, outcome)
}

/// Decides the checks, which no shard could, and the run.
fn judge(join: &Join, master: &mut Master, load_end: Moment) -> Assessment {
    let check_results = master.check_results(join, load_end.since_start());
    let failures: Vec<(String, u64)> = join
        .totals
        .endpoints()
        .iter()
        .map(|endpoint| (join.tools.endpoints.name(endpoint.number).to_string(), endpoint.tally.judged_counts().failed))
        .collect();
    let checks: Vec<Check> = check_results.iter().map(|result| result.check.clone()).collect();
    let faults = join.troubles.faults(master.rules().allow_missing);
    let mut assessment = Assessment::of(Evidence {
        requests: JudgedCounts::of(join.totals.whole(), join.unfinished_by_phase()),
        faults: faults.into_iter().map(|text| VerdictReason::new(ReasonKind::Stream, text)).collect(),
        unchecked: unchecked_failures(&checks, failures.iter().map(|(name, failed)| (name.as_str(), *failed))),
        check_results,
        without_data: 0,
    });
    assessment.reasons.extend(join.notes.iter().cloned());
    assessment
}

/// A warning about the shards that a signal stopped, if another is known to have ended by itself: the end of the load is that
/// of the last shard, and does not tell.
fn stopped_shards(join: &Join) -> Option<RecordBody> {
    let by_signal = |shard: &ShardState| shard.stopped.map(|(_, reason)| reason == EndReason::Signal);
    let stopped = join.shards.iter().filter(|(_, shard)| by_signal(shard) == Some(true)).map(|(index, _)| *index);
    let stopped: Vec<u32> = stopped.collect();
    let others_ended = join.shards.values().any(|shard| by_signal(shard) == Some(false));
    let noun = if stopped.len() == 1 { "shard" } else { "shards" };
    let sentence = || format!("{noun} {} stopped early, by a signal; others did not", ranges(stopped.iter().copied()));
    (others_ended && !stopped.is_empty()).then(|| warning("shard_stopped", &sentence()))
}

/// The end of the load: that of the shard that stopped last.
fn stop(join: &Join) -> TestStop {
    let last = join.shards.values().filter_map(|shard| shard.stopped.as_ref()).max();
    let (stopped, reason) = last.map_or((join.latest, EndReason::Signal), |(stopped, reason)| (*stopped, *reason));
    TestStop {
        end_time: rfc3339(join.latest + Duration::from_secs(1)),
        stopped_at: rfc3339(stopped.min(join.latest)),
        reason,
    }
}

/// The end of the load: of a shard that was cut off, the last that is known of it.
fn load_end(join: &Join, master: &Master) -> Moment {
    let last = join.shards.values().map(|shard| shard.load_end).fold(0.0, f64::max);
    let cut_off = join.shards.values().any(|shard| shard.stage == ShardStage::CutOff);
    let last = Duration::try_from_secs_f64(last).unwrap_or_default();
    master.moment(if cut_off || last.is_zero() { join.latest } else { last })
}

fn errors(join: &Join, endpoint: &EndpointTotal) -> Vec<RecordBody> {
    let Endpoint { method, name } = join.tools.endpoints.name(endpoint.number);
    let body = |error: &ErrorTotal| {
        RecordBody::EndpointError(EndpointError {
            stats_type: StatsType::Endpoint,
            status: Status::Error,
            method: clipped(method, MAX_METHOD).into_owned(),
            name: clipped(name, MAX_NAME).into_owned(),
            error: clipped(&error.text, MAX_NAME).into_owned(),
            occurrences: error.occurrences,
            warmup_occurrences: (error.warmup > 0).then_some(error.warmup),
            first_seen: error.first_seen,
            last_seen: error.last_seen,
        })
    };
    endpoint.errors().into_iter().map(body).collect()
}
