//! Tables for a terminal, as Locust prints them at the end.

use std::fmt::Write as _;

use super::model::{Model, Story};
use crate::stats::tally::Statistics;
use crate::telemetry::reader::facts::CheckSeen;

/// Widest name in a table; longer ones are cut.
const WIDEST_NAME: usize = 40;

/// What a run came to: what is wrong with its stream, a line for each endpoint, all together, the errors, the verdict.
#[must_use]
pub fn summary(model: &Model) -> String {
    let story = &model.story;
    let rows: Vec<(String, Statistics)> = story
        .endpoints
        .iter()
        .filter_map(|endpoint| Some((endpoint.title(), story.statistics(endpoint)?)))
        .map(|(name, row)| (plain(&name), row))
        .chain([("Aggregated".to_owned(), story.total())])
        .collect();
    let mut text = troubles(model);
    text.push_str(&table(&rows));
    text.push_str(&errors(story));
    text.push_str(&checks(&story.checks));
    let counts = story.counts();
    let _ = writeln!(
        text,
        "\nsent {} = ok {} + failed {} + aborted {}; verdict: {}",
        counts.sent(),
        counts.ok,
        counts.failed,
        counts.aborted,
        plain(story.verdict())
    );
    for reason in story.end.iter().flat_map(|end| &end.reasons) {
        let _ = writeln!(text, "  {}", plain(reason));
    }
    text
}

/// What is wrong with the stream, in a line each, before anything else.
fn troubles(model: &Model) -> String {
    if model.troubles.is_empty() {
        return String::new();
    }
    let what =
        if model.troubles.is_loss() { "is not whole; below is what it still holds" } else { "is whole, but not clean" };
    let mut text = format!("the stream {what}:\n");
    for sentence in model.troubles.sentences() {
        let _ = writeln!(text, "  {}", plain(&sentence));
    }
    text.push('\n');
    text
}

fn table(rows: &[(String, Statistics)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(WIDEST_NAME);
    let mut text = String::from("response times in ms\n");
    let _ = writeln!(
        text,
        "{:width$} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "name", "requests", "failures", "avg", "min", "p50", "p95", "p99", "max", "req/s"
    );
    let rule = "-".repeat(width + 92);
    let _ = writeln!(text, "{rule}");
    for (place, (name, row)) in rows.iter().enumerate() {
        if place + 1 == rows.len() {
            let _ = writeln!(text, "{rule}");
        }
        let _ = writeln!(
            text,
            "{:width$} {:>9} {:>8} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>10.1}",
            cut(name, width),
            row.num_requests,
            row.num_failures,
            row.avg_response_time,
            row.min_response_time,
            row.percentile_50,
            row.percentile_95,
            row.percentile_99,
            row.max_response_time,
            row.total_rps
        );
    }
    text
}

fn errors(story: &Story) -> String {
    let mut text = String::new();
    for (occurrences, what) in story.failures() {
        if text.is_empty() {
            text.push_str("\noccurrences  error\n");
        }
        let _ = writeln!(text, "{occurrences:>11}  {}", plain(&what));
    }
    text
}

/// What became of each check.
fn checks(checks: &[CheckSeen]) -> String {
    let width = checks.iter().map(|check| plain(&check.check).chars().count()).max().unwrap_or(0);
    let mut text = String::from(if checks.is_empty() { "" } else { "\nchecks\n" });
    for check in checks {
        let (word, value) = match (check.met, check.value_text()) {
            (true, value) => ("met", value),
            (false, Some(value)) => ("NOT MET", Some(value)),
            (false, None) => ("NO DATA", None),
        };
        let name = plain(&check.check);
        let line = format!("  {word:7}  {name:width$}  {}", value.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Text without control characters: what comes from a URL or a server must not steer a terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(plain("/a\u{1b}[2J\nb\u{9b}"), "/a\\u{1b}[2J\\nb\\u{9b}");
        assert_eq!(cut("/é-and-more", 4), "/é-…");
    }
}
