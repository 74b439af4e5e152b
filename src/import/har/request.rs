//! The request of a scenario that a recorded exchange becomes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::correlate::looks_like_id;
use super::super::header_fields::{is_computed, joined};
use super::super::draft::{DraftBody, DraftRequest, Notes, escape_template};
use super::exchange::RecordedExchange;
use super::kind::{Fields, field};
use crate::error::{Error, Result};
use crate::value;

/// Creates the request; `status` is that of the last response of its redirects.
///
/// # Errors
/// The method is not one.
pub(super) fn draft(
    exchange: RecordedExchange,
    host: &str,
    status: Option<u16>,
    notes: &mut Notes,
) -> Result<DraftRequest> {
    let method = value::method(&exchange.method)
        .map_err(|why| Error::usage(format!("{} {}", exchange.method, exchange.target), why))?;
    let path = exchange.target.split('?').next().unwrap_or_default();
    let shown = format!("{method} {path}");
    let general = generalized_path(path);
    let name = (general != exchange.target).then(|| escape_template(&general));
    let target = escape_template(&exchange.target);
    let target = if exchange.origin == host { target } else { format!("{}{target}", exchange.origin) };
    let (body, content_type) = exchange.post.draft(&exchange.content_type, &shown, notes);
    let authority = exchange.origin.split_once("://").map_or("", |(_, authority)| authority);
    let mut headers = sent(exchange.headers, authority, &shown, notes);
    if let Some(kind) = content_type.filter(|_| body != DraftBody::None) {
        headers.push(("Content-Type".to_owned(), kind));
    }
    if let Some(credentials) = exchange.credentials.filter(|_| field(&headers, "authorization").is_none()) {
        headers.push(("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(credentials))));
    }
    let headers = joined(headers.into_iter().map(|(name, value)| (name, escape_template(&value))), notes);
    if status.is_some_and(|status| status > 599) {
        let status = status.unwrap_or_default();
        notes.add(format!("{shown}: the recording has a status of {status}, which is not defined in HTTP"));
    }
    let status = status.filter(|status| (400..=599).contains(status));
    Ok(DraftRequest { method, target, name, headers, body, status, ..DraftRequest::default() })
}

/// The header fields to send. What a run makes itself is left out, and so is what HTTP does not allow, with a note.
fn sent(fields: Fields, authority: &str, request: &str, notes: &mut Notes) -> Fields {
    let mut kept = Fields::new();
    for (name, value) in fields {
        let is_host = name.eq_ignore_ascii_case("host");
        // A proxy in front may have been asked for another host than the URL's.
        let is_other_host = is_host && !is_same_authority(&value, authority);
        if (is_computed(&name) || is_browser_header(&name) || name.eq_ignore_ascii_case("content-type"))
            && !is_other_host
        {
            continue;
        }
        let why = if value::header_name(&name).is_err() {
            Some("its name is not allowed in HTTP")
        } else if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            Some("its value has a control character, which HTTP does not allow")
        } else {
            None
        };
        match why {
            Some(why) => notes.lost(format!("{request}: header {name:?}: left out, {why}")),
            None => kept.push((name, value)),
        }
    }
    kept
}

/// Returns whether a `Host` is that of the URL, where ports of the schemes may be left out.
fn is_same_authority(host: &str, authority: &str) -> bool {
    let without_port = |text: &str| {
        let lower = text.trim().to_ascii_lowercase();
        lower.strip_suffix(":80").or_else(|| lower.strip_suffix(":443")).unwrap_or(&lower).to_owned()
    };
    without_port(host) == without_port(authority)
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
    lower.starts_with("sec-") || lower.starts_with("proxy-") || dropped.contains(&lower.as_str())
}

/// The path with numbers and identifiers replaced, so that an endpoint has one name.
fn generalized_path(path: &str) -> String {
    let part = |segment: &str| {
        let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || (hex && looks_like_id(segment) && segment.len() >= 16) {
            ":id".to_owned()
        } else {
            segment.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
