//! What the last lines say, as a reader takes it: what had not ended, what became of the checks, and what the run came to.

use serde::{Deserialize, Deserializer};

use super::facts::count;
use crate::stats::unfinished::JudgedTimes;
use crate::stats::verdict::VerdictReason;
use crate::telemetry::ours::CheckEvent;
use crate::vocabulary::{Phase, ReasonKind, Verdict};

/// Count, exact sum and ends of times.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct CountedTimes {
    #[serde(deserialize_with = "count")]
    pub count: u64,
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
}

/// What had not ended of one endpoint, due in one phase.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct Unfinished {
    pub phase: Phase,
    pub method: String,
    pub name: String,
    #[serde(deserialize_with = "count")]
    pub aborted: u64,
    #[serde(deserialize_with = "count")]
    pub unsent: u64,
    #[serde(deserialize_with = "count")]
    pub overdue: u64,
    pub oldest_aborted_us: u64,
    pub oldest_unsent_us: u64,
    pub response: CountedTimes,
    pub service: CountedTimes,
    pub judged: JudgedTimes,
    pub response_histogram: Option<String>,
    pub service_histogram: Option<String>,
    pub histogram_lines: usize,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct CheckSeen {
    pub check: String,
    pub met: bool,
    pub has_data: bool,
    pub value: f64,
    #[serde(default)]
    pub is_bound: bool,
    pub unit: String,
}

impl From<CheckEvent> for CheckSeen {
    fn from(said: CheckEvent) -> Self {
        let CheckEvent { check, met, has_data, value, is_bound, unit } = said;
        Self { check, met, has_data, value, is_bound, unit: unit.to_owned() }
    }
}

impl CheckSeen {
    /// The value as people read it, `312.5ms`, `1.25%` or `≥ 5.9s`; `None` without data.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        self.has_data.then(|| crate::stats::check::value_text(self.value, &self.unit, self.is_bound))
    }
}

/// The last line.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct RunEnd {
    #[serde(deserialize_with = "count")]
    pub ok: u64,
    #[serde(deserialize_with = "count")]
    pub failed: u64,
    #[serde(deserialize_with = "count")]
    pub aborted: u64,
    /// 0 in version 1, which does not tell.
    #[serde(default, deserialize_with = "count")]
    pub unsent: u64,
    #[serde(default, deserialize_with = "count")]
    pub overdue: u64,
    #[serde(deserialize_with = "count")]
    pub redirects: u64,
    #[serde(deserialize_with = "count")]
    pub reopened: u64,
    /// Left out in version 1, whose rates are over the time to the last request.
    pub load_seconds: Option<f64>,
    /// Left out where everything had ended, and in version 1.
    pub judged: Option<JudgedTimes>,
    pub verdict: Verdict,
    pub reasons: Vec<Reason>,
    pub exit_code: u8,
}

impl RunEnd {
    /// The reasons as sentences.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.reasons.iter().map(|reason| reason.text.as_str()).collect()
    }
}

/// Why a run comes to what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is about; `None` where the stream is of version 1, which does not tell, or of a later one.
    pub kind: Option<ReasonKind>,
    /// A sentence.
    pub text: String,
}

impl From<VerdictReason> for Reason {
    fn from(VerdictReason { kind, text }: VerdictReason) -> Self {
        Self { kind: Some(kind), text }
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Bare(String),
            OfKind { kind: String, text: String },
        }
        Ok(match Wire::deserialize(from)? {
            Wire::Bare(text) => Self { kind: None, text },
            Wire::OfKind { kind, text } => Self { kind: ReasonKind::parse(&kind), text },
        })
    }
}
