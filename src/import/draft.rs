//! The scenario that is written: only the keys that an import can fill, in the order people would write them.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::plan::json::Json;
use crate::plan::scenario;

/// What came of an import.
#[derive(Debug)]
pub struct Import {
    /// The scenario as JSON, its last line end included.
    pub scenario: String,
    /// What was left out or changed, a sentence each.
    pub notes: Vec<String>,
}

/// Sentences about the import, each said once, with how often it was the case.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, u64>);

impl Notes {
    /// Something that the user should know.
    pub(super) fn add(&mut self, sentence: impl Into<String>) {
        *self.0.entry(sentence.into()).or_default() += 1;
    }

    fn finish(self) -> Vec<String> {
        let line = |(sentence, count)| if count == 1 { sentence } else { format!("{sentence} ({count} times)") };
        self.0.into_iter().map(line).collect()
    }
}

/// A scenario of one class of users with one task: the requests in their order.
#[derive(Debug, Serialize)]
pub(super) struct Draft {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) user_classes: [UserClass; 1],
}

#[derive(Debug, Serialize)]
pub(super) struct UserClass {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<String>,
    tasks: [Task; 1],
}

#[derive(Debug, Serialize)]
struct Task {
    name: &'static str,
    requests: Vec<Request>,
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// In upper case.
    pub(super) method: String,
    /// Path and query, or an absolute URL; template text.
    pub(super) target: String,
    pub(super) name: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) timeout: Option<String>,
    /// The status that is ok, where it is none that is anyway.
    pub(super) status: Option<u16>,
    /// Name of the variable, and the JSON pointer to its value.
    pub(super) extract: Vec<(String, String)>,
}

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Body {
    #[default]
    None,
    Json(Json),
    Form(Vec<(String, String)>),
    Text(String),
    File(String),
}

impl Request {
    /// About how much text it has.
    pub(super) fn length(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let body = match &self.body {
            Body::None => 0,
            Body::Json(json) => json.to_string().len(),
            Body::Form(pairs) => pairs.iter().map(|(name, value)| name.len() + value.len()).sum(),
            Body::Text(text) | Body::File(text) => text.len(),
        };
        self.method.len() + self.target.len() + headers + body
    }
}

/// What a scenario that is made has room for.
#[derive(Debug, Default)]
pub(super) struct Room {
    requests: usize,
    bytes: usize,
}

impl Room {
    /// Takes a request in.
    ///
    /// # Errors
    /// `what` has too many, or they are too long.
    pub(super) fn take(&mut self, what: &str, request: &Request) -> Result<()> {
        self.requests += 1;
        self.bytes += request.length();
        if self.requests > MOST_REQUESTS {
            return Err(Error::usage(what, format!("has more than {MOST_REQUESTS} requests")));
        }
        if self.bytes as u64 > scenario::LONGEST.bytes() {
            return Err(Error::usage(what, format!("the scenario made of it {}", scenario::LONGEST)));
        }
        Ok(())
    }
}

/// Requests of one import: a recording of a day of work has some thousands.
pub(super) const MOST_REQUESTS: usize = 50_000;

impl Draft {
    /// A scenario named after its host.
    pub(super) fn new(host: String, requests: Vec<Request>, wait: Option<String>) -> Self {
        let name = host.split_once("://").map_or(host.as_str(), |(_, authority)| authority).to_owned();
        let tasks = [Task { name: "journey", requests }];
        let class = UserClass { name: "user", wait, tasks };
        Self { schema: SCHEMA, name, host, user_classes: [class] }
    }

    /// The scenario as text, and the notes.
    ///
    /// # Errors
    /// `what` makes a scenario that is too long to be read.
    pub(super) fn finish(self, what: &str, notes: Notes) -> Result<Import> {
        // Maps with text keys and no floats: nothing in it that JSON cannot say.
        let text = serde_json::to_string_pretty(&self).unwrap_or_default();
        if text.len() as u64 >= scenario::LONGEST.bytes() {
            return Err(Error::usage(what, format!("the scenario made of it {}", scenario::LONGEST)));
        }
        Ok(Import { scenario: text + "\n", notes: notes.finish() })
    }
}

/// What editors look the keys up in.
const SCHEMA: &str = "scenario.schema.json";

/// Text that is to stand in a scenario as it is: `${` would begin a template there.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let own_key = matches!(self.method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS");
        if own_key {
            map.serialize_entry(&self.method.to_ascii_lowercase(), &self.target)?;
        } else {
            map.serialize_entry("request", &self.target)?;
            map.serialize_entry("method", &self.method)?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        if !self.headers.is_empty() {
            map.serialize_entry("headers", &Pairs(&self.headers))?;
        }
        match &self.body {
            Body::None => {}
            Body::Json(value) => map.serialize_entry("json", value)?,
            Body::Form(pairs) => map.serialize_entry("form", &Pairs(pairs))?,
            Body::Text(text) => map.serialize_entry("body", text)?,
            Body::File(path) => map.serialize_entry("body_file", path)?,
        }
        if let Some(timeout) = &self.timeout {
            map.serialize_entry("timeout", timeout)?;
        }
        if let Some(status) = self.status {
            map.serialize_entry("expect", &BTreeMap::from([("status", status)]))?;
        }
        if !self.extract.is_empty() {
            let pointers = self.extract.iter().map(|(name, at)| (name, BTreeMap::from([("json", at)])));
            map.serialize_entry("extract", &pointers.collect::<BTreeMap<_, _>>())?;
        }
        map.end()
    }
}

/// A map that keeps its order.
struct Pairs<'p>(&'p [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
