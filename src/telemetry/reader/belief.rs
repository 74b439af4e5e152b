//! What a line claims, held against itself and against the grid of its ticks, before a reader is given it.

use std::time::Duration;

use super::ending::{CountedTimes, RunEnd, Unfinished};
use super::facts::{Config, ErrorRow, Fact, Health, Interval, Row};
use crate::clock::unix_time;
use crate::telemetry::claims::{self, Contradiction, IntervalClaim, MOST_COUNT, Ticks, TimesClaim, is_amount, is_time};
use crate::telemetry::text::{MOST_NAME, is_within};
use crate::vocabulary::SourceKind;

/// Holds a line against itself.
///
/// # Errors
/// What contradicts what.
pub(super) fn check(fact: &Fact) -> Result<(), Contradiction> {
    match fact {
        Fact::Interval(interval) => interval.claim().check(),
        Fact::Histogram(piece) => claims::endpoint(&piece.method, &piece.name),
        Fact::Unfinished(unfinished) => check_unfinished(unfinished),
        Fact::Current(row) | Fact::Final(row) | Fact::Endpoint(row) => check_row(row),
        Fact::EndpointError(row) => check_error(row),
        Fact::Cpu(gauge) | Fact::Mem(gauge) | Fact::CpuWarning(gauge) => {
            let is_reasonable = is_amount(gauge.value) && is_amount(gauge.available_cpus);
            if is_reasonable { Ok(()) } else { Err("a value beyond all reason") }
        }
        Fact::Health(health) => check_health(health),
        Fact::TestStop(stop) if !is_time(&stop.stopped_at) => Err("a stop without its time"),
        Fact::Config(config) => check_config(config),
        Fact::Check(check) if !is_amount(check.value) => Err("a value beyond all reason"),
        Fact::RunEnd(end) => check_end(end),
        _ => Ok(()),
    }
}

impl Interval {
    fn claim(&self) -> IntervalClaim<'_> {
        IntervalClaim {
            interval_start: &self.interval_start,
            interval_end: &self.interval_end,
            method: &self.method,
            name: &self.name,
            ok: self.ok,
            failed: self.failed,
            classes: self.failed_by_class.values().fold(0, |sum: u64, count| sum.saturating_add(*count)),
            completed_after_stop: self.completed_after_stop,
            failed_after_stop: self.failed_after_stop,
            aborted: self.aborted,
            redirects: self.redirects,
            reopened: self.reopened,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            service: self.service.claim(),
            response: if self.response_is_service { self.service.claim() } else { self.response.claim() },
        }
    }
}

impl super::facts::Times {
    /// Sum and ends, to be held against each other.
    #[must_use]
    pub const fn claim(&self) -> TimesClaim {
        TimesClaim { sum_us: self.sum_us, min_us: self.min_us, max_us: self.max_us }
    }
}

impl CountedTimes {
    /// Sum and ends, to be held against each other.
    #[must_use]
    pub const fn claim(&self) -> TimesClaim {
        TimesClaim { sum_us: self.sum_us, min_us: self.min_us, max_us: self.max_us }
    }
}

fn check_unfinished(line: &Unfinished) -> Result<(), Contradiction> {
    claims::endpoint(&line.method, &line.name)?;
    let all = line.aborted + line.unsent;
    if line.overdue > all || (line.response.count, line.service.count) != (all, line.aborted) {
        return Err("unfinished requests that do not add up");
    }
    [line.response, line.service].iter().try_for_each(|times| times.claim().check(times.count))
}

fn check_row(row: &Row) -> Result<(), Contradiction> {
    claims::endpoint(&row.method, &row.name)?;
    let line = &row.statistics;
    if line.num_requests > MOST_COUNT {
        return Err("a count beyond all reason");
    }
    if line.num_failures > line.num_requests {
        return Err("more failures than requests");
    }
    let rates = [
        line.current_rps,
        line.current_fail_per_sec,
        line.total_rps,
        line.total_fail_per_sec,
        line.avg_content_length,
        line.avg_response_time,
    ];
    let times = [
        line.min_response_time,
        line.percentile_50,
        line.percentile_90,
        line.percentile_95,
        line.percentile_99,
        line.percentile_99_9,
        line.max_response_time,
    ];
    if !rates.into_iter().chain(times).all(is_amount) {
        return Err("a number beyond all reason");
    }
    let is_ascending = times.windows(2).all(|pair| pair[0] <= pair[1]);
    // Rounded to a microsecond.
    let mean = line.avg_response_time;
    let is_between = mean + 0.001 >= line.min_response_time && mean <= line.max_response_time + 0.001;
    if is_ascending && is_between { Ok(()) } else { Err("percentiles and mean do not lie between the ends") }
}

fn check_error(row: &ErrorRow) -> Result<(), Contradiction> {
    claims::endpoint(&row.method, &row.name)?;
    if !is_within(&row.error, MOST_NAME) {
        return Err("an error of more than 512 bytes");
    }
    let is_reasonable = is_amount(row.first_seen) && is_amount(row.last_seen);
    if is_reasonable { Ok(()) } else { Err("a time beyond all reason") }
}

fn check_health(health: &Health) -> Result<(), Contradiction> {
    if !(is_time(&health.interval_start) && is_time(&health.interval_end)) {
        return Err("an interval without its times");
    }
    if health.interval_start > health.interval_end {
        return Err("an interval that ends before it begins");
    }
    let is_reasonable = is_amount(health.throttled_ms)
        && is_amount(health.intended_rate.unwrap_or_default())
        && health.late_sends.max(health.in_flight) <= MOST_COUNT;
    if is_reasonable { Ok(()) } else { Err("a number beyond all reason") }
}

fn check_config(config: &Config) -> Result<(), Contradiction> {
    let is_reasonable = config.available_cpus.is_none_or(is_amount);
    let has_start = config.started_at.as_deref().is_none_or(is_time);
    if is_reasonable && has_start { Ok(()) } else { Err("a start without its time, or CPUs beyond all reason") }
}

fn check_end(end: &RunEnd) -> Result<(), Contradiction> {
    let is_reasonable = end.load_seconds.is_none_or(is_amount);
    if is_reasonable { Ok(()) } else { Err("a load without its time") }
}

/// When the ticks of a stream are, as its config tells: those of a run on its own begin with it.
pub(super) fn ticks(source: &str, config: &Config) -> Option<Ticks> {
    let started = unix_time(config.started_at.as_deref()?)?;
    let setting = config.settings.iter().find(|setting| setting.key == "interval")?;
    let interval = Duration::try_from_secs_f64(setting.value.strip_suffix('s')?.parse().ok()?).ok()?;
    let origin = if source == SourceKind::Local.as_str() { started } else { Duration::ZERO };
    Some(Ticks::new(interval, origin))
}
