//! The line about one shard in a master's stream.

use serde::Serialize;

use super::own_records::WireShard;
use crate::stats::shard_comparison::ShardPercentile;

/// A shard's own counts and percentiles, beside those of the other shards.
#[derive(Clone, Debug, Serialize)]
pub struct ShardMetric {
    /// Which shard.
    pub shard: WireShard,
    /// Succeeded.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Aborted by the end of the run.
    pub aborted: u64,
    /// Ticks in which it was compared: it and another shard completed requests.
    pub ticks: u64,
    /// Its percentiles; empty if no request completed.
    pub percentiles: Vec<WireShardPercentile>,
}

/// A percentile of a shard's response times.
#[derive(Clone, Debug, Serialize)]
pub struct WireShardPercentile {
    /// Percent of the requests that took at most this long.
    pub percent: u64,
    /// The shard's, in microseconds with 2 significant digits.
    pub us: u64,
    /// That of all other shards together; left out if none of their requests completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_us: Option<u64>,
    /// Lower end of its interval of confidence, without what varied for all shards alike; left out if there is too little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_us: Option<u64>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_us: Option<u64>,
    /// Whether it differs from the others: the shard is named by a warning.
    pub is_odd: bool,
}

impl From<&ShardPercentile> for WireShardPercentile {
    fn from(percentile: &ShardPercentile) -> Self {
        Self {
            percent: percentile.permille / 10,
            us: percentile.us,
            others_us: percentile.others_us,
            low_us: percentile.interval_us.map(|(low, _)| low),
            high_us: percentile.interval_us.map(|(_, high)| high),
            is_odd: percentile.oddity.is_some(),
        }
    }
}
