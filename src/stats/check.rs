//! What checks look at, and whether they are met. The same for a run, for its stream read back, and for many merged.

use std::time::Duration;

use super::histogram::Precision;
use super::interval::Interval;
use super::times::Times;
use crate::plan::check::{Abort, Check, Latency, Metric, Scope};
use crate::plan::schedule::Phase;

/// Requests below which a share or a percentile says too little to stop a run for it.
const ENOUGH: u64 = 100;

/// Looks in a row that must find a check missed before it stops the run.
const LOOKS: u32 = 2;

/// What happened at one endpoint between two ticks, as far as checks need it.
#[derive(Clone, Copy, Debug)]
pub struct Share<'s> {
    /// `METHOD name`.
    pub endpoint: &'s str,
    /// What the load did then.
    pub phase: Phase,
    /// Requests that failed.
    pub failed: u64,
    /// From sent to the last byte; of all that were answered or failed.
    pub service: &'s Times,
    /// From due to the last byte.
    pub response: &'s Times,
}

impl<'s> Share<'s> {
    /// The share that an interval is.
    #[must_use]
    pub fn of(endpoint: &'s str, phase: Phase, interval: &'s Interval) -> Self {
        let (service, response) = (interval.service(), interval.response());
        Self { endpoint, phase, failed: interval.failures(), service, response }
    }
}

/// The requests that one or several checks are about.
#[derive(Debug)]
struct Pool {
    scope: Scope,
    failed: u64,
    times: Times,
    /// How long the phase took so far; nothing where the scope is the whole run.
    lasted: Duration,
}

/// The checks of a run with what they look at. At most one histogram a check.
#[derive(Debug)]
pub struct Bench {
    checks: Vec<Held>,
    pools: Vec<Pool>,
}

/// A check, and how it does.
#[derive(Debug)]
struct Held {
    check: Check,
    pool: usize,
    /// Looks in a row that found it missed, with enough requests.
    missed: u32,
    /// The value that stopped the run.
    stopped_at: Option<f64>,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The check.
    pub check: Check,
    /// The value reached: microseconds for times, a share of 1 for `fail_ratio`; `None` without a request.
    pub value: Option<f64>,
    /// Whether it was met. Without data it is not.
    pub met: bool,
}

impl Bench {
    /// A bench for these checks.
    #[must_use]
    pub fn new(checks: &[Check]) -> Self {
        let mut pools: Vec<Pool> = Vec::new();
        let mut pool_of = |scope: &Scope| {
            pools.iter().position(|pool| pool.scope == *scope).unwrap_or_else(|| {
                let times = Times::new(Precision::Fine);
                pools.push(Pool { scope: scope.clone(), failed: 0, times, lasted: Duration::ZERO });
                pools.len() - 1
            })
        };
        let held =
            |check: &Check| Held { check: check.clone(), pool: pool_of(check.scope()), missed: 0, stopped_at: None };
        Self { checks: checks.iter().map(held).collect(), pools }
    }

    /// Whether there is nothing to hold the run to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// A phase went on for so long.
    pub fn pass(&mut self, phase: Phase, time: Duration) {
        for pool in self.pools.iter_mut().filter(|pool| pool.scope.phase == Some(phase)) {
            pool.lasted += time;
        }
    }

    /// Adds what happened at an endpoint.
    pub fn add(&mut self, share: &Share<'_>) {
        for pool in &mut self.pools {
            let is_here = pool.scope.endpoint.as_deref().is_none_or(|endpoint| endpoint == share.endpoint);
            let is_now = pool.scope.phase.is_none_or(|phase| phase == share.phase);
            if is_here && is_now {
                pool.failed += share.failed;
                pool.times.add(match pool.scope.latency {
                    Latency::Response => share.response,
                    Latency::Service => share.service,
                });
            }
        }
    }

    /// Looks whether a check is so clearly missed that the run is to stop, `elapsed` after its start. To be asked once
    /// a tick.
    pub fn is_lost(&mut self, elapsed: Duration) -> bool {
        let mut is_lost = false;
        for held in &mut self.checks {
            let pool = &self.pools[held.pool];
            let value = pool.value(held.check.metric(), elapsed);
            let missed = value.filter(|value| held.check.is_passed_by(*value));
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

    /// What became of each check, `elapsed` being the time from the start to the end of the last request.
    #[must_use]
    pub fn rulings(&self, elapsed: Duration) -> Vec<Ruling> {
        let ruling = |held: &Held| {
            // What stopped the run is not met, whatever came in while it stopped.
            let value = held.stopped_at.or_else(|| self.pools[held.pool].value(held.check.metric(), elapsed));
            let met = value.is_some_and(|value| held.check.is_met_by(value));
            Ruling { check: held.check.clone(), value, met }
        };
        self.checks.iter().map(ruling).collect()
    }
}

impl Pool {
    fn requests(&self) -> u64 {
        self.times.sum().count
    }

    /// Microseconds for times, a share of 1 for `fail_ratio`; `None` without a request.
    fn value(&self, metric: Metric, elapsed: Duration) -> Option<f64> {
        let requests = self.requests();
        if requests == 0 {
            return None;
        }
        let sum = self.times.sum();
        let seconds = if self.scope.phase.is_none() { elapsed } else { self.lasted }.as_secs_f64();
        Some(match metric {
            Metric::Percentile(permille) => self.times.percentile_us(u64::from(permille)) as f64,
            Metric::Min => sum.min_us() as f64,
            Metric::Avg => sum.mean_us() as f64,
            Metric::Max => sum.max_us as f64,
            Metric::Rps if seconds > 0.0 => requests as f64 / seconds,
            Metric::Rps => 0.0,
            Metric::FailRatio => self.failed as f64 / requests as f64,
            Metric::Failures => self.failed as f64,
            Metric::Requests => requests as f64,
        })
    }
}

impl Ruling {
    /// The value as the stream tells it, 0 without data, and its unit: `ms`, `1/s`, `ratio` (a share of 1) or `requests`.
    #[must_use]
    pub fn told(&self) -> (f64, &'static str) {
        let value = self.value.unwrap_or(0.0);
        match self.check.metric() {
            Metric::Rps => (value, "1/s"),
            Metric::FailRatio => (value, "ratio"),
            Metric::Failures | Metric::Requests => (value, "requests"),
            _ => (value / 1000.0, "ms"),
        }
    }

    /// The value as people read it, `312.5ms` or `1.25%`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        let (value, unit) = self.told();
        self.value.map(|_| value_text(value, unit))
    }

    /// Why it is not met, in a sentence; `None` where it is.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self.value_text() {
            _ if self.met => None,
            Some(value) => Some(format!("check not met: {}, it is {value}", self.check)),
            None => Some(format!("check without data: {}", self.check)),
        }
    }
}

/// A value of a check as people read it: `312.5ms`, `1.25%`.
#[must_use]
pub fn value_text(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{}%", digits(value * 100.0)),
        "ms" if value >= 1000.0 => format!("{}s", exact(value / 1000.0)),
        "ms" => format!("{}ms", exact(value)),
        "1/s" => format!("{}/s", digits(value)),
        _ => digits(value),
    }
}

/// A number to six decimals at most: a bound may be missed by the last digit of a time.
fn exact(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

/// A number to three decimals at most, without zeros behind.
fn digits(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0)
}

/// Failures that no check is about, of `failures` by endpoint (`METHOD name`): a check on failures decides what they
/// are worth, one of an endpoint for that endpoint, any other for all.
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
