//! Values within a line, as its readers take them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::stats::sum::Sum;
use crate::stats::timing_summary::TimesSummary;
use crate::stats::timings::{ConnectingSums, Timings};
use crate::telemetry::claims::{MAX_CLAIMED_US, TimesClaim};
use crate::vocabulary::{FailureClass, ReasonKind};

/// A text, borrowed from the line unless something in it is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'l>(Cow<'l, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for Text<'l> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Chars;
        impl<'de> Visitor<'de> for Chars {
            type Value = Text<'de>;

            fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
                into.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Chars)
    }
}

/// A word of the stream's vocabulary; `None` for any other word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<T>(pub Option<T>);

impl<T> Default for Word<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Text::deserialize(from).map(|text| Self(text.parse().ok()))
    }
}

/// Failures by class. A class of a later version is among the others.
#[derive(Clone, Debug, Default)]
pub struct Failures(Vec<(FailureClass, u64)>);

impl Failures {
    /// How many they are together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }

    /// Those of a class.
    #[must_use]
    pub fn of(&self, class: FailureClass) -> u64 {
        self.0.iter().filter(|(known, _)| *known == class).fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }
}

impl Deref for Failures {
    type Target = [(FailureClass, u64)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Failures {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Classes;
        impl<'de> Visitor<'de> for Classes {
            type Value = Failures;

            fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
                into.write_str("failures by class")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Failures, M::Error> {
                let mut classes = Vec::new();
                while let Some((Word(class), count)) = members.next_entry()? {
                    classes.push((class.unwrap_or(FailureClass::Other), count));
                }
                Ok(Failures(classes))
            }
        }
        from.deserialize_map(Classes)
    }
}

/// Sum and ends of times in microseconds, and how many they are where a line has that.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
pub struct TimesValue {
    #[serde(default)]
    count: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

impl TimesValue {
    /// How many, where the line has a count.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// Of a line that has a count.
    #[must_use]
    pub const fn counted(self) -> Sum {
        self.of(self.count)
    }

    /// Of so many.
    #[must_use]
    pub const fn of(self, count: u64) -> Sum {
        Sum::of(count, self.sum_us as u128, self.min_us, self.max_us)
    }

    /// Sum and ends, to be held against each other.
    #[must_use]
    pub const fn claim(self) -> TimesClaim {
        TimesClaim { sum_us: self.sum_us, min_us: self.min_us, max_us: self.max_us }
    }
}

/// Sum, ends and percentiles of times in microseconds, and how many they are. In version 1, and where they are of requests
/// that had not ended, there are no percentiles.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct CountedTimesValue {
    count: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
    p50_us: u64,
    p90_us: u64,
    p95_us: u64,
    p99_us: u64,
    p99_9_us: u64,
}

impl CountedTimesValue {
    /// How many.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// Count, sum and ends.
    #[must_use]
    pub const fn counted(self) -> Sum {
        Sum::of(self.count, self.sum_us as u128, self.min_us, self.max_us)
    }

    /// Sum and ends, to be held against each other.
    #[must_use]
    pub const fn claim(self) -> TimesClaim {
        TimesClaim { sum_us: self.sum_us, min_us: self.min_us, max_us: self.max_us }
    }

    /// With the percentiles.
    #[must_use]
    pub fn summary(self) -> TimesSummary {
        TimesSummary::new(&self.counted(), [self.p50_us, self.p90_us, self.p95_us, self.p99_us, self.p99_9_us])
    }
}

/// Where the time of completed requests went, in microseconds.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
pub struct TimingsValue {
    connected: u64,
    dns_us: u64,
    connect_us: u64,
    tls_us: u64,
    first_byte_us: u64,
    body_us: u64,
}

impl TimingsValue {
    /// What they are.
    #[must_use]
    pub const fn timings(self) -> Timings {
        let connecting = ConnectingSums {
            requests: self.connected,
            dns_us: self.dns_us as u128,
            connect_us: self.connect_us as u128,
            tls_us: self.tls_us as u128,
        };
        Timings { connecting, first_byte_us: self.first_byte_us as u128, body_us: self.body_us as u128 }
    }
}

/// New connections.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[allow(missing_docs, reason = "the stream's own names")]
pub struct Connections {
    pub count: u64,
    #[serde(default)]
    pub dns: TimesValue,
    #[serde(default)]
    pub connect: TimesValue,
    #[serde(default)]
    pub tls: TimesValue,
}

/// A setting of the plan.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the stream's own names")]
pub struct SettingValue<'l> {
    #[serde(borrow)]
    pub key: Text<'l>,
    #[serde(borrow)]
    pub value: Text<'l>,
    #[serde(borrow)]
    pub origin: Text<'l>,
}

/// Which part of a run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[allow(missing_docs, reason = "the stream's own names")]
pub struct ShardValue {
    pub index: u32,
    pub count: u32,
}

/// A host that requests go to.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the stream's own names")]
pub struct Target<'l> {
    #[serde(borrow)]
    pub host: Text<'l>,
    #[serde(borrow)]
    pub addresses: Vec<Text<'l>>,
}

/// Why a run comes to what it does; version 1 of the format has no kinds.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the stream's own names")]
pub enum ReasonValue<'l> {
    #[serde(borrow)]
    Bare(Cow<'l, str>),
    OfKind {
        kind: Cow<'l, str>,
        #[serde(borrow)]
        text: Cow<'l, str>,
    },
}

impl ReasonValue<'_> {
    /// A sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::OfKind { text, .. } => text,
        }
    }

    /// What it is about; `None` in version 1, and for a kind of a later version.
    #[must_use]
    pub fn kind(&self) -> Option<ReasonKind> {
        match self {
            Self::Bare(_) => None,
            Self::OfKind { kind, .. } => ReasonKind::parse(kind),
        }
    }
}

/// A percentile of a shard beside the others', in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ShardPercentileValue {
    pub percent: u64,
    pub us: u64,
    pub others_us: Option<u64>,
    pub low_us: Option<u64>,
    pub high_us: Option<u64>,
    pub is_odd: bool,
}

impl ShardPercentileValue {
    /// Whether its values can be those of one percentile.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let (low, high) = (self.low_us.unwrap_or(self.us), self.high_us.unwrap_or(self.us));
        let is_within = (low..=high).contains(&self.us) && high.max(self.others_us.unwrap_or(0)) <= MAX_CLAIMED_US;
        is_within && (1..=100).contains(&self.percent)
    }
}
