//! The URL of a request, as text or in parts.

use super::super::document::{as_text, is_true, items, list, member, scalar, text};
use super::text::{Piece, UrlPart, known, target, template};
use super::variables::{Place, Variables};
use crate::plan::json::Json;
use crate::plan::url::Url;

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Address {
    /// Scheme, host and perhaps the beginning of the path, as template text.
    pub(super) origin: String,
    /// Path and query as template text; empty or beginning with `/` or `?`.
    pub(super) target: String,
    /// `name:password` of the URL.
    pub(super) userinfo: Option<String>,
}

/// The parts of a URL as written.
#[derive(Debug, Default)]
struct UrlText<'j> {
    /// Everything before the path.
    head: String,
    /// Empty or beginning with `/`.
    path: String,
    query: Vec<(String, Option<String>)>,
    /// Values of `:name` in the path.
    variables: &'j [Json],
}

/// Converts a URL; `more` are fields that are added to its query.
///
/// # Errors
/// A sentence that says why the scenario cannot have it.
pub(super) fn convert(
    url: &Json,
    more: Vec<(String, Option<String>)>,
    variables: &mut Variables,
    place: &mut Place<'_, '_>,
) -> Result<Address, String> {
    let mut url = match url {
        Json::Text(raw) => split(raw, &[]),
        parts if member(parts, "host").is_some() || member(parts, "path").is_some() => of_parts(parts),
        parts => split(text(parts, "raw").unwrap_or_default(), list(parts, "variable")),
    };
    let mut head = variables.pieces(url.head.trim(), place);
    if let Some(whole) = known(&head).filter(|head| head.contains(['?', '#'])) {
        // The variable is a whole URL.
        let further = UrlText { head: String::new(), ..url };
        url = split(&whole, further.variables);
        url.path.push_str(&further.path);
        url.query.extend(further.query);
        head = vec![Piece::Literal(url.head.clone())];
    }
    url.query.retain(|(name, _)| !more.iter().any(|(added, _)| added == name));
    url.query.extend(more);
    let userinfo = split_userinfo(&mut head);
    let (origin, base) = origin(head, url.path.is_empty())?;
    let path = path(&url, variables, place);
    let slash = if base.ends_with('/') && !path.is_empty() { "/" } else { "" };
    let query = query(&url.query, variables, place);
    Ok(Address { origin, target: format!("{}{slash}{path}{query}", base.trim_end_matches('/')), userinfo })
}

/// Splits a URL as written; variables may stand anywhere.
fn split<'j>(raw: &str, variables: &'j [Json]) -> UrlText<'j> {
    let raw = &raw[..outside(raw, '#').unwrap_or(raw.len())];
    let (base, query) = outside(raw, '?').map_or((raw, None), |at| (&raw[..at], Some(&raw[at + 1..])));
    let after_scheme = base.find("://").map_or(0, |at| at + 3);
    let end = outside(&base[after_scheme..], '/').map_or(base.len(), |at| after_scheme + at);
    let query = query.into_iter().flat_map(|query| query.split('&')).filter(|field| !field.is_empty());
    let field = |field: &str| match field.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (field.to_owned(), None),
    };
    UrlText { head: base[..end].to_owned(), path: base[end..].to_owned(), query: query.map(field).collect(), variables }
}

/// The first occurrence of a character outside `{{...}}`.
fn outside(text: &str, wanted: char) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(wanted)?;
        let open = text[from..at].rfind("{{").map(|open| from + open);
        match open.filter(|open| !text[*open..at].contains("}}")).and_then(|_| text[at..].find("}}")) {
            Some(close) => from = at + close + 2,
            None => return Some(at),
        }
    }
}

fn of_parts(parts: &Json) -> UrlText<'_> {
    let joined = |name: &str, between: &str| match member(parts, name) {
        Some(Json::Text(text)) => text.clone(),
        Some(list) => {
            let part =
                |part: &Json| scalar(part).or_else(|| text(part, "value").map(str::to_owned)).unwrap_or_default();
            items(list).iter().map(part).collect::<Vec<_>>().join(between)
        }
        None => String::new(),
    };
    let host = joined("host", ".");
    let scheme =
        text(parts, "protocol").map(|scheme| scheme.trim_end_matches("://")).filter(|scheme| !scheme.is_empty());
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    let port = member(parts, "port").and_then(scalar).filter(|port| !port.is_empty());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let path = joined("path", "/");
    let path = if member(parts, "path").is_none() || path.starts_with('/') { path } else { format!("/{path}") };
    let field = |field: &Json| {
        let value = member(field, "value").map(|value| scalar(value).unwrap_or_else(|| value.to_string()));
        (text(field, "key").unwrap_or_default().to_owned(), value)
    };
    let query = list(parts, "query").iter().filter(|field| !is_true(field, "disabled"));
    let query = query.map(|one| as_text(one).map_or_else(|| field(one), |name| (name.to_owned(), None)));
    let query = query.filter(|(name, value)| !name.is_empty() || value.is_some()).collect();
    UrlText { head: format!("{scheme}{host}{port}"), path, query, variables: list(parts, "variable") }
}

