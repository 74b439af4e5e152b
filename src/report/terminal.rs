//! The end of a run for a terminal, as Locust prints it: requests, percentiles, errors; and the verdict.

use std::fmt::Write as _;

use super::capacity;
use super::confidence;
use super::model::{Numbers, ReportModel, RunData};
use super::plain::{columns, fitted, plain};
use super::requests::{Rate, TableRow, requests};
use super::samples::traced;
use super::shards::shards;
use super::table::{Column, judged_ms, ms, table};
use super::timings::timings;
use crate::stats::tally::Statistics;
use crate::stats::unfinished::{Bounds, UnfinishedCounts};
use crate::telemetry::reader::ending::CheckSeen;
use crate::value::count::counted;

/// Maximum lines of errors; the stream has them all.
const MOST_ERRORS: usize = 100;

/// What a run came to: what is wrong with its stream, a line for each endpoint, all together, the errors, the verdict.
/// `width` is that of the terminal, where there is one.
#[must_use]
pub fn summary(model: &ReportModel, width: Option<usize>) -> String {
    let run = &model.run;
    let endpoints = run.endpoints.iter().filter_map(|endpoint| {
        let numbers = run.numbers(endpoint)?;
        Some(TableRow { method: endpoint.method.clone(), name: endpoint.name.clone(), numbers })
    });
    let total = TableRow { method: String::new(), name: "Aggregated".to_owned(), numbers: run.total_numbers() };
    let rows: Vec<TableRow> = endpoints.chain([total]).collect();
    let mut text = troubles("the stream", model);
    if let Some(warmup) = run.warmup() {
        let _ = writeln!(text, "{}\n", warmup.sentence());
    }
    text.push_str(&requests(&rows, Rate::Whole, width));
    text.push_str("\nResponse time percentiles in ms\n");
    text.push_str(&percentiles(&rows, width));
    text.push_str(&timings(&rows, width));
    text.push_str(&model.confidence.as_ref().map(confidence::text).unwrap_or_default());
    text.push_str(&shards(run, width));
    text.push_str(&errors(run, width));
    text.push_str(&traced(&run.samples, width));
    text.push_str(&checks("Checks", &run.checks));
    text.push_str(&capacity::text(run, width));
    text.push_str(&unfinished(&run.unfinished()));
    let counts = run.counts();
    let unsent = run.unfinished().unsent;
    let due = if unsent > 0 { format!("due {} = unsent {unsent} + ", counts.sent() + unsent) } else { String::new() };
    let _ = writeln!(
        text,
        "\n{due}sent {} = ok {} + failed {} + aborted {}; verdict: {}",
        counts.sent(),
        counts.ok,
        counts.failed,
        counts.aborted,
        plain(run.verdict())
    );
    let reasons = run.end.iter().flat_map(|end| &end.reasons).map(|reason| reason.text.clone());
    for sentence in reasons.chain(run.remarks().into_iter().map(|(_, sentence)| sentence)) {
        let _ = writeln!(text, "  {}", plain(&sentence));
    }
    text
}

/// What had not ended, where there was any, and how the tables show it.
fn unfinished(counts: &UnfinishedCounts) -> String {
    if counts.total() == 0 {
        return String::new();
    }
    let UnfinishedCounts { aborted, unsent, .. } = counts;
    let oldest = ms(counts.oldest_us() as f64 / 1000.0);
    let (requests, were) = (counted(*aborted, "request"), if *aborted == 1 { "was" } else { "were" });
    let unsent = if *unsent > 0 {
        format!(", and {unsent} that {0} due {0} never sent", if *unsent == 1 { "was" } else { "were" })
    } else {
        String::new()
    };
    format!(
        "\nAt the end {requests} {were} cut off{unsent}; the oldest had waited {oldest} ms.\n\
         A time marked ≥ is a lower bound that counts them with the time that they had waited.\n"
    )
}

/// What is wrong with a stream, in a line each, before anything else.
#[must_use]
pub fn troubles(title: &str, model: &ReportModel) -> String {
    if model.troubles.is_empty() {
        return String::new();
    }
    let what =
        if model.troubles.is_loss() { "is not whole; below is what it still holds" } else { "is whole, but not clean" };
    let mut text = format!("{} {what}:\n", plain(title));
    for sentence in model.troubles.sentences() {
        let _ = writeln!(text, "  {}", plain(&sentence));
    }
    text.push('\n');
    text
}

