//! The tables of single requests: the slowest, and the first that failed.

use super::markup::Markup;
use super::number_format::{duration, number};
use crate::report::model::RunData;
use crate::report::model::samples::response_ms;
use crate::telemetry::samples::SampleEvent;

/// The tables; nothing if the stream has no such requests.
pub(super) fn requests(page: &mut Markup, story: &RunData) {
    let samples = &story.samples;
    table(page, "Slowest requests", &samples.slowest);
    // Where all of them were traced, the table is the one above.
    if samples.traced != samples.slowest {
        table(page, "Slowest traced requests", &samples.traced);
    }
    table(page, "First failed requests", &samples.failed);
}

fn table(page: &mut Markup, title: &'static str, samples: &[SampleEvent]) {
    if samples.is_empty() {
        return;
    }
    let has_traces = samples.iter().any(|sample| sample.trace_id.is_some());
    page.raw("<h2>").raw(title).raw(" <small>times in ms</small></h2>\n");
    page.raw("<div class=\"scroll\"><table class=\"samples\"><thead><tr><th class=\"name\">Endpoint</th>");
    page.raw("<th>Due at</th><th>Waited</th><th>First byte</th><th>Rest</th><th>Response time</th><th>Status</th>");
    page.raw("<th class=\"name\">Result</th>");
    if has_traces {
        page.raw("<th class=\"name\">Trace id</th>");
    }
    page.raw("</tr></thead>\n<tbody>");
    for sample in samples {
        row(page, sample, has_traces);
    }
    page.raw("</tbody></table></div>\n");
}

fn row(page: &mut Markup, sample: &SampleEvent, has_traces: bool) {
    let (sent, first_byte) = (sample.sent_ms, sample.first_byte_ms);
    page.raw("<tr><td class=\"name\">").text(&sample.method).raw(" ").text(&sample.name).raw("</td>");
    cell(page, &duration(sample.due_ms / 1000.0));
    cell(page, &number(sent - sample.due_ms, 2));
    cell(page, &first_byte.map_or_else(|| "none".to_owned(), |at| number(at - sent, 2)));
    cell(page, &number(sample.done_ms - first_byte.unwrap_or(sent), 2));
    cell(page, &number(response_ms(sample), 2));
    cell(page, &sample.status_code.map_or_else(String::new, |status| status.to_string()));
    page.element("td", "name", sample.error.as_deref().unwrap_or(sample.result.as_str()));
    if has_traces {
        page.raw("<td class=\"name\"><code>").text(sample.trace_id.as_deref().unwrap_or_default()).raw("</code></td>");
    }
    page.raw("</tr>\n");
}

fn cell(page: &mut Markup, text: &str) {
    page.raw("<td>").text(text).raw("</td>");
}
