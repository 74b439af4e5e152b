//! What the master says: a tick when all shards have told of it, and the end.

use std::time::Duration;

use super::forward::ForwardedLine;
use super::join::Join;
use super::output::{PendingInterval, PendingLine};
use super::policy::MergePolicy;
use super::shard::ShardState;
use super::ticks::{EndpointPart, Tick};
use super::totals::Extra;
use super::troubles::ranges;
use crate::clock::{Clock, Moment, rfc3339, unix_time};
use crate::plan::check::Check;
use crate::stats::check::{CheckInput, CheckResult, CheckSet};
use crate::stats::tally::Statistics;
use crate::telemetry::config::config_pages;
use crate::telemetry::intervals::Span;
use crate::telemetry::record::{Record, RecordBody};
use crate::telemetry::recorder::{current_stats, warning};
use crate::vocabulary::Phase;

/// A shard so many ticks behind the foremost is not waited for.
const LATE: u64 = 2;

/// Makes the master's lines.
pub(super) struct Master {
    /// When the run started, since the Unix epoch; known when the first tick is written.
    start: Option<Duration>,
    /// The interval that was written last.
    before: Option<Span>,
    /// Phase of the last tick that was the load's, and when it ended, since the Unix epoch.
    last_of_load: Option<(Phase, Duration)>,
    rules: MergePolicy,
    /// What checks look at.
    check_set: CheckSet,
}

impl Master {
    /// A master that has said nothing.
    pub(super) fn new(rules: MergePolicy) -> Self {
        let checks: Vec<Check> = rules.checks.iter().map(|(check, _)| check.clone()).collect();
        Self { start: None, before: None, last_of_load: None, check_set: CheckSet::new(&checks), rules }
    }

    /// What decides whether all is in order.
    pub(super) const fn rules(&self) -> &MergePolicy {
        &self.rules
    }

    /// The clock of the run: it tells the wall-clock time of moments since the run's start.
    pub(super) fn clock(&self) -> Clock {
        Clock::anchored_at(self.start.unwrap_or_default())
    }

    pub(super) fn moment(&self, unix: Duration) -> Moment {
        Moment::at(unix.saturating_sub(self.start.unwrap_or_default()))
    }

    fn record(&self, unix: Duration, tick: Option<u64>, body: RecordBody) -> PendingLine {
        PendingLine::Record(Box::new(Record { at: self.moment(unix), tick, body }))
    }

    /// What there is to say by now.
    pub(super) fn ready(&mut self, join: &mut Join) -> Vec<PendingLine> {
        let mut said = Vec::new();
        while let Some(tick) = join.pending.first_key_value().map(|(tick, _)| *tick) {
            if !join.all_told(tick) && join.foremost < tick.saturating_add(LATE) {
                break;
            }
            self.tick(join, tick, &mut said);
        }
        said
    }

    /// What is left to say when all inputs are over, before the end.
    pub(super) fn rest(&mut self, join: &mut Join) -> Vec<PendingLine> {
        let mut said = Vec::new();
        while let Some(tick) = join.pending.first_key_value().map(|(tick, _)| *tick) {
            self.tick(join, tick, &mut said);
        }
        self.begin(join, &mut said);
        self.spawned(join, u64::MAX, join.latest, &mut said);
        said.extend(std::mem::take(&mut join.closing).into_values().flatten().map(PendingLine::Passed));
        said
    }

    fn begin(&mut self, join: &Join, said: &mut Vec<PendingLine>) {
        if self.start.is_some() {
            return;
        }
        let started = join.shards.values().filter_map(|shard| shard.started).min().unwrap_or(join.latest);
        self.start = Some(started);
        said.push(self.record(started, None, RecordBody::TestStart {}));
        let Some(plan) = join.run.as_ref().and_then(|run| run.plan.as_ref()) else { return };
        let mut settings = plan.settings.clone();
        self.rules.settle(&mut settings);
        if self.rules.checks.is_empty() {
            // Each was read when the plan was made; a longer one than a setting has room for cannot be decided.
            let checks = settings.iter().filter(|setting| setting.key == "check");
            let checks: Vec<Check> = checks.filter_map(|setting| Check::parse(&setting.value).ok()).collect();
            self.check_set = CheckSet::new(&checks);
        }
        let mut environment = plan.environment.clone();
        environment.started_at = crate::clock::rfc3339(started);
        let pages = config_pages(settings.into_iter(), &plan.hash, environment);
        said.extend(pages.into_iter().map(|body| self.record(started, None, body)));
    }

