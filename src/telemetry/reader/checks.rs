//! What a line claims, held against itself, before anything of it is counted.

use std::time::Duration;

use super::line::{Key, Line, Telemetry};
use super::value::{ShardPercentileValue, TimingsValue};
use crate::clock::unix_time;
use crate::stats::timing_summary::TimesSummary;
use crate::stats::timings::Timings;
use crate::telemetry::claims::{
    self, Contradiction, IntervalClaim, MAX_CLAIMED_US, MAX_SHARDS, MAX_USERS, Ticks, is_amount, is_time,
};
use crate::telemetry::line::MAX_COUNT;
use crate::telemetry::text::{MAX_NAME, is_within};
use crate::vocabulary::{LineKind, RequestResult, SourceKind, StatsType, Status};

/// Whose numbers a line has: those of a shard are so much smaller that the sums over all shards are still numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimesExtent {
    /// A whole run's.
    Run,
    /// One shard's.
    Shard,
}

impl TimesExtent {
    /// Whether a rate, or an amount, can be one.
    fn is_amount(self, number: f64) -> bool {
        match self {
            Self::Run => is_amount(number),
            Self::Shard => (0.0..=1e10).contains(&number),
        }
    }

    /// The highest count that a gauge can show, or that an interval counts: the sum over all shards can be read.
    const fn most_of_gauge(self) -> u64 {
        match self {
            Self::Run => MAX_COUNT,
            Self::Shard => MAX_COUNT >> 17,
        }
    }

    /// The most bytes of an interval. Of a shard 64 TiB, more than a network carries in a day; the sum over all shards
    /// fits in 64 bits.
    const fn most_bytes(self) -> u64 {
        match self {
            Self::Run => 1 << 63,
            Self::Shard => 1 << 46,
        }
    }

    fn demand_users(self, users: u32) -> Result<(), Contradiction> {
        let is_too_many = self == Self::Shard && users > MAX_USERS;
        if is_too_many { Err("an implausible number of users") } else { Ok(()) }
    }
}

/// Numbers of lines, beyond any stream's.
const MOST_LINES: u64 = 1 << 40;

const COUNT: Contradiction = "an implausible count";
const NUMBER: Contradiction = "an implausible number";

fn demand(is_so: bool, why: Contradiction) -> Result<(), Contradiction> {
    if is_so { Ok(()) } else { Err(why) }
}

fn demand_counts(counts: &[u64]) -> Result<(), Contradiction> {
    demand(counts.iter().all(|count| *count <= MAX_COUNT), COUNT)
}

impl Line<'_> {
    /// Checks the numbers against each other.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check(&self, extent: TimesExtent) -> Result<(), Contradiction> {
        let line = &self.telemetry;
        claims::identity(&line.run_id, &line.testplan)?;
        demand(is_time(&self.time), "a line without its time")?;
        demand((1..=MOST_LINES).contains(&line.seq), "a line without its number")?;
        let Some(kind) = line.kind() else { return Ok(()) };
        line.demand_keys()?;
        match kind {
            LineKind::Interval => line.check_interval(extent),
            LineKind::Histogram => line.check_piece(),
            LineKind::Unfinished => line.check_unfinished(),
            LineKind::Sample => line.check_sample(),
            LineKind::Health => line.check_health(extent),
            LineKind::Stats => line.check_stats(extent),
            LineKind::Cpu | LineKind::Mem | LineKind::Network | LineKind::CpuWarning | LineKind::Check => {
                let value = line.value.ok_or("a value that is none")?;
                demand(is_amount(value) && is_amount(line.available_cpus), "an implausible value")
            }
            LineKind::Config => {
                line.check_config(extent)?;
                demand(line.is_at_start(self.unix()), "a plan that was not written at the start of its run")
            }
            LineKind::SpawnComplete => extent.demand_users(line.user_count),
            LineKind::TestStop => {
                demand(is_time(&line.stopped_at), "a stop without its time")?;
                demand(line.reason.0.is_some(), "a stop for a reason that is not known")
            }
            LineKind::RunEnd => line.check_end(),
            LineKind::Shard => line.check_shard(),
            LineKind::TestStart | LineKind::Warning | LineKind::Step => Ok(()),
            LineKind::Exchange => line.check_exchange(),
        }
    }
}

