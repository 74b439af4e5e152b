//! Header fields of a recording that cannot be taken over as they are.

use super::draft::Notes;
use crate::value;

/// Headers that swarmline generates itself, for this connection and body.
pub(super) fn is_computed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(':') || matches!(lower.as_str(), "host" | "content-length" | "connection" | "transfer-encoding")
}

/// Makes header names unique, because a scenario's headers are a map: fields with the same name may be joined
/// (RFC 9110 section 5.3). Invalid headers are left out with a note.
pub(super) fn joined(headers: impl Iterator<Item = (String, String)>, notes: &mut Notes) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let is_steering = value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
        if is_steering || value::header_name(&name).is_err() {
            notes.add("a header with an invalid name or value is left out");
            continue;
        }
        match all.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((known, before)) => {
                before.push_str(if known.eq_ignore_ascii_case("cookie") { "; " } else { ", " });
                before.push_str(&value);
            }
            None => all.push((name, value)),
        }
    }
    all
}
