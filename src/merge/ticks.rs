//! A tick that not all shards have reported yet: what those said who have.

use std::collections::{BTreeMap, HashMap};

use super::forward::ForwardedLine;
use super::samples::TickSamples;
use super::slots::SlotCounts;
use super::totals::{EndpointIndex, Extra, precision};
use crate::stats::histogram::{Precision, TimeHistogram};
use crate::stats::interval::{Interval, TimesKind};
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::intervals::Span;
use crate::telemetry::own_records::Health;
use crate::telemetry::reader::line::Telemetry;
use crate::vocabulary::Phase;

/// A shard's report of one tick, without its intervals.
#[derive(Clone, Debug)]
pub(super) struct ShardTick {
    pub(super) shard: u32,
    /// When, since the Unix epoch; `None` where its last line did not come.
    pub(super) unix: Option<std::time::Duration>,
    pub(super) users: u32,
    pub(super) extra: Extra,
    /// `None` where that line did not come.
    pub(super) health: Option<Box<Health>>,
    pub(super) passed: Vec<ForwardedLine>,
}

/// What reading takes, kept from one tick to the next.
#[derive(Default)]
pub(super) struct ReadBuffers {
    pub(super) endpoints: EndpointIndex,
    pub(super) decoder: HistogramParser,
    /// Intervals that were written, by endpoint: the room that one needed, the next will need as well, and memory that
    /// goes back to the system each tick costs more than the counting.
    pub(super) spare: HashMap<usize, Vec<Interval>>,
    /// Histograms of the response times of a shard, for the same reason.
    pub(super) spare_times: Vec<TimeHistogram>,
}

impl ReadBuffers {
    /// Keeps the room of an interval.
    pub(super) fn keep(&mut self, number: usize, mut interval: Interval) {
        interval.clear();
        self.spare.entry(number).or_default().push(interval);
    }

    /// Keeps the room of the response times of shards.
    pub(super) fn keep_times(&mut self, parts: Vec<(u32, TimeHistogram)>) {
        self.spare_times.extend(parts.into_iter().map(|(_, mut times)| {
            times.clear();
            times
        }));
    }
}

/// What happened at one endpoint, over the shards.
struct EndpointShare {
    interval: Interval,
    /// Shard and number of the line that used it first.
    first: (u32, u64),
}

/// What happened at one endpoint in one phase, over the shards.
pub(super) struct EndpointPart {
    pub(super) number: usize,
    pub(super) phase: Phase,
    pub(super) interval: Interval,
}

/// A tick.
#[derive(Default)]
pub(super) struct Tick {
    pub(super) reports: Vec<ShardTick>,
    pub(super) samples: TickSamples,
    /// By the number of the endpoint, and whether it was in the warm-up of its shard.
    parts: HashMap<(usize, bool), EndpointShare>,
    /// Response times of all requests of each shard, without those of its warm-up.
    shard_times: BTreeMap<u32, TimeHistogram>,
    start: String,
    end: String,
    phase: Option<Phase>,
    /// The phase of those shards that were not in their warm-up any more.
    after_warmup: Option<Phase>,
}

impl Tick {
    /// Adds an interval of a shard and what its histograms recorded; says which endpoint it is about.
    pub(super) fn add_interval(
        &mut self,
        shard: u32,
        line: &Telemetry<'_>,
        slots: &[SlotCounts],
        tools: &mut ReadBuffers,
    ) -> usize {
        let ReadBuffers { endpoints, spare, spare_times, .. } = tools;
        let number = endpoints.number(&line.method, &line.name);
        let first = (shard, line.seq);
        let mut kept = || spare.get_mut(&number).and_then(Vec::pop);
        let mut interval = || kept().unwrap_or_else(|| Interval::new(precision(number)));
        let new = || EndpointShare { interval: interval(), first };
        let part = self.parts.entry((number, line.phase() == Phase::Warmup)).or_insert_with(new);
        part.first = part.first.min(first);
        part.interval.add(&line.counted());
        for (kind, scale, slots) in slots {
            part.interval.add_recorded(*kind, *scale, slots);
        }
        if line.phase() != Phase::Warmup {
            let room = || spare_times.pop().unwrap_or_else(|| TimeHistogram::new(Precision::Coarse));
            let times = self.shard_times.entry(shard).or_insert_with(room);
            let is_response = |kind: TimesKind| matches!(kind, TimesKind::Both | TimesKind::Response);
            slots.iter().filter(|(kind, ..)| is_response(*kind)).for_each(|(_, scale, slots)| {
                times.add_recorded(*scale, slots);
            });
        }
        self.note_span(&line.interval_start, &line.interval_end);
        self.note_phase(line.phase());
        number
    }

