//! Checks that a run must meet: `p95{GET /items}@steady < 300ms abort`.
//!
//! A check is `METRIC[{ENDPOINT}][@PHASE] OPERATOR NUMBER[UNIT] [abort]`; endpoint and phase may come in
//! either order. The endpoint extends from the first `{` to the *last* `}` of the whole check, so its name
//! may contain spaces, braces and anything else: what follows it never contains a brace.

mod flags;
mod metric;
mod parse;

use std::cmp::Ordering;
use std::fmt;

use crate::vocabulary::Phase;
pub use flags::{MAX_CHECKS, list, of};
pub(super) use flags::{reject_abort, require_known_endpoints};
use metric::Trend;
pub use metric::{Metric, Unit};

/// One condition that a run must meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    text: String,
    scope: CheckScope,
    metric: Metric,
    relation: Relation,
    /// Microseconds for times, a fraction of 1 for `fail_ratio`, otherwise a plain number.
    bound: f64,
    aborts: bool,
}

/// Which requests a check covers, and which of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckScope {
    /// `METHOD name` of the endpoint; all endpoints if `None`.
    pub endpoint: Option<String>,
    /// The phase of the load; the whole run if `None`.
    pub phase: Option<Phase>,
    /// Which time is measured.
    pub latency: Latency,
}

/// Where a time measurement starts and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// From when the request was due.
    #[default]
    Response,
    /// From when it was sent.
    Service,
    /// From when it was sent, to the first byte of the response instead of the last.
    FirstByte,
}

/// Prefixes of metrics that are not about response times.
const LATENCIES: [(&str, Latency); 2] = [("service.", Latency::Service), ("ttfb.", Latency::FirstByte)];

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
    /// The check as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The requests that it covers.
    #[must_use]
    pub const fn scope(&self) -> &CheckScope {
        &self.scope
    }

    /// The quantity that it compares.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.metric
    }

    /// How the value has to compare with the bound.
    #[must_use]
    pub const fn relation(&self) -> Relation {
        self.relation
    }

    /// The value that it compares with: microseconds for times, a fraction of 1 for `fail_ratio`.
    #[must_use]
    pub const fn bound(&self) -> f64 {
        self.bound
    }

    /// Returns whether a value (microseconds for times, a fraction of 1 for `fail_ratio`) meets the check.
    #[must_use]
    pub fn is_met_by(&self, value: f64) -> bool {
        self.relation.holds(value.total_cmp(&self.bound))
    }

    /// Returns whether a value misses the check for good, and not only because it may still grow to meet it.
    #[must_use]
    pub fn is_definitely_missed_by(&self, value: f64) -> bool {
        let grows = self.metric == Metric::Failures && self.relation == Relation::Equal;
        if grows { value > self.bound } else { !self.is_met_by(value) }
    }

    /// When the check stops the run; `None` if it never does.
    #[must_use]
    pub fn abort(&self) -> Option<Abort> {
        // After one failure, the ratio is never 0 again.
        let stays_missed = self.metric == Metric::FailRatio
            && self.bound <= 0.0
            && (self.relation == Relation::Equal || self.relation == Relation::AtMost);
        let kind = match self.metric.trend() {
            Trend::Grows | Trend::Falls => Abort::AtOnce,
            Trend::Varies if stays_missed => Abort::AtOnce,
            Trend::Varies => Abort::Twice,
        };
        self.aborts.then_some(kind)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
