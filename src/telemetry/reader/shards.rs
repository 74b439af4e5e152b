//! What a line about one shard of a merged run says.

use super::line::Telemetry;
use super::value::ShardPercentileValue;

/// One shard beside the others.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in the wire types")]
pub struct ShardFact {
    pub index: u32,
    pub ok: u64,
    pub failed: u64,
    pub aborted: u64,
    pub ticks: u64,
    pub percentiles: Vec<ShardPercentileValue>,
}

impl ShardFact {
    pub(super) fn of(line: &Telemetry<'_>) -> Option<Self> {
        Some(Self {
            index: line.shard?.index,
            ok: line.ok,
            failed: line.failed,
            aborted: line.aborted,
            ticks: line.ticks,
            percentiles: line.percentiles.clone(),
        })
    }

    /// One of its percentiles.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<&ShardPercentileValue> {
        self.percentiles.iter().find(|value| value.percent == percent)
    }

    /// Whether it differs from the others.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        self.percentiles.iter().any(|value| value.is_odd)
    }
}
