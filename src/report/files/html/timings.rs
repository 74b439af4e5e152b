//! Where the time of requests goes: a table with a bar for each endpoint.

use super::markup::Markup;
use super::number_format::{count, number};
use crate::report::model::{Numbers, RunData};
use crate::stats::timing_summary::{MeanTimings, TimingSummary};

/// A part of a request's time: class of its bar, title, mean in milliseconds.
type Part = (&'static str, &'static str, fn(&MeanTimings) -> f64);

/// The parts in their order.
const PARTS: [Part; 5] = [
    ("dns", "DNS", |mean| mean.dns),
    ("connect", "Connect", |mean| mean.connect),
    ("tls", "TLS", |mean| mean.tls),
    ("first-byte", "First byte", |mean| mean.first_byte),
    ("body", "Body", |mean| mean.body),
];

/// Titles of the columns after the parts.
const FURTHER: [&str; 5] = ["Service", "TTFB p50", "TTFB p95", "TTFB p99", "Connected"];

/// One row per endpoint, and one for all requests; nothing if the stream is of an earlier version, which does not say.
pub(super) fn timings(page: &mut Markup, run: &RunData) {
    let endpoints = run.endpoints.iter().filter_map(|endpoint| Some((endpoint.title(), run.numbers(endpoint)?)));
    let endpoints: Vec<(String, Numbers)> = endpoints.collect();
    let total = run.total_numbers();
    let means = endpoints.iter().map(|(_, numbers)| numbers).chain([&total]);
    let longest = means.filter_map(|numbers| numbers.timing?.mean()).map(|mean| mean.total()).fold(0.0, f64::max);
    if endpoints.iter().all(|(_, numbers)| numbers.timing.is_none()) {
        return;
    }
    page.raw(
        "<h2>Where the time goes <small>mean of a request, and time to the first byte (TTFB), in ms</small></h2>\n",
    );
    page.raw("<div class=\"scroll\"><table class=\"timings\"><thead><tr>");
    page.raw("<th class=\"name\"><button type=\"button\">Endpoint</button></th><th class=\"bar\">Relative</th>");
    for (class, title, _) in PARTS {
        page.raw("<th><button type=\"button\"><span class=\"part ").raw(class).raw("\"></span>").raw(title);
        page.raw("</button></th>");
    }
    for title in FURTHER {
        page.raw("<th><button type=\"button\">").raw(title).raw("</button></th>");
    }
    page.raw("</tr></thead>\n<tbody>");
    for (name, numbers) in &endpoints {
        row(page, name, numbers.timing.as_ref(), longest);
    }
    page.raw("</tbody>\n<tfoot>");
    row(page, "All requests", total.timing.as_ref(), longest);
    page.raw("</tfoot></table></div>\n");
}

fn row(page: &mut Markup, name: &str, timing: Option<&TimingSummary>, longest: f64) {
    let mean = timing.and_then(TimingSummary::mean);
    page.raw("<tr>").element("td", "name", name).raw("<td class=\"bar\">");
    if let Some(mean) = &mean {
        bar(page, mean, longest);
    }
    page.raw("</td>");
    for (_, _, of) in PARTS {
        value(page, mean.as_ref().map(of), false);
    }
    value(page, mean.map(|mean| mean.total()), false);
    let times = timing.map(|timing| (timing.first_byte, timing.bounds));
    let milliseconds = |us: u64| us as f64 / 1000.0;
    for (us, is_bound) in [
        times.map(|(times, bounds)| (times.p50_us, bounds.percentile_50)),
        times.map(|(times, bounds)| (times.p95_us, bounds.percentile_95)),
        times.map(|(times, bounds)| (times.p99_us, bounds.percentile_99)),
    ]
    .map(Option::unzip)
    {
        value(page, us.map(milliseconds), is_bound == Some(true));
    }
    match timing.map(|timing| timing.timings.connecting.requests) {
        Some(requests) => page.raw("<td data-value=\"").text(requests).raw("\">").text(count(requests)).raw("</td>"),
        None => page.raw("<td data-value=\"-1\">–</td>"),
    };
    page.raw("</tr>\n");
}

/// The parts side by side, as long as the mean time is relative to the longest.
fn bar(page: &mut Markup, mean: &MeanTimings, longest: f64) {
    page.raw("<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let scale = if longest > 0.0 { 100.0 / longest } else { 0.0 };
    let mut start = 0.0;
    for (class, _, of) in PARTS {
        let width = of(mean) * scale;
        page.raw("<rect class=\"").raw(class).raw("\" x=\"").text(format_args!("{start:.3}"));
        page.raw("\" width=\"").text(format_args!("{width:.3}")).raw("\" height=\"10\"/>");
        start += width;
    }
    page.raw("</svg>");
}

fn value(page: &mut Markup, ms: Option<f64>, is_bound: bool) {
    let Some(ms) = ms else {
        page.raw("<td data-value=\"-1\">–</td>");
        return;
    };
    let sign = if is_bound { "≥ " } else { "" };
    page.raw("<td data-value=\"").text(ms).raw("\">").text(sign).text(number(ms, 2)).raw("</td>");
}
