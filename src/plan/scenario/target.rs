//! The target of a request: a path relative to the host, or a URL whose host is known when the plan is made.

use std::sync::Arc;

use super::names::ScenarioNames;
use crate::plan::template::{Template, TextEncoding};
use crate::plan::url::{Origin, Url};
use crate::secret::masked_url;

/// The target of a request.
#[derive(Debug)]
pub(super) struct RequestTarget {
    pub(super) origin: Arc<Origin>,
    /// Path and query as sent.
    pub(super) path: Template,
    /// Path and query as written.
    pub(super) written: String,
    /// Whether it has a query as written.
    pub(super) has_query: bool,
    /// `name:password` of the URL.
    pub(super) userinfo: Option<String>,
}

/// Compiles `text`; `base` is the base URL for paths.
pub(super) fn target(text: &str, base: Option<&Url>, names: &mut ScenarioNames) -> Result<RequestTarget, String> {
    if text.chars().any(char::is_control) {
        return Err("has a control character".to_owned());
    }
    let text = &text[..find_outside_expressions(text, &['#']).unwrap_or(text.len())];
    if text.starts_with('/') {
        let base = base.ok_or("has no host; add \"host\" to the file, or --host URL")?;
        return under_base(base, None, text, names);
    }
    let begins = text.to_ascii_lowercase();
    if !text.starts_with("${") && !begins.starts_with("http://") && !begins.starts_with("https://") {
        let why = "is neither a URL nor a path; did you mean http:// or / in front?";
        return Err(format!("{:?} {why}", masked_url(text)));
    }
    let (host, path) = text.split_at(host_end(text));
    let host = names.text(host, TextEncoding::Plain)?.fixed();
    let host = host.ok_or("the host of a URL must be known when the plan is made: text, a variable or ${env.NAME}")?;
    let parsed = Url::parse(&String::from_utf8_lossy(&host))?;
    under_base(&parsed.url, parsed.userinfo, path, names)
}

fn under_base(
    base: &Url,
    userinfo: Option<String>,
    path: &str,
    names: &mut ScenarioNames,
) -> Result<RequestTarget, String> {
    let folder = base.target().split('?').next().unwrap_or_default().trim_end_matches('/');
    let mut template = Template::literal(folder);
    if !path.starts_with('/') {
        template.push_literal(b"/", false);
    }
    template.push(names.text(path, TextEncoding::Percent)?);
    let written = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let has_query = find_outside_expressions(path, &['?']).is_some();
    Ok(RequestTarget { origin: Arc::clone(base.origin()), path: template, written, has_query, userinfo })
}

/// The start of the path in a URL.
fn host_end(text: &str) -> usize {
    const PATH: [char; 3] = ['/', '?', '#'];
    let first = find_outside_expressions(text, &PATH).unwrap_or(text.len());
    let after_scheme = text[..first].ends_with(':') && text[first..].starts_with("//");
    let begin = if after_scheme { first + 2 } else { first };
    if after_scheme {
        find_outside_expressions(&text[begin..], &PATH).map_or(text.len(), |at| begin + at)
    } else {
        first
    }
}

/// The first occurrence of one of these characters outside `${...}`.
fn find_outside_expressions(text: &str, wanted: &[char]) -> Option<usize> {
    let mut rest = 0;
    loop {
        let open = text[rest..].find("${").map(|at| rest + at);
        let end = open.unwrap_or(text.len());
        if let Some(at) = text[rest..end].find(wanted) {
            return Some(rest + at);
        }
        rest = end + text[open?..].find('}')? + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::KnownValue;
    use super::*;

    fn read(text: &str) -> Result<(String, String, String), String> {
        let known = |text: &str| KnownValue { text: text.to_owned(), is_secret: false };
        let mut names = ScenarioNames {
            environment: [("BASE".to_owned(), "https://amy:x@shop.test:81/api/".to_owned())].into(),
            variables: [("host".to_owned(), known("h")), ("q".to_owned(), known("a/b"))].into(),
            ..ScenarioNames::default()
        };
        let base = Url::parse("http://base/v1").unwrap().url;
        let target = target(text, Some(&base), &mut names)?;
        let path = String::from_utf8(target.path.fixed().unwrap_or_default()).unwrap();
        Ok((target.origin.authority().to_owned(), path, target.written))
    }

    #[test]
    fn paths_and_urls_are_distinguished() {
        for (text, host, path, written) in [
            ("/a?b=${q}#top", "base", "/v1/a?b=a%2Fb", "/a?b=${q}"),
            ("/a/${raw(q)}", "base", "/v1/a/a/b", "/a/${raw(q)}"),
            ("http://x:8/a b", "x:8", "/a%20b", "/a b"),
            ("http://${host}.test/${q}", "h.test", "/a%2Fb", "/${q}"),
            ("HTTPS://x", "x", "/", "/"),
            ("http://x?${q}", "x", "/?a%2Fb", "/?${q}"),
            ("${env.BASE}/items?x=1", "shop.test:81", "/api/items?x=1", "/items?x=1"),
            ("/${random(1,2)}#${", "base", "", "/${random(1,2)}"),
        ] {
            let expected = (host.to_owned(), path.to_owned(), written.to_owned());
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_host_must_be_known() {
        assert!(read("http://h${random(1,2)}/x").unwrap_err().contains("known when the plan is made"));
        assert!(read("items").unwrap_err().contains("neither a URL nor a path"));
        assert!(read("${q}").is_err());
        assert!(read("http:///x").is_err());
    }
}
