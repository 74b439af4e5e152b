//! The metrics that checks compare: for each its name, its unit, and how its value can change during a run. Units and
//! values in a check, in the stream and in reports, and what `abort` goes with, follow from these.

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
pub(super) const METRICS: [(&str, Metric); 12] = [
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

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A time: microseconds here, milliseconds in the stream.
    Time,
    /// A rate per second.
    PerSecond,
    /// A fraction of 1.
    Share,
    /// A number of requests.
    Requests,
}

/// How the value of a metric can change during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trend {
    /// It can only grow.
    Grows,
    /// It can only fall.
    Falls,
    /// It can do both.
    Varies,
}

impl Metric {
    /// The unit of its value.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Percentile(_) | Self::Min | Self::Avg | Self::Max => Unit::Time,
            Self::Rps => Unit::PerSecond,
            Self::FailRatio => Unit::Share,
            Self::Failures | Self::Requests => Unit::Requests,
        }
    }

    /// How its value can change during a run.
    pub(super) const fn trend(self) -> Trend {
        match self {
            Self::Max | Self::Failures | Self::Requests => Trend::Grows,
            Self::Min => Trend::Falls,
            Self::Percentile(_) | Self::Avg | Self::Rps | Self::FailRatio => Trend::Varies,
        }
    }

    /// Returns whether it counts failed requests.
    #[must_use]
    pub const fn is_about_failures(self) -> bool {
        match self {
            Self::FailRatio | Self::Failures => true,
            Self::Percentile(_) | Self::Min | Self::Avg | Self::Max | Self::Rps | Self::Requests => false,
        }
    }
}

impl Unit {
    /// Its name in the stream.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "ms",
            Self::PerSecond => "1/s",
            Self::Share => "ratio",
            Self::Requests => "requests",
        }
    }
}
