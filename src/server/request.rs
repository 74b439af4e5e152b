//! Requests: parses a request head into a [`Request`]. Pure.

use std::mem::MaybeUninit;
use std::time::Duration;

use httparse::{Header, Status};

use crate::plan::percent;
use crate::server::shop::{self, ShopAction};

/// Maximum fields of a head; more are refused with 431. Slightly more than nginx and Apache accept by default (100).
const MAX_FIELDS: usize = 128;
/// Maximum N of `/bytes/N`.
const MAX_BYTES: u64 = 1 << 30;
/// Maximum MS of `/delay/MS` and `/drip/N/MS`.
const MAX_DELAY_MS: u64 = 3_600_000;
/// Maximum N of `/drip/N/MS`.
const MAX_CHUNKS: u64 = 1_000_000;

/// The first segment of a path, by which requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerPath {
    Ok,
    Bytes,
    Delay,
    Status,
    Echo,
    Drip,
    Redirect,
    Cookies,
    Hang,
    Reset,
    Login,
    Items,
    Orders,
    Logout,
    Hello,
    World,
    Item,
    Other,
}

impl ServerPath {
    /// Every endpoint with its name, in the order of the discriminants.
    pub(super) const ALL: [(&'static str, Self); 18] = [
        ("ok", Self::Ok),
        ("bytes", Self::Bytes),
        ("delay", Self::Delay),
        ("status", Self::Status),
        ("echo", Self::Echo),
        ("drip", Self::Drip),
        ("redirect", Self::Redirect),
        ("cookies", Self::Cookies),
        ("hang", Self::Hang),
        ("reset", Self::Reset),
        ("login", Self::Login),
        ("items", Self::Items),
        ("orders", Self::Orders),
        ("logout", Self::Logout),
        ("hello", Self::Hello),
        ("world", Self::World),
        ("item", Self::Item),
        ("other", Self::Other),
    ];

    /// The endpoint of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, endpoint)| *endpoint)
    }
}

/// The response to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServerRoute {
    Ok,
    Bytes(u64),
    Delay(Duration),
    Status(u16),
    Echo(Box<EchoHead>),
    Drip {
        chunks: u64,
        gap: Duration,
    },
    Redirect {
        status: u16,
        location: String,
    },
    /// With the received Cookie fields, joined.
    Cookies(Option<String>),
    Hang,
    Reset,
    Shop(ShopAction),
    NotFound,
    /// 400: the path exists, but its argument is not valid.
    BadArgument(&'static str),
}

/// The head of a request to `/echo`, kept while its body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EchoHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

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

/// Whether the response has its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyPresence {
    Whole,
    /// The response to HEAD: the same head, no body.
    HeadOnly,
}

/// The request's version; HTTP/1.0 has neither chunks nor 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestVersion {
    Http10,
    Http11,
}

/// A request whose head was received completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerRequest {
    pub(super) endpoint: ServerPath,
    pub(super) route: ServerRoute,
    pub(super) version: RequestVersion,
    pub(super) extent: BodyPresence,
    pub(super) after: After,
    /// The client waits for 100 before it sends the body.
    pub(super) expects_continue: bool,
    /// How the body is delimited; the error is the reason for a 400 and closing.
    pub(super) framing: std::result::Result<RequestFraming, &'static str>,
}

/// The result of parsing the bytes received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HeadParse {
    /// More bytes are needed.
    Partial,
    /// A head, with its length in bytes.
    Complete(usize, ServerRequest),
    /// Not HTTP: the status of the response before closing, and the reason.
    Broken(u16, &'static str),
}

/// Parses the request head at the start of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> HeadParse {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_FIELDS];
    let mut raw = httparse::Request::new(&mut []);
    match raw.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(Status::Partial) => HeadParse::Partial,
        Ok(Status::Complete(length)) => HeadParse::Complete(length, read(&raw)),
        Err(httparse::Error::TooManyHeaders) => HeadParse::Broken(431, "too many header fields"),
        Err(_) => HeadParse::Broken(400, "not an HTTP/1.x request head"),
    }
}

fn read(raw: &httparse::Request<'_, '_>) -> ServerRequest {
    let version = if raw.version == Some(0) { RequestVersion::Http10 } else { RequestVersion::Http11 };
    let fields = &*raw.headers;
    let (path, query) = split_target(raw.path.unwrap_or_default());
    let mut segments = path.split('/').skip(1);
    let endpoint = segments.next().and_then(ServerPath::named).unwrap_or(ServerPath::Other);
    ServerRequest {
        endpoint,
        route: route(endpoint, segments, query, raw),
        version,
        extent: if raw.method == Some("HEAD") { BodyPresence::HeadOnly } else { BodyPresence::Whole },
        after: match version {
            RequestVersion::Http11 if has_token(fields, "connection", "close") => After::Close,
            RequestVersion::Http11 => After::Keep,
            RequestVersion::Http10 if has_token(fields, "connection", "keep-alive") => After::KeepAnnounced,
            RequestVersion::Http10 => After::Close,
        },
        expects_continue: version == RequestVersion::Http11 && has_token(fields, "expect", "100-continue"),
        framing: framing(version, fields),
    }
}

