//! A recorded exchange, and the request of a scenario that it becomes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::super::body;
use super::super::correlate::{TokenBudget, TokenCandidate};
use super::super::draft::{DraftBody, DraftRequest, Notes, escape_template};
use super::super::header_fields::{is_computed, joined};
use crate::clock;
use crate::error::{Error, Result};
use crate::plan::json::{Duplicates, Json, RawJson};
use crate::plan::url::Url;
use crate::value;

/// A recorded exchange.
pub(super) struct RecordedExchange {
    /// Seconds since 1970; 0 if the recording does not contain it.
    pub(super) started: f64,
    pub(super) seconds: f64,
    pub(super) page: Option<String>,
    method: String,
    pub(super) origin: String,
    /// Path and query.
    pub(super) target: String,
    headers: Vec<(String, String)>,
    content_type: String,
    post: Option<RecordedBody>,
    status: u16,
    redirect: Option<String>,
    pub(super) is_asset: bool,
    /// Texts of the response that may be tokens.
    pub(super) response_tokens: Vec<TokenCandidate>,
}

/// The body of a recorded request.
enum RecordedBody {
    Text(String),
    Parameters(Vec<(String, String)>),
    /// Files and other content that is not in the recording.
    Unknown,
}

impl RecordedExchange {
    /// Reads an entry; also returns whether all tokens of its response did fit. `None` for schemes other than
    /// HTTP (`data:`, `blob:`, extensions).
    pub(super) fn read(
        entry: &Value,
        room: &mut TokenBudget,
    ) -> std::result::Result<Option<(Self, bool)>, (&'static str, String)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let request = &entry["request"];
        let url = text(&request["url"]).ok_or(("/request/url", "missing, or not text".to_owned()))?;
        let method = text(&request["method"]).ok_or(("/request/method", "missing, or not text".to_owned()))?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Ok(None);
        }
        let parsed = Url::parse(&url).map_err(|why| ("/request/url", why))?.url;
        let headers = request["headers"].as_array().into_iter().flatten();
        let headers: Vec<(String, String)> =
            headers.filter_map(|field| Some((text(&field["name"])?, text(&field["value"])?))).collect();
        let named =
            |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
        let response = &entry["response"];
        let mime = response["content"]["mimeType"].as_str().unwrap_or_default().to_ascii_lowercase();
        let kind = entry["_resourceType"].as_str().unwrap_or_default();
        let is_asset = is_asset(kind, &mime);
        // Requests for assets are usually left out, and their content contains no tokens.
        let answer = if is_asset { None } else { response_json(&response["content"], &mime) };
        let (answer, is_whole) = answer.map_or_else(|| (Vec::new(), true), |answer| room.tokens(&answer));
        let entry = Self {
            started: entry["startedDateTime"].as_str().and_then(clock::unix_time).map_or(0.0, |at| at.as_secs_f64()),
            seconds: entry["time"].as_f64().unwrap_or_default().max(0.0) / 1e3,
            page: text(&entry["pageref"]),
            origin: parsed.origin().text(),
            target: parsed.target().to_owned(),
            content_type: text(&request["postData"]["mimeType"]).or_else(|| named("content-type")).unwrap_or_default(),
            post: post(&request["postData"]),
            status: response["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default(),
            redirect: text(&response["redirectURL"]).filter(|to| !to.is_empty()),
            is_asset,
            response_tokens: answer,
            method,
            headers,
        };
        Ok(Some((entry, is_whole)))
    }