/// Takes `name:password@` out of the written part of a host.
fn split_userinfo(head: &mut Vec<Piece>) -> Option<String> {
    let [Piece::Literal(text)] = head.as_mut_slice() else { return None };
    let begin = text.find("://").map_or(0, |at| at + 3);
    let at = begin + text[begin..].rfind('@')?;
    let userinfo = text[begin..at].to_owned();
    text.replace_range(begin..=at, "");
    Some(userinfo)
}

/// The origin as template text, and what of a known path belongs to the target.
fn origin(mut head: Vec<Piece>, is_bare: bool) -> Result<(String, String), String> {
    if head.iter().any(|piece| matches!(piece, Piece::Template(_) | Piece::Open { is_of_user: true, .. })) {
        return Err("its host is known only while the scenario runs".to_owned());
    }
    let is_open = matches!(head.first(), Some(Piece::Open { .. }));
    let has_scheme = |pieces: &[Piece]| {
        pieces.iter().any(
            |piece| matches!(piece, Piece::Literal(text) | Piece::Known { value: text, .. } if text.contains("://")),
        )
    };
    if !is_open && !has_scheme(&head) {
        head.insert(0, Piece::Literal("http://".to_owned()));
    }
    let Some(whole) = known(&head) else { return Ok((template(&head), String::new())) };
    let parsed = Url::parse(&whole).map_err(|why| format!("its URL cannot be requested: {why}"))?;
    let begin = whole.find("://").map_or(0, |at| at + 3);
    let path = whole[begin..].find('/').map_or("", |at| &whole[begin + at..]);
    let is_kept_secret = head.iter().any(|piece| matches!(piece, Piece::Known { is_secret: true, .. }));
    if is_bare && !path.is_empty() && !is_kept_secret && parsed.userinfo.is_none() {
        // A scenario puts a slash between the path of the host and that of the request.
        return Ok((
            super::super::draft::escape_template(&whole[..whole.len() - path.len()]),
            super::super::draft::escape_template(path),
        ));
    }
    // Its slash is lost where the path of a request begins with one.
    let slash = if path.ends_with('/') { "/" } else { "" };
    Ok((template(&head), slash.to_owned()))
}

fn path(url: &UrlText<'_>, variables: &mut Variables, place: &mut Place<'_, '_>) -> String {
    let mut out = Vec::new();
    for segment in url.path.split('/') {
        let name = segment.strip_prefix(':').filter(|name| !name.is_empty());
        let is_named = |variable: &&Json| {
            name.is_some()
                && (text(variable, "key") == name || text(variable, "id") == name)
                && !is_true(variable, "disabled")
        };
        let value = url.variables.iter().find(is_named).and_then(|variable| member(variable, "value")).and_then(scalar);
        if value.is_none() && name.is_some() {
            place.notes.add(format!("{}: {segment} in its path has no value, it is sent as written", place.path));
        }
        let pieces = variables.pieces(value.as_deref().unwrap_or(segment), place);
        out.push(target(&pieces, UrlPart::Path));
    }
    out.join("/")
}

fn query(fields: &[(String, Option<String>)], variables: &mut Variables, place: &mut Place<'_, '_>) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(&target(&variables.pieces(name, place), UrlPart::QueryName));
        if let Some(value) = value {
            out.push('=');
            out.push_str(&target(&variables.pieces(value, place), UrlPart::QueryValue));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_around_its_variables() {
        let all = |raw: &str| {
            let url = split(raw, &[]);
            (url.head, url.path, url.query.len())
        };
        let parts = |head: &str, path: &str, fields: usize| (head.to_owned(), path.to_owned(), fields);
        assert_eq!(all("{{a/b?c}}/x?y=1&z#f"), parts("{{a/b?c}}", "/x", 2));
        assert_eq!(all("https://h:1"), parts("https://h:1", "", 0));
        assert_eq!(all("h/{{p}}/?"), parts("h", "/{{p}}/", 0));
        assert_eq!(all("{{never/closed"), parts("{{never", "/closed", 0));
    }
}
