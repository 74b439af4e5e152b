//! Header fields of requests, for all formats.

use std::collections::HashMap;

/// Makes the names of fields unique, because a scenario's headers are a map: values of one name are joined (RFC 9110
/// section 5.3; cookies by RFC 6265 section 4.2.1), and `tell` is called with each such name. Of several `Host` fields
/// the first is kept, as curl does: a request has exactly one (RFC 9112 section 3.2).
pub(super) fn joined(
    fields: impl IntoIterator<Item = (String, String)>,
    mut tell: impl FnMut(&str),
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut places = HashMap::new();
    for (name, value) in fields {
        let place = *places.entry(name.to_ascii_lowercase()).or_insert(all.len());
        match all.get_mut(place) {
            Some((known, _)) if known.eq_ignore_ascii_case("host") => {}
            Some((known, before)) => {
                tell(known);
                before.push_str(if known.eq_ignore_ascii_case("cookie") { "; " } else { ", " });
                before.push_str(&value);
            }
            None => all.push((name, value)),
        }
    }
    all
}
