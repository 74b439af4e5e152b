//! What a run is held to: `p95{GET /items}@steady < 300ms abort`.
//!
//! A check is `METRIC[{ENDPOINT}][@PHASE] OPERATOR NUMBER[UNIT] [abort]`; endpoint and phase may stand in either order.
//! The endpoint reaches from the first `{` to the *last* `}` of the whole check, so its name may hold spaces, braces
//! and anything else: what follows it never has a brace.

mod flags;
mod parse;

use std::cmp::Ordering;
use std::fmt;

use super::schedule::Phase;
pub use flags::{MOST_CHECKS, list, of};
pub(super) use flags::{hold_to_endpoints, refuse_abort};

/// One thing that a run is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    text: String,
    scope: Scope,
    metric: Metric,
    relation: Relation,
    /// Microseconds for times, a share of 1 for `fail_ratio`, else a plain number.
    bound: f64,
    aborts: bool,
}

/// Which requests a check is about, and which of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `METHOD name` of the endpoint; all of them where it is not said.
    pub endpoint: Option<String>,
    /// The phase of the load; all of it where it is not said.
    pub phase: Option<Phase>,
    /// Which time.
    pub latency: Latency,
}

/// From when a time is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// From when the request was due.
    #[default]
    Response,
    /// From when it was sent.
    Service,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The time that so many thousandths of the requests took at most.
    Percentile(u16),
    /// The shortest time.
    Min,
    /// The mean time.
    Avg,
    /// The longest time.
    Max,
    /// Requests a second.
    Rps,
    /// Share of the requests that failed.
    FailRatio,
    /// Requests that failed.
    Failures,
    /// Requests that were answered or failed.
    Requests,
}

/// Words of the metrics.
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
    /// Whether it is a time.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::Min | Self::Avg | Self::Max)
    }

    /// Whether it tells how many requests failed.
    #[must_use]
    pub const fn is_about_failures(self) -> bool {
        matches!(self, Self::FailRatio | Self::Failures)
    }
}

/// How value and bound are to stand to each other.
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

/// Signs of the relations; those of two characters first.
const RELATIONS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<", Relation::Below),
    (">", Relation::Above),
];

impl Relation {
    /// Whether a value that stands so to the bound is as wanted.
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
    /// As soon as it is missed: what it looks at only goes further that way.
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

    /// Which requests it is about.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What it looks at.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.metric
    }

    /// Whether a value (microseconds for times, a share of 1 for `fail_ratio`) is as wanted.
    #[must_use]
    pub fn is_met_by(&self, value: f64) -> bool {
        self.relation.holds(value.total_cmp(&self.bound))
    }

    /// Whether it is missed by a value, and not only because that has not got there yet.
    #[must_use]
    pub fn is_passed_by(&self, value: f64) -> bool {
        let grows = self.metric == Metric::Failures && self.relation == Relation::Equal;
        if grows { value > self.bound } else { !self.is_met_by(value) }
    }

    /// When it stops the run; `None` where it does not.
    #[must_use]
    pub fn abort(&self) -> Option<Abort> {
        let kind = match (self.metric, self.relation) {
            // Counts and the longest time only grow, the shortest only falls.
            (Metric::Max | Metric::Failures | Metric::Requests | Metric::Min, _) => Abort::AtOnce,
            // One failure, and the share is never 0 again.
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

#[cfg(test)]
mod tests;
