//! What a run would do: the resolved plan and an example of each request. Nothing is sent.

use std::fmt::Write as _;

use super::Plan;
use super::body_file::label;
use super::data::{DataSource, OnEnd, Pick, RowId};
use super::expect::Expect;
use super::journey::{Message, RequestStep, Step};
use super::random::Random;
use super::request::Request;
use super::setting::fingerprint;
use super::step::{Addition, Assignment};
use super::template::{Counter, RenderError, SlotId, Template, Values, Variable};
use crate::secret::{masked, masked_body, masked_header};
use crate::value::StatusSet;

/// The complete text; `now_unix_ms` is used as the current time.
#[must_use]
pub fn text(plan: &Plan, now_unix_ms: u64) -> String {
    let mut page = DryRunText { plan, now_unix_ms, random: Random::seeded(plan.load().seed), text: String::new() };
    page.line(0, &format!("testplan {}, nothing is sent", plan.testplan()));
    page.line(0, "");
    for setting in plan.settings() {
        page.line(0, &format!("{} = {} ({})", setting.key, setting.value, setting.origin.as_str()));
    }
    page.data_without_rows();
    page.once("setup, once before the first user", &plan.once().setup);
    for class in plan.classes() {
        page.line(0, "");
        page.line(0, &format!("users of class {}: {}, wait {}", class.name, class.share, class.wait));
        page.steps("on_start", &class.on_start);
        for task in class.tasks.as_slice() {
            page.steps(&format!("task {}, weight {}", task.name, task.weight), &task.steps);
        }
        page.steps("on_stop", &class.on_stop);
    }
    page.once("teardown, once after the last user", &plan.once().teardown);
    page.text
}

/// Maximum size of a displayed body.
const MAX_BODY_SHOWN: usize = 1024;

struct DryRunText<'p> {
    plan: &'p Plan,
    now_unix_ms: u64,
    random: Random,
    text: String,
}

impl DryRunText<'_> {
    /// Appends a line; control characters are escaped, because they could affect the terminal.
    fn line(&mut self, indent: usize, line: &str) {
        self.text.extend(std::iter::repeat_n(' ', if line.is_empty() { 0 } else { indent * 2 }));
        for char in line.chars() {
            if char.is_control() {
                self.text.extend(char.escape_default());
            } else {
                self.text.push(char);
            }
        }
        self.text.push('\n');
    }

    /// Names the data of which this shard has no row.
    fn data_without_rows(&mut self) {
        let (plan, shard) = (self.plan, self.plan.load().shard);
        for source in plan.sources() {
            let is_used_up = matches!(source.pick(), Pick::Unique(OnEnd::Stop | OnEnd::Fail));
            if is_used_up && shard.share(u64::from(source.len())) == 0 {
                let about =
                    format!("data {} has no row for this shard; the examples show the first row", source.name());
                self.line(0, &about);
            }
        }
    }

    fn steps(&mut self, title: &str, steps: &[Step]) {
        if !steps.is_empty() {
            self.line(1, title);
        }
        self.block(2, steps);
    }

    fn once(&mut self, title: &str, steps: &[Step]) {
        if !steps.is_empty() {
            self.line(0, "");
            self.line(0, title);
            self.block(1, steps);
        }
    }

    fn block(&mut self, indent: usize, steps: &[Step]) {
        for step in steps {
            self.step(indent, step);
        }
    }

    fn step(&mut self, indent: usize, step: &Step) {
        let inside = indent + 1;
        match step {
            Step::Request(request) => self.request(indent, request),
            Step::Pause(pause) => self.line(indent, &format!("pause {pause}")),
            Step::Repeat(repeat) => {
                let counter = repeat.counter.map(|slot| format!(", ${{{}}} from 0", self.variable(slot)));
                self.line(indent, &format!("repeat {}{}", repeat.times, counter.unwrap_or_default()));
                self.block(inside, &repeat.steps);
            }
            Step::ForEach(each) => {
                let (item, list) = (self.variable(each.item), self.variable(each.list));
                self.line(indent, &format!("for each ${{{item}}} of {list}"));
                self.block(inside, &each.steps);
            }
            Step::When(when) => {
                self.line(indent, &format!("when {}", masked(&when.condition.to_string())));
                self.block(inside, &when.steps);
                if !when.otherwise.is_empty() {
                    self.line(indent, "else");
                    self.block(inside, &when.otherwise);
                }
            }
            Step::Until(until) => {
                let every = until.every.as_secs_f64();
                let about = format!(
                    "until {}, every {every}s, at most {} times",
                    masked(&until.condition.to_string()),
                    until.at_most
                );
                self.line(indent, &about);
                self.block(inside, &until.steps);
            }
            Step::LeaveLoop => self.line(indent, "leave the loop"),
            Step::LeaveTask => self.line(indent, "leave the task"),
            Step::StopUser => self.line(indent, "stop the user"),
            Step::Set(assignments) => {
                for Assignment { slot, value } in assignments {
                    let name = self.variable(*slot).to_owned();
                    let about = match value {
                        Some(value) => format!("set {name} = {}", self.value(value)),
                        None => format!("unset {name}"),
                    };
                    self.line(indent, &about);
                }
            }
            Step::Append(additions) => {
                for Addition { list, item } in additions {
                    let item = self.value(item);
                    let about = format!("append to {}: {item}", self.variable(*list));
                    self.line(indent, &about);
                }
            }
        }
    }

    fn variable(&self, slot: SlotId) -> &str {
        &self.plan.variables()[slot.0 as usize]
    }

    /// An example of a text.
    fn value(&mut self, template: &Template) -> String {
        let mut out = Vec::new();
        match self.with_values(|values| template.render_masked(values, &mut out)) {
            Ok(()) => String::from_utf8_lossy(&out).into_owned(),
            Err(why) => unfit(why),
        }
    }

    fn request(&mut self, indent: usize, step: &RequestStep) {
        let (origin, endpoint) = match &step.message {
            Message::Fixed(request) => (request.origin(), request.wire().endpoint()),
            Message::Templated(request) => (request.origin(), request.endpoint()),
        };
        let endpoint = &self.plan.endpoints()[endpoint.0 as usize];
        let mut about = format!("{} {} at {}", endpoint.method, endpoint.name, origin.authority());
        let rules = &step.rules;
        let _ = write!(about, ": timeout {}s, redirects {}", rules.timeout.as_secs_f64(), rules.max_redirects);
        let _ = write!(about, ", expects {}", expected(&rules.expect));
        let taken = step.extract.iter().map(|extraction| self.plan.variables()[extraction.slot.0 as usize].as_str());
        let taken = taken.collect::<Vec<_>>().join(", ");
        if !taken.is_empty() {
            let _ = write!(about, ", takes {taken}");
        }
        self.line(indent, &about);
        let (head, body) = self.example(&step.message);
        for line in head.lines() {
            self.line(indent + 1, &format!("| {line}"));
        }
        if !body.is_empty() {
            self.line(indent + 1, "|");
        }
        for line in body.lines() {
            self.line(indent + 1, &format!("| {line}"));
        }
    }

    fn example(&mut self, message: &Message) -> (String, String) {
        let request = match message {
            Message::Fixed(request) => return fixed(request),
            Message::Templated(request) => request,
        };
        match self.with_values(|values| request.example(values)) {
            Ok((head, body)) => (String::from_utf8_lossy(&head).into_owned(), shown(&body)),
            Err(why) => (unfit(why), String::new()),
        }
    }

    /// Renders with examples of all values: the first row of each source that this process takes, its first user, and
    /// variables by their names.
    fn with_values<T>(&mut self, render: impl FnOnce(&mut Values<'_>) -> T) -> T {
        let variables: Vec<_> =
            self.plan.variables().iter().map(|name| Some(Variable::Text(format!("${{{name}}}")))).collect();
        let first = self.plan.load().shard.global_number(0);
        let rows: Vec<_> = self.plan.sources().iter().map(|source| Some(first_row(source, first))).collect();
        let mut values = Values {
            variables: &variables,
            rows: &rows,
            sources: self.plan.sources(),
            user: u32::try_from(first).unwrap_or(u32::MAX),
            iteration: 0,
            status: 0,
            counter: &Counter::new(self.plan.load().shard),
            now_unix_ms: self.now_unix_ms,
            random: &mut self.random,
        };
        render(&mut values)
    }
}

