//! Evaluates checks, in the same way for a live run, for a stream read back, and for merged streams.

use std::time::Duration;

use super::histogram::Precision;
use super::interval::Interval;
use super::packed::PackedTimes;
use super::times::Times;
use crate::plan::check::{Abort, Check, CheckScope, Latency, Metric, Unit};
use crate::vocabulary::Phase;

/// Minimum number of requests before a ratio or a percentile can stop a run.
const MIN_REQUESTS_TO_ABORT: u64 = 100;

/// Consecutive evaluations that must miss a check before it stops the run.
const MISSES_TO_ABORT: u32 = 2;

/// Results of one endpoint between two ticks, as far as checks need them.
#[derive(Clone, Copy, Debug)]
pub struct CheckInput<'s> {
    /// `METHOD name`.
    pub endpoint: &'s str,
    /// Phase of the load at that time.
    pub phase: Phase,
    /// Number of requests that failed.
    pub failed: u64,
    /// Requests that completed after the load had ended; left out of rates.
    pub after_stop: u64,
    /// From sent to the last byte, of all completed requests.
    pub service: TimesRef<'s>,
    /// From due to the last byte.
    pub response: TimesRef<'s>,
    /// From sent to the first byte; `None` if that is not known of all completed requests.
    pub first_byte: Option<TimesRef<'s>>,
}

/// Times in one of their two representations.
#[derive(Clone, Copy, Debug)]
pub enum TimesRef<'s> {
    /// As counted during a run.
    Counted(&'s Times),
    /// As packed when a stream is read back.
    Packed(&'s PackedTimes),
}

impl<'s> CheckInput<'s> {
    /// The input from a counted interval.
    #[must_use]
    pub fn from_interval(endpoint: &'s str, phase: Phase, interval: &'s Interval) -> Self {
        let (service, response) = (TimesRef::Counted(interval.service()), TimesRef::Counted(interval.response()));
        let first_byte = interval.first_byte.of_all(interval.completed()).map(TimesRef::Counted);
        let (failed, after_stop) = (interval.failures(), interval.after_stop.completed);
        Self { endpoint, phase, failed, after_stop, service, response, first_byte }
    }
}

/// Unfinished requests of one endpoint that were due in one phase.
#[derive(Clone, Copy, Debug)]
pub struct UnfinishedInput<'s> {
    /// `METHOD name`.
    pub endpoint: &'s str,
    /// The phase in which they were due.
    pub phase: Phase,
    /// From sent to the cut.
    pub service: TimesRef<'s>,
    /// From the due time to the cut.
    pub response: TimesRef<'s>,
    /// From sent to the cut, of those without a first byte.
    pub first_byte: TimesRef<'s>,
}

/// The requests that one or several checks select.
#[derive(Clone, Debug)]
struct Selection {
    scope: CheckScope,
    failed: u64,
    after_stop: u64,
    times: Times,
    /// Whether times of some requests are not known, so that nothing may be concluded from those that are.
    is_incomplete: bool,
    /// Times of unfinished requests; most runs have few.
    unfinished: Times,
    /// How long the phase has lasted so far or, where the scope is the whole run, its warm-up, which is not part of the scope.
    phase_time: Duration,
}

/// The checks of a run and the data they are evaluated on. At most one histogram per check.
#[derive(Clone, Debug, Default)]
pub struct CheckSet {
    checks: Vec<CheckState>,
    selections: Vec<Selection>,
}

/// A check and its state.
#[derive(Clone, Debug)]
struct CheckState {
    check: Check,
    selection: usize,
    /// Consecutive evaluations that missed the check with enough requests.
    missed: u32,
    /// The value that stopped the run.
    stopped_at: Option<CheckValue>,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// The value it was judged by; `None` without any request.
    pub value: Option<CheckValue>,
    /// Whether the check was met. A check without data is not met.
    pub met: bool,
}

/// The value that a check is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckValue {
    /// Microseconds for times, a fraction of 1 for `fail_ratio`.
    pub number: f64,
    /// Whether it is a lower bound: the true time is at least this, because unfinished requests were
    /// included.
    pub is_bound: bool,
}

impl CheckSet {
    /// Creates the set for these checks.
    #[must_use]
    pub fn new(checks: &[Check]) -> Self {
        let mut selections: Vec<Selection> = Vec::new();
        let mut selection_of = |scope: &CheckScope| {
            selections.iter().position(|selection| selection.scope == *scope).unwrap_or_else(|| {
                selections.push(Selection::new(scope));
                selections.len() - 1
            })
        };
        let state = |check: &Check| CheckState {
            check: check.clone(),
            selection: selection_of(check.scope()),
            missed: 0,
            stopped_at: None,
        };
        Self { checks: checks.iter().map(state).collect(), selections }
    }

