//! The generated scenario: only keys that an import can fill, in the order in which people would write them.

mod written;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::extraction::ValueSource;
use crate::error::{Error, Result};
use crate::plan::json::Json;
use crate::plan::{read_back, scenario};

/// The result of an import.
#[derive(Debug)]
pub struct Import {
    /// The scenario as JSON, ending with a line break.
    pub scenario: String,
    /// What was left out or changed, and what the user should know, one sentence each.
    pub notes: Vec<String>,
    /// Whether all of the input is in the scenario.
    pub is_whole: bool,
}

/// Notes about the import, each reported once with its number of occurrences.
#[derive(Debug, Default)]
pub(super) struct Notes {
    sentences: BTreeMap<String, u64>,
    has_loss: bool,
    /// What the next notes are about, in front of each.
    place: String,
}

impl Notes {
    /// Sets the part of the input that the next notes are about, such as `command 2: `.
    pub(super) fn at(&mut self, place: String) {
        self.place = place;
    }

    /// Adds a note about something that the user should know, with which nothing is lost.
    pub(super) fn add(&mut self, sentence: impl Into<String>) {
        let sentence = format!("{}{}", self.place, sentence.into());
        *self.sentences.entry(sentence).or_default() += 1;
    }

    /// Adds a note about something that is left out or changed: the import is whole no longer.
    pub(super) fn lost(&mut self, sentence: impl Into<String>) {
        self.has_loss = true;
        self.add(sentence);
    }

    pub(super) fn finish(self) -> (Vec<String>, bool) {
        let line = |(sentence, count)| if count == 1 { sentence } else { format!("{sentence} ({count} times)") };
        (self.sentences.into_iter().map(line).collect(), !self.has_loss)
    }
}

/// A scenario of one user class.
#[derive(Debug, Serialize)]
pub(super) struct Draft {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) name: String,
    /// As template text; without it, `run` needs `--host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) insecure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connect_timeout: Option<String>,
    /// Maximum number of redirects of requests that have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redirects: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<String, DraftVariable>,
    pub(super) user_classes: [DraftClass; 1],
}

/// A value that is known before the run.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum DraftVariable {
    Constant(String),
    /// Name of an environment variable.
    Environment {
        env: String,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct DraftClass {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on_start: Vec<DraftStep>,
    tasks: Vec<DraftTask>,
}

#[derive(Debug, Serialize)]
pub(super) struct DraftTask {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(rename = "requests")]
    pub(super) steps: Vec<DraftStep>,
}

/// A step of a task.
#[derive(Debug)]
pub(super) enum DraftStep {
    Request(Box<DraftRequest>),
    /// Think time.
    Pause(String),
    /// New values of the user's variables, as template text; `None` unsets one.
    Set(BTreeMap<String, Option<String>>),
}

impl Serialize for DraftStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Request(request) => request.serialize(serializer),
            Self::Pause(time) => serializer.collect_map([("pause", time)]),
            Self::Set(values) => serializer.collect_map([("set", values)]),
        }
    }
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(super) struct DraftRequest {
    /// Upper case.
    pub(super) method: String,
    /// Path and query, or an absolute URL; as template text.
    pub(super) target: String,
    pub(super) name: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    /// Header fields that are sent by default, and not with this request.
    pub(super) no_headers: Vec<String>,
    pub(super) body: DraftBody,
    pub(super) timeout: Option<String>,
    /// Maximum number of redirects to follow.
    pub(super) redirects: Option<u16>,
    /// The expected status, if it is not one that is accepted by default.
    pub(super) status: Option<u16>,
    /// Further expectations: keys of `expect` and their values.
    pub(super) expect: Vec<(&'static str, Json)>,
    /// Names of variables, and where the response has their values.
    pub(super) extract: Vec<(String, ValueSource)>,
    /// Think time before it.
    pub(super) pause: Option<String>,
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum DraftBody {
    #[default]
    None,
    Json(Json),
    /// Fields of one name follow one another.
    Form(Vec<(String, String)>),
    Multipart(Vec<DraftPart>),
    Text(String),
    /// Path of a file, as template text.
    File(String),
}

/// A part of a multipart body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DraftPart {
    /// As template text.
    pub(super) name: String,
    pub(super) content: DraftContent,
    pub(super) filename: FileName,
    pub(super) content_type: Option<String>,
}

/// The file name that the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    /// A file's own; a value has none.
    Own,
    /// None, although the content is a file.
    Omitted,
    /// As template text.
    Given(String),
}

