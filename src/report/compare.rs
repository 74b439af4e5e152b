//! Runs side by side, and what got worse.

use std::fmt::Write as _;

use super::model::Model;
use super::plain::{columns, fitted, plain};
use super::table::ms;
use crate::stats::tally::Statistics;

/// Widest title of a run.
const WIDEST_TITLE: usize = 28;

/// Narrowest column: a number and how it changed.
const NARROWEST: usize = 18;

/// What is compared.
struct Measure {
    title: &'static str,
    of: fn(&Statistics) -> f64,
    text: fn(f64) -> String,
    wanted: Wanted,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    More,
    Less,
    /// It is shown, and means nothing by itself.
    Any,
}

const MEASURES: [Measure; 9] = [
    Measure {
        title: "requests",
        of: |row| row.num_requests as f64,
        text: |count| count.to_string(),
        wanted: Wanted::Any,
    },
    Measure { title: "req/s", of: |row| row.total_rps, text: |rate| format!("{rate:.1}"), wanted: Wanted::More },
    Measure { title: "failed %", of: failed, text: |share| format!("{share:.2}"), wanted: Wanted::Less },
    Measure { title: "avg ms", of: |row| row.avg_response_time, text: ms, wanted: Wanted::Less },
    Measure { title: "50% ms", of: |row| row.percentile_50, text: ms, wanted: Wanted::Less },
    Measure { title: "95% ms", of: |row| row.percentile_95, text: ms, wanted: Wanted::Less },
    Measure { title: "99% ms", of: |row| row.percentile_99, text: ms, wanted: Wanted::Less },
    Measure { title: "99.9% ms", of: |row| row.percentile_99_9, text: ms, wanted: Wanted::Any },
    Measure { title: "max ms", of: |row| row.max_response_time, text: ms, wanted: Wanted::Any },
];

fn failed(row: &Statistics) -> f64 {
    row.num_failures as f64 / row.num_requests.max(1) as f64 * 100.0
}

/// Runs side by side.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The tables.
    pub text: String,
    /// How many measures of an endpoint, or of all, got worse than the first run's by more than the tolerance.
    pub worse: usize,
}

/// Puts runs side by side, each with its title; with a `tolerance` (a share of 1) the first is what the others are held
/// against.
#[must_use]
pub fn compare(runs: &[(String, Model)], tolerance: Option<f64>) -> Comparison {
    let titles: Vec<String> = runs.iter().map(|(title, _)| tail(&plain(title))).collect();
    let wide = titles.iter().map(|title| columns(title)).max().unwrap_or(0).max(NARROWEST);
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
        runs.iter().map(|(_, model)| Some(model.story.total_numbers().statistics)).collect();
    comparison.block("Aggregated", &totals, wide, tolerance);
    let _ = write!(comparison.text, "{:10}", "verdict");
    for (_, model) in runs {
        let _ = write!(comparison.text, "  {:>wide$}", fitted(&plain(model.story.verdict()), wide).trim_end());
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
                    let worse = is_worse(measure.wanted, base, value, tolerance);
                    self.worse += usize::from(worse);
                    cell = format!("{cell} {}{}", change(base, value), if worse { " !" } else { "  " });
                }
                let _ = write!(self.text, "  {cell:>wide$}");
            }
            self.text = self.text.trim_end().to_owned() + "\n";
        }
    }
}

/// Endpoints of all runs, in the order of first mention.
fn endpoints(runs: &[(String, Model)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for endpoint in runs.iter().flat_map(|(_, model)| &model.story.endpoints) {
        let name = endpoint.title();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn of_endpoint(model: &Model, name: &str) -> Option<Statistics> {
    let story = &model.story;
    // Judged times: a run whose slowest requests were cut off is not the faster one.
    let endpoint = story.endpoints.iter().find(|endpoint| endpoint.title() == name)?;
    story.numbers(endpoint).map(|numbers| numbers.statistics)
}

fn is_worse(wanted: Wanted, base: f64, value: f64, tolerance: f64) -> bool {
    match wanted {
        Wanted::Less => value > base * (1.0 + tolerance),
        Wanted::More => value < base * (1.0 - tolerance),
        Wanted::Any => false,
    }
}

/// `+12.5%`; where there was nothing before, `new`.
fn change(base: f64, value: f64) -> String {
    if value.total_cmp(&base).is_eq() {
        "=".to_owned()
    } else if base > 0.0 {
        format!("{:+.1}%", (value / base - 1.0) * 100.0)
    } else {
        "new".to_owned()
    }
}

/// The end of a title: that is where names of files differ.
fn tail(title: &str) -> String {
    let count = title.chars().count();
    if count <= WIDEST_TITLE {
        return title.to_owned();
    }
    std::iter::once('…').chain(title.chars().skip(count + 1 - WIDEST_TITLE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_means_beyond_the_tolerance_in_the_undesired_direction() {
        for (wanted, base, value, worse) in [
            (Wanted::Less, 100.0, 110.0, false),
            (Wanted::Less, 100.0, 110.1, true),
            (Wanted::Less, 100.0, 5.0, false),
            (Wanted::Less, 0.0, 0.0, false),
            (Wanted::Less, 0.0, 0.1, true),
            (Wanted::More, 100.0, 90.0, false),
            (Wanted::More, 100.0, 89.9, true),
            (Wanted::More, 100.0, 500.0, false),
            (Wanted::Any, 100.0, 500.0, false),
        ] {
            assert_eq!(is_worse(wanted, base, value, 0.1), worse, "{wanted:?} {base} {value}");
        }
        assert_eq!(change(100.0, 112.5), "+12.5%");
        assert_eq!(change(0.0, 1.0), "new");
        assert_eq!(change(2.0, 2.0), "=");
        assert_eq!(tail("/long/way/to/a/folder/with/run-7.ndjson"), "…/a/folder/with/run-7.ndjson");
    }
}
