//! The report as a live page: the same page, filled while the run goes on.
//!
//! The page gets its whole content when it is loaded. After that it asks for updates: texts and tables as they are to look,
//! of which it changes what differs, and the data of the charts, of which it gets only what it does not have.

use serde::Serialize;

use super::markup::Markup;
use super::number_format::{count, duration, number};
use super::tense::Tense;
use super::{STYLE, data, main, policy, sections};
use crate::report::model::{ReportModel, RunData};
use crate::vocabulary::Phase;

const SCRIPT: &str =
    concat!("\"use strict\";\n{\n", include_str!("chart.js"), include_str!("page.js"), include_str!("live.js"), "}\n");

/// An icon: a disc of a colour, and the radius of its hole.
macro_rules! icon_of {
    ($colour:literal, $hole:literal) => {
        concat!(
            "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='",
            $colour,
            "'/><circle cx='8' cy='8' r='",
            $hole,
            "' fill='white'/></svg>"
        )
    };
}

/// A run at a moment, to be shown.
#[derive(Clone, Copy, Debug)]
pub struct LiveView<'v> {
    /// Tells this run from others that are served on the same port later, and this moment from others.
    pub version: &'v str,
    /// The run.
    pub model: &'v ReportModel,
    /// Whether it goes on.
    pub tense: Tense,
}

/// An update in the form that the page's script reads.
#[derive(Serialize)]
struct Update<'u> {
    version: &'u str,
    is_over: bool,
    title: String,
    icon: &'static str,
    header: String,
    progress: String,
    main: String,
    footer: String,
    data: data::DataUpdate,
}

/// The whole page. With a token, which the script sends with it, it has a button that stops the run.
#[must_use]
pub fn page(view: LiveView<'_>, stop_token: Option<&str>) -> String {
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(live_policy()).raw("\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"same-origin\">\n");
    page.raw("<title>").text(title(view)).raw("</title>\n");
    page.raw("<link rel=\"icon\" href=\"").text(icon(view)).raw("\">\n");
    page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body data-version=\"").text(view.version).raw("\"");
    if view.tense == Tense::Past {
        page.raw(" data-over");
    }
    page.raw(">\n");
    sections::header(&mut page, view.model, view.tense);
    page.raw("<div id=\"controls\">");
    progress(&mut page, view);
    if let Some(token) = stop_token.filter(|_| view.tense != Tense::Past) {
        page.raw("<button type=\"button\" id=\"stop\" data-token=\"").text(token).raw("\">Stop the run</button>");
    }
    page.raw("<p id=\"connection\" class=\"notice warn\" hidden></p></div>\n");
    main(&mut page, view.model, view.tense);
    sections::footer(&mut page, view.model);
    page.raw("<div id=\"tip\" role=\"status\" hidden></div>\n");
    let is_over = view.tense == Tense::Past;
    let data = if is_over { data::json(view.model) } else { data::json_without_endpoints(view.model) };
    page.raw("<script type=\"application/json\" id=\"data\">").json(&data).raw("</script>\n");
    page.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    page.finish()
}

/// What a page that has `base` needs to show the view, with the charts of an endpoint, or of all.
#[must_use]
pub fn update(view: LiveView<'_>, base: Option<&ReportModel>, endpoint: Option<usize>) -> String {
    let part = |fill: &dyn Fn(&mut Markup)| {
        let mut part = Markup::default();
        fill(&mut part);
        part.finish()
    };
    let update = Update {
        version: view.version,
        is_over: view.tense == Tense::Past,
        title: title(view),
        icon: icon(view),
        header: part(&|page| sections::header(page, view.model, view.tense)),
        progress: part(&|page| progress(page, view)),
        main: part(&|page| main(page, view.model, view.tense)),
        footer: part(&|page| sections::footer(page, view.model)),
        data: data::update(view.model, base, endpoint, view.tense == Tense::Past),
    };
    serde_json::to_string(&update).unwrap_or_else(|why| unreachable!("numbers and texts are JSON: {why}"))
}

