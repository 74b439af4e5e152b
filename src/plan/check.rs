//! Checks that a run must meet: `p95{GET /items}@steady < 300ms abort`.
//!
//! A check is `METRIC[{ENDPOINT}][@PHASE] OPERATOR NUMBER[UNIT] [abort]`; endpoint and phase may come in
//! either order. The endpoint extends from the first `{` to the *last* `}` of the whole check, so its name
//! may contain spaces, braces and anything else: what follows it never contains a brace.

mod parse;

use std::cmp::Ordering;
use std::fmt;

use super::request::Endpoint;
use super::schedule::Phase;
use crate::cli::{CheckFlags, Origin, Origins};
use crate::error::{Error, Result};
use crate::secret::{MASK, masked_url};

/// Maximum length of a check in bytes: checks are written to the stream in full, whereas longer settings are
/// hashed.
const LONGEST: usize = 1024;

/// Maximum number of checks of a run: each may keep a histogram of 184 KiB.
pub const MOST_CHECKS: usize = 100;

/// One condition that a run must meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    text: String,
    scope: Scope,
    metric: Metric,
    relation: Relation,
    /// Microseconds for times, a fraction of 1 for `fail_ratio`, otherwise a plain number.
    bound: f64,
    aborts: bool,
}

/// Which requests a check covers, and which of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `METHOD name` of the endpoint; all endpoints if `None`.
    pub endpoint: Option<String>,
    /// The phase of the load; the whole run if `None`.
    pub phase: Option<Phase>,
    /// Which time is measured.
    pub latency: Latency,
}

/// Where a time measurement starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// From when the request was due.
    #[default]
    Response,
    /// From when it was sent.
    Service,
}

/// The quantity that a check compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The time within which this many thousandths of the requests completed.
    Percentile(u16),
    /// The minimum time.
    Min,
    /// The mean time.
    Avg,
    /// The maximum time.
    Max,
    /// Requests per second.
    Rps,
    /// Share of the requests that failed.
    FailRatio,
    /// Number of requests that failed.
    Failures,
    /// Number of requests that completed: answered or failed.
    Requests,
}

/// Names of the metrics.
const METRICS: [(&str, Metric); 12] = [
    ("p50", Metric::Percentile(500)),
    ("p90", Metric::Percentile(900)),
    ("p95", Metric::Percentile(950)),
    ("p99", Metric::Percentile(990)),
    ("p99.9", Metric::Percentile(999)),
    ("min", Metric::Min),
    ("avg", Metric::Avg),
    ("max", Metric::Max),
    ("rps", Metric::Rps),
    ("fail_ratio", Metric::FailRatio),
    ("failures", Metric::Failures),
    ("requests", Metric::Requests),
];

impl Metric {
    /// Returns whether it is a time.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Min | Self::Avg | Self::Max)
    }

    /// Returns whether it counts failed requests.
    #[must_use]
    pub const fn is_about_failures(self) -> bool {
        matches!(self, Self::FailRatio | Self::Failures)
    }
}

/// The comparison between value and bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

/// Operators of the relations; those of two characters come first.
const RELATIONS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<", Relation::Below),
    (">", Relation::Above),
];

impl Relation {
    /// Returns whether a value that compares to the bound in this way meets the check.
    #[must_use]
    pub const fn holds(self, value_to_bound: Ordering) -> bool {
        match self {
            Self::Below => value_to_bound.is_lt(),
            Self::AtMost => value_to_bound.is_le(),
            Self::Above => value_to_bound.is_gt(),
            Self::AtLeast => value_to_bound.is_ge(),
            Self::Equal => value_to_bound.is_eq(),
            Self::Unequal => value_to_bound.is_ne(),
        }
    }
}

/// When a check with `abort` stops the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// As soon as it is missed, because the value can only move further away from the bound.
    AtOnce,
    /// When it is missed twice in a row with enough requests.
    Twice,
}