    pub(super) fn request(self, host: &str, notes: &mut Notes) -> Result<DraftRequest> {
        let method =
            value::method(&self.method).map_err(|why| Error::usage(format!("{} {}", self.method, self.target), why))?;
        let path = self.target.split('?').next().unwrap_or_default();
        let general = generalized_path(path);
        let name = (general != self.target).then(|| escape_template(&general));
        let target = escape_template(&self.target);
        let target = if self.origin == host { target } else { format!("{}{target}", self.origin) };
        let (body, by_itself) = match &self.post {
            None => (DraftBody::None, false),
            Some(RecordedBody::Text(text)) => body::convert(&self.content_type, text),
            Some(RecordedBody::Parameters(pairs)) => body::of_fields(pairs),
            Some(RecordedBody::Unknown) => {
                notes.add(format!("{method} {path}: its body is not in the recording"));
                (DraftBody::None, false)
            }
        };
        let drops_type = by_itself || body == DraftBody::None;
        let headers = self.headers.into_iter().filter(|(name, _)| !is_browser_header(name));
        let headers = headers.filter(|(name, _)| !(drops_type && name.eq_ignore_ascii_case("content-type")));
        let headers = joined(headers.map(|(name, value)| (name, escape_template(&value))), notes);
        let status = Some(self.status).filter(|status| (400..=599).contains(status));
        if self.status > 599 {
            notes.add(format!(
                "{method} {path}: the recording has a status of {}, which is not defined in HTTP",
                self.status
            ));
        }
        Ok(DraftRequest { method, target, name, headers, body, status, ..DraftRequest::default() })
    }

    /// The destination of a redirect, as origin and target.
    pub(super) fn redirect_target(&self) -> Option<String> {
        let to = self.redirect.as_deref().filter(|_| (300..400).contains(&self.status))?;
        let from = Url::parse(&format!("{}{}", self.origin, self.target)).ok()?.url;
        let url = from.join(to).ok()?;
        Some(format!("{}{}", url.origin().text(), url.target()))
    }
}

fn post(data: &Value) -> Option<RecordedBody> {
    if data.is_null() {
        return None;
    }
    if let Some(text) = data["text"].as_str().filter(|text| !text.is_empty()) {
        return Some(RecordedBody::Text(text.to_owned()));
    }
    let pairs = data["params"].as_array().into_iter().flatten();
    let pairs: Option<Vec<_>> = pairs
        .map(|pair| {
            let plain = pair["fileName"].is_null();
            plain.then(|| Some((pair["name"].as_str()?.to_owned(), pair["value"].as_str()?.to_owned()))).flatten()
        })
        .collect();
    match pairs {
        Some(pairs) if pairs.is_empty() => None,
        Some(pairs) => Some(RecordedBody::Parameters(pairs)),
        None => Some(RecordedBody::Unknown),
    }
}

/// The document of the response, if it is JSON and in the recording.
fn response_json(content: &Value, mime: &str) -> Option<Json> {
    let text = content["text"].as_str().filter(|_| mime.contains("json"))?;
    let read = |text: &[u8]| RawJson::parse(text).ok()?.parse_tree(Duplicates::LastWins).ok();
    if content["encoding"] == "base64" { read(&BASE64_STANDARD.decode(text).ok()?) } else { read(text.as_bytes()) }
}

fn is_asset(kind: &str, mime: &str) -> bool {
    let by_kind =
        matches!(kind, "image" | "font" | "stylesheet" | "script" | "media" | "manifest" | "ping" | "preflight");
    let by_mime = [
        "image/",
        "font/",
        "audio/",
        "video/",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "application/font",
        "application/wasm",
    ];
    by_kind || by_mime.iter().any(|prefix| mime.starts_with(prefix))
}

/// Headers that depend on the browser and its connection, or on its cache and cookies, which users have
/// themselves.
fn is_browser_header(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let dropped = [
        "cookie",
        "accept-encoding",
        "user-agent",
        "if-none-match",
        "if-modified-since",
        "cache-control",
        "pragma",
        "upgrade-insecure-requests",
        "priority",
        "te",
        "dnt",
        "keep-alive",
        "origin-agent-cluster",
        "purpose",
    ];
    is_computed(name) || lower.starts_with("sec-") || lower.starts_with("proxy-") || dropped.contains(&lower.as_str())
}

/// The path with numbers and identifiers replaced, so that an endpoint has one name.
fn generalized_path(path: &str) -> String {
    let part = |segment: &str| {
        let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || (hex && has_digit && segment.len() >= 16) { ":id".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
