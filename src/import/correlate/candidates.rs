//! The values of a response that later requests may send, and where the response has them.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::super::draft::escape_template;
use super::super::extraction::{SearchedText, ValueSource};
use super::naming::{self, Rarity};
use crate::plan::html_input;
use crate::plan::json::Json;

/// A value of a response that may be an identifier or a token.
#[derive(Clone, Debug)]
pub(in crate::import) struct ValueCandidate {
    pub(super) source: ValueSource,
    pub(super) text: String,
    /// The name of its member, field, header or cookie; empty for a part of a URL.
    pub(super) name: String,
    /// What it may identify: `order` for the `id` of an `order`, or of an answer to `/orders`.
    pub(super) stems: Vec<String>,
    /// Whether its name or position is that of an identifier.
    pub(super) is_id: bool,
}

/// The values of a response.
pub(in crate::import) type Answer = Vec<ValueCandidate>;

/// Memory budget for the values of all responses, so that a large recording is processed in bounded memory.
#[derive(Debug)]
pub(in crate::import) struct ValueBudget {
    bytes: usize,
    /// Whether a value did not fit.
    pub(in crate::import) is_exceeded: bool,
}

impl Default for ValueBudget {
    fn default() -> Self {
        /// Bytes of texts and pointers.
        const MAX_BYTES: usize = 32 * 1024 * 1024;
        Self { bytes: MAX_BYTES, is_exceeded: false }
    }
}

/// Collects the values of one response.
#[derive(Debug)]
pub(in crate::import) struct Collector<'b> {
    budget: &'b mut ValueBudget,
    /// The kind of thing that the request's path names.
    resource: Resource,
    list: Answer,
}

/// The last segment of a path that is not an identifier.
#[derive(Debug, Default)]
struct Resource {
    stem: String,
    /// Whether the path ends with it: `/orders` has a list of orders, `/orders/7` the parts of one.
    is_last: bool,
}

impl<'b> Collector<'b> {
    /// `path` is that of the request.
    pub(in crate::import) fn new(path: &str, budget: &'b mut ValueBudget) -> Self {
        let mut segments = path.split('/').rev().filter(|segment| !segment.is_empty());
        let is_last = segments.clone().next().is_some_and(|last| !looks_like_id(last));
        let stem = segments.find(|segment| !looks_like_id(segment)).map(naming::stem).unwrap_or_default();
        Self { budget, resource: Resource { stem, is_last }, list: Vec::new() }
    }

    /// Removes and returns the values, in the order in which they were added.
    pub(in crate::import) fn take(&mut self) -> Answer {
        std::mem::take(&mut self.list)
    }

    fn add(&mut self, value: ValueCandidate) {
        let size = value.source.length() + value.text.len() + size_of::<ValueCandidate>();
        match self.budget.bytes.checked_sub(size) {
            Some(left) => {
                self.budget.bytes = left;
                self.list.push(value);
            }
            None => self.budget.is_exceeded = true,
        }
    }

    /// Adds the strings and whole numbers of a document.
    pub(in crate::import) fn json(&mut self, document: &Json) {
        leaves(document, &mut String::new(), &mut |pointer, leaf| {
            let text = match leaf {
                Json::Text(text) => text.clone(),
                Json::Number(_) => leaf.to_string(),
                _ => return,
            };
            let Some(rarity) = naming::rarity(&text) else { return };
            let mut names = pointer.rsplit('/').filter(|part| !is_index(part) && !part.is_empty());
            let name = names.next().unwrap_or_default();
            let is_id = naming::is_id(name, &text);
            // Without the name of an identifier only a rare value is one.
            if rarity < Rarity::Rare && !is_id {
                return;
            }
            let stems = self.stems(name, &names.collect::<Vec<_>>());
            let source = ValueSource::Json(pointer.to_owned());
            self.add(ValueCandidate { source, text, name: name.to_owned(), stems, is_id });
        });
    }