fn percentiles(rows: &[TableRow], width: Option<usize>) -> String {
    let names: Vec<_> = rows.iter().map(|row| (plain(&row.method), plain(&row.name))).collect();
    let column = |title, rank, of: fn(&Statistics, &Bounds) -> (f64, bool)| {
        let cell = |Numbers { statistics: row, bounds, .. }: &Numbers| judged_ms(row.num_requests, of(row, bounds));
        let cells = rows.iter().map(|row| cell(&row.numbers)).collect();
        Column { title, rank, cells }
    };
    let count = rows.iter().map(|row| row.numbers.statistics.num_requests.to_string()).collect();
    let columns = vec![
        column("50%", 6, |row, bound| (row.percentile_50, bound.percentile_50)),
        column("90%", 4, |row, bound| (row.percentile_90, bound.percentile_90)),
        column("95%", 7, |row, bound| (row.percentile_95, bound.percentile_95)),
        column("99%", 8, |row, bound| (row.percentile_99, bound.percentile_99)),
        column("99.9%", 3, |row, bound| (row.percentile_99_9, bound.percentile_99_9)),
        column("100%", 5, |row, bound| (row.max_response_time, bound.max)),
        Column { title: "# reqs", rank: 2, cells: count },
    ];
    table(&names, columns, width)
}

fn errors(run: &RunData, width: Option<usize>) -> String {
    const COUNT: usize = 18;
    let failures = run.failures();
    if failures.is_empty() {
        return String::new();
    }
    let texts: Vec<String> = failures.iter().take(MOST_ERRORS).map(|(_, what, _)| plain(what)).collect();
    let widest = texts.iter().map(|text| columns(text)).max().unwrap_or(0);
    let most = width.map_or(widest, |width| widest.min(width.saturating_sub(COUNT + 1).max(COUNT)));
    let rule = format!("{}|{}\n", "-".repeat(COUNT), "-".repeat(most));
    let mut text = format!("\nError report\n{:COUNT$} Error\n{rule}", "# occurrences");
    for ((occurrences, _, explanation), what) in failures.iter().zip(&texts) {
        let _ = writeln!(text, "{occurrences:<COUNT$} {}", fitted(what, most).trim_end());
        if let Some(explanation) = explanation {
            let _ = writeln!(text, "{:COUNT$}   {}", "", plain(explanation));
        }
    }
    text.push_str(&rule);
    if failures.len() > MOST_ERRORS {
        let _ = writeln!(text, "and {} further errors, which the stream has", failures.len() - MOST_ERRORS);
    }
    text
}

/// The failed exchanges that the stream has, with an empty line after each.
#[must_use]
pub fn exchanges(story: &RunData) -> String {
    let mut text = String::new();
    for exchange in story.causes.exchanges() {
        for line in exchange.text.lines() {
            let _ = writeln!(text, "{}", plain(line));
        }
        text.push('\n');
    }
    text
}

/// How a run that is one of several was judged by the checks that were given with the report.
#[must_use]
pub fn judgement(title: &str, model: &ReportModel) -> String {
    let (run, title) = (&model.run, plain(title));
    let mut text = checks(&format!("Checks of {title}"), &run.checks);
    let _ = writeln!(text, "verdict: {}", plain(run.verdict()));
    for reason in run.end.iter().flat_map(|end| end.texts()) {
        let _ = writeln!(text, "  {}", plain(reason));
    }
    text
}

/// The result of each check.
fn checks(heading: &str, checks: &[CheckSeen]) -> String {
    let width = checks.iter().map(|check| columns(&plain(&check.check))).max().unwrap_or(0);
    let mut text = if checks.is_empty() { String::new() } else { format!("\n{heading}\n") };
    for check in checks {
        let word = match (check.met, check.has_data) {
            (true, _) => "met",
            (false, true) => "NOT MET",
            (false, false) => "NO DATA",
        };
        let value = check.value_text().unwrap_or_default();
        let line = format!("  {word:7}  {}  {}", fitted(&plain(&check.check), width), plain(&value));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// What a reader of the numbers must know of, a line for each kind: the first of it.
#[must_use]
pub fn warnings(run: &RunData) -> String {
    let mut text = String::new();
    for (at, warning) in run.warnings.iter().enumerate() {
        if run.warnings[..at].iter().all(|before| before.kind != warning.kind) {
            let _ = writeln!(text, "swarmline: warning: {}", plain(&warning.detail));
        }
    }
    text
}