    /// Whether there are no checks.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Adds to the duration of a phase; for the tick in which the load ended, only the time under load.
    pub fn add_phase_time(&mut self, phase: Phase, time: Duration) {
        for selection in self.selections.iter_mut().filter(|selection| selection.times_phase() == phase) {
            selection.phase_time += time;
        }
    }

    /// Subtracts the part of a phase's last tick that turned out to be after the end of the load.
    pub fn subtract_phase_time(&mut self, phase: Phase, time: Duration) {
        for selection in self.selections.iter_mut().filter(|selection| selection.times_phase() == phase) {
            selection.phase_time = selection.phase_time.saturating_sub(time);
        }
    }

    /// Adds the results of an endpoint.
    pub fn add(&mut self, share: &CheckInput<'_>) {
        for selection in self.selections.iter_mut().filter(|selection| selection.includes(share.endpoint, share.phase))
        {
            selection.failed += share.failed;
            // The drain has its own rate, in case a check uses it.
            if selection.scope.phase != Some(Phase::Drain) {
                selection.after_stop += share.after_stop;
            }
            match selection.times_for_scope(share.service, share.response, share.first_byte) {
                Some(times) => times.add_to(&mut selection.times),
                None => selection.is_incomplete = true,
            }
        }
    }

    /// Adds the unfinished requests of an endpoint.
    pub fn add_unfinished(&mut self, share: &UnfinishedInput<'_>) {
        for selection in self.selections.iter_mut().filter(|selection| selection.includes(share.endpoint, share.phase))
        {
            if let Some(times) = selection.times_for_scope(share.service, share.response, Some(share.first_byte)) {
                times.add_to(&mut selection.unfinished);
            }
        }
    }

    /// Returns whether a check is missed so clearly that the run should stop, `elapsed` after its start. Call
    /// this once per tick.
    pub fn should_abort(&mut self, elapsed: Duration) -> bool {
        let mut is_lost = false;
        for state in &mut self.checks {
            let selection = &self.selections[state.selection];
            let value = selection.value(state.check.metric(), elapsed);
            let missed = value.filter(|value| state.check.is_definitely_missed_by(value.number));
            let needed = match state.check.abort() {
                None => continue,
                Some(Abort::AtOnce) => 1,
                Some(Abort::Twice) if selection.requests() < MIN_REQUESTS_TO_ABORT => continue,
                Some(Abort::Twice) => MISSES_TO_ABORT,
            };
            state.missed = if missed.is_some() { state.missed + 1 } else { 0 };
            if state.missed >= needed {
                state.stopped_at = state.stopped_at.or(missed);
                is_lost = true;
            }
        }
        is_lost
    }

    /// The result of each check; `load_time` is the time from the start to the end of the load.
    #[must_use]
    pub fn results(&self, load_time: Duration) -> Vec<CheckResult> {
        let result = |state: &CheckState| {
            let selection = &self.selections[state.selection];
            let completed = selection.value(state.check.metric(), load_time);
            // A check that stopped the run is not met, whatever arrived while it was stopping.
            let mut values = state.stopped_at.into_iter().chain(completed).chain(selection.bound(state.check.metric()));
            let missed = values.find(|value| !state.check.is_met_by(value.number));
            let value = missed.or(selection.bound(state.check.metric())).or(completed);
            CheckResult { check: state.check.clone(), value, met: missed.is_none() && value.is_some() }
        };
        self.checks.iter().map(result).collect()
    }
}

impl TimesRef<'_> {
    fn add_to(self, times: &mut Times) {
        match self {
            TimesRef::Counted(more) => times.add(more),
            TimesRef::Packed(more) => times.add_packed(more),
        }
    }
}

impl Selection {
    /// No requests yet.
    fn new(scope: &CheckScope) -> Self {
        let precision = match scope.latency {
            Latency::Response | Latency::Service => Precision::Fine,
            Latency::FirstByte => Precision::Coarse,
        };
        let none = || Times::new(precision);
        Self {
            scope: scope.clone(),
            failed: 0,
            after_stop: 0,
            times: none(),
            is_incomplete: false,
            unfinished: none(),
            phase_time: Duration::ZERO,
        }
    }

    fn requests(&self) -> u64 {
        self.times.sum().count
    }

    /// The phase of which the time is kept.
    fn times_phase(&self) -> Phase {
        self.scope.phase.unwrap_or(Phase::Warmup)
    }

    fn includes(&self, endpoint: &str, phase: Phase) -> bool {
        let is_here = self.scope.endpoint.as_deref().is_none_or(|named| named == endpoint);
        is_here && self.scope.phase.map_or(phase != Phase::Warmup, |wanted| wanted == phase)
    }