    /// Adds what a shard said at the end of its tick.
    pub(super) fn add_report(&mut self, report: ShardTick) {
        if let Some(health) = &report.health {
            self.note_span(&health.interval_start, &health.interval_end);
            if let Some(phase) = health.phase {
                self.note_phase(phase);
            }
        }
        self.reports.push(report);
    }

    fn note_phase(&mut self, phase: Phase) {
        self.phase = Some(self.phase.map_or(phase, |known| of_both(known, phase)));
        if phase != Phase::Warmup {
            self.after_warmup = Some(self.after_warmup.map_or(phase, |known| of_both(known, phase)));
        }
    }

    fn note_span(&mut self, start: &str, end: &str) {
        // Of fixed width, so the texts compare like the times.
        if self.start.is_empty() || start < self.start.as_str() {
            start.clone_into(&mut self.start);
        }
        if end > self.end.as_str() {
            end.clone_into(&mut self.end);
        }
    }

    /// The end of the last interval.
    pub(super) fn end(&self) -> &str {
        &self.end
    }

    /// Reports in the order of the shards.
    pub(super) fn sort(&mut self) {
        self.reports.sort_by_key(|report| report.shard);
    }

    /// What happened at each endpoint, in the order of the shards and of their lines: the same whichever came first. Shards
    /// that did not start at the same moment leave their warm-up in different ticks; then there are two parts of an endpoint,
    /// so that a request of the warm-up is one in the merged stream, and no other is.
    pub(super) fn take_parts(&mut self) -> Vec<EndpointPart> {
        let mut parts: Vec<((usize, bool), EndpointShare)> = self.parts.drain().collect();
        parts.sort_by_key(|(_, part)| part.first);
        let after_warmup = self.after_warmup.unwrap_or_default();
        let part = |((number, is_warmup), EndpointShare { interval, .. })| {
            let phase = if is_warmup { Phase::Warmup } else { after_warmup };
            EndpointPart { number, phase, interval }
        };
        parts.into_iter().map(part).collect()
    }

    /// The response times of each shard, in the order of the shards.
    pub(super) fn take_shard_times(&mut self) -> Vec<(u32, TimeHistogram)> {
        std::mem::take(&mut self.shard_times).into_iter().collect()
    }

    /// From the end of the tick before, as clocks of hosts differ by a little, or at the first tick from the begin of the
    /// first interval, to the end of the last. A tick that does not state a phase has that of the one before.
    pub(super) fn span_after(&self, before: Option<&Span>) -> Span {
        let phase = self.phase.or(before.map(|before| before.phase)).unwrap_or(Phase::Ramp);
        match before {
            Some(before) => Span { start: before.end.clone(), end: self.end.clone().max(before.end.clone()), phase },
            None => Span { start: self.start.clone(), end: self.end.clone(), phase },
        }
    }