/// The row that the first user takes, whose number in the whole run this is; the first of all rows where it is random, so that
/// the example stays the same, and where no row is left for this shard, which is said elsewhere.
fn first_row(source: &DataSource, first: u64) -> RowId {
    let taken = if source.pick() == Pick::Random { None } else { source.row(first, &mut Random::seeded(0)) };
    taken.unwrap_or(RowId(0))
}

fn unfit(why: RenderError) -> String {
    format!("(the first row of the data does not fit: {why:?})")
}

/// A request from the command line. Its body may contain secrets anywhere, so only its fingerprint is shown.
fn fixed(request: &Request) -> (String, String) {
    let (head, _) = request.wire().split_at_empty_line();
    let head = String::from_utf8_lossy(head);
    let masked = head.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => masked_header(name, value),
        None => line.to_owned(),
    });
    let body = match (request.wire().body_text(), request.wire().files()) {
        ([], []) => String::new(),
        (text, []) => format!("({})", fingerprint(text)),
        (_, files) => files.iter().map(|inserted| label(inserted.file.name(), inserted.file.len())).collect(),
    };
    (masked.collect::<Vec<_>>().join("\n"), body)
}

fn shown(body: &[u8]) -> String {
    let text = masked_body(&String::from_utf8_lossy(&body[..body.len().min(MAX_BODY_SHOWN)]));
    if body.len() > MAX_BODY_SHOWN { format!("{text}\n({} bytes)", body.len()) } else { text }
}

fn expected(expect: &Expect) -> String {
    let mut text = format!(
        "status {}",
        if expect.status == StatusSet::default() { "below 400".to_owned() } else { expect.status.to_string() }
    );
    for rule in &expect.header {
        let _ = write!(text, ", header {}", rule.name);
    }
    if !expect.body.is_empty() {
        let _ = write!(text, ", {} texts in the body", expect.body.len());
    }
    for rule in &expect.json {
        let _ = write!(text, ", json {}", rule.at);
    }
    if let Some(within) = expect.within {
        let _ = write!(text, ", within {}s", within.as_secs_f64());
    }
    if let Some(size) = expect.size {
        let _ = write!(text, ", size {} to {}", size.min, size.max);
    }
    text
}
