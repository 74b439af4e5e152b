//! Kinds of exchanges: pages, static files, and what is not a request to a server.

use serde_json::Value;

use super::exclusion::Exclusion;
use crate::secret::masked_url;

/// The header fields of a message.
pub(super) type Fields = Vec<(String, String)>;

/// The value of a header field; of several, the first.
pub(super) fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Why an entry is not a request that a server answered; known before its URL is read, which need not be one.
pub(super) fn not_a_request(entry: &Value, method: &str, url: &str, fields: &Fields) -> Option<Exclusion> {
    let kind = entry["_resourceType"].as_str().unwrap_or_default();
    let status = entry["response"]["status"].as_i64();
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if method.eq_ignore_ascii_case("CONNECT") {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
        return Some(Exclusion::Tunnel(masked_url(host)));
    }
    let asks_to_upgrade =
        field(fields, "upgrade").is_some_and(|protocols| protocols.to_ascii_lowercase().contains("websocket"));
    let is_socket = matches!(scheme.as_str(), "ws" | "wss")
        || asks_to_upgrade
        || kind == "websocket"
        || status == Some(101)
        || entry["_webSocketMessages"].is_array();
    let shown = || url.split(['?', '#']).next().map(masked_url).unwrap_or_default();
    if is_socket {
        return Some(Exclusion::WebSocket(shown()));
    }
    if !matches!(scheme.as_str(), "http" | "https") {
        return Some(Exclusion::Scheme(scheme));
    }
    let is_preflight = kind == "preflight"
        || (method.eq_ignore_ascii_case("OPTIONS") && field(fields, "access-control-request-method").is_some());
    if is_preflight {
        return Some(Exclusion::Preflight);
    }
    if ["_fromCache", "fromCache", "_servedFromCache"].iter().any(|name| is_set(&entry[name])) {
        return Some(Exclusion::Cached);
    }
    if status.is_some_and(|status| status <= 0) {
        let why = [&entry["response"]["_error"], &entry["_error"]].into_iter().find_map(Value::as_str);
        let why = why.filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(" ({why})"));
        return Some(Exclusion::Unanswered(format!("{method} {}", shown()), why));
    }
    is_internal_redirect(&entry["response"]).then(|| Exclusion::InternalRedirect(format!("{method} {}", shown())))
}

/// Chromium writes the redirects that it makes itself, as for HSTS, like those of a server, with this header.
fn is_internal_redirect(response: &Value) -> bool {
    let names = response["headers"].as_array().into_iter().flatten().filter_map(|field| field["name"].as_str());
    names.into_iter().any(|name| name.eq_ignore_ascii_case("non-authoritative-reason"))
        || response["statusText"] == "Internal Redirect"
}

fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0
}

/// Returns whether the request loads a page into a tab, as far as the recorder tells.
pub(super) fn is_page(entry: &Value, fields: &Fields) -> bool {
    match field(fields, "sec-fetch-dest") {
        Some(destination) => destination == "document",
        None => entry["_resourceType"] == "document",
    }
}

/// Returns whether the response is a static file, by the recorder's kind, else by its media type, else by its name.
/// Only what is read can be one: a POST changes something, whatever its response is.
pub(super) fn is_asset(entry: &Value, method: &str, fields: &Fields, path: &str) -> bool {
    const KINDS: [&str; 14] = [
        "image",
        "font",
        "stylesheet",
        "script",
        "media",
        "manifest",
        "texttrack",
        "style",
        "audio",
        "video",
        "track",
        "embed",
        "object",
        "imageset",
    ];
    const PREFIXES: [&str; 5] = ["image/", "font/", "audio/", "video/", "text/css"];
    const PARTS: [&str; 9] = [
        "javascript",
        "ecmascript",
        "font",
        "wasm",
        "shockwave-flash",
        "manifest+json",
        "mpegurl",
        "dash+xml",
        "text/vtt",
    ];
    const ENDINGS: [&str; 26] = [
        "js", "mjs", "css", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif", "bmp", "woff", "woff2", "ttf",
        "otf", "eot", "swf", "mp3", "mp4", "webm", "ogg", "wav", "m4a", "wasm", "map",
    ];
    if !matches!(method, "GET" | "HEAD") {
        return false;
    }
    let kinds = [entry["_resourceType"].as_str(), field(fields, "sec-fetch-dest")];
    let mime = entry["response"]["content"]["mimeType"].as_str().unwrap_or_default().to_ascii_lowercase();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let says_nothing = matches!(mime, "" | "x-unknown" | "application/octet-stream" | "binary/octet-stream");
    let by_mime =
        PREFIXES.iter().any(|prefix| mime.starts_with(prefix)) || PARTS.iter().any(|part| mime.contains(part));
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    // An error page has the type of the page.
    let says_nothing = says_nothing || entry["response"]["status"].as_u64().is_some_and(|status| status >= 400);
    let by_name = ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()));
    kinds.into_iter().flatten().any(|kind| KINDS.contains(&kind)) || by_mime || (says_nothing && by_name)
}
