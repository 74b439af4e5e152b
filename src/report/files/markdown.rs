//! The summary in Markdown, for the pages of CI systems: appended to the file, so that several steps can share one.

use std::fmt::Write as _;

use crate::report::capacity;
use crate::report::comparison::{blocks, heading};
use crate::report::confidence;
use crate::report::model::{BuildComparison, Numbers, ReportModel, RunData};
use crate::report::plain::plain;
use crate::report::shards::{SHOWN, cell, chosen};
use crate::report::table::judged_ms;
use crate::vocabulary::Verdict;

/// Maximum errors, and endpoints, that are listed: some systems cut a page off at 1 MiB.
const MAX_ROWS: usize = 50;

/// The document.
#[must_use]
pub fn document(model: &ReportModel) -> String {
    let run = &model.run;
    let sign = match run.end.as_ref().map(|end| end.verdict) {
        Some(Verdict::Pass) => "✅",
        Some(Verdict::Failures) => "⚠️",
        _ => "❌",
    };
    let mut text = format!("### {sign} {}: {}\n\n", escaped(&model.identity.testplan), escaped(run.verdict()));
    for sentence in model.troubles.sentences() {
        let _ = writeln!(text, "- {}", escaped(&sentence));
    }
    for reason in run.end.iter().flat_map(|end| end.texts()) {
        let _ = writeln!(text, "- {}", escaped(reason));
    }
    for (_, sentence) in run.remarks() {
        let _ = writeln!(text, "- {}", escaped(&sentence));
    }
    if let Some(warmup) = run.warmup() {
        let _ = write!(text, "\n{}\n", escaped(&warmup.sentence()));
    }
    steps(&mut text, run);
    requests(&mut text, run);
    if let Some(confidence) = &model.confidence {
        let _ = write!(text, "\n{}\n", escaped(confidence::text(confidence).trim()));
    }
    shards(&mut text, run);
    checks(&mut text, run);
    if let Some(comparison) = &model.comparison {
        compared(&mut text, comparison);
    }
    errors(&mut text, run);
    for warning in run.other_warnings().take(MAX_ROWS) {
        let _ = write!(text, "\n> {}\n", escaped(&warning.detail));
    }
    let _ = write!(text, "\nrun `{}`, swarmline {}\n\n", model.identity.run_id, escaped(&run.plan.version));
    text
}

/// The answer of a search for capacity, and its steps.
fn steps(text: &mut String, run: &RunData) {
    let Some(answer) = capacity::answer(run) else { return };
    let _ = write!(text, "\n**capacity: {}**\n", escaped(&answer));
    if run.steps.is_empty() {
        return;
    }
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let titles: Vec<String> = capacity::titles(run).iter().map(|title| escaped(title)).collect();
    let rule = titles.iter().map(|_| "--:".to_owned()).chain(["---".to_owned()]).collect();
    text.push('\n');
    text.push_str(&row(titles.into_iter().chain(["result".to_owned()]).collect()));
    text.push_str(&row(rule));
    for step in run.steps.iter().take(MAX_ROWS) {
        let cells = capacity::cells(step).into_iter().chain([capacity::result(step)]);
        text.push_str(&row(cells.map(|cell| escaped(&cell)).collect()));
    }
}

fn requests(text: &mut String, run: &RunData) {
    text.push_str(
        "\n| | requests | failed | req/s | p50 ms | p95 ms | p99 ms |\n| --- | --: | --: | --: | --: | --: | --: |\n",
    );
    let mut row = |name: &str, numbers: &Numbers| {
        let Numbers { statistics: row, bounds, .. } = numbers;
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {:.1} | {} | {} | {} |",
            row.num_requests,
            row.num_failures,
            row.total_rps,
            judged_ms(row.num_requests, (row.percentile_50, bounds.percentile_50)),
            judged_ms(row.num_requests, (row.percentile_95, bounds.percentile_95)),
            judged_ms(row.num_requests, (row.percentile_99, bounds.percentile_99))
        );
    };
    for endpoint in run.endpoints.iter().take(MAX_ROWS) {
        if let Some(numbers) = run.numbers(endpoint) {
            row(&escaped(&endpoint.title()), &numbers);
        }
    }
    row("**all**", &run.total_numbers());
    if run.endpoints.len() > MAX_ROWS {
        let _ = write!(text, "\nand {} further endpoints\n", run.endpoints.len() - MAX_ROWS);
    }
}