/// Path and query of a request target, without scheme and authority if it is in absolute form, which a client sends to
/// a proxy (RFC 9112 §3.2.2).
fn split_target(target: &str) -> (&str, &str) {
    let origin = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        _ => target,
    };
    origin.split_once('?').unwrap_or((origin, ""))
}

fn route<'p>(
    endpoint: ServerPath,
    mut arguments: impl Iterator<Item = &'p str>,
    query: &str,
    raw: &httparse::Request<'_, '_>,
) -> ServerRoute {
    let mut number = |most| arguments.next().and_then(decimal).filter(|number| *number <= most);
    let route = match endpoint {
        ServerPath::Ok | ServerPath::Hello | ServerPath::World | ServerPath::Item => Some(ServerRoute::Ok),
        ServerPath::Bytes => number(MAX_BYTES).map(ServerRoute::Bytes),
        ServerPath::Delay => number(MAX_DELAY_MS).map(|ms| ServerRoute::Delay(Duration::from_millis(ms))),
        ServerPath::Status => {
            number(599).filter(|code| *code >= 200).and_then(|code| code.try_into().ok()).map(ServerRoute::Status)
        }
        ServerPath::Echo => Some(ServerRoute::Echo(Box::new(EchoHead {
            method: raw.method.unwrap_or_default().to_owned(),
            target: raw.path.unwrap_or_default().to_owned(),
            headers: raw.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
        }))),
        ServerPath::Drip => number(MAX_CHUNKS)
            .zip(number(MAX_DELAY_MS))
            .map(|(chunks, ms)| ServerRoute::Drip { chunks, gap: Duration::from_millis(ms) }),
        ServerPath::Redirect => number(u64::MAX).and_then(|left| redirect(left, query)),
        ServerPath::Cookies => Some(ServerRoute::Cookies(cookies(raw.headers))),
        ServerPath::Hang => Some(ServerRoute::Hang),
        ServerPath::Reset => Some(ServerRoute::Reset),
        ServerPath::Items => items(arguments.next(), query, raw).map(ServerRoute::Shop),
        ServerPath::Login | ServerPath::Orders | ServerPath::Logout => Some(ServerRoute::Shop(errand(endpoint, raw))),
        ServerPath::Other => Some(ServerRoute::NotFound),
    };
    if arguments.next().is_some() {
        return ServerRoute::NotFound;
    }
    route.unwrap_or(ServerRoute::BadArgument("the number in the path is missing or out of range"))
}

/// The redirect with `left` more hops. `None` if the query does not describe a redirect.
fn redirect(left: u64, query: &str) -> Option<ServerRoute> {
    let Some(next) = left.checked_sub(1) else { return Some(ServerRoute::Ok) };
    let status = match parameter(query, "status") {
        None => 302,
        Some(status) => decimal(status).filter(|code| matches!(code, 301 | 302 | 303 | 307 | 308))?.try_into().ok()?,
    };
    let location = match parameter(query, "to") {
        Some(to) if next == 0 => percent_decoded(to)?,
        _ if query.is_empty() => format!("/redirect/{next}"),
        _ => format!("/redirect/{next}?{query}"),
    };
    Some(ServerRoute::Redirect { status, location })
}

/// A page of items, or the one with this `id`. `None` if that is not a number.
fn items(id: Option<&str>, query: &str, raw: &httparse::Request<'_, '_>) -> Option<ShopAction> {
    if !matches!(raw.method, Some("GET" | "HEAD")) {
        return Some(ShopAction::WrongMethod);
    }
    match id {
        Some(id) => decimal(id).map(ShopAction::Item),
        None => parameter(query, "page").map_or(Some(1), decimal).map(ShopAction::Page),
    }
}

/// The shop's action for a POST request.
fn errand(endpoint: ServerPath, raw: &httparse::Request<'_, '_>) -> ShopAction {
    let user = || values(raw.headers, "authorization").next().and_then(|value| shop::bearer(&text(value)));
    match endpoint {
        _ if raw.method != Some("POST") => ShopAction::WrongMethod,
        ServerPath::Orders => ShopAction::Order(user()),
        ServerPath::Logout => ShopAction::Logout(user()),
        _ => ShopAction::Login,
    }
}

/// The raw value of a query parameter.
fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// How the body is delimited. Ambiguous requests are refused, as RFC 9112 §6.3 requires of servers, and so is a missing
/// or second Host (§3.2).
fn framing(version: RequestVersion, fields: &[Header<'_>]) -> std::result::Result<RequestFraming, &'static str> {
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
fn values<'f>(fields: &'f [Header<'_>], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// Whether a list field contains this token.
fn has_token(fields: &[Header<'_>], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn cookies(fields: &[Header<'_>]) -> Option<String> {
    values(fields, "cookie").map(text).reduce(|all, next| all + "; " + &next)
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// A number made of digits only: `str::parse` would accept a sign.
fn decimal(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// `None` if the text is not percent-encoded UTF-8, or contains characters not allowed in a header field.
fn percent_decoded(encoded: &str) -> Option<String> {
    percent::decode(encoded).filter(|text| !text.contains(char::is_control))
}