    /// What a member identifies, by its own name, else by the nearest member around it that says so, else by the path
    /// of the request.
    fn stems(&self, name: &str, around: &[&str]) -> Vec<String> {
        /// Members that are around any kind of thing.
        const WRAPPERS: [&str; 16] = [
            "data",
            "result",
            "results",
            "response",
            "payload",
            "body",
            "content",
            "object",
            "attributes",
            "node",
            "edges",
            "list",
            "rows",
            "records",
            "hits",
            "_embedded",
        ];
        let own = naming::stem(name);
        if !own.is_empty() {
            return vec![own];
        }
        let parent = around.iter().find(|part| !WRAPPERS.contains(part)).map(|part| naming::stem(part));
        let mut stems: Vec<String> = parent.filter(|stem| !stem.is_empty()).into_iter().collect();
        // The items of `/orders` are orders, and those of `/orders/7` are not.
        if stems.is_empty() || (self.resource.is_last && stems[0] == "item") {
            stems.extend(Some(self.resource.stem.clone()).filter(|stem| !stem.is_empty()));
        }
        stems
    }

    /// Adds form fields, the contents of `meta` elements, and identifiers in links.
    pub(in crate::import) fn html(&mut self, html: &str) {
        let mut names = HashSet::new();
        for (name, value) in html_input::fields(html) {
            // An extraction takes the first field of a name.
            if names.insert(name.clone()) {
                self.named(ValueSource::Input(escape_template(&name)), &name, value);
            }
        }
        for (at, _) in html.match_indices("<meta ") {
            let tag = &html[at..at + html[at..].find('>').unwrap_or(0)];
            let name = attribute(tag, "name").or_else(|| attribute(tag, "property"));
            let (Some((_, name)), Some((begin, value))) = (name, attribute(tag, "content")) else { continue };
            if html.find(&tag[..begin]) == Some(at) {
                let pattern = format!("{}([^{}]+)", literal(&tag[..begin]), closing(tag, begin));
                self.named(ValueSource::Pattern(SearchedText::Body, pattern), name, value.to_owned());
            }
        }
        for attribute in ["href=\"", "action=\"", "href='", "action='"] {
            let mut seen = HashSet::new();
            for (at, _) in html.match_indices(attribute) {
                let begin = at + attribute.len();
                let end = html[begin..].find(['"', '\'', '>', '<', ' ']).map_or(html.len(), |end| begin + end);
                self.link(&SearchedText::Body, &html[at..end], attribute.len(), &mut seen);
            }
        }
    }

    /// Adds a value that has a name, if the name or the value is that of an identifier.
    fn named(&mut self, source: ValueSource, name: &str, text: String) {
        let Some(rarity) = naming::rarity(&text) else { return };
        let is_id = naming::is_id(name, &text);
        if rarity == Rarity::Rare || is_id {
            let stems = self.stems(name, &[]);
            self.add(ValueCandidate { source, text, name: name.to_owned(), stems, is_id });
        }
    }

    /// Adds a header field whose name is that of an identifier or token.
    pub(in crate::import) fn header(&mut self, name: &str, value: &str) {
        if naming::is_id(name, value) || name.eq_ignore_ascii_case("etag") {
            self.named(ValueSource::Header(name.to_owned()), name, value.to_owned());
        }
        if ["location", "content-location"].contains(&name.to_ascii_lowercase().as_str()) {
            self.link(&SearchedText::Header(name.to_owned()), path_of(value), 0, &mut HashSet::new());
        }
    }

    /// Adds a cookie, which a script may send in a header (`X-XSRF-TOKEN`).
    pub(in crate::import) fn cookie(&mut self, name: &str, value: &str) {
        if naming::rarity(value) == Some(Rarity::Rare) {
            self.named(ValueSource::Cookie(escape_template(name)), name, value.to_owned());
        }
    }

    /// Adds the identifiers in the URL that redirects led to.
    pub(in crate::import) fn url(&mut self, url: &str) {
        self.link(&SearchedText::Url, path_of(url), 0, &mut HashSet::new());
    }