/// The content of a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DraftContent {
    /// As template text.
    Value(String),
    /// Path of a file, as template text.
    File(String),
}

impl DraftPart {
    /// The text of a part that is not a file.
    pub(super) fn value(&self) -> Option<&str> {
        if let DraftContent::Value(text) = &self.content { Some(text) } else { None }
    }

    /// As [`DraftPart::value`], to be changed.
    pub(super) fn value_mut(&mut self) -> Option<&mut String> {
        if let DraftContent::Value(text) = &mut self.content { Some(text) } else { None }
    }

    fn length(&self) -> usize {
        let (DraftContent::Value(text) | DraftContent::File(text)) = &self.content;
        self.name.len() + text.len()
    }
}

impl DraftRequest {
    /// Approximate length of its text.
    pub(super) fn length(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let body = match &self.body {
            DraftBody::None => 0,
            DraftBody::Json(json) => json.to_string().len(),
            DraftBody::Form(pairs) => pairs.iter().map(|(name, value)| name.len() + value.len()).sum(),
            DraftBody::Multipart(parts) => parts.iter().map(DraftPart::length).sum(),
            DraftBody::Text(text) | DraftBody::File(text) => text.len(),
        };
        self.method.len() + self.target.len() + headers + body
    }
}

/// Limits the size of the generated scenario.
#[derive(Debug, Default)]
pub(super) struct SizeBudget {
    requests: usize,
    bytes: usize,
}

impl SizeBudget {
    /// Counts a request.
    ///
    /// # Errors
    /// `what` has too many requests, or they are too long.
    pub(super) fn count(&mut self, what: &str, request: &DraftRequest) -> Result<()> {
        self.requests += 1;
        self.bytes += request.length();
        if self.requests > MAX_REQUESTS {
            return Err(Error::usage(what, format!("has more than {MAX_REQUESTS} requests")));
        }
        if self.bytes as u64 > scenario::MAX_SIZE.bytes() {
            return Err(Error::usage(what, format!("the resulting scenario {}", scenario::MAX_SIZE)));
        }
        Ok(())
    }
}

/// Maximum number of requests of an import: a recording of a working day has a few thousand.
pub(super) const MAX_REQUESTS: usize = 50_000;

impl Draft {
    /// Creates a scenario named after its host.
    pub(super) fn new(host: String, requests: Vec<DraftRequest>, wait: Option<String>) -> Self {
        let name = host.split_once("://").map_or(host.as_str(), |(_, authority)| authority).to_owned();
        let steps = requests.into_iter().flat_map(|mut request| {
            let pause = request.pause.take().map(DraftStep::Pause);
            pause.into_iter().chain([DraftStep::Request(Box::new(request))])
        });
        let task = DraftTask { name: "journey".to_owned(), tags: Vec::new(), steps: steps.collect() };
        let mut draft = Self::of_tasks(name, Some(host), Vec::new(), vec![task]);
        draft.user_classes[0].wait = wait;
        draft
    }

    /// Creates a scenario of these tasks, with what its users do first.
    pub(super) fn of_tasks(
        name: String,
        host: Option<String>,
        on_start: Vec<DraftStep>,
        tasks: Vec<DraftTask>,
    ) -> Self {
        let class = DraftClass { name: "user", wait: None, on_start, tasks };
        let (insecure, connect_timeout, redirects, variables) = (false, None, None, BTreeMap::new());
        Self { schema: SCHEMA, name, host, insecure, connect_timeout, redirects, variables, user_classes: [class] }
    }

