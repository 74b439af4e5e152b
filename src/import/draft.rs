//! The generated scenario: only keys that an import can fill, in the order in which people would write them.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::plan::json::Json;
use crate::plan::scenario;

/// The result of an import.
#[derive(Debug)]
pub struct Import {
    /// The scenario as JSON, ending with a line break.
    pub scenario: String,
    /// What was left out or changed, one sentence each.
    pub notes: Vec<String>,
}

/// Notes about the import, each reported once with its number of occurrences.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, u64>);

impl Notes {
    /// Adds a note for the user.
    pub(super) fn add(&mut self, sentence: impl Into<String>) {
        *self.0.entry(sentence.into()).or_default() += 1;
    }

    fn finish(self) -> Vec<String> {
        let line = |(sentence, count)| if count == 1 { sentence } else { format!("{sentence} ({count} times)") };
        self.0.into_iter().map(line).collect()
    }
}

/// A scenario of one user class with one task: the requests in order.
#[derive(Debug, Serialize)]
pub(super) struct Draft {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) user_classes: [DraftClass; 1],
}

#[derive(Debug, Serialize)]
pub(super) struct DraftClass {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<String>,
    tasks: [DraftTask; 1],
}

#[derive(Debug, Serialize)]
struct DraftTask {
    name: &'static str,
    requests: Vec<DraftRequest>,
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
    pub(super) body: DraftBody,
    pub(super) timeout: Option<String>,
    /// The expected status, if it is not one that is accepted by default.
    pub(super) status: Option<u16>,
    /// Name of the variable, and JSON pointer to its value.
    pub(super) extract: Vec<(String, String)>,
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum DraftBody {
    #[default]
    None,
    Json(Json),
    Form(Vec<(String, String)>),
    Text(String),
    File(String),
}

impl DraftRequest {
    /// Approximate length of its text.
    pub(super) fn length(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let body = match &self.body {
            DraftBody::None => 0,
            DraftBody::Json(json) => json.to_string().len(),
            DraftBody::Form(pairs) => pairs.iter().map(|(name, value)| name.len() + value.len()).sum(),
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
        let tasks = [DraftTask { name: "journey", requests }];
        let class = DraftClass { name: "user", wait, tasks };
        Self { schema: SCHEMA, name, host, user_classes: [class] }
    }

    /// Returns the scenario as text, with the notes.
    ///
    /// # Errors
    /// The scenario made from `what` is too long to be read.
    pub(super) fn finish(self, what: &str, notes: Notes) -> Result<Import> {
        // Maps with text keys and no floats: everything can be expressed in JSON.
        let text = serde_json::to_string_pretty(&self).unwrap_or_default();
        if text.len() as u64 >= scenario::MAX_SIZE.bytes() {
            return Err(Error::usage(what, format!("the resulting scenario {}", scenario::MAX_SIZE)));
        }
        Ok(Import { scenario: text + "\n", notes: notes.finish() })
    }
}

/// The schema that editors use for the keys.
const SCHEMA: &str = "scenario.schema.json";

/// Escapes text so that a scenario uses it literally: `${` would start an expression.
pub(super) fn escape_template(text: &str) -> String {
    text.replace("${", "$${")
}

impl Serialize for DraftRequest {
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
            DraftBody::None => {}
            DraftBody::Json(value) => map.serialize_entry("json", value)?,
            DraftBody::Form(pairs) => map.serialize_entry("form", &Pairs(pairs))?,
            DraftBody::Text(text) => map.serialize_entry("body", text)?,
            DraftBody::File(path) => map.serialize_entry("body_file", &escape_template(path))?,
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
