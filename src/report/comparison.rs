//! A comparison of two builds in the words of all reports, and as text.

use std::fmt::Write as _;

use super::model::BuildComparison;
use super::plain::{columns, plain};
use super::table::ms;
use crate::stats::build_comparison::{Compared, Finding, Measure};
use crate::stats::confidence::Figure;

/// A compared figure as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedText {
    /// The figure with its unit.
    pub measure: &'static str,
    /// Its value in the baseline.
    pub baseline: String,
    /// Its value in the other runs.
    pub value: String,
    /// The change.
    pub change: String,
    /// The result; empty if the figure is not judged.
    pub finding: String,
}

/// The blocks of a comparison, each with its title: the endpoints, and all requests where there are several.
pub fn blocks(comparison: &BuildComparison) -> impl Iterator<Item = (&str, [ComparedText; Measure::ALL.len()])> {
    let endpoints = comparison.endpoints.iter().map(|endpoint| (endpoint.title.as_str(), &endpoint.rows));
    let all = comparison.all.iter().map(|rows| ("Aggregated", rows));
    endpoints.chain(all).map(|(title, rows)| (title, rows.map(|row| row_text(&row, comparison.tolerance))))
}

/// What is compared with what, in one sentence.
#[must_use]
pub fn heading(comparison: &BuildComparison) -> String {
    let side = |names: &[String]| match names {
        [name] => name.clone(),
        names => format!("{} runs ({})", names.len(), names.join(", ")),
    };
    let tolerance = short(comparison.tolerance * 100.0);
    format!(
        "{} compared with the baseline {}: steady phase, tolerance {tolerance} %",
        side(&comparison.runs),
        side(&comparison.baseline)
    )
}

/// The comparison as text for a terminal.
#[must_use]
pub fn text(comparison: &BuildComparison) -> String {
    let blocks: Vec<_> = blocks(comparison).collect();
    let of: [fn(&ComparedText) -> &str; 4] =
        [|row| row.measure, |row| &row.baseline, |row| &row.value, |row| &row.change];
    let headings = ["", "baseline", "now", "change"];
    let width = |column: usize| {
        let cells = blocks.iter().flat_map(|(_, rows)| rows).map(|row| columns(of[column](row)));
        cells.chain([columns(headings[column])]).max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let mut text = format!("{}\n", plain(&heading(comparison)));
    let line = |cells: [&str; 4], finding: &str| {
        let line = format!(
            "  {:w0$}  {:>w1$}  {:>w2$}  {:>w3$}  {finding}",
            cells[0],
            cells[1],
            cells[2],
            cells[3],
            w0 = widths[0],
            w1 = widths[1],
            w2 = widths[2],
            w3 = widths[3]
        );
        line.trim_end().to_owned()
    };
    let _ = writeln!(text, "{}", line(headings, ""));
    for (title, rows) in &blocks {
        let _ = writeln!(text, "{}", plain(title));
        for row in rows {
            let _ = writeln!(text, "{}", line(of.map(|cell| cell(row)), &row.finding));
        }
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {}", plain(note));
    }
    let _ = writeln!(text, "{}", comparison.sentence());
    text
}

/// A compared figure as it is shown.
#[must_use]
pub fn row_text(row: &Compared, tolerance: f64) -> ComparedText {
    let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| number(row.measure, value));
    let change = match (row.difference, row.baseline, row.value) {
        (Some(difference), ..) => format!("{:+.1} %", difference.change() * 100.0),
        (None, Some(baseline), Some(value)) if baseline > 0.0 => {
            format!("{:+.1} %", (value / baseline - 1.0) * 100.0)
        }
        _ => String::new(),
    };
    let margin = row.difference.map(|difference| difference.margin()).filter(|margin| margin.is_finite());
    let margin = margin.map(margin_text);
    let finding = match row.finding {
        Finding::Worse => "worse".to_owned(),
        Finding::Better => "better".to_owned(),
        Finding::Same => format!("same within ±{} %", short(tolerance * 100.0)),
        Finding::CannotTell => margin.map_or("cannot tell".to_owned(), |margin| format!("cannot tell ({margin})")),
        Finding::TooFew => "cannot tell (too few requests or ticks)".to_owned(),
        Finding::NotJudged => margin.map_or(String::new(), |margin| format!("({margin}, not judged)")),
    };
    ComparedText {
        measure: title(row.measure),
        baseline: value(row.baseline),
        value: value(row.value),
        change,
        finding,
    }
}

/// How large a change may be without being seen. Far beyond any change that matters, the figure says nothing.
fn margin_text(margin: f64) -> String {
    const LARGEST: f64 = 10.0;
    if margin > LARGEST { "more than ±1000 %".to_owned() } else { format!("±{:.1} %", margin * 100.0) }
}

/// A measure with its unit.
const fn title(measure: Measure) -> &'static str {
    match measure {
        Measure::Figure(Figure::P50) => "p50 ms",
        Measure::Figure(Figure::P95) => "p95 ms",
        Measure::Figure(Figure::P99) => "p99 ms",
        Measure::Figure(Figure::Mean) => "mean ms",
        Measure::Figure(Figure::Rate) => "req/s",
        Measure::FailRatio => "failed %",
    }
}

fn number(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Figure(Figure::Rate) => format!("{value:.1}"),
        Measure::Figure(_) => ms(value / 1000.0),
        Measure::FailRatio => format!("{:.2}", value * 100.0),
    }
}

/// A percentage without digits that say nothing.
fn short(percent: f64) -> String {
    let text = format!("{percent:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::comparison::Difference;

    #[test]
    fn a_row_has_the_change_and_how_certain_it_is() {
        let row = |log_ratio: f64, finding| Compared {
            measure: Measure::Figure(Figure::P95),
            baseline: Some(10_000.0),
            value: Some(10_000.0 * log_ratio.exp()),
            difference: Some(Difference { log_ratio, error: 0.01, freedom: 4.0 }),
            finding,
        };
        let shown = |row: &Compared| {
            let text = row_text(row, 0.025);
            format!("{} | {} | {} | {} | {}", text.measure, text.baseline, text.value, text.change, text.finding)
        };
        assert_eq!(shown(&row(0.1, Finding::Worse)), "p95 ms | 10.0 | 11.1 | +10.5 % | worse");
        assert_eq!(shown(&row(0.0, Finding::Same)), "p95 ms | 10.0 | 10.0 | +0.0 % | same within ±2.5 %");
        // t of 4 degrees of freedom is 2.776.
        assert_eq!(shown(&row(0.0, Finding::CannotTell)), "p95 ms | 10.0 | 10.0 | +0.0 % | cannot tell (±2.8 %)");
        assert_eq!(shown(&row(0.0, Finding::NotJudged)), "p95 ms | 10.0 | 10.0 | +0.0 % | (±2.8 %, not judged)");
        // With one degree of freedom t is 12.706.
        let wide = |finding| Compared {
            difference: Some(Difference { log_ratio: 0.0, error: 1.0, freedom: 1.0 }),
            ..row(0.0, finding)
        };
        let told = "p95 ms | 10.0 | 10.0 | +0.0 % | cannot tell (more than ±1000 %)";
        assert_eq!(shown(&wide(Finding::CannotTell)), told);
        assert!(shown(&wide(Finding::NotJudged)).ends_with("| (more than ±1000 %, not judged)"));
        let few = Compared { difference: None, baseline: None, ..row(0.0, Finding::TooFew) };
        assert_eq!(shown(&few), "p95 ms | - | 10.0 |  | cannot tell (too few requests or ticks)");
    }
}