    /// Returns the scenario as text, with the notes, after it has been read back. A request that the reader refuses is left out
    /// with a note.
    ///
    /// # Errors
    /// The scenario made from `what` is too long to be read, or `run` would not accept it for another reason than a request.
    pub(super) fn finish(mut self, what: &str, mut notes: Notes) -> Result<Import> {
        notes.at(String::new());
        for left in (0..=MAX_REFUSED).rev() {
            // Maps with text keys and no floats: everything can be expressed in JSON.
            let text = serde_json::to_string_pretty(&self).unwrap_or_default();
            if text.len() as u64 >= scenario::MAX_SIZE.bytes() {
                return Err(Error::usage(what, format!("the resulting scenario {}", scenario::MAX_SIZE)));
            }
            let Err(refused) = read_back::check(MADE, &text) else {
                let (notes, is_whole) = notes.finish();
                return Ok(Import { scenario: text + "\n", notes, is_whole });
            };
            let said = said(&refused);
            let why = match self.place_of(&said) {
                Some((place, why)) if left > 0 && self.remove(place) => {
                    notes.lost(format!("{why}; the request is left out"));
                    continue;
                }
                Some((_, why)) => why,
                None => said,
            };
            return Err(Error::usage(what, format!("cannot be written as a scenario: {why}")));
        }
        unreachable!("the last round returns")
    }
}

/// Requests that may be left out because the reader refuses them: the scenario is read once for each.
const MAX_REFUSED: usize = 100;

/// Stands for the scenario in errors about it.
const MADE: &str = "the scenario";

/// What the reader says of the scenario, without its name.
fn said(refused: &Error) -> String {
    let said = refused.to_string();
    said.strip_prefix(MADE).map_or(&*said, |rest| rest.trim_start_matches(": ")).to_owned()
}

impl Draft {
    /// The request that a sentence of the reader is about, by its task and step, and the sentence with the request in place of its
    /// path in the document; `None` where it is about something else.
    fn place_of(&self, said: &str) -> Option<((usize, usize), String)> {
        let mut keys = said.strip_prefix("/user_classes/0/tasks/")?.splitn(4, '/');
        let (task, list, step) = (keys.next()?.parse().ok()?, keys.next()?, keys.next()?);
        let rest = keys.next();
        // The path may end with the step.
        let (step, rest) = match rest {
            Some(rest) => (step, rest.replace('/', " ")),
            None => step.split_once(": ").map(|(step, rest)| (step, rest.to_owned()))?,
        };
        let step = step.parse().ok()?;
        let DraftStep::Request(request) = self.user_classes[0].tasks.get::<usize>(task)?.steps.get::<usize>(step)?
        else {
            return None;
        };
        let why = format!("{} {}: {rest}", request.method, request.target);
        (list == "requests").then_some(((task, step), why))
    }

    /// Leaves a step out, and its task if that has no other; returns whether a task is left.
    fn remove(&mut self, (task, step): (usize, usize)) -> bool {
        let tasks = &mut self.user_classes[0].tasks;
        tasks[task].steps.remove(step);
        if tasks[task].steps.is_empty() {
            tasks.remove(task);
        }
        !tasks.is_empty()
    }
}

/// The schema that editors use for the keys.
const SCHEMA: &str = "scenario.schema.json";

/// Escapes text so that a scenario uses it literally: `${` would start an expression.
pub(super) fn escape_template(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, header: &str) -> DraftRequest {
        let headers = vec![(header.to_owned(), "1".to_owned())];
        DraftRequest { method: "GET".to_owned(), target: target.to_owned(), headers, ..DraftRequest::default() }
    }

    fn finished(requests: Vec<DraftRequest>) -> Result<Import> {
        Draft::new("http://h.test".to_owned(), requests, None).finish("x.json", Notes::default())
    }

    #[test]
    fn a_request_that_the_reader_refuses_is_named_and_left_out_and_the_others_stay() {
        let import = finished(vec![request("/a", "A"), request("/b", "B C"), request("/c", "C")]).unwrap();
        assert!(import.scenario.contains("\"/a\"") && import.scenario.contains("\"/c\""), "{}", import.scenario);
        assert!(!import.scenario.contains("\"/b\"") && !import.is_whole, "{}", import.scenario);
        let [note] = &import.notes[..] else { panic!("{:?}", import.notes) };
        assert!(note.starts_with("GET /b: ") && note.ends_with("; the request is left out"), "{note}");
    }

    #[test]
    fn a_scenario_whose_requests_are_all_refused_is_an_error_that_names_the_last() {
        let why = finished(vec![request("/b", "B C")]).unwrap_err().to_string();
        assert!(why.starts_with("x.json: cannot be written as a scenario: GET /b: "), "{why}");
    }
}