    fn times_for_scope<'s>(
        &self,
        service: TimesRef<'s>,
        response: TimesRef<'s>,
        first_byte: Option<TimesRef<'s>>,
    ) -> Option<TimesRef<'s>> {
        match self.scope.latency {
            Latency::Response => Some(response),
            Latency::Service => Some(service),
            Latency::FirstByte => first_byte,
        }
    }

    /// The value over completed requests; `None` without any, or where their times are not known.
    fn value(&self, metric: Metric, load_time: Duration) -> Option<CheckValue> {
        let requests = self.requests();
        if requests == 0 || self.is_incomplete {
            return None;
        }
        let whole = || load_time.saturating_sub(self.phase_time);
        let seconds = if self.scope.phase.is_none() { whole() } else { self.phase_time }.as_secs_f64();
        let number = match metric {
            Metric::Rps if seconds > 0.0 => requests.saturating_sub(self.after_stop) as f64 / seconds,
            Metric::Rps => 0.0,
            Metric::FailRatio => self.failed as f64 / requests as f64,
            Metric::Failures => self.failed as f64,
            Metric::Requests => requests as f64,
            Metric::Percentile(_) | Metric::Min | Metric::Avg | Metric::Max => time(metric, &self.times),
        };
        Some(CheckValue { number, is_bound: false })
    }

    /// The lower bound of a time over completed and unfinished requests together; `None` where it is not
    /// above the value of the completed requests alone.
    fn bound(&self, metric: Metric) -> Option<CheckValue> {
        let has_none = self.unfinished.sum().count == 0 || self.is_incomplete;
        if metric.unit() != Unit::Time || metric == Metric::Min || has_none {
            return None;
        }
        let mut together = self.times.clone();
        together.add(&self.unfinished);
        let number = time(metric, &together);
        (number > time(metric, &self.times)).then_some(CheckValue { number, is_bound: true })
    }
}

/// The value of a time metric in microseconds; 0 for other metrics.
fn time(metric: Metric, times: &Times) -> f64 {
    let us = match metric {
        Metric::Percentile(permille) => times.percentile_us(u64::from(permille)),
        Metric::Min => times.sum().min_us(),
        Metric::Avg => times.sum().mean_us(),
        Metric::Max => times.sum().max_us,
        Metric::Rps | Metric::FailRatio | Metric::Failures | Metric::Requests => 0,
    };
    us as f64
}

impl CheckResult {
    /// The value as written to the stream, 0 without data, and its unit: `ms`, `1/s`, `ratio` (a fraction of
    /// 1) or `requests`.
    #[must_use]
    pub fn wire_value(&self) -> (f64, &'static str) {
        let value = self.value.map_or(0.0, |value| value.number);
        let unit = self.check.metric().unit();
        let value = match unit {
            Unit::Time => value / 1000.0,
            Unit::PerSecond | Unit::Share | Unit::Requests => value,
        };
        (value, unit.as_str())
    }

    /// The value in human-readable form, `312.5ms`, `1.25%` or `≥ 5.9s`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        let (number, unit) = self.wire_value();
        self.value.map(|value| value_text(number, unit, value.is_bound))
    }

    /// Why the check is not met, in a sentence; `None` if it is met.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self.value_text() {
            _ if self.met => None,
            Some(value) => Some(format!("check not met: {}, it is {value}", self.check)),
            None => Some(format!("check without data: {}", self.check)),
        }
    }
}

/// The value of a check in human-readable form: `312.5ms`, `1.25%`; for a lower bound `≥ 5.9s`.
#[must_use]
pub fn value_text(value: f64, unit: &str, is_bound: bool) -> String {
    if is_bound {
        return format!("≥ {}", value_text(value, unit, false));
    }
    match unit {
        "ratio" => format!("{}%", three_decimals(value * 100.0)),
        "ms" if value >= 1000.0 => format!("{}s", six_decimals(value / 1000.0)),
        "ms" => format!("{}ms", six_decimals(value)),
        "1/s" => format!("{}/s", three_decimals(value)),
        _ => three_decimals(value),
    }
}

/// Formats a number with at most six decimals: a bound may be missed by the last digit of a time.
fn six_decimals(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

/// Formats a number with at most three decimals, without trailing zeros.
fn three_decimals(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0)
}

/// Counts the failures that no check covers, from `failures` by endpoint (`METHOD name`). A check on failures
/// decides whether failures matter: a check of one endpoint for that endpoint, any other check for all.
#[must_use]
pub fn unchecked_failures<'f>(checks: &[Check], failures: impl Iterator<Item = (&'f str, u64)>) -> u64 {
    let deciding: Vec<&CheckScope> =
        checks.iter().filter(|check| check.metric().is_about_failures()).map(Check::scope).collect();
    let is_decided =
        |endpoint: &str| deciding.iter().any(|scope| scope.endpoint.as_deref().is_none_or(|named| named == endpoint));
    failures.filter(|(endpoint, _)| !is_decided(endpoint)).map(|(_, failed)| failed).sum()
}

#[cfg(test)]
mod tests;
