//! Where the time of requests goes, as a table for a terminal.

use super::plain::plain;
use super::requests::TableRow;
use super::table::{Column, judged_ms, ms, table};
use crate::stats::timing_summary::{MeanTimings, TimesSummary, TimingSummary};
use crate::stats::unfinished::Bounds;

/// Mean time of a request in each phase, and time to the first byte, with a heading; empty if the stream has neither,
/// because it is of an earlier version.
#[must_use]
pub(super) fn timings(rows: &[TableRow], width: Option<usize>) -> String {
    if rows.iter().all(|row| row.numbers.timing.is_none()) {
        return String::new();
    }
    let names: Vec<_> = rows.iter().map(|row| (plain(&row.method), plain(&row.name))).collect();
    let column = |title, rank, cell: &dyn Fn(&TimingSummary) -> Option<String>| {
        let cells = rows.iter().map(|row| row.numbers.timing.as_ref().and_then(cell).unwrap_or_else(|| "-".to_owned()));
        Column { title, rank, cells: cells.collect() }
    };
    let mean = |title, rank, of: fn(&MeanTimings) -> f64| {
        column(title, rank, &|timing| timing.mean().map(|mean| ms(of(&mean))))
    };
    let first_byte = |title, rank, of: fn(&TimesSummary, &Bounds) -> (u64, bool)| {
        column(title, rank, &|timing| {
            let (us, is_bound) = of(&timing.first_byte, &timing.bounds);
            // The mean is missing if no request received a first byte.
            Some(judged_ms(u64::from(timing.mean().is_some()), (us as f64 / 1000.0, is_bound)))
        })
    };
    let columns = vec![
        mean("DNS", 3, |mean| mean.dns),
        mean("Connect", 4, |mean| mean.connect),
        mean("TLS", 3, |mean| mean.tls),
        mean("First byte", 9, |mean| mean.first_byte),
        mean("Body", 8, |mean| mean.body),
        first_byte("TTFB 50%", 5, |times, bounds| (times.p50_us, bounds.percentile_50)),
        first_byte("95%", 6, |times, bounds| (times.p95_us, bounds.percentile_95)),
        first_byte("99%", 7, |times, bounds| (times.p99_us, bounds.percentile_99)),
        column("# conn", 2, &|timing| Some(timing.timings.connecting.requests.to_string())),
    ];
    let heading = "\nWhere the time goes, mean of a request in ms; time to the first byte (TTFB) in ms\n";
    heading.to_owned() + &table(&names, columns, width)
}
