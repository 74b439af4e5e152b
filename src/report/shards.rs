//! The shards of a merged run, each beside the others, in the outputs for terminals and programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::model::{Numbers, RunData};
use super::table::{Column, judged_ms, ms, table};
use crate::telemetry::reader::shards::ShardFact;

/// Maximum number of shards that a terminal shows.
const MAX_SHOWN: usize = 20;

/// The percentiles of the tables, in percent.
pub(super) const SHOWN: [u64; 3] = [50, 95, 99];

/// A shard in a summary for programs.
#[derive(Serialize)]
pub(super) struct SummaryShard {
    shard: u32,
    ok: u64,
    failed: u64,
    aborted: u64,
    is_odd: bool,
    percentiles: Vec<SummaryShardPercentile>,
}

/// Times in milliseconds.
#[derive(Serialize)]
struct SummaryShardPercentile {
    percent: u64,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    is_odd: bool,
}

impl SummaryShard {
    /// A shard of a run.
    pub(super) fn of(shard: &ShardFact) -> Self {
        let percentiles = shard.percentiles.iter().map(|value| SummaryShardPercentile {
            percent: value.percent,
            value: millis(value.us),
            others: value.others_us.map(millis),
            low: value.low_us.map(millis),
            high: value.high_us.map(millis),
            is_odd: value.is_odd,
        });
        Self {
            shard: shard.index,
            ok: shard.ok,
            failed: shard.failed,
            aborted: shard.aborted,
            is_odd: shard.is_odd(),
            percentiles: percentiles.collect(),
        }
    }
}

fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// Up to `most` shards in the order of their numbers, those that differ from the others before all else; and how many are
/// left out.
pub(super) fn chosen(shards: &[ShardFact], most: usize) -> (Vec<&ShardFact>, usize) {
    let (odd, even): (Vec<&ShardFact>, Vec<&ShardFact>) = shards.iter().partition(|shard| shard.is_odd());
    let mut chosen: Vec<&ShardFact> = odd.into_iter().chain(even).take(most).collect();
    chosen.sort_by_key(|shard| shard.index);
    let left_out = shards.len() - chosen.len();
    (chosen, left_out)
}

/// A percentile with the others' where it differs from them; `-` without requests.
pub(super) fn cell(shard: &ShardFact, percent: u64) -> String {
    let Some(value) = shard.percentile(percent) else { return "-".to_owned() };
    let own = ms(millis(value.us));
    match value.others_us.filter(|_| value.is_odd) {
        Some(others) => format!("{own} (others {})", ms(millis(others))),
        None => own,
    }
}

/// The table of the shards for a terminal, with all together below; empty if the run has fewer than two.
#[must_use]
pub(super) fn shards(run: &RunData, width: Option<usize>) -> String {
    if run.shards.len() < 2 {
        return String::new();
    }
    let (chosen, left_out) = chosen(&run.shards, MAX_SHOWN);
    let names = chosen.iter().map(|shard| format!("shard {}", shard.index)).chain(["Aggregated".to_owned()]);
    let names: Vec<(String, String)> = names.map(|name| (String::new(), name)).collect();
    let Numbers { statistics: total, bounds, .. } = run.total_numbers();
    let column = |title, rank, cell: &dyn Fn(&ShardFact) -> String, total: String| Column {
        title,
        rank,
        cells: chosen.iter().map(|shard| cell(shard)).chain([total]).collect(),
    };
    let columns = vec![
        column("# reqs", 4, &|shard| (shard.ok + shard.failed).to_string(), total.num_requests.to_string()),
        column("# fails", 3, &|shard| shard.failed.to_string(), total.num_failures.to_string()),
        column(
            "50%",
            6,
            &|shard| cell(shard, 50),
            judged_ms(total.num_requests, (total.percentile_50, bounds.percentile_50)),
        ),
        column(
            "95%",
            7,
            &|shard| cell(shard, 95),
            judged_ms(total.num_requests, (total.percentile_95, bounds.percentile_95)),
        ),
        column(
            "99%",
            5,
            &|shard| cell(shard, 99),
            judged_ms(total.num_requests, (total.percentile_99, bounds.percentile_99)),
        ),
    ];
    let mut text = format!("\nResponse time percentiles of each shard in ms\n{}", table(&names, columns, width));
    if left_out > 0 {
        let _ = writeln!(text, "and {left_out} further shards, which the stream has");
    }
    text
}
