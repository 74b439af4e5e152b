//! The tables of a page. Sorting is done by a script, which needs the raw numbers.

use super::markup::Markup;
use super::number_format::{count, duration, moment, number, share, unix};
use super::tense::Tense;
use crate::report::model::causes::ExchangeSeen;
use crate::report::model::{Numbers, RunData};
use crate::stats::times::Times;
use crate::telemetry::reader::ending::CheckSeen;
use crate::telemetry::reader::facts::ErrorRow;
use crate::vocabulary::Phase;

/// Maximum number of errors in a page; the stream contains all of them.
const MAX_ERRORS_SHOWN: usize = 500;

/// The checks of the run; nothing if there are none.
pub(super) fn checks(page: &mut Markup, checks: &[CheckSeen], tense: Tense) {
    if checks.is_empty() {
        return;
    }
    page.raw("<h2>Checks</h2>\n<div class=\"scroll\"><table class=\"checks\"><thead><tr><th class=\"name\">Check</th>");
    page.raw("<th>Measured</th><th>Result</th></tr></thead>\n<tbody>");
    for check in checks {
        page.raw("<tr><td><code>").text(&check.check).raw("</code></td>");
        cell(page, check.value_text().as_deref().unwrap_or("no request"));
        let (class, word) = match (check.met, tense) {
            (true, Tense::Past) => ("verdict good", "met"),
            (false, Tense::Past) => ("verdict bad", "not met"),
            (true, _) => ("verdict good", "met so far"),
            (false, _) if !check.has_data => ("verdict", "no request yet"),
            (false, _) => ("verdict bad", "not met so far"),
        };
        page.raw("<td>").element("span", class, word).raw("</td></tr>\n");
    }
    page.raw("</tbody></table></div>\n");
}

