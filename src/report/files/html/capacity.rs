//! A search for capacity: its answer, its steps, and the response time at each rate as a drawing.

use super::markup::Markup;
use crate::plan::check::{Check, CheckScope, Latency, Unit};
use crate::report::capacity;
use crate::report::model::RunData;
use crate::telemetry::answer::rate_text;
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::StepVerdict;

/// Size of the drawing.
const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 300.0;

/// Room for the labels of its axes.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 18.0;
const RIGHT: f64 = 24.0;

/// The curves: class, name, and the time in milliseconds.
type Curve = (&'static str, &'static str, fn(&StepEvent) -> f64);

const CURVES: [Curve; 3] = [
    ("one", "p50", |step| step.judged.p50_us as f64 / 1000.0),
    ("two", "p95", |step| step.judged.p95_us as f64 / 1000.0),
    ("three", "p99", |step| step.judged.p99_us as f64 / 1000.0),
];

/// The search; nothing where the run is not one.
pub(super) fn capacity(page: &mut Markup, run: &RunData) {
    let Some(answer) = capacity::answer(run) else { return };
    page.raw("<h2>Capacity <small>").text(answer).raw("</small></h2>\n");
    if run.steps.is_empty() {
        return;
    }
    drawing(page, run);
    page.raw("<div class=\"scroll\"><table class=\"steps\"><thead><tr>");
    for title in capacity::titles(run) {
        page.raw("<th>").text(title).raw("</th>");
    }
    page.raw("<th class=\"name\">result</th></tr></thead>\n<tbody>");
    for step in &run.steps {
        page.raw("<tr>");
        for cell in capacity::cells(step) {
            page.raw("<td>").text(cell).raw("</td>");
        }
        let class = if step.result == StepVerdict::Passed { "name" } else { "name some" };
        page.element("td", class, capacity::result(step)).raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
}

/// A logarithmic axis.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    /// Where the lowest and the highest value are drawn.
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis for these values, which must be above 0, with some room around them.
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        Self { low: low / 1.15, high: high * 1.15, from, to }
    }

    fn place(self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + share * (self.to - self.from)
    }

    /// Round values of the axis: 1, 2 and 5 times a power of ten.
    fn ticks(self) -> Vec<f64> {
        let first = self.low.log10().floor();
        let powers = (0..12).map(|step| 10_f64.powf(first + f64::from(step)));
        powers
            .flat_map(|power| [power, 2.0 * power, 5.0 * power])
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

fn drawing(page: &mut Markup, run: &RunData) {
    let steps: Vec<&StepEvent> = run.steps.iter().filter(|step| step.completed > 0).collect();
    let limits = limits(run);
    let times = steps.iter().flat_map(|step| CURVES.map(|(_, _, time)| time(step).max(0.01)));
    let across = Axis::of(run.steps.iter().map(|step| step.rate), LEFT, WIDTH - RIGHT);
    let up = Axis::of(times.chain(limits.iter().map(|(_, ms)| *ms)), HEIGHT - BOTTOM, TOP);
    page.raw("<figure class=\"chart wide\" id=\"chart-capacity\"><figcaption><h3>Response time by rate</h3><div class=\"legend\">");
    for (class, name, _) in CURVES {
        page.raw("<span><svg viewBox=\"0 0 20 10\"><path class=\"line ").raw(class).raw("\" d=\"M0 5H20\"/></svg>");
        page.raw(name).raw("</span>");
    }
    page.raw("</div></figcaption><p class=\"note\">Each step at its rate, in milliseconds, from when a request was due; both scales are logarithmic. Full dots passed, open ones did not.</p>\n<div class=\"plot\"><svg viewBox=\"0 0 ");
    page.text(WIDTH)
        .raw(" ")
        .text(HEIGHT)
        .raw("\" role=\"img\" aria-label=\"Response time of each step by its rate\">\n");
    grid(page, across, up);
    for (text, ms) in &limits {
        line(page, "line dashed fail", (LEFT, up.place(*ms)), (WIDTH - RIGHT, up.place(*ms)));
        label(page, "start", (LEFT + 6.0, up.place(*ms) - 4.0), text);
    }
    if let Some(rate) = run.end.as_ref().and_then(|end| end.capacity.as_ref()?.rate) {
        line(page, "line soft", (across.place(rate), TOP), (across.place(rate), HEIGHT - BOTTOM));
        label(page, "end", (across.place(rate) - 5.0, TOP - 5.0), &format!("{}/s", rate_text(rate)));
    }
    for (class, _, time) in CURVES {
        curve(page, class, &steps, |step| (across.place(step.rate), up.place(time(step).max(0.01))));
    }
    for (class, name, time) in CURVES {
        for step in &steps {
            let at = (across.place(step.rate), up.place(time(step).max(0.01)));
            dot(page, class, step, at, &format!("{name} {:.2} ms", time(step)));
        }
    }
    page.raw("</svg></div></figure>\n");
}

/// Bounds of checks of the response times of all requests, in milliseconds.
fn limits(run: &RunData) -> Vec<(String, f64)> {
    let checks = run.plan.settings.iter().filter(|setting| setting.key == "check");
    let checks = checks.filter_map(|setting| Check::parse(&setting.value).ok());
    let is_drawn = |check: &Check| {
        let CheckScope { endpoint, latency, .. } = check.scope();
        check.metric().unit() == Unit::Time
            && endpoint.is_none()
            && *latency == Latency::Response
            && check.bound() > 0.0
    };
    checks.filter(is_drawn).map(|check| (check.text().to_owned(), check.bound() / 1000.0)).collect()
}

fn grid(page: &mut Markup, across: Axis, up: Axis) {
    for tick in up.ticks() {
        let y = up.place(tick);
        line(page, "axis", (LEFT, y), (WIDTH - RIGHT, y));
        label(page, "end", (LEFT - 6.0, y + 4.0), &format!("{tick} ms"));
    }
    for tick in across.ticks() {
        let x = across.place(tick);
        line(page, "axis", (x, TOP), (x, HEIGHT - BOTTOM));
        label(page, "middle", (x, HEIGHT - 8.0), &format!("{}/s", rate_text(tick)));
    }
    line(page, "base", (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM));
}

/// A line through the steps in the order of their rates. Of several steps at one rate it takes the last.
fn curve(page: &mut Markup, class: &'static str, steps: &[&StepEvent], place: impl Fn(&StepEvent) -> (f64, f64)) {
    let mut last: Vec<&StepEvent> = Vec::new();
    for step in steps {
        last.retain(|other| other.rate.to_bits() != step.rate.to_bits());
        last.push(step);
    }
    last.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    page.raw("<path class=\"line ").raw(class).raw("\" d=\"");
    for (at, step) in last.into_iter().enumerate() {
        let (x, y) = place(step);
        page.raw(if at == 0 { "M" } else { "L" }).text(format_args!("{x:.1} {y:.1}"));
    }
    page.raw("\"/>\n");
}

fn dot(page: &mut Markup, class: &'static str, step: &StepEvent, (x, y): (f64, f64), time: &str) {
    page.raw("<circle class=\"").raw(if step.result == StepVerdict::Passed { "full " } else { "dot " }).raw(class);
    page.raw("\" cx=\"").text(format_args!("{x:.1}")).raw("\" cy=\"").text(format_args!("{y:.1}"));
    page.raw("\" r=\"3.5\"><title>").text(format_args!("step {}, {}/s: {time}, ", step.number, rate_text(step.rate)));
    page.text(step.result.as_str()).raw("</title></circle>\n");
}

fn line(page: &mut Markup, class: &'static str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    page.raw("<path class=\"").raw(class).raw("\" d=\"");
    page.text(format_args!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}")).raw("\"/>\n");
}

fn label(page: &mut Markup, anchor: &'static str, (x, y): (f64, f64), text: &str) {
    page.raw("<text text-anchor=\"").raw(anchor).raw("\" x=\"").text(format_args!("{x:.1}"));
    page.raw("\" y=\"").text(format_args!("{y:.1}")).raw("\">").text(text).raw("</text>\n");
}
