//! What the verdict does not say, in the document.

use serde::Serialize;

use crate::report::model::StoppedBySignal;
use crate::telemetry::reader::value::ShardValue;

/// Which shard of a run the document is about.
#[derive(Serialize)]
pub(super) struct SummaryPart {
    index: u32,
    count: u32,
}

impl From<ShardValue> for SummaryPart {
    fn from(ShardValue { index, count }: ShardValue) -> Self {
        Self { index, count }
    }
}

/// How far a run had come when a signal stopped it.
#[derive(Serialize)]
pub(super) struct SummaryStop {
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_requests: Option<u64>,
}

impl From<StoppedBySignal> for SummaryStop {
    fn from(StoppedBySignal { seconds, planned_seconds, planned_requests, .. }: StoppedBySignal) -> Self {
        Self { seconds, planned_seconds, planned_requests }
    }
}