    /// Adds the identifiers in the path and query of a link, which begins at `begin` of `text`; a pattern for one
    /// begins with the text. `seen` are the beginnings of earlier links: where the same text stands in front of another
    /// value first, the pattern would find that one.
    fn link<'t>(&mut self, searched: &SearchedText, text: &'t str, begin: usize, seen: &mut HashSet<&'t str>) {
        /// A pattern has at most 1,000 bytes, and escapes make it longer.
        const MAX_BEFORE: usize = 400;
        let mut place = begin;
        let mut before = "";
        for segment in text[begin..].split(['/', '?', '&', '#']) {
            let (name, value) = segment.split_once('=').unwrap_or(("", segment));
            let left = &text[..place + segment.len() - value.len()];
            place += segment.len() + 1;
            let is_first = left.len() <= MAX_BEFORE && seen.insert(left);
            let is_id = if name.is_empty() { looks_like_id(value) } else { naming::is_id(name, value) };
            let is_plain = naming::rarity(value).is_some() && value.bytes().all(naming::is_unreserved);
            if is_first && is_id && is_plain && !left.is_empty() {
                let stem = naming::stem(if name.is_empty() { before } else { name });
                let pattern = format!("{}([^/?&#\"'<> ]+)", literal(left));
                let source = ValueSource::Pattern(searched.clone(), pattern);
                let stems = Some(stem).filter(|stem| !stem.is_empty()).into_iter().collect();
                self.add(ValueCandidate { source, text: value.to_owned(), name: name.to_owned(), stems, is_id });
            }
            before = if name.is_empty() && !looks_like_id(segment) { segment } else { before };
        }
    }
}

/// The path and query of a URL, which may be relative.
fn path_of(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').map_or("", |at| &rest[at..])
}

/// Returns whether a segment of a path looks like an identifier: a number but for a year, or at least eight characters
/// with a digit, but for names of files.
pub(in crate::import) fn looks_like_id(segment: &str) -> bool {
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = segment.len() == 4 && (segment.starts_with("19") || segment.starts_with("20"));
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    let is_rare = naming::rarity(segment) == Some(Rarity::Rare) && has_digit && !segment.contains('.');
    let is_short = naming::rarity(segment) == Some(Rarity::Short) && has_digit && !segment.contains(['.', '-']);
    (is_number && !is_year) || is_rare || is_short
}

fn is_index(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of an attribute in quotes, and where it begins in the tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<(usize, &'t str)> {
    for quote in ['"', '\''] {
        let before = format!(" {name}={quote}");
        if let Some(at) = tag.find(&before) {
            let begin = at + before.len();
            return Some((begin, tag[begin..].split(quote).next().unwrap_or_default()));
        }
    }
    None
}

/// The quote that ends the value that begins there.
fn closing(tag: &str, begin: usize) -> &str {
    tag.get(begin - 1..begin).unwrap_or("\"")
}

/// A pattern that matches this text only.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if "\\.+*?()|[]{}^$".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// Calls `show` for every string, number and truth value of a document, with its JSON pointer (RFC 6901).
pub(super) fn leaves(value: &Json, pointer: &mut String, show: &mut impl FnMut(&str, &Json)) {
    let length = pointer.len();
    match value {
        Json::List(items) => {
            for (index, item) in items.iter().enumerate() {
                // Writing into a String cannot fail.
                let _ = write!(pointer, "/{index}");
                leaves(item, pointer, show);
                pointer.truncate(length);
            }
        }
        Json::Object(members) => {
            // An asterisk would stand for every member.
            for (key, member) in members.iter().filter(|(key, _)| key != "*") {
                pointer.push('/');
                pointer.push_str(&escape_template(&key.replace('~', "~0").replace('/', "~1")));
                leaves(member, pointer, show);
                pointer.truncate(length);
            }
        }
        leaf => show(pointer, leaf),
    }
}