impl Telemetry<'_> {
    /// What it says of an interval.
    #[must_use]
    pub fn claim(&self) -> IntervalClaim<'_> {
        let response = if self.response_is_service { self.service } else { self.response };
        IntervalClaim {
            interval_start: &self.interval_start,
            interval_end: &self.interval_end,
            method: &self.method,
            name: &self.name,
            ok: self.ok,
            failed: self.failed,
            classes: self.failed_by_class.sum(),
            completed_after_stop: self.completed_after_stop,
            failed_after_stop: self.failed_after_stop,
            aborted: self.aborted,
            redirects: self.redirects,
            reopened: self.reopened,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            service: self.service.claim(),
            response: response.claim(),
        }
    }

    fn check_interval(&self, extent: TimesExtent) -> Result<(), Contradiction> {
        demand(self.tick.is_some(), "an interval without its tick")?;
        demand(self.phase.0.is_some(), "a phase that is not known")?;
        self.claim().check()?;
        let made = &self.connections;
        let counts = [self.ok, self.failed, self.aborted, self.redirects, self.reopened, made.count];
        demand(counts.iter().all(|count| *count <= extent.most_of_gauge()), COUNT)?;
        demand(self.bytes_sent.max(self.bytes_received) <= extent.most_bytes(), COUNT)?;
        for times in [&made.dns, &made.connect, &made.tls] {
            demand(times.count() <= extent.most_of_gauge(), COUNT)?;
            times.claim().check(times.count())?;
        }
        demand_counts(&[self.first_byte.count()])?;
        self.first_byte.claim().check(self.first_byte.count())?;
        let failed_us = self.failed_service_us.sum();
        let is_part = self.failed_service_us.iter().all(|(class, _)| self.failed_by_class.of(*class) > 0);
        demand(is_part && failed_us <= self.service.claim().sum_us, "failed requests that took longer than all")?;
        let Some(timings) = self.timings_of_first_byte()? else {
            return demand(self.first_byte_histogram.is_none(), "times to the first byte without their timings");
        };
        demand(self.first_byte.count() == self.ok + self.failed, "not a time to the first byte for each request")?;
        let service_us = u128::from(self.service.claim().sum_us);
        demand(timings.total_us() == service_us, "timings that do not add up to the service time")
    }

    /// The timings, if the line has them; they must be those of its times to the first byte.
    fn timings_of_first_byte(&self) -> Result<Option<Timings>, Contradiction> {
        let Some(timings) = self.timings.map(TimingsValue::timings) else { return Ok(None) };
        let claim = self.first_byte.claim();
        demand(timings.connecting.requests <= self.first_byte.count(), "more requests that connected than completed")?;
        let first_byte_us = timings.connecting.total_us() + timings.first_byte_us;
        demand(first_byte_us == u128::from(claim.sum_us), "timings that do not add up to the first byte")?;
        demand(timings.body_us <= u128::from(MAX_CLAIMED_US), "an implausible time")?;
        Ok(Some(timings))
    }

    fn check_piece(&self) -> Result<(), Contradiction> {
        self.histogram_kind().ok_or("a histogram of times that are not known")?;
        claims::endpoint(&self.method, &self.name)
    }

    fn check_unfinished(&self) -> Result<(), Contradiction> {
        claims::endpoint(&self.method, &self.name)?;
        demand(self.phase.0.is_some(), "a phase that is not known")?;
        demand_counts(&[self.aborted, self.unsent, self.overdue])?;
        let all = self.aborted + self.unsent;
        let is_sum = (self.response.count(), self.service.count()) == (all, self.aborted);
        demand(self.overdue <= all && is_sum, "unfinished requests that do not add up")?;
        demand(self.first_byte.count() <= self.aborted, "more requests without a first byte than were cut off")?;
        self.first_byte.claim().check(self.first_byte.count())?;
        [self.response, self.service].iter().try_for_each(|times| times.claim().check(times.count()))
    }

    fn check_sample(&self) -> Result<(), Contradiction> {
        claims::endpoint(&self.method, &self.name)?;
        demand(is_within(&self.error, MAX_NAME), "an error of more than 512 bytes")?;
        let result = self.result.0.ok_or("a request whose result is not known")?;
        let is_failed = result == RequestResult::Failed;
        demand(is_failed != self.error.is_empty(), "a request that failed without an error, or the reverse")?;
        let times = [self.due_ms, self.sent_ms, self.first_byte_ms.unwrap_or(self.sent_ms), self.done_ms];
        // 300 years: a master adds the time by which the shard started later.
        demand(times.into_iter().all(|ms| (0.0..=1e13).contains(&ms)), "an implausible time")?;
        demand(times.is_sorted(), "a request that was not due, then sent, then done")?;
        let is_id = |id: &str| id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        demand(self.trace_id.is_empty() || is_id(&self.trace_id), "a trace id that is not of 32 hex digits")
    }

    fn check_health(&self, extent: TimesExtent) -> Result<(), Contradiction> {
        let has_times = self.tick.is_some() && is_time(&self.interval_start) && is_time(&self.interval_end);
        demand(has_times, "an interval without its times")?;
        // Of fixed width, so the texts compare like the times.
        demand(*self.interval_start <= *self.interval_end, "an interval that ends before it begins")?;
        extent.demand_users(self.users.max(self.users_wanted))?;
        let amounts = [
            self.intended_rate.unwrap_or_default(),
            self.achieved_rate,
            self.oldest_in_flight_ms,
            self.aggregator_cpu_percent,
            self.writer_cpu_percent,
            self.throttled_ms,
        ];
        let counts = [self.late_sends, self.sent, self.in_flight, self.ticks_joined];
        let are_counts = counts.iter().all(|count| *count <= extent.most_of_gauge());
        demand(are_counts && amounts.into_iter().all(|amount| extent.is_amount(amount)), NUMBER)
    }

    fn check_stats(&self, extent: TimesExtent) -> Result<(), Contradiction> {
        claims::endpoint(&self.method, &self.name)?;
        if (self.stats_type.0, self.status.0) == (Some(StatsType::Endpoint), Some(Status::Error)) {
            demand(is_within(&self.error, MAX_NAME), "an error of more than 512 bytes")?;
            demand_counts(&[self.occurrences])?;
            demand(self.warmup_occurrences <= self.occurrences, "an error more often in the warm-up than in the run")?;
            return demand(is_amount(self.first_seen) && is_amount(self.last_seen), "an implausible time");
        }
        extent.demand_users(self.user_count)?;
        demand_counts(&[self.num_requests])?;
        demand(self.num_failures <= self.num_requests, "more failures than requests")?;
        let rates = [self.current_rps, self.current_fail_per_sec, self.total_rps, self.total_fail_per_sec];
        let mean = self.avg_response_time;
        let times = [
            self.min_response_time,
            self.percentile_50,
            self.percentile_90,
            self.percentile_95,
            self.percentile_99,
            self.percentile_99_9,
            self.max_response_time,
        ];
        let are_amounts = times.into_iter().chain([mean, self.avg_content_length]).all(is_amount);
        demand(are_amounts && rates.into_iter().all(|rate| extent.is_amount(rate)), NUMBER)?;
        let is_ascending = times.windows(2).all(|pair| pair[0] <= pair[1]);
        // Rounded to a microsecond.
        let is_between = mean + 0.001 >= self.min_response_time && mean <= self.max_response_time + 0.001;
        demand(is_ascending && is_between, "percentiles and mean do not lie between the ends")?;
        self.check_first_byte()
    }

    /// Checks the times to the first byte of a line with statistics, if it has them.
    fn check_first_byte(&self) -> Result<(), Contradiction> {
        self.first_byte.claim().check(self.first_byte.count())?;
        if self.timings_of_first_byte()?.is_none() {
            return Ok(());
        }
        demand(self.first_byte.count() == self.num_requests, "not a time to the first byte for each request")?;
        let TimesSummary { min_us, p50_us, p90_us, p95_us, p99_us, p99_9_us, max_us, .. } = self.first_byte.summary();
        let is_ascending = [min_us, p50_us, p90_us, p95_us, p99_us, p99_9_us, max_us].is_sorted();
        demand(is_ascending, "percentiles of the first byte that do not lie between the ends")
    }

    fn check_exchange(&self) -> Result<(), Contradiction> {
        /// Parts of an exchange, and bytes of one: more than any has.
        const MOST: (usize, usize) = (100, 4000);
        claims::endpoint(&self.method, &self.name)?;
        demand(is_within(&self.error, MAX_NAME), "an error of more than 512 bytes")?;
        let is_part = (1..=self.parts).contains(&self.part) && self.parts <= MOST.0 && is_within(&self.text, MOST.1);
        demand(is_part && self.exchange > 0, "a part of an exchange that is none")
    }

    fn check_shard(&self) -> Result<(), Contradiction> {
        /// More percentiles than any line has.
        const MOST: usize = 10;
        demand_counts(&[self.ok, self.failed, self.aborted, self.ticks])?;
        let is_number = self.shard.is_some_and(|shard| shard.index < shard.count && shard.count <= MAX_SHARDS);
        demand(is_number, "a shard beyond the number of shards")?;
        let is_right =
            self.percentiles.len() <= MOST && self.percentiles.iter().all(ShardPercentileValue::is_consistent);
        demand(is_right, "percentiles of a shard that contradict themselves")
    }

    /// Whether the time of a line is that of the start which it states.
    fn is_at_start(&self, unix: Duration) -> bool {
        /// Longer than any process is stopped and goes on.
        const APART: Duration = Duration::from_secs(3600);
        unix_time(&self.started_at).is_none_or(|started| started.abs_diff(unix) <= APART)
    }

    fn check_config(&self, extent: TimesExtent) -> Result<(), Contradiction> {
        /// Bytes of a setting's key and origin, of a plan's hash, and of the addresses.
        const MOST: (usize, usize, usize) = (64, 64, 1000);
        demand(is_within(&self.plan_hash, MOST.1), "a plan's hash that is none")?;
        let is_named = |text: &str| is_within(text, MOST.0);
        let are_named = self.settings.iter().all(|setting| is_named(&setting.key) && is_named(&setting.origin));
        demand(are_named, "a setting whose name is longer than any")?;
        let has_start = !self.has(Key::started_at) && self.shard.is_none() || is_time(&self.started_at);
        let is_place = extent.is_amount(self.available_cpus) && is_amount(self.started_monotonic);
        if let Some(shard) = self.shard {
            let is_number = shard.count > 0 && shard.count <= MAX_SHARDS;
            demand(is_number, "a number of shards that no run has; at most 100,000")?;
            let own = self.source_id.strip_prefix("worker-").and_then(|index| index.parse().ok());
            demand(own == Some(shard.index), "a shard that is another than its source")?;
            demand(shard.index < shard.count, "a shard beyond the number of shards")?;
        }
        demand(has_start && is_place, "a start without its time, or an implausible number of CPUs")?;
        let text = |text: &str| serde_json::to_string(text).map_or(MOST.2, |text| text.len() + 4);
        let targets = self.targets.iter().map(|target| {
            24 + text(&target.host) + target.addresses.iter().map(|address| text(address)).sum::<usize>()
        });
        demand(targets.sum::<usize>() <= MOST.2 + 100, "more addresses than a line has room for")
    }

    fn check_end(&self) -> Result<(), Contradiction> {
        demand_counts(&[self.ok, self.failed, self.aborted, self.redirects, self.reopened, self.sent, self.completed])?;
        demand_counts(&[self.unsent, self.overdue])?;
        let is_sum = self.completed == self.ok + self.failed && self.sent == self.completed + self.aborted;
        demand(is_sum, "the last line does not count right: sent is not the sum of ok, failed and aborted")?;
        let is_due = self.due.is_none_or(|due| due == self.sent + self.unsent);
        demand(is_due, "due is not the sum of sent and unsent")?;
        demand(self.load_seconds.is_none_or(is_amount), "a load without its time")?;
        demand(self.verdict.0.is_some(), "a verdict that is not known")?;
        demand(self.lines == self.seq, "the last line counts other lines than there are")
    }

    /// When the ticks of a stream are, as its config tells: those of a run on its own begin with it.
    pub(super) fn ticks(&self) -> Option<Ticks> {
        let started = unix_time(&self.started_at)?;
        let setting = self.settings.iter().find(|setting| &*setting.key == "interval")?;
        let interval = Duration::try_from_secs_f64(setting.value.strip_suffix('s')?.parse().ok()?).ok()?;
        let origin = if self.source.0 == Some(SourceKind::Local) { started } else { Duration::ZERO };
        Some(Ticks::new(interval, origin))
    }
}