/// What a browser may do with the page: what it may do with a report, and ask the server that it came from.
#[must_use]
pub fn live_policy() -> String {
    policy(SCRIPT) + "; connect-src 'self'"
}

fn title(view: LiveView<'_>) -> String {
    let (_, verdict) = sections::verdict(view.model, view.tense);
    format!("{}: {verdict}", view.model.identity.testplan)
}

/// A disc in the colour of the verdict, with a gap while the run goes on.
fn icon(view: LiveView<'_>) -> &'static str {
    let is_over = view.tense == Tense::Past;
    match (sections::verdict(view.model, view.tense).0, is_over) {
        ("verdict good", true) => icon_of!("%2312723f", "0"),
        ("verdict good", false) => icon_of!("%2312723f", "3"),
        ("verdict warn", true) => icon_of!("%23b97500", "0"),
        ("verdict warn", false) => icon_of!("%23b97500", "3"),
        ("verdict bad", true) => icon_of!("%23b3261e", "0"),
        ("verdict bad", false) => icon_of!("%23b3261e", "3"),
        _ => icon_of!("%23566373", "3"),
    }
}

/// How far the run is.
fn progress(page: &mut Markup, view: LiveView<'_>) {
    let run = &view.model.run;
    page.raw("<div id=\"progress\">");
    let goal = Goal::of(run);
    let is_over = view.tense == Tense::Past;
    if let Some((part, all)) = goal.part(run).filter(|_| !is_over) {
        page.raw("<progress aria-label=\"Progress of the run\" max=\"").text(all).raw("\" value=\"");
        page.text(part.min(all)).raw("\"></progress>");
    }
    page.raw("<p class=\"facts\">");
    match view.tense {
        Tense::Past => drop(page.raw("<span>The run is over; this is its report.</span>")),
        Tense::Future => drop(page.raw("<span>Nothing was sent yet.</span>")),
        Tense::Present => present(page, run, goal),
    }
    page.raw("</p></div>");
}

fn present(page: &mut Markup, run: &RunData, goal: Goal) {
    let seconds = run.seconds();
    page.raw("<span>").text(duration(seconds));
    if let Some(all) = goal.seconds {
        page.raw(" of ").text(duration(all));
    }
    page.raw("</span>");
    if let Some(all) = goal.requests {
        page.raw("<span>")
            .text(count(run.all_counts().completed()))
            .raw(" of ")
            .text(count(all))
            .raw(" requests</span>");
    }
    let Some(last) = run.timeline.points().next_back() else { return };
    let users = last.gauges.users;
    page.raw("<span>").text(count(users.into())).raw(if users == 1 { " user" } else { " users" }).raw("</span>");
    if last.phase == Phase::Drain {
        page.raw("<span>stopping</span>");
        return;
    }
    if last.seconds() > 0.0 {
        let rate = last.traffic.completed() as f64 / last.seconds();
        page.raw("<span>").text(number(rate, 1)).raw(" requests/s now</span>");
    }
}

/// The planned end of a run, if it has one.
#[derive(Clone, Copy)]
struct Goal {
    seconds: Option<f64>,
    requests: Option<u64>,
}

impl Goal {
    fn of(run: &RunData) -> Self {
        let seconds = |text: &str| text.strip_suffix('s')?.parse::<f64>().ok();
        let stages = |text: &str| text.split(',').map(|stage| seconds(stage.split_once(':')?.0)).sum::<Option<f64>>();
        let run_time = run.plan.setting("run-time").and_then(seconds);
        Self {
            seconds: run_time.or_else(|| run.plan.setting("stages").and_then(stages)),
            requests: run.plan.setting("requests").and_then(|text| text.parse().ok()),
        }
    }

    /// How much of it is done, and of how much: of the goal that is nearer.
    fn part(self, run: &RunData) -> Option<(f64, f64)> {
        let time = self.seconds.map(|all| (run.seconds(), all));
        let requests = self.requests.map(|all| (run.all_counts().completed() as f64, all as f64));
        let parts = time.into_iter().chain(requests).filter(|(_, all)| *all > 0.0);
        parts.max_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)))
    }
}