/// The shards of a merged run, each beside the others.
fn shards(text: &mut String, run: &RunData) {
    if run.shards.len() < 2 {
        return;
    }
    text.push_str("\n| | requests | failed | p50 ms | p95 ms | p99 ms |\n| --- | --: | --: | --: | --: | --: |\n");
    let (chosen, left_out) = chosen(&run.shards, MAX_ROWS);
    for shard in chosen {
        let sign = if shard.is_odd() { "⚠️ " } else { "" };
        let cells = SHOWN.map(|percent| escaped(&cell(shard, percent))).join(" | ");
        let requests = shard.ok + shard.failed;
        let _ = writeln!(text, "| {sign}shard {} | {requests} | {} | {cells} |", shard.index, shard.failed);
    }
    if left_out > 0 {
        let _ = write!(text, "\nand {left_out} further shards\n");
    }
}

fn checks(text: &mut String, run: &RunData) {
    if run.checks.is_empty() {
        return;
    }
    text.push_str("\n| check | | value |\n| --- | --- | --: |\n");
    for check in &run.checks {
        let word = match (check.met, check.has_data) {
            (true, _) => "✅ met",
            (false, true) => "❌ not met",
            (false, false) => "❌ no data",
        };
        let value = check.value_text().unwrap_or_default();
        let _ = writeln!(text, "| {} | {word} | {} |", escaped(&check.check), escaped(&value));
    }
}

fn compared(text: &mut String, comparison: &BuildComparison) {
    let sign = if comparison.worse() > 0 { "❌" } else { "✅" };
    let _ = write!(text, "\n{sign} {}: {}\n\n", escaped(&heading(comparison)), escaped(&comparison.sentence()));
    text.push_str("| endpoint | figure | baseline | now | change | |\n| --- | --- | --: | --: | --: | --- |\n");
    for (title, rows) in blocks(comparison).take(MAX_ROWS) {
        for row in rows {
            let cells = [&row.baseline, &row.value, &row.change, &row.finding].map(|cell| escaped(cell));
            let _ = writeln!(text, "| {} | {} | {} |", escaped(title), row.measure, cells.join(" | "));
        }
    }
    for note in &comparison.notes {
        let _ = write!(text, "\n> {}\n", escaped(note));
    }
}

fn errors(text: &mut String, run: &RunData) {
    let failures = run.failures();
    if failures.is_empty() {
        return;
    }
    text.push_str("\n| occurrences | error |\n| --: | --- |\n");
    for (occurrences, what, explanation) in failures.iter().take(MAX_ROWS) {
        let explanation = explanation.map(|why| format!(": {why}")).unwrap_or_default();
        let _ = writeln!(text, "| {occurrences} | {} |", escaped(&format!("{what}{explanation}")));
    }
}

/// Escapes text from anywhere for Markdown (GitHub Flavored Markdown 0.29, 2.4): every ASCII punctuation character that can
/// begin markup, so that neither tables, links, images, mentions nor HTML come of it.
fn escaped(text: &str) -> String {
    let plain = plain(text);
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A mention notifies people; a backslash would not prevent it.
            '@' => escaped.push_str("&#64;"),
            '\n' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    // Addresses become links by themselves in this dialect.
    escaped.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            escaped("GET /a|b`c`?x=<img src=http://h>&y=[z](q)\n@me www.h"),
            "GET /a\\|b\\`c\\`?x=&lt;img src=http:&#47;&#47;h&gt;&amp;y=\\[z\\]\\(q\\)\\\\n&#64;me www&#46;h"
        );
    }
}