impl Check {
    /// Parses a check.
    ///
    /// # Errors
    /// A sentence with the position of the error and what is expected there.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        if text.len() > LONGEST { Err(format!("is longer than {LONGEST} bytes")) } else { parse::check(text) }
    }

    /// `metric relation bound` over the whole run, as in locust-plugins: times in milliseconds.
    fn over_all(metric: Metric, relation: Relation, bound: f64) -> Self {
        let word = METRICS.into_iter().find(|(_, known)| *known == metric).map_or("", |(word, _)| word);
        let sign = RELATIONS.into_iter().find(|(_, known)| *known == relation).map_or("", |(sign, _)| sign);
        let (unit, scale) = if metric.is_time() { ("ms", 1000.0) } else { ("", 1.0) };
        let text = format!("{word} {sign} {bound}{unit}");
        Self { text, scope: Scope::default(), metric, relation, bound: bound * scale, aborts: false }
    }

    /// The check as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The requests that it covers.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The quantity that it compares.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.metric
    }

    /// Returns whether a value (microseconds for times, a fraction of 1 for `fail_ratio`) meets the check.
    #[must_use]
    pub fn is_met_by(&self, value: f64) -> bool {
        self.relation.holds(value.total_cmp(&self.bound))
    }

    /// Returns whether a value misses the check for good, and not only because it may still grow to meet it.
    #[must_use]
    pub fn is_passed_by(&self, value: f64) -> bool {
        let grows = self.metric == Metric::Failures && self.relation == Relation::Equal;
        if grows { value > self.bound } else { !self.is_met_by(value) }
    }

    /// When the check stops the run; `None` if it never does.
    #[must_use]
    pub fn abort(&self) -> Option<Abort> {
        let kind = match (self.metric, self.relation) {
            // Counts and the maximum can only grow, the minimum can only fall.
            (Metric::Max | Metric::Failures | Metric::Requests | Metric::Min, _) => Abort::AtOnce,
            // After one failure, the ratio is never 0 again.
            (Metric::FailRatio, Relation::Equal | Relation::AtMost) if self.bound <= 0.0 => Abort::AtOnce,
            _ => Abort::Twice,
        };
        self.aborts.then_some(kind)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The checks from the flags, or otherwise from the scenario file, with their origin and in their order;
/// those of locust-plugins' options come last.
///
/// # Errors
/// Names the flag and the position in it.
pub fn of(flags: &CheckFlags, origins: &Origins, of_file: &[Check]) -> Result<Vec<(Check, Origin)>> {
    let (given, origin) = if flags.checks.is_empty() {
        (of_file.to_vec(), Origin::File)
    } else {
        (list("--check", &flags.checks)?, origins.of("checks"))
    };
    let mut checks: Vec<_> = given.into_iter().map(|check| (check, origin)).collect();
    // locust-plugins: missed if rps is below, or the ratio or mean time is above the value.
    let plugins = [
        (flags.check_rps, "check_rps", Metric::Rps, Relation::AtLeast),
        (flags.check_fail_ratio, "check_fail_ratio", Metric::FailRatio, Relation::AtMost),
        (flags.check_avg_response_time, "check_avg_response_time", Metric::Avg, Relation::AtMost),
    ];
    for (bound, flag, metric, relation) in plugins {
        checks.extend(bound.map(|bound| (Check::over_all(metric, relation, bound), origins.of(flag))));
    }
    Ok(checks)
}

/// Parses a list of checks; `what` names the flag that contained them.
///
/// # Errors
/// Names the flag and the position in it.
pub fn list(what: &str, texts: &[String]) -> Result<Vec<Check>> {
    if texts.len() > MOST_CHECKS {
        return Err(Error::usage(what, format!("at most {MOST_CHECKS} checks")));
    }
    let refused = |text: &str, why| Error::usage(format!("{what} '{}'", shown(text)), why);
    texts.iter().map(|text| Check::parse(text).map_err(|why| refused(text, why))).collect()
}

/// A text that is not a check, shortened at a colon that cannot be part of a check outside its endpoint.
fn shown(text: &str) -> String {
    match text.split_once(':') {
        Some((before, _)) if !before.contains('{') => format!("{before}:{MASK}"),
        _ => text.to_owned(),
    }
}

/// Requires that the plan requests every endpoint named in a check: a mistyped name would never have any
/// data.
///
/// # Errors
/// Names the check and the endpoint that was probably meant.
pub(super) fn hold_to_endpoints(checks: &[(Check, Origin)], endpoints: &[Endpoint]) -> Result<()> {
    let names: Vec<String> = endpoints.iter().map(Endpoint::to_string).collect();
    for (check, _) in checks {
        let Some(wanted) = check.scope.endpoint.as_deref().filter(|wanted| !names.iter().any(|name| name == wanted))
        else {
            continue;
        };
        // A common mistake is to leave out the method.
        let meant = names.iter().find(|name| name.split_once(' ').is_some_and(|(_, path)| path == wanted));
        let told = masked_url(wanted);
        let hint = match meant.or(names.first()) {
            Some(name) => format!("no endpoint '{told}'; endpoints are named like '{name}'"),
            None => format!("no endpoint '{told}'"),
        };
        return Err(Error::usage(format!("--check '{}'", check.text.replace(wanted, &told)), hint));
    }
    Ok(())
}

/// Rejects `abort` for a shard: it only knows its own share of the results, so it evaluates no check.
///
/// # Errors
/// Names the check that would end the run.
pub(super) fn refuse_abort(checks: &[(Check, Origin)]) -> Result<()> {
    match checks.iter().find(|(check, _)| check.aborts) {
        Some((check, _)) => {
            Err(Error::usage(format!("--check '{check}'"), "a shard does not evaluate checks: leave out abort"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