/// The phases that the run had, one row each.
pub(super) fn phases(page: &mut Markup, run: &RunData) {
    let present = |phase: Phase| run.phases.iter().find(|seen| seen.phase == phase);
    page.raw("<h2>Phases <small>response times in ms</small></h2>\n<div class=\"scroll\"><table class=\"phases\"><thead><tr><th class=\"name\">Phase</th>");
    page.raw("<th>Lasted</th><th>Requests</th><th>Failures</th><th>Requests/s</th><th>p50</th><th>p95</th>");
    page.raw("<th>p99</th><th>Max</th></tr></thead>\n<tbody>");
    for seen in Phase::IN_ORDER_OF_TIME.into_iter().filter_map(present) {
        let (counts, seconds) = (seen.counts, seen.duration_ms as f64 / 1000.0);
        let rate = if seconds > 0.0 { counts.completed() as f64 / seconds } else { 0.0 };
        page.raw("<tr><th class=\"name\" scope=\"row\">");
        page.raw("<span class=\"phase ")
            .raw(seen.phase.as_str())
            .raw("\"></span>")
            .raw(seen.phase.as_str())
            .raw("</th>");
        cell(page, &duration(seconds));
        cell(page, &count(counts.completed()));
        failures(page, counts.failed, counts.completed());
        cell(page, &number(rate, 1));
        for permille in [500, 950, 990, 1000] {
            cell(page, &milliseconds(&seen.response, permille));
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
}

fn milliseconds(times: &Times, permille: u64) -> String {
    number(times.percentile_us(permille) as f64 / 1000.0, 2)
}

/// One row per endpoint, and one for all requests.
pub(super) fn endpoints(page: &mut Markup, run: &RunData) {
    const HEADS: [&str; 10] =
        ["Requests", "Failures", "Failed", "Mean", "Min", "p50", "p95", "p99", "Max", "Requests/s"];
    page.raw("<h2>Endpoints <small>response times in ms</small></h2>\n<div class=\"scroll\"><table class=\"endpoints\"><thead><tr>");
    page.raw("<th class=\"name\"><button type=\"button\">Endpoint</button></th>");
    for head in HEADS {
        page.raw("<th><button type=\"button\">").raw(head).raw("</button></th>");
    }
    page.raw("</tr></thead>\n<tbody>");
    let used = run.endpoints.iter().filter_map(|endpoint| Some((endpoint.title(), run.numbers(endpoint)?)));
    for (name, numbers) in used {
        row(page, &name, &numbers);
    }
    page.raw("</tbody>\n<tfoot>");
    row(page, "All requests", &run.total_numbers());
    page.raw("</tfoot></table></div>\n");
}

fn row(page: &mut Markup, name: &str, numbers: &Numbers) {
    let Numbers { statistics: row, bounds, .. } = numbers;
    page.raw("<tr>").element("td", "name", name);
    value(page, row.num_requests as f64, &count(row.num_requests));
    let some = if row.num_failures > 0 { " class=\"some\"" } else { "" };
    page.raw("<td data-value=\"").text(row.num_failures).raw("\"").raw(some).raw(">").text(count(row.num_failures));
    page.raw("</td>");
    let failed = row.num_failures as f64 / row.num_requests.max(1) as f64;
    value(page, failed, &share(row.num_failures, row.num_requests));
    let times = [
        (row.avg_response_time, bounds.avg),
        (row.min_response_time, false),
        (row.percentile_50, bounds.percentile_50),
        (row.percentile_95, bounds.percentile_95),
        (row.percentile_99, bounds.percentile_99),
        (row.max_response_time, bounds.max),
    ];
    for (ms, is_bound) in times {
        let sign = if is_bound { "≥ " } else { "" };
        value(page, ms, &format!("{sign}{}", number(ms, 2)));
    }
    value(page, row.total_rps, &number(row.total_rps, 1));
    page.raw("</tr>\n");
}

/// One row per error; nothing if there are none.
pub(super) fn errors(page: &mut Markup, run: &RunData) {
    if run.errors.is_empty() {
        return;
    }
    page.raw("<h2>Errors</h2>\n<div class=\"scroll\"><table class=\"errors\"><thead><tr>");
    page.raw("<th class=\"name\"><button type=\"button\">Error</button></th>");
    page.raw("<th class=\"name\"><button type=\"button\">Endpoint</button></th>");
    page.raw("<th><button type=\"button\">Occurrences</button></th><th><button type=\"button\">First</button></th>");
    page.raw("<th><button type=\"button\">Last</button></th></tr></thead>\n<tbody>");
    for ErrorRow { method, name, error, occurrences, first_seen, last_seen } in run.errors.iter().take(MAX_ERRORS_SHOWN)
    {
        page.raw("<tr><td class=\"name\">").text(error);
        if let Some(explanation) = run.causes.explanation(method, name, error) {
            page.raw("<br><small>").text(explanation).raw("</small>");
        }
        page.raw("</td>").element("td", "name", format_args!("{method} {name}"));
        value(page, *occurrences as f64, &count(*occurrences));
        value(page, *first_seen, &unix(*first_seen));
        value(page, *last_seen, &unix(*last_seen));
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    if run.errors.len() > MAX_ERRORS_SHOWN {
        let further = count((run.errors.len() - MAX_ERRORS_SHOWN) as u64);
        page.raw("<p class=\"facts\">The stream has ").text(further).raw(" more distinct errors.</p>\n");
    }
}

/// The failed exchanges that the stream has, each closed until it is opened; nothing if there are none.
pub(super) fn exchanges(page: &mut Markup, run: &RunData) {
    let exchanges = run.causes.exchanges();
    if exchanges.is_empty() {
        return;
    }
    page.raw("<h2>Failed exchanges</h2>\n<div class=\"card exchanges\">");
    for ExchangeSeen { time, error, text, .. } in exchanges {
        let title = format!("{} {}: {}", error.method, error.name, error.error);
        page.raw("<details><summary>").text(title).raw(" <small>").text(moment(time)).raw("</small></summary>\n<pre>");
        for line in text.lines() {
            page.text(line).raw("\n");
        }
        page.raw("</pre></details>\n");
    }
    page.raw("</div>\n");
}

/// All settings as resolved.
pub(super) fn plan(page: &mut Markup, run: &RunData) {
    page.raw("<h2>Plan</h2>\n<div class=\"card\"><details><summary>The plan as resolved: ")
        .text(run.plan.settings.len());
    page.raw(" settings</summary>\n<div class=\"scroll\"><table class=\"plan\"><tbody>");
    for setting in &run.plan.settings {
        page.raw("<tr><td>").text(&setting.key).raw("</td><td><code>").text(&setting.value).raw("</code></td><td>");
        page.text(&setting.origin).raw("</td></tr>\n");
    }
    for target in &run.plan.targets {
        page.raw("<tr><td>addresses</td><td><code>").text(&target.host).raw(" ").text(target.addresses.join(" "));
        page.raw("</code></td><td>found</td></tr>\n");
    }
    page.raw("</tbody></table></div></details></div>\n");
}

fn cell(page: &mut Markup, text: &str) {
    page.raw("<td>").text(text).raw("</td>");
}

fn failures(page: &mut Markup, failed: u64, all: u64) {
    let class = if failed > 0 { "some" } else { "" };
    page.element("td", class, format_args!("{} ({})", count(failed), share(failed, all)));
}

/// A cell with its raw value for sorting.
fn value(page: &mut Markup, value: f64, text: &str) {
    page.raw("<td data-value=\"").text(value).raw("\">").text(text).raw("</td>");
}
