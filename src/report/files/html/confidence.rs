//! Intervals of confidence, and the comparison with other runs.

use super::markup::Markup;
use crate::report::comparison::{blocks, heading};
use crate::report::confidence::{name, value};
use crate::report::model::steady::Confidence;
use crate::report::model::{BuildComparison, RunData};
use crate::stats::confidence::{Estimate, Estimates, Figure, LEVEL, MIN_TICKS};

/// A row of intervals per endpoint and one for all requests; a sentence if there are none.
pub(super) fn intervals(page: &mut Markup, run: &RunData, confidence: &Confidence) {
    page.raw("<h2>How certain the figures are <small>steady phase, ").text(format_args!("{:.1} s", confidence.seconds));
    page.raw(", ").text(format_args!("{:.0} % intervals", LEVEL * 100.0)).raw("</small></h2>\n");
    for drift in &confidence.drifts {
        let (first, last) = (value(drift.figure, drift.first), value(drift.figure, drift.last));
        let (name, unit) = name(drift.figure);
        page.raw("<div class=\"notice warn\"><strong>Not steady</strong> <span>").text(name).raw(" went from ");
        page.text(first).raw(" to ").text(last).text(unit);
        page.raw(" between the first and the last third of the steady phase</span></div>\n");
    }
    if confidence.all.iter().all(Option::is_none) {
        let ticks = confidence.ticks;
        page.raw("<p class=\"empty\">The steady phase has ").text(ticks).raw(if ticks == 1 {
            " tick"
        } else {
            " ticks"
        });
        page.raw("; intervals need ").text(MIN_TICKS);
        page.raw(": a longer run, or a shorter --interval, has them.</p>\n");
        return;
    }
    page.raw("<div class=\"scroll\"><table class=\"certain\"><thead><tr><th class=\"name\">Endpoint</th>");
    for figure in Figure::ALL {
        let (name, unit) = name(figure);
        page.raw("<th>").text(name).raw(" <small>").text(unit.trim()).raw("</small></th>");
    }
    page.raw("</tr></thead>\n<tbody>");
    for (endpoint, estimates) in run.endpoints.iter().zip(&confidence.endpoints) {
        row(page, &endpoint.title(), estimates);
    }
    page.raw("</tbody>\n<tfoot>");
    row(page, "All requests", &confidence.all);
    page.raw("</tfoot></table></div>\n");
}

fn row(page: &mut Markup, title: &str, estimates: &Estimates) {
    page.raw("<tr>").element("td", "name", title);
    for figure in Figure::ALL {
        match &estimates[figure.index()] {
            Some(estimate) => cell(page, figure, estimate),
            None => {
                page.raw("<td>–</td>");
            }
        }
    }
    page.raw("</tr>\n");
}

fn cell(page: &mut Markup, figure: Figure, estimate: &Estimate) {
    let (low, high) = estimate.interval(LEVEL);
    page.raw("<td>").text(value(figure, estimate.value())).raw(" <small>").text(value(figure, low));
    page.raw(" to ").text(value(figure, high)).raw("</small></td>");
}

/// The comparison: a block of rows per endpoint.
pub(super) fn comparison(page: &mut Markup, comparison: &BuildComparison) {
    page.raw("<h2>Comparison with the baseline <small>").text(comparison.sentence()).raw("</small></h2>\n");
    page.raw("<p>").text(heading(comparison)).raw("</p>\n");
    if !comparison.notes.is_empty() {
        page.raw("<div class=\"notice warn\"><strong>What limits it</strong><ul>");
        for note in &comparison.notes {
            page.raw("<li>").text(note).raw("</li>");
        }
        page.raw("</ul></div>\n");
    }
    page.raw("<div class=\"scroll\"><table class=\"compared\"><thead><tr><th class=\"name\">Endpoint</th>");
    page.raw(
        "<th class=\"name\">Figure</th><th>Baseline</th><th>Now</th><th>Change</th><th class=\"name\">Result</th>",
    );
    page.raw("</tr></thead>\n<tbody>");
    for (title, rows) in blocks(comparison) {
        for (place, row) in rows.iter().enumerate() {
            let class = if row.finding == "worse" { "name bad-number" } else { "name" };
            page.raw("<tr>").element("td", "name", if place == 0 { title } else { "" });
            page.element("td", "name", row.measure).raw("<td>").text(&row.baseline).raw("</td><td>");
            page.text(&row.value).raw("</td><td>").text(&row.change).raw("</td>");
            page.element("td", class, &row.finding).raw("</tr>\n");
        }
    }
    page.raw("</tbody></table></div>\n");
}
