//! The errors of a run that goes on: by class, as its intervals have them. Its last lines have them one by one.

use super::markup::Markup;
use super::number_format::count;
use crate::report::model::RunData;

/// One row per endpoint and class; nothing if no request failed.
pub(super) fn errors(page: &mut Markup, run: &RunData) {
    if run.endpoints.iter().all(|endpoint| endpoint.judged_failed_by_class().next().is_none()) {
        return;
    }
    page.raw(
        "<h2>Errors <small>so far, by class</small></h2>\n<div class=\"scroll\"><table class=\"errors\"><thead><tr>",
    );
    page.raw("<th class=\"name\"><button type=\"button\">Error</button></th>");
    page.raw("<th class=\"name\"><button type=\"button\">Endpoint</button></th>");
    page.raw("<th><button type=\"button\">Occurrences</button></th></tr></thead>\n<tbody>");
    for endpoint in &run.endpoints {
        for (class, occurrences) in endpoint.judged_failed_by_class() {
            page.raw("<tr><td class=\"name\">").text(class.as_str());
            if let Some(explanation) = run.causes.explanation_of_class(&endpoint.method, &endpoint.name, class) {
                page.raw("<br><small>").text(explanation).raw("</small>");
            }
            page.raw("</td>").element("td", "name", endpoint.title());
            page.raw("<td data-value=\"").text(occurrences).raw("\">").text(count(occurrences)).raw("</td></tr>\n");
        }
    }
    page.raw("</tbody></table></div>\n");
}
