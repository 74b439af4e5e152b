//! The request of a scenario that a recorded exchange becomes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::correlate::looks_like_id;
use super::super::draft::{DraftBody, DraftRequest, Notes, escape_template};
use super::super::fields;
use super::exchange::RecordedExchange;
use super::headers::sent;
use super::kind::field;
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
    let content_type = content_type.filter(|_| body != DraftBody::None).map(|kind| ("Content-Type".to_owned(), kind));
    let recorded = exchange.headers.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    let mut headers = sent(recorded.chain(content_type), authority, &shown, notes);
    if let Some(credentials) = exchange.credentials.filter(|_| field(&headers, "authorization").is_none()) {
        headers.push(("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(credentials))));
    }
    let headers = headers.into_iter().map(|(name, value)| (name, escape_template(&value)));
    let headers = fields::joined(headers, |name| {
        notes.lost(format!("{shown}: header {name}: is recorded several times; the values are sent in one field"));
    });
    if status.is_some_and(|status| status > 599) {
        let status = status.unwrap_or_default();
        notes.add(format!("{shown}: the recording has a status of {status}, which is not defined in HTTP"));
    }
    let status = status.filter(|status| (400..=599).contains(status));
    Ok(DraftRequest { method, target, name, headers, body, status, ..DraftRequest::default() })
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
