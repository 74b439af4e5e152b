//! Shows runs side by side.

use std::fmt::Write as _;

use super::model::{Numbers, ReportModel};
use super::plain::{columns, fitted, plain};
use super::table::judged_ms;
use crate::stats::tally::Statistics;
use crate::stats::unfinished::Bounds;

/// Maximum width of a run's title.
const MAX_TITLE_WIDTH: usize = 28;

/// Minimum width of a column: a number and its change.
const MIN_COLUMN_WIDTH: usize = 18;

/// A value that is compared.
struct Measure {
    title: &'static str,
    text: fn(&Numbers) -> String,
}

const MEASURES: [Measure; 9] = [
    Measure { title: "requests", text: |numbers| numbers.statistics.num_requests.to_string() },
    Measure { title: "req/s", text: |numbers| format!("{:.1}", numbers.statistics.total_rps) },
    Measure { title: "failed %", text: |numbers| format!("{:.2}", failed(&numbers.statistics)) },
    Measure { title: "avg ms", text: |numbers| time(numbers, |row, bound| (row.avg_response_time, bound.avg)) },
    Measure { title: "50% ms", text: |numbers| time(numbers, |row, bound| (row.percentile_50, bound.percentile_50)) },
    Measure { title: "95% ms", text: |numbers| time(numbers, |row, bound| (row.percentile_95, bound.percentile_95)) },
    Measure { title: "99% ms", text: |numbers| time(numbers, |row, bound| (row.percentile_99, bound.percentile_99)) },
    Measure {
        title: "99.9% ms",
        text: |numbers| time(numbers, |row, bound| (row.percentile_99_9, bound.percentile_99_9)),
    },
    Measure { title: "max ms", text: |numbers| time(numbers, |row, bound| (row.max_response_time, bound.max)) },
];

fn failed(row: &Statistics) -> f64 {
    row.num_failures as f64 / row.num_requests.max(1) as f64 * 100.0
}

/// A judged time, as in the summary.
fn time(Numbers { statistics, bounds, .. }: &Numbers, of: fn(&Statistics, &Bounds) -> (f64, bool)) -> String {
    judged_ms(statistics.num_requests, of(statistics, bounds))
}

/// Runs side by side, each with its title.
#[must_use]
pub fn compare(runs: &[(String, ReportModel)]) -> String {
    let titles: Vec<String> = runs.iter().map(|(title, _)| tail(&plain(title))).collect();
    let wide = titles.iter().map(|title| columns(title)).max().unwrap_or(0).max(MIN_COLUMN_WIDTH);
    let mut text = format!("{:10}", "");
    for title in &titles {
        let _ = write!(text, "  {}{title}", " ".repeat(wide - columns(title)));
    }
    text.push('\n');
    for name in endpoints(runs) {
        let rows: Vec<Option<Numbers>> = runs.iter().map(|(_, model)| of_endpoint(model, &name)).collect();
        text.push_str(&block(&plain(&name), &rows, wide));
    }
    let totals: Vec<Option<Numbers>> = runs.iter().map(|(_, model)| Some(model.run.total_numbers())).collect();
    text.push_str(&block("Aggregated", &totals, wide));
    let _ = write!(text, "{:10}", "verdict");
    for (_, model) in runs {
        let _ = write!(text, "  {:>wide$}", fitted(&plain(model.run.verdict()), wide).trim_end());
    }
    text + "\n"
}

fn block(name: &str, rows: &[Option<Numbers>], wide: usize) -> String {
    let mut text = format!("{name}\n");
    for measure in &MEASURES {
        let _ = write!(text, "  {:8}", measure.title);
        for row in rows {
            let cell = row.as_ref().map_or_else(|| "-".to_owned(), measure.text);
            let _ = write!(text, "  {cell:>wide$}");
        }
        text.push('\n');
    }
    text
}

/// Endpoints of all runs, in the order of first occurrence.
fn endpoints(runs: &[(String, ReportModel)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for endpoint in runs.iter().flat_map(|(_, model)| &model.run.endpoints) {
        let name = endpoint.title();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn of_endpoint(model: &ReportModel, name: &str) -> Option<Numbers> {
    let run = &model.run;
    // Judged times: a run whose slowest requests were cut off must not appear faster.
    let endpoint = run.endpoints.iter().find(|endpoint| endpoint.title() == name)?;
    run.numbers(endpoint)
}

/// The end of a title, because file names differ there.
fn tail(title: &str) -> String {
    let count = title.chars().count();
    if count <= MAX_TITLE_WIDTH {
        return title.to_owned();
    }
    std::iter::once('…').chain(title.chars().skip(count + 1 - MAX_TITLE_WIDTH)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_keeps_its_end() {
        assert_eq!(tail("/long/way/to/a/folder/with/run-7.ndjson"), "…/a/folder/with/run-7.ndjson");
    }
}