    /// Sums over the shards; of latenesses, ages and threads the worst.
    pub(super) fn health(&self, span: &Span, sent: u64) -> Option<Health> {
        let mut reports = self.reports.iter().filter_map(|report| report.health.as_deref());
        let mut sum = reports.next()?.clone();
        for health in reports {
            sum.late_sends = sum.late_sends.saturating_add(health.late_sends);
            sum.lateness_p50_us = sum.lateness_p50_us.max(health.lateness_p50_us);
            sum.lateness_p90_us = sum.lateness_p90_us.max(health.lateness_p90_us);
            sum.lateness_p99_us = sum.lateness_p99_us.max(health.lateness_p99_us);
            sum.lateness_max_us = sum.lateness_max_us.max(health.lateness_max_us);
            sum.intended_rate = match (sum.intended_rate, health.intended_rate) {
                (Some(one), Some(two)) => Some(one + two),
                (one, two) => one.or(two),
            };
            sum.achieved_rate += health.achieved_rate;
            sum.in_flight = sum.in_flight.saturating_add(health.in_flight);
            sum.oldest_in_flight_ms = sum.oldest_in_flight_ms.max(health.oldest_in_flight_ms);
            sum.users = sum.users.saturating_add(health.users);
            sum.users_wanted = sum.users_wanted.saturating_add(health.users_wanted);
            sum.outcome_queue = sum.outcome_queue.saturating_add(health.outcome_queue);
            sum.ticks_joined = sum.ticks_joined.saturating_add(health.ticks_joined);
            sum.aggregator_cpu_percent = sum.aggregator_cpu_percent.max(health.aggregator_cpu_percent);
            sum.writer_cpu_percent = sum.writer_cpu_percent.max(health.writer_cpu_percent);
            sum.throttled_ms += health.throttled_ms;
            sum.open_files = sum.open_files.saturating_add(health.open_files);
            sum.open_files_limit = sum.open_files_limit.saturating_add(health.open_files_limit);
            sum.otlp_failed = together(sum.otlp_failed, health.otlp_failed);
            sum.otlp_rejected = together(sum.otlp_rejected, health.otlp_rejected);
        }
        // So far, those of shards included that have nothing more to tell.
        sum.sent = sent;
        (sum.interval_start, sum.interval_end, sum.phase) = (span.start.clone(), span.end.clone(), Some(span.phase));
        Some(sum)
    }
}

/// The sum of counts that a shard may not have.
fn together(one: Option<u64>, two: Option<u64>) -> Option<u64> {
    one.map_or(two, |one| Some(one.saturating_add(two.unwrap_or(0))))
}

/// The health that a shard reports.
pub(super) fn health(line: &Telemetry<'_>) -> Box<Health> {
    Box::new(Health {
        interval_start: (*line.interval_start).to_owned(),
        interval_end: (*line.interval_end).to_owned(),
        phase: line.stated_phase(),
        late_sends: line.late_sends,
        lateness_p50_us: line.lateness_p50_us,
        lateness_p90_us: line.lateness_p90_us,
        lateness_p99_us: line.lateness_p99_us,
        lateness_max_us: line.lateness_max_us,
        intended_rate: line.intended_rate,
        achieved_rate: line.achieved_rate,
        sent: line.sent,
        in_flight: line.in_flight,
        oldest_in_flight_ms: line.oldest_in_flight_ms,
        users: line.users,
        users_wanted: line.users_wanted,
        outcome_queue: line.outcome_queue,
        ticks_joined: line.ticks_joined,
        aggregator_cpu_percent: line.aggregator_cpu_percent,
        writer_cpu_percent: line.writer_cpu_percent,
        throttled_ms: line.throttled_ms,
        open_files: line.open_files,
        open_files_limit: line.open_files_limit,
        otlp_failed: line.otlp_failed,
        otlp_rejected: line.otlp_rejected,
    })
}

/// The phase of a tick of several shards, of which these are two: under load while one of them is, as its load continues
/// after the others have done their share of `-n`; else the first in the order of the enum.
fn of_both(one: Phase, two: Phase) -> Phase {
    match (one, two) {
        (Phase::Drain, phase) | (phase, Phase::Drain) => phase,
        (one, two) => one.min(two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_drain_only_if_all_shards_drain() {
        let [drain, warmup, ramp, down, steady] = Phase::ALL;
        for (one, two, both) in [
            (drain, steady, steady),
            (ramp, drain, ramp),
            (drain, drain, drain),
            (steady, ramp, ramp),
            (down, steady, down),
            (warmup, ramp, warmup),
            (warmup, drain, warmup),
        ] {
            assert_eq!((of_both(one, two), of_both(two, one)), (both, both));
        }
    }
}
