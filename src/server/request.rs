//! Requests to the target: reads a request head into a [`ServerRequest`]. Pure.

use std::time::Duration;

use httparse::Header;

use crate::plan::percent;
use crate::server::head::{
    After, BodyPresence, RequestFraming, RequestVersion, decimal, framing, has_token, split_target, text, values,
};
use crate::server::shop::{self, ShopAction};

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

/// Reads a head that was parsed.
pub(super) fn read(raw: &httparse::Request<'_, '_>) -> ServerRequest {
    let version = RequestVersion::of(raw);
    let fields = &*raw.headers;
    let (path, query) = split_target(raw.path.unwrap_or_default());
    let mut segments = path.split('/').skip(1);
    let endpoint = segments.next().and_then(ServerPath::named).unwrap_or(ServerPath::Other);
    ServerRequest {
        endpoint,
        route: route(endpoint, segments, query, raw),
        version,
        extent: BodyPresence::of(raw),
        after: After::of(version, fields),
        expects_continue: version == RequestVersion::Http11 && has_token(fields, "expect", "100-continue"),
        framing: framing(version, fields),
    }
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

fn cookies(fields: &[Header<'_>]) -> Option<String> {
    values(fields, "cookie").map(text).reduce(|all, next| all + "; " + &next)
}

/// `None` if the text is not percent-encoded UTF-8, or contains characters not allowed in a header field.
fn percent_decoded(encoded: &str) -> Option<String> {
    percent::decode(encoded).filter(|text| !text.contains(char::is_control))
}
