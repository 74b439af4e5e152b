//! The header fields of a recorded request.

use super::super::draft::Notes;
use super::kind::Fields;
use crate::value;

/// The header fields to send. What a run makes itself is left out, and so is what HTTP does not allow, with a note.
pub(super) fn sent(
    fields: impl Iterator<Item = (String, String)>,
    authority: &str,
    request: &str,
    notes: &mut Notes,
) -> Fields {
    let mut kept = Fields::new();
    for (name, value) in fields {
        let is_host = name.eq_ignore_ascii_case("host");
        // A proxy in front may have been asked for another host than the URL's.
        let is_other_host = is_host && !is_same_authority(&value, authority);
        if (is_computed(&name) || is_browser_header(&name)) && !is_other_host {
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

/// Headers that swarmline generates itself, for this connection and body, and those of HTTP/2.
fn is_computed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(':') || matches!(lower.as_str(), "host" | "content-length" | "connection" | "transfer-encoding")
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
