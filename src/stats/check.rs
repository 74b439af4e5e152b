//! Evaluates checks, in the same way for a live run, for a stream read back, and for merged streams.

use std::time::Duration;

use super::histogram::Precision;
use super::interval::Interval;
use super::packed::PackedTimes;
use super::times::Times;
use crate::plan::check::{Abort, Check, Latency, Metric, Scope};
use crate::vocabulary::Phase;

/// Minimum number of requests before a ratio or a percentile can stop a run.
const ENOUGH: u64 = 100;

/// Consecutive evaluations that must miss a check before it stops the run.
const LOOKS: u32 = 2;

/// Results of one endpoint between two ticks, as far as checks need them.
#[derive(Clone, Copy, Debug)]
pub struct Share<'s> {
    /// `METHOD name`.
    pub endpoint: &'s str,
    /// Phase of the load at that time.
    pub phase: Phase,
    /// Number of requests that failed.
    pub failed: u64,
    /// Requests that completed after the load had ended; left out of rates.
    pub after_stop: u64,
    /// From sent to the last byte, of all completed requests.
    pub service: Kept<'s>,
    /// From due to the last byte.
    pub response: Kept<'s>,
}

/// Times in one of their two representations.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'s> {
    /// As counted during a run.
    Counted(&'s Times),
    /// As packed when a stream is read back.
    Packed(&'s PackedTimes),
}

impl<'s> Share<'s> {
    /// The share for a counted interval.
    #[must_use]
    pub fn of(endpoint: &'s str, phase: Phase, interval: &'s Interval) -> Self {
        let (service, response) = (Kept::Counted(interval.service()), Kept::Counted(interval.response()));
        let (failed, after_stop) = (interval.failures(), interval.after_stop.completed);
        Self { endpoint, phase, failed, after_stop, service, response }
    }
}

/// Unfinished requests of one endpoint that were due in one phase.
#[derive(Clone, Copy, Debug)]
pub struct UnfinishedShare<'s> {
    /// `METHOD name`.
    pub endpoint: &'s str,
    /// The phase in which they were due.
    pub phase: Phase,
    /// From sent to the cut.
    pub service: Kept<'s>,
    /// From the due time to the cut.
    pub response: Kept<'s>,
}

/// The requests that one or several checks select.
#[derive(Clone, Debug)]
struct Pool {
    scope: Scope,
    failed: u64,
    after_stop: u64,
    times: Times,
    /// Times of unfinished requests; most runs have few.
    unfinished: Times,
    /// How long the phase has lasted so far; zero where the scope is the whole run.
    lasted: Duration,
}

/// The checks of a run and the data they are evaluated on. At most one histogram per check.
#[derive(Clone, Debug, Default)]
pub struct Bench {
    checks: Vec<Held>,
    pools: Vec<Pool>,
}

/// A check and its state.
#[derive(Clone, Debug)]
struct Held {
    check: Check,
    pool: usize,
    /// Consecutive evaluations that missed the check with enough requests.
    missed: u32,
    /// The value that stopped the run.
    stopped_at: Option<Value>,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The check.
    pub check: Check,
    /// The value it was judged by; `None` without any request.
    pub value: Option<Value>,
    /// Whether the check was met. A check without data is not met.
    pub met: bool,
}

/// The value that a check is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Microseconds for times, a fraction of 1 for `fail_ratio`.
    pub number: f64,
    /// Whether it is a lower bound: the true time is at least this, because unfinished requests were
    /// included.
    pub is_bound: bool,
}

impl Bench {
    /// Creates the set for these checks.
    #[must_use]
    pub fn new(checks: &[Check]) -> Self {
        let mut pools: Vec<Pool> = Vec::new();
        let mut pool_of = |scope: &Scope| {
            pools.iter().position(|pool| pool.scope == *scope).unwrap_or_else(|| {
                let none = || Times::new(Precision::Fine);
                let (times, unfinished, lasted) = (none(), none(), Duration::ZERO);
                pools.push(Pool { scope: scope.clone(), failed: 0, after_stop: 0, times, unfinished, lasted });
                pools.len() - 1
            })
        };
        let held =
            |check: &Check| Held { check: check.clone(), pool: pool_of(check.scope()), missed: 0, stopped_at: None };
        Self { checks: checks.iter().map(held).collect(), pools }
    }

    /// Whether there are no checks.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Adds to the duration of a phase; for the tick in which the load ended, only the time under load.
    pub fn pass(&mut self, phase: Phase, time: Duration) {
        for pool in self.pools.iter_mut().filter(|pool| pool.scope.phase == Some(phase)) {
            pool.lasted += time;
        }
    }

    /// Subtracts the part of a phase's last tick that turned out to be after the end of the load.
    pub fn take_back(&mut self, phase: Phase, time: Duration) {
        for pool in self.pools.iter_mut().filter(|pool| pool.scope.phase == Some(phase)) {
            pool.lasted = pool.lasted.saturating_sub(time);
        }
    }

    /// Adds the results of an endpoint.
    pub fn add(&mut self, share: &Share<'_>) {
        for pool in self.pools.iter_mut().filter(|pool| pool.is_about(share.endpoint, share.phase)) {
            pool.failed += share.failed;
            // The drain has its own rate, in case a check uses it.
            if pool.scope.phase != Some(Phase::Drain) {
                pool.after_stop += share.after_stop;
            }
            pool.chosen(share.service, share.response).add_to(&mut pool.times);
        }
    }

    /// Adds the unfinished requests of an endpoint.
    pub fn add_unfinished(&mut self, share: &UnfinishedShare<'_>) {
        for pool in self.pools.iter_mut().filter(|pool| pool.is_about(share.endpoint, share.phase)) {
            pool.chosen(share.service, share.response).add_to(&mut pool.unfinished);
        }
    }

