//! Tables for a terminal, as Locust prints them at the end.

use std::fmt::Write as _;

use crate::plan::Plan;
use crate::plan::request::Endpoint;
use crate::stats::aggregate::{Aggregate, EndpointTally, ErrorKind, Place};
use crate::stats::check::Ruling;
use crate::stats::tally::Statistics;
use crate::telemetry::ending::RunEnding;

/// Widest name in a table; longer ones are cut.
const WIDEST_NAME: usize = 40;

/// What a run came to: a line for each endpoint, all together, the errors, the verdict.
#[must_use]
pub fn summary(plan: &Plan, aggregate: &Aggregate, ending: &RunEnding) -> String {
    let (now, last) = (ending.at, aggregate.last_done());
    let rows: Vec<(String, Statistics)> = aggregate
        .endpoints()
        .iter()
        .map(|endpoint| (name(plan, endpoint.place), endpoint.tally.statistics(now, last)))
        .chain([("Aggregated".to_owned(), aggregate.statistics(now, last))])
        .collect();
    let mut text = table(&rows);
    text.push_str(&errors(plan, aggregate.endpoints()));
    text.push_str(&checks(&ending.judgement.rulings));
    let counts = aggregate.counts();
    let _ = writeln!(
        text,
        "\nsent {} = ok {} + failed {} + aborted {}; verdict: {}",
        counts.sent(),
        counts.ok,
        counts.failed,
        counts.aborted,
        ending.judgement.verdict.as_str()
    );
    for reason in &ending.judgement.reasons {
        let _ = writeln!(text, "  {}", plain(reason));
    }
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

fn errors(plan: &Plan, endpoints: &[EndpointTally]) -> String {
    let mut text = String::new();
    for endpoint in endpoints {
        for error in &endpoint.errors {
            if text.is_empty() {
                text.push_str("\noccurrences  error\n");
            }
            let what = match error.kind {
                ErrorKind::Failure(failure) => failure.text(),
                ErrorKind::Other => "other errors".to_owned(),
            };
            let _ = writeln!(text, "{:>11}  {}: {what}", error.occurrences, name(plan, endpoint.place));
        }
    }
    text
}

/// What became of each check.
fn checks(rulings: &[Ruling]) -> String {
    let width = rulings.iter().map(|ruling| plain(ruling.check.text()).chars().count()).max().unwrap_or(0);
    let mut text = String::from(if rulings.is_empty() { "" } else { "\nchecks\n" });
    for ruling in rulings {
        let (word, value) = match (ruling.met, ruling.value_text()) {
            (true, value) => ("met", value),
            (false, Some(value)) => ("NOT MET", Some(value)),
            (false, None) => ("NO DATA", None),
        };
        let check = plain(ruling.check.text());
        let line = format!("  {word:7}  {check:width$}  {}", value.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn name(plan: &Plan, place: Place) -> String {
    match place {
        Place::Endpoint(id) => {
            let Endpoint { method, name } = &plan.endpoints()[id.0 as usize];
            plain(&format!("{method} {name}"))
        }
        Place::Other => "other".to_owned(),
    }
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