    fn tick(&mut self, join: &mut Join, number: u64, said: &mut Vec<PendingLine>) {
        let Some(mut tick) = join.pending.remove(&number) else { return };
        self.begin(join, said);
        tick.sort();
        let unix = tick.reports.iter().filter_map(|report| report.unix).max();
        let unix = unix.or_else(|| unix_time(tick.end())).unwrap_or(join.latest);
        self.spawned(join, number, unix, said);
        let late = late(join, number, unix);
        join.written = Some(number);
        for report in &tick.reports {
            if let Some(shard) = join.shards.get_mut(&report.shard) {
                shard.show(report);
            }
        }
        let shard_times = tick.take_shard_times();
        join.shard_comparison.add_tick(&shard_times);
        join.tools.keep_times(shard_times);
        let mut parts = tick.take_parts();
        for part in &parts {
            join.totals.add(part.number, &part.interval, part.phase);
        }
        parts.sort_by_key(|part| (part.phase != Phase::Warmup, join.totals.place(part.number)));
        let span = tick.span_after(self.before.as_ref());
        self.show_to_checks(join, &parts, &span);
        let (users, statistics) = self.statistics(join, number, unix);
        let mut of_tick = |body| said.push(self.record(unix, Some(number), body));
        of_tick(current_stats(users, &statistics));
        let sent = join.shards.values().map(|shard| shard.sent).sum();
        let health = tick.health(&span, sent).map(|health| RecordBody::Health(Box::new(health)));
        let (at, tick_number) = (self.moment(unix), number);
        let passed: Vec<PendingLine> = take_passed(&mut tick).map(PendingLine::Passed).collect();
        let intervals = parts.into_iter().map(|EndpointPart { number, phase, interval }| {
            let (endpoint, span) = (join.tools.endpoints.name(number).clone(), Span { phase, ..span.clone() });
            PendingLine::Interval(Box::new(PendingInterval { at, tick: tick_number, span, endpoint, number, interval }))
        });
        let samples = tick.samples.events(self.start.unwrap_or_default()).into_iter();
        let samples = samples.map(|event| RecordBody::Sample(Box::new(event)));
        let further = samples.chain(health).map(|body| self.record(unix, Some(tick_number), body));
        let own: Vec<PendingLine> = intervals.chain(further).collect();
        self.before = Some(span);
        said.extend(passed);
        said.extend(own);
        said.extend(late.map(|body| self.record(unix, None, body)));
    }

    /// Shows an interval to the checks.
    fn show_to_checks(&mut self, join: &Join, parts: &[EndpointPart], span: &Span) {
        if self.check_set.is_empty() {
            return;
        }
        let phase = span.phase;
        let unix = |time: &str| unix_time(time).unwrap_or_default();
        if phase != Phase::Drain {
            self.last_of_load = Some((phase, unix(&span.end)));
        }
        self.check_set.add_phase_time(phase, unix(&span.end).saturating_sub(unix(&span.start)));
        for part in parts {
            let endpoint = join.tools.endpoints.name(part.number).to_string();
            self.check_set.add(&CheckInput::from_interval(&endpoint, part.phase, &part.interval));
        }
    }

    /// What became of each check, `load_time` being the time of the load. To be asked once, at the end.
    pub(super) fn check_results(&mut self, join: &Join, load_time: Duration) -> Vec<CheckResult> {
        if let (Some((phase, end)), Some(stopped)) = (self.last_of_load, join.stopped()) {
            self.check_set.subtract_phase_time(phase, end.saturating_sub(stopped));
        }
        join.show_unfinished(&mut self.check_set);
        self.check_set.results(load_time)
    }

    /// Users and statistics of all shards at a time.
    fn statistics(&self, join: &Join, tick: u64, unix: Duration) -> (u32, Statistics) {
        let (mut users, mut extra) = (0, Extra::default());
        for (shown, more) in join.shards.values().map(|shard| shard.shown(tick)) {
            users = u32::saturating_add(users, shown);
            extra.add(&more);
        }
        let now = self.moment(unix);
        (users, extra.added_to(join.totals.whole().statistics(now, now)))
    }

    /// A number of users is reached when all shards have reached their part.
    fn spawned(&self, join: &mut Join, tick: u64, unix: Duration, said: &mut Vec<PendingLine>) {
        let is_there = |shard: &ShardState| shard.spawned.front().is_some_and(|(told, _)| *told <= tick);
        while join.is_complete() && !join.shards.is_empty() && join.shards.values().all(is_there) {
            let parts = join.shards.values_mut().filter_map(|shard| shard.spawned.pop_front());
            let user_count = parts.map(|(_, users)| users).fold(0, u32::saturating_add);
            said.push(self.record(unix, None, RecordBody::SpawnComplete { user_count }));
        }
    }
}

/// Lines of the workers, each worker's together.
fn take_passed(tick: &mut Tick) -> impl Iterator<Item = ForwardedLine> {
    std::mem::take(&mut tick.reports).into_iter().flat_map(|report| report.passed)
}

/// The warning about shards that are late for the first time, or again.
fn late(join: &mut Join, tick: u64, unix: Duration) -> Option<RecordBody> {
    let count = join.run.as_ref()?.plan.as_ref()?.count;
    let mut newly = Vec::new();
    for index in 0..count {
        let told = join.shards.get(&index).is_some_and(|shard| shard.has_told(tick));
        let is_new = match join.shards.get_mut(&index) {
            Some(shard) => !std::mem::replace(&mut shard.is_late, !told) && !told,
            None => join.unseen.insert(index),
        };
        if is_new {
            newly.push(index);
        }
    }
    if newly.is_empty() {
        return None;
    }
    let (who, time) = (ranges(newly.iter().copied()), rfc3339(unix));
    let time = &time[11..19];
    let (shard, has, it) =
        if newly.len() == 1 { ("shard", "has", "that shard") } else { ("shards", "have", "those shards") };
    let detail = format!("{shard} {who} {has} sent nothing for tick {tick} (time {time}): it is written without {it}");
    Some(warning("shard_late", &detail))
}