    /// Returns whether a check is missed so clearly that the run should stop, `elapsed` after its start. Call
    /// this once per tick.
    pub fn is_lost(&mut self, elapsed: Duration) -> bool {
        let mut is_lost = false;
        for held in &mut self.checks {
            let pool = &self.pools[held.pool];
            let value = pool.value(held.check.metric(), elapsed);
            let missed = value.filter(|value| held.check.is_passed_by(value.number));
            let needed = match held.check.abort() {
                None => continue,
                Some(Abort::AtOnce) => 1,
                Some(Abort::Twice) if pool.requests() < ENOUGH => continue,
                Some(Abort::Twice) => LOOKS,
            };
            held.missed = if missed.is_some() { held.missed + 1 } else { 0 };
            if held.missed >= needed {
                held.stopped_at = held.stopped_at.or(missed);
                is_lost = true;
            }
        }
        is_lost
    }

    /// The result of each check; `load_time` is the time from the start to the end of the load.
    #[must_use]
    pub fn rulings(&self, load_time: Duration) -> Vec<Ruling> {
        let ruling = |held: &Held| {
            let pool = &self.pools[held.pool];
            let completed = pool.value(held.check.metric(), load_time);
            // A check that stopped the run is not met, whatever arrived while it was stopping.
            let mut values = held.stopped_at.into_iter().chain(completed).chain(pool.bound(held.check.metric()));
            let missed = values.find(|value| !held.check.is_met_by(value.number));
            let value = missed.or(pool.bound(held.check.metric())).or(completed);
            Ruling { check: held.check.clone(), value, met: missed.is_none() && value.is_some() }
        };
        self.checks.iter().map(ruling).collect()
    }
}

impl Kept<'_> {
    fn add_to(self, times: &mut Times) {
        match self {
            Kept::Counted(more) => times.add(more),
            Kept::Packed(more) => times.add_packed(more),
        }
    }
}

impl Pool {
    fn requests(&self) -> u64 {
        self.times.sum().count
    }

    fn is_about(&self, endpoint: &str, phase: Phase) -> bool {
        let is_here = self.scope.endpoint.as_deref().is_none_or(|named| named == endpoint);
        is_here && self.scope.phase.is_none_or(|wanted| wanted == phase)
    }

    fn chosen<'s>(&self, service: Kept<'s>, response: Kept<'s>) -> Kept<'s> {
        if self.scope.latency == Latency::Service { service } else { response }
    }

    /// The value over completed requests; `None` without any.
    fn value(&self, metric: Metric, load_time: Duration) -> Option<Value> {
        let requests = self.requests();
        if requests == 0 {
            return None;
        }
        let seconds = if self.scope.phase.is_none() { load_time } else { self.lasted }.as_secs_f64();
        let number = match metric {
            Metric::Rps if seconds > 0.0 => requests.saturating_sub(self.after_stop) as f64 / seconds,
            Metric::Rps => 0.0,
            Metric::FailRatio => self.failed as f64 / requests as f64,
            Metric::Failures => self.failed as f64,
            Metric::Requests => requests as f64,
            _ => time(metric, &self.times),
        };
        Some(Value { number, is_bound: false })
    }

    /// The lower bound of a time over completed and unfinished requests together; `None` where it is not
    /// above the value of the completed requests alone.
    fn bound(&self, metric: Metric) -> Option<Value> {
        if !metric.is_time() || metric == Metric::Min || self.unfinished.sum().count == 0 {
            return None;
        }
        let mut together = self.times.clone();
        together.add(&self.unfinished);
        let number = time(metric, &together);
        (number > time(metric, &self.times)).then_some(Value { number, is_bound: true })
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

impl Ruling {
    /// The value as written to the stream, 0 without data, and its unit: `ms`, `1/s`, `ratio` (a fraction of
    /// 1) or `requests`.
    #[must_use]
    pub fn told(&self) -> (f64, &'static str) {
        let value = self.value.map_or(0.0, |value| value.number);
        match self.check.metric() {
            Metric::Rps => (value, "1/s"),
            Metric::FailRatio => (value, "ratio"),
            Metric::Failures | Metric::Requests => (value, "requests"),
            _ => (value / 1000.0, "ms"),
        }
    }

    /// The value in human-readable form, `312.5ms`, `1.25%` or `≥ 5.9s`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        let (number, unit) = self.told();
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
        "ratio" => format!("{}%", digits(value * 100.0)),
        "ms" if value >= 1000.0 => format!("{}s", exact(value / 1000.0)),
        "ms" => format!("{}ms", exact(value)),
        "1/s" => format!("{}/s", digits(value)),
        _ => digits(value),
    }
}

/// Formats a number with at most six decimals: a bound may be missed by the last digit of a time.
fn exact(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

/// Formats a number with at most three decimals, without trailing zeros.
fn digits(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0)
}

/// Counts the failures that no check covers, from `failures` by endpoint (`METHOD name`). A check on failures
/// decides whether failures matter: a check of one endpoint for that endpoint, any other check for all.
#[must_use]
pub fn unchecked<'f>(checks: &[Check], failures: impl Iterator<Item = (&'f str, u64)>) -> u64 {
    let deciding: Vec<&Scope> =
        checks.iter().filter(|check| check.metric().is_about_failures()).map(Check::scope).collect();
    let is_decided =
        |endpoint: &str| deciding.iter().any(|scope| scope.endpoint.as_deref().is_none_or(|named| named == endpoint));
    failures.filter(|(endpoint, _)| !is_decided(endpoint)).map(|(_, failed)| failed).sum()
}

#[cfg(test)]
mod tests;
