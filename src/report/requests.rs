//! Locust's table of requests: in a log while a run goes on, and in the summary at its end.

use super::model::Numbers;
use super::plain::plain;
use super::table::{Column, judged_ms, ms, table};
use crate::stats::tally::Statistics;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// Method; empty in the row for all.
    pub method: String,
    /// Name of the endpoint.
    pub name: String,
    /// Its statistics.
    pub numbers: Numbers,
}

/// The period over which requests per second are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// The last seconds.
    Now,
    /// The whole run.
    Whole,
}

/// Locust's first table; the last row is for all requests.
#[must_use]
pub fn requests(rows: &[TableRow], rate: Rate, width: Option<usize>) -> String {
    let names: Vec<_> = rows.iter().map(|row| (plain(&row.method), plain(&row.name))).collect();
    let column = |title, rank, cell: fn(&Statistics) -> String| {
        let cells = rows.iter().map(|row| cell(&row.numbers.statistics)).collect();
        Column { title, rank, cells }
    };
    let time = |title, rank, of: fn(&Numbers) -> (f64, bool)| {
        let cells = rows.iter().map(|row| judged_ms(row.numbers.statistics.num_requests, of(&row.numbers))).collect();
        Column { title, rank, cells }
    };
    let rates: [fn(&Statistics) -> String; 2] = match rate {
        Rate::Now => [|row| format!("{:.1}", row.current_rps), |row| format!("{:.2}", row.current_fail_per_sec)],
        Rate::Whole => [|row| format!("{:.1}", row.total_rps), |row| format!("{:.2}", row.total_fail_per_sec)],
    };
    let columns = vec![
        column("# reqs", 9, |row| row.num_requests.to_string()),
        column("# fails", 8, |row| {
            let share = row.num_failures as f64 / row.num_requests.max(1) as f64 * 100.0;
            format!("{}({share:.2}%)", row.num_failures)
        }),
        time("Avg", 6, |row| (row.statistics.avg_response_time, row.bounds.avg)),
        column("Min", 3, |row| if row.num_requests > 0 { ms(row.min_response_time) } else { "-".to_owned() }),
        time("Max", 5, |row| (row.statistics.max_response_time, row.bounds.max)),
        time("Med", 4, |row| (row.statistics.percentile_50, row.bounds.percentile_50)),
        column("req/s", 7, rates[0]),
        column("failures/s", 2, rates[1]),
    ];
    table(&names, columns, width)
}
