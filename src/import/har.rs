//! Converts a browser recording (HTTP Archive 1.2) to requests.

mod entries;

use std::io::Read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::correlate::{TokenBudget, TokenCandidate, correlate};
use super::curl::{is_computed, joined};
use super::draft::{Draft, DraftBody, DraftRequest, Import, Notes, SizeBudget, escape_template};
use super::secrets::SecretVariables;
use super::{Assets, Hosts, ImportOptions, SecretHandling, body};
use crate::clock;
use crate::error::{Error, Result};
use crate::plan::json::{Duplicates, Json, RawJson};
use crate::plan::url::Url;
use crate::value;

/// Creates a scenario from a recording.
///
/// # Errors
/// Names the file, and line and column or the JSON path.
pub(super) fn import(file: &str, input: impl Read, scope: ImportOptions) -> Result<Import> {
    let mut notes = Notes::default();
    let mut recorded = entries::read(file, input, &mut notes)?;
    // Recorders write entries when they end; they are sorted by their start.
    recorded.sort_by(|a, b| a.started.total_cmp(&b.started));
    let mut kept = select(recorded, scope, &mut notes);
    let Some(first) = kept.first() else { return Err(Error::usage(file, "contains no request that can be imported")) };
    let host = first.origin.clone();
    let wait = think_time(&kept);
    let answers: Vec<Vec<TokenCandidate>> =
        kept.iter_mut().map(|entry| std::mem::take(&mut entry.response_tokens)).collect();
    // Secrets come last: a token from a response is a variable by then, not a secret of the file.
    let mut requests = Vec::with_capacity(kept.len());
    let mut room = SizeBudget::default();
    for entry in kept {
        let request = entry.request(&host, &mut notes)?;
        room.count(file, &request)?;
        requests.push(request);
    }
    match correlate(&mut requests, answers) {
        0 => {}
        count => notes.add(format!(
            "{count} values are now extracted from earlier responses (extract): check that they are the right ones"
        )),
    }
    hide_secrets(&mut requests, scope.secrets, &mut notes);
    Draft::new(host, requests, wait).finish(file, notes)
}

/// A recorded exchange.
struct RecordedExchange {
    /// Seconds since 1970; 0 if the recording does not contain it.
    started: f64,
    seconds: f64,
    page: Option<String>,
    method: String,
    origin: String,
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    content_type: String,
    post: Option<RecordedBody>,
    status: u16,
    redirect: Option<String>,
    is_asset: bool,
    /// Texts of the response that may be tokens.
    response_tokens: Vec<TokenCandidate>,
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
    fn read(
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

    fn request(self, host: &str, notes: &mut Notes) -> Result<DraftRequest> {
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

/// Leaves out what users of a scenario do not send: requests to other hosts, assets, and the hops of
/// redirects, which are followed automatically.
fn select(recorded: Vec<RecordedExchange>, scope: ImportOptions, notes: &mut Notes) -> Vec<RecordedExchange> {
    let page = recorded.iter().position(|entry| scope.assets == Assets::Keep || !entry.is_asset);
    let first = page.map(|at| recorded[at].origin.clone()).unwrap_or_default();
    let mut followed: Option<String> = None;
    let mut kept = Vec::new();
    for entry in recorded {
        if entry.is_asset && scope.assets == Assets::LeaveOut {
            notes.add("images, fonts, style sheets and scripts: left out (--assets keeps them)");
        } else if entry.origin != first && scope.hosts == Hosts::First {
            notes.add(format!("{}: left out, another host (--all-hosts keeps it)", entry.origin));
        } else if followed.take().is_some_and(|to| to == format!("{}{}", entry.origin, entry.target)) {
            notes.add("redirects: followed automatically, their hops are left out");
            followed = entry.redirect_target();
        } else {
            followed = entry.redirect_target();
            kept.push(entry);
        }
    }
    kept
}

impl RecordedExchange {
    /// The destination of a redirect, as origin and target.
    fn redirect_target(&self) -> Option<String> {
        let to = self.redirect.as_deref().filter(|_| (300..400).contains(&self.status))?;
        let from = Url::parse(&format!("{}{}", self.origin, self.target)).ok()?.url;
        let url = from.join(to).ok()?;
        Some(format!("{}{}", url.origin().text(), url.target()))
    }
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

/// Think time from the pauses between the pages of the recording; none if there is only one page.
fn think_time(entries: &[RecordedExchange]) -> Option<String> {
    let mut pauses: Vec<f64> = Vec::new();
    let mut end = 0.0_f64;
    for pair in entries.windows(2) {
        end = end.max(pair[0].started + pair[0].seconds);
        if pair[0].page.is_some() && pair[0].page != pair[1].page && pair[1].started > end {
            pauses.push(pair[1].started - end);
        }
    }
    pauses.sort_by(f64::total_cmp);
    let median = *pauses.get(pauses.len() / 2)?;
    // From half to one and a half times the median: people are not regular.
    let tenths = |seconds: f64| format!("{:.1}s", seconds.clamp(0.1, 600.0));
    Some(format!("{}..{}", tenths(median / 2.0), tenths(median * 1.5)))
}

/// Removes secrets from headers, unless they are already variables.
fn hide_secrets(requests: &mut [DraftRequest], secrets: SecretHandling, notes: &mut Notes) {
    let mut vault = SecretVariables::new(secrets);
    for request in &mut *requests {
        for (name, value) in &mut request.headers {
            let is_variable = value.replace("$${", "").contains("${");
            if !is_variable {
                // It was escaped before; the vault escapes what it keeps.
                *value = vault.hide(name, &value.replace("$${", "${"), notes);
            }
        }
    }
    vault.note_kept_secrets(requests, notes);
}
