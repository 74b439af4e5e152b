//! The steps of a scenario, and its requests, before they are written.

use super::value::Text;
use crate::plan::json::Json;

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A request, by its place in the list of all requests.
    Request(usize),
    Pause(String),
    /// Number of rounds, as in JSON, and the variable that counts them.
    Repeat {
        times: Json,
        counter: Option<String>,
        steps: Vec<Step>,
    },
    ForEach {
        list: String,
        item: String,
        steps: Vec<Step>,
    },
    When(String, Vec<Step>, Vec<Step>),
    LeaveLoop,
    LeaveTask,
    StopUser,
    /// A variable and its value, which is null for none.
    Set(String, Json),
    Append(String, String),
}

impl Step {
    /// Sets a variable to a text.
    pub(super) fn set(name: &str, value: &str) -> Self {
        Self::Set(name.to_owned(), Json::Text(value.to_owned()))
    }

    /// Calls `show` for this step and all within it.
    pub(super) fn walk<'s>(&'s self, show: &mut dyn FnMut(&'s Self)) {
        show(self);
        let blocks: [&[Self]; 2] = match self {
            Self::Repeat { steps, .. } | Self::ForEach { steps, .. } => [steps, &[]],
            Self::When(_, then, otherwise) => [then, otherwise],
            _ => [&[], &[]],
        };
        for step in blocks.into_iter().flatten() {
            step.walk(show);
        }
    }
}

/// Returns whether a loop around these steps would be left by one of them.
pub(super) fn leaves_loop(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::LeaveLoop => true,
        Step::When(_, then, otherwise) => leaves_loop(then) || leaves_loop(otherwise),
        _ => false,
    })
}

/// Takes the ends out of the steps after which nothing follows anyway.
pub(super) fn without_last(mut steps: Vec<Step>, end: &Step) -> Vec<Step> {
    while steps.last() == Some(end) {
        steps.pop();
    }
    let Some(last) = steps.pop() else { return steps };
    let last = match last {
        Step::When(test, then, otherwise) => {
            let (then, otherwise) = (without_last(then, end), without_last(otherwise, end));
            if then.is_empty() && otherwise.is_empty() {
                return without_last(steps, end);
            }
            let opposite = |from: &str, to: &str| test.contains(from).then(|| test.replacen(from, to, 1));
            match (then.is_empty(), opposite(" == ", " != ").or_else(|| opposite(" != ", " == "))) {
                (true, Some(test)) => Step::When(test, otherwise, then),
                (true, None) => Step::When(test, vec![Step::Pause("0s".to_owned())], otherwise),
                _ => Step::When(test, then, otherwise),
            }
        }
        other => other,
    };
    steps.push(last);
    steps
}

/// Returns whether a step, or one within it, sends a request.
pub(super) fn sends(steps: &[Step]) -> bool {
    let mut found = false;
    for step in steps {
        step.walk(&mut |step| found |= matches!(step, Step::Request(_)));
    }
    found
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Request {
    pub(super) line: u32,
    /// Upper case.
    pub(super) method: String,
    pub(super) target: Text,
    pub(super) name: Option<String>,
    /// Without a value for one that is not sent.
    pub(super) headers: Vec<(String, Option<Text>)>,
    pub(super) query: Vec<(String, Json)>,
    /// The key of the body and its value.
    pub(super) body: Option<(&'static str, Json)>,
    pub(super) timeout: Option<String>,
    pub(super) redirects: Option<u32>,
    /// The members of `expect`.
    pub(super) expect: Vec<(&'static str, Json)>,
    pub(super) extract: Vec<Extract>,
    /// Whether the task says which responses are failures.
    pub(super) is_checked: bool,
    /// Whether it may be sent again, so that values of before have to be forgotten.
    pub(super) is_repeated: bool,
}

impl Request {
    /// Whether a variable is in its text.
    pub(super) fn sends_variable(&self, name: &str) -> bool {
        let is_in = |text: &str| text.contains(&format!("{{{name}}}")) || text.contains(&format!("({name})"));
        let fields = self.headers.iter().filter_map(|(_, value)| value.as_ref());
        let values = self.query.iter().map(|(_, value)| value).chain(self.body.iter().map(|(_, value)| value));
        fields.chain([&self.target]).any(|text| is_in(&text.template()))
            || values.into_iter().any(|value| is_in(&value.to_string()))
    }
}

/// A value that is extracted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extract {
    pub(super) variable: String,
    /// The key and its value: `json`, `header`, `regex`, …
    pub(super) from: (&'static str, Json),
    pub(super) pick: Option<&'static str>,
    /// The group of a regular expression, where it is not the first.
    pub(super) group: Option<i64>,
    pub(super) default: Option<Json>,
}
