//! The report as a self-contained page: nothing is loaded from elsewhere, and only our own script runs in it.
//!
//! Texts and tables are part of the page; the charts are drawn by its script from the embedded data. The
//! policy in its head (Content Security Policy, level 3) allows only this style and this script, by their
//! hashes.

mod capacity;
mod confidence;
mod data;
mod errors_so_far;
pub mod live;
mod number_format;
mod markup;
mod samples;
mod sections;
mod shards;
mod tables;
pub mod tense;
mod timings;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest;

use crate::report::model::ReportModel;
use markup::Markup;
use tense::Tense;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!("\"use strict\";\n{\n", include_str!("chart.js"), include_str!("page.js"), "}\n");

/// The page about a run.
#[must_use]
pub fn page(model: &ReportModel) -> String {
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(policy(SCRIPT)).raw("\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.raw("<title>").text(format_args!("{}: {}", model.identity.testplan, model.run.verdict())).raw("</title>\n");
    // Without this, browsers request an icon.
    page.raw("<link rel=\"icon\" href=\"data:,\">\n");
    page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    sections::header(&mut page, model, Tense::Past);
    main(&mut page, model, Tense::Past);
    sections::footer(&mut page, model);
    page.raw("<div id=\"tip\" role=\"status\" hidden></div>\n");
    page.raw("<script type=\"application/json\" id=\"data\">").json(&data::json(model)).raw("</script>\n");
    page.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    page.finish()
}

/// Everything between header and footer.
fn main(page: &mut Markup, model: &ReportModel, tense: Tense) {
    page.raw("<main>\n");
    sections::summary(page, model, tense);
    capacity::capacity(page, &model.run);
    if let Some(comparison) = &model.comparison {
        confidence::comparison(page, comparison);
    }
    sections::charts(page, model);
    tables::phases(page, &model.run);
    tables::endpoints(page, &model.run);
    if let Some(confidence) = &model.confidence {
        confidence::intervals(page, &model.run, confidence);
    }
    timings::timings(page, &model.run);
    shards::shards(page, &model.run);
    match tense {
        Tense::Past => tables::errors(page, &model.run),
        Tense::Present | Tense::Future => errors_so_far::errors(page, &model.run),
    }
    tables::exchanges(page, &model.run);
    samples::requests(page, &model.run);
    tables::plan(page, &model.run);
    page.raw("</main>\n");
}

/// What a browser may do with the page, which has this script.
fn policy(script: &str) -> String {
    let [style, script] = [STYLE, script].map(hash);
    format!(
        "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}
