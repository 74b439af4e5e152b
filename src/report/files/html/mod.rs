//! The report as a self-contained page: nothing is loaded from elsewhere, and only our own script runs in it.
//!
//! Texts and tables are part of the page; the charts are drawn by its script from the embedded data. The
//! policy in its head (Content Security Policy, level 3) allows only this style and this script, by their
//! hashes.

mod confidence;
mod data;
mod number_format;
mod markup;
mod samples;
mod sections;
mod tables;
mod timings;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest;

use crate::report::model::ReportModel;
use markup::Markup;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!("\"use strict\";\n{\n", include_str!("chart.js"), include_str!("page.js"), "}\n");

/// The page about a run.
#[must_use]
pub fn page(model: &ReportModel) -> String {
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(policy()).raw("\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.raw("<title>").text(format_args!("{}: {}", model.identity.testplan, model.run.verdict())).raw("</title>\n");
    // Without this, browsers request an icon.
    page.raw("<link rel=\"icon\" href=\"data:,\">\n");
    page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    sections::header(&mut page, model);
    page.raw("<main>\n");
    sections::summary(&mut page, model);
    if let Some(comparison) = &model.comparison {
        confidence::comparison(&mut page, comparison);
    }
    sections::charts(&mut page, model);
    tables::phases(&mut page, &model.run);
    tables::endpoints(&mut page, &model.run);
    if let Some(confidence) = &model.confidence {
        confidence::intervals(&mut page, &model.run, confidence);
    }
    timings::timings(&mut page, &model.run);
    tables::errors(&mut page, &model.run);
    tables::exchanges(&mut page, &model.run);
    samples::requests(&mut page, &model.run);
    tables::plan(&mut page, &model.run);
    page.raw("</main>\n");
    sections::footer(&mut page, model);
    page.raw("<div id=\"tip\" role=\"status\" hidden></div>\n");
    page.raw("<script type=\"application/json\" id=\"data\">").json(&data::json(model)).raw("</script>\n");
    page.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    page.finish()
}

/// What a browser may do with the page.
fn policy() -> String {
    let [style, script] = [STYLE, SCRIPT].map(hash);
    format!(
        "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}
