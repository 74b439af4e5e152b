//! Compares runs side by side and counts what got worse.

use std::fmt::Write as _;

use super::model::ReportModel;
use super::plain::{columns, fitted, plain};
use super::table::ms;
use crate::stats::tally::Statistics;

/// Maximum width of a run's title.
const MAX_TITLE_WIDTH: usize = 28;

/// Minimum width of a column: a number and its change.
const MIN_COLUMN_WIDTH: usize = 18;

/// A value that is compared.
struct Measure {
    title: &'static str,
    of: fn(&Statistics) -> f64,
    text: fn(f64) -> String,
    direction: Direction,
}

/// Which direction is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    HigherIsBetter,
    LowerIsBetter,
    /// Shown without a judgement.
    Neutral,
}

const MEASURES: [Measure; 9] = [
    Measure {
        title: "requests",
        of: |row| row.num_requests as f64,
        text: |count| count.to_string(),
        direction: Direction::Neutral,
    },
    Measure {
        title: "req/s",
        of: |row| row.total_rps,
        text: |rate| format!("{rate:.1}"),
        direction: Direction::HigherIsBetter,
    },
    Measure { title: "failed %", of: failed, text: |share| format!("{share:.2}"), direction: Direction::LowerIsBetter },
    Measure { title: "avg ms", of: |row| row.avg_response_time, text: ms, direction: Direction::LowerIsBetter },
    Measure { title: "50% ms", of: |row| row.percentile_50, text: ms, direction: Direction::LowerIsBetter },
    Measure { title: "95% ms", of: |row| row.percentile_95, text: ms, direction: Direction::LowerIsBetter },
    Measure { title: "99% ms", of: |row| row.percentile_99, text: ms, direction: Direction::LowerIsBetter },
    Measure { title: "99.9% ms", of: |row| row.percentile_99_9, text: ms, direction: Direction::Neutral },
    Measure { title: "max ms", of: |row| row.max_response_time, text: ms, direction: Direction::Neutral },
];

fn failed(row: &Statistics) -> f64 {
    row.num_failures as f64 / row.num_requests.max(1) as f64 * 100.0
}

/// The result of comparing runs.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The tables.
    pub text: String,
    /// Number of values, of an endpoint or of all requests, that are worse than in the first run by more than
    /// the tolerance.
    pub worse: usize,
}

/// Compares runs side by side, each with its title. With a `tolerance` (a fraction of 1), the first run is
/// the baseline for the others.
#[must_use]
pub fn compare(runs: &[(String, ReportModel)], tolerance: Option<f64>) -> Comparison {
    let titles: Vec<String> = runs.iter().map(|(title, _)| tail(&plain(title))).collect();
    let wide = titles.iter().map(|title| columns(title)).max().unwrap_or(0).max(MIN_COLUMN_WIDTH);
    let mut text = format!("{:10}", "");
    for title in &titles {
        let _ = write!(text, "  {}{title}", " ".repeat(wide - columns(title)));
    }
    let mut comparison = Comparison { text: text + "\n", worse: 0 };
    for name in endpoints(runs) {
        let rows: Vec<Option<Statistics>> = runs.iter().map(|(_, model)| of_endpoint(model, &name)).collect();
        comparison.block(&plain(&name), &rows, wide, tolerance);
    }
    let totals: Vec<Option<Statistics>> =
        runs.iter().map(|(_, model)| Some(model.run.total_numbers().statistics)).collect();
    comparison.block("Aggregated", &totals, wide, tolerance);
    let _ = write!(comparison.text, "{:10}", "verdict");
    for (_, model) in runs {
        let _ = write!(comparison.text, "  {:>wide$}", fitted(&plain(model.run.verdict()), wide).trim_end());
    }
    comparison.text.push('\n');
    comparison
}

impl Comparison {
    fn block(&mut self, name: &str, rows: &[Option<Statistics>], wide: usize, tolerance: Option<f64>) {
        let _ = writeln!(self.text, "{name}");
        for measure in &MEASURES {
            let _ = write!(self.text, "  {:8}", measure.title);
            let first = rows.first().copied().flatten().map(|row| (measure.of)(&row));
            for (place, row) in rows.iter().enumerate() {
                let value = row.as_ref().map(measure.of);
                let mut cell = value.map_or_else(|| "-".to_owned(), measure.text);
                if let (Some(tolerance), Some(base), Some(value)) = (tolerance.filter(|_| place > 0), first, value) {
                    let worse = is_worse(measure.direction, base, value, tolerance);
                    self.worse += usize::from(worse);
                    cell = format!("{cell} {}{}", change(base, value), if worse { " !" } else { "  " });
                }
                let _ = write!(self.text, "  {cell:>wide$}");
            }
            self.text = self.text.trim_end().to_owned() + "\n";
        }
    }
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

fn of_endpoint(model: &ReportModel, name: &str) -> Option<Statistics> {
    let run = &model.run;
    // Judged times: a run whose slowest requests were cut off must not appear faster.
    let endpoint = run.endpoints.iter().find(|endpoint| endpoint.title() == name)?;
    run.numbers(endpoint).map(|numbers| numbers.statistics)
}

fn is_worse(wanted: Direction, base: f64, value: f64, tolerance: f64) -> bool {
    match wanted {
        Direction::LowerIsBetter => value > base * (1.0 + tolerance),
        Direction::HigherIsBetter => value < base * (1.0 - tolerance),
        Direction::Neutral => false,
    }
}

/// `+12.5%`; `new` if the base is 0.
fn change(base: f64, value: f64) -> String {
    if value.total_cmp(&base).is_eq() {
        "=".to_owned()
    } else if base > 0.0 {
        format!("{:+.1}%", (value / base - 1.0) * 100.0)
    } else {
        "new".to_owned()
    }
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
    fn worse_means_beyond_the_tolerance_in_the_unwanted_direction() {
        for (wanted, base, value, worse) in [
            (Direction::LowerIsBetter, 100.0, 110.0, false),
            (Direction::LowerIsBetter, 100.0, 110.1, true),
            (Direction::LowerIsBetter, 100.0, 5.0, false),
            (Direction::LowerIsBetter, 0.0, 0.0, false),
            (Direction::LowerIsBetter, 0.0, 0.1, true),
            (Direction::HigherIsBetter, 100.0, 90.0, false),
            (Direction::HigherIsBetter, 100.0, 89.9, true),
            (Direction::HigherIsBetter, 100.0, 500.0, false),
            (Direction::Neutral, 100.0, 500.0, false),
        ] {
            assert_eq!(is_worse(wanted, base, value, 0.1), worse, "{wanted:?} {base} {value}");
        }
        assert_eq!(change(100.0, 112.5), "+12.5%");
        assert_eq!(change(0.0, 1.0), "new");
        assert_eq!(change(2.0, 2.0), "=");
        assert_eq!(tail("/long/way/to/a/folder/with/run-7.ndjson"), "…/a/folder/with/run-7.ndjson");
    }
}
