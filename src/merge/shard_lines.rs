//! The master's last lines about each shard: its own percentiles beside those of the others, and which shard is odd.

use super::join::Join;
use crate::stats::shard_comparison::{MAX_SHARDS_COMPARED, Oddity, ShardPercentile, ShardTimes};
use crate::telemetry::own_records::WireShard;
use crate::telemetry::record::RecordBody;
use crate::telemetry::recorder::warning;
use crate::telemetry::shard_metric::{ShardMetric, WireShardPercentile};

/// Maximum shards that are named one by one.
const MAX_NAMED: usize = 20;

impl Join {
    /// A warning for each shard that differs from the others, and a line for each shard.
    pub(super) fn shard_lines(&self) -> (Vec<RecordBody>, Vec<RecordBody>) {
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX);
        let mut results = self.shard_comparison.results().into_iter().peekable();
        let (mut named, mut lines) = (Vec::new(), Vec::new());
        for (index, shard) in self.shards.iter().take(MAX_SHARDS_COMPARED) {
            while results.next_if(|times| times.shard < *index).is_some() {}
            let times = results.next_if(|times| times.shard == *index);
            named.extend(times.as_ref().and_then(sentence));
            let (ticks, percentiles) = times.map_or((0, Vec::new()), |times| (times.ticks, times.percentiles));
            lines.push(RecordBody::Shard(Box::new(ShardMetric {
                shard: WireShard { index: *index, count, engine: None },
                ok: shard.counts.ok,
                failed: shard.counts.failed,
                aborted: shard.counts.aborted,
                ticks,
                percentiles: percentiles.iter().map(WireShardPercentile::from).collect(),
            })));
        }
        if named.len() > MAX_NAMED {
            let more = named.split_off(MAX_NAMED).len();
            named.push(format!("{more} further shards differ from the others, as their lines at the end tell"));
        }
        (named.iter().map(|detail| warning("shard_odd", detail)).collect(), lines)
    }
}

/// The sentence about a shard that differs, by the percentiles in which it does.
fn sentence(times: &ShardTimes) -> Option<String> {
    let odd: Vec<(&ShardPercentile, Oddity)> =
        times.percentiles.iter().filter_map(|percentile| Some((percentile, percentile.oddity?))).collect();
    let (_, oddity) = odd.first()?;
    let word = match oddity {
        Oddity::Slower => "slower",
        Oddity::Faster => "faster",
    };
    let same = odd.iter().filter(|(_, other)| other == oddity);
    let figure = |(percentile, _): &(&ShardPercentile, Oddity)| {
        let [own, others] = [percentile.us, percentile.others_us.unwrap_or_default()].map(|us| us as f64 / 1000.0);
        format!("p{} {own} ms against {others} ms", percentile.permille / 10)
    };
    let figures: Vec<String> = same.map(figure).collect();
    Some(format!("shard {} is {word} than the other shards together: {}", times.shard, figures.join(", ")))
}
