//! Request heads: what is the same for all that is served. Pure.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

/// Maximum fields of a head; more are refused with 431. Slightly more than nginx and Apache accept by default (100).
const MAX_FIELDS: usize = 128;

/// How the request's body is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestFraming {
    Length(u64),
    Chunked,
}

/// What happens to the connection after the response, and what the response says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// HTTP/1.1 without `Connection: close`: kept open, without a header.
    Keep,
    /// HTTP/1.0 with `Connection: keep-alive`: kept open, with a header.
    KeepAnnounced,
    /// Closed, with a header.
    Close,
}

impl After {
    pub(super) fn of(version: RequestVersion, fields: &[Header<'_>]) -> Self {
        match version {
            RequestVersion::Http11 if has_token(fields, "connection", "close") => Self::Close,
            RequestVersion::Http11 => Self::Keep,
            RequestVersion::Http10 if has_token(fields, "connection", "keep-alive") => Self::KeepAnnounced,
            RequestVersion::Http10 => Self::Close,
        }
    }
}

/// Whether the response has its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyPresence {
    Whole,
    /// The response to HEAD: the same head, no body.
    HeadOnly,
}

impl BodyPresence {
    pub(super) fn of(raw: &httparse::Request<'_, '_>) -> Self {
        if raw.method == Some("HEAD") { Self::HeadOnly } else { Self::Whole }
    }
}

/// The request's version; HTTP/1.0 has neither chunks nor 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestVersion {
    Http10,
    Http11,
}

impl RequestVersion {
    pub(super) fn of(raw: &httparse::Request<'_, '_>) -> Self {
        if raw.version == Some(0) { Self::Http10 } else { Self::Http11 }
    }
}

/// The result of parsing the bytes received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadParse<T> {
    /// More bytes are needed.
    Partial,
    /// A head, with its length in bytes.
    Complete(usize, T),
    /// Not HTTP: the status of the response before closing, and the reason.
    Broken(u16, &'static str),
}

/// Parses the request head at the start of `bytes`, which `read` reads.
pub(super) fn parse<T>(bytes: &[u8], read: impl Fn(&httparse::Request<'_, '_>) -> T) -> HeadParse<T> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_FIELDS];
    let mut raw = httparse::Request::new(&mut []);
    match raw.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(Status::Partial) => HeadParse::Partial,
        Ok(Status::Complete(length)) => HeadParse::Complete(length, read(&raw)),
        Err(httparse::Error::TooManyHeaders) => HeadParse::Broken(431, "too many header fields"),
        Err(_) => HeadParse::Broken(400, "not an HTTP/1.x request head"),
    }
}

/// Path and query of a request target, without scheme and authority if it is in absolute form, which a client sends to
/// a proxy (RFC 9112 §3.2.2).
pub(super) fn split_target(target: &str) -> (&str, &str) {
    let origin = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        _ => target,
    };
    origin.split_once('?').unwrap_or((origin, ""))
}

/// How the body is delimited. Ambiguous requests are refused, as RFC 9112 §6.3 requires of servers, and so is a missing
/// or second Host (§3.2).
pub(super) fn framing(
    version: RequestVersion,
    fields: &[Header<'_>],
) -> std::result::Result<RequestFraming, &'static str> {
    if version == RequestVersion::Http11 && values(fields, "host").count() != 1 {
        return Err("an HTTP/1.1 request has exactly one Host");
    }
    let mut lengths = values(fields, "content-length").map(|value| str::from_utf8(value).ok().and_then(decimal));
    let length = lengths.next();
    if lengths.any(|other| Some(other) != length) {
        return Err("Content-Length occurs twice with different values");
    }
    let mut codings = values(fields, "transfer-encoding");
    match (codings.next(), length) {
        (None, None) => Ok(RequestFraming::Length(0)),
        (None, Some(Some(length))) => Ok(RequestFraming::Length(length)),
        (None, Some(None)) => Err("Content-Length is not a number"),
        (Some(_), Some(_)) => Err("Content-Length and Transfer-Encoding exclude each other"),
        (Some(_), None) if version == RequestVersion::Http10 => Err("HTTP/1.0 has no Transfer-Encoding"),
        (Some(coding), None) if codings.next().is_none() && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(RequestFraming::Chunked)
        }
        (Some(_), None) => Err("the only Transfer-Encoding served is chunked"),
    }
}

/// The values of all fields of this name.
pub(super) fn values<'f>(fields: &'f [Header<'_>], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// Whether a list field contains this token.
pub(super) fn has_token(fields: &[Header<'_>], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// A number made of digits only: `str::parse` would accept a sign.
pub(super) fn decimal(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}
