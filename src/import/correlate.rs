//! What one answer gave and a later request sent: a value to be extracted, not repeated.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::body::{encoded, with_strings};
use super::draft::{Body, Request, literal};

/// Shorter texts are words that stand in many places by chance.
const SHORTEST: usize = 8;

/// Longer ones are documents.
const LONGEST: usize = 4096;

/// Texts looked at in all; a recording with more holds data, not tokens.
const MOST: usize = 20_000;

/// Puts variables in the place of values that came in an earlier answer; gives how many were found.
///
/// `answers` are the JSON bodies of the answers, in the order of the requests.
pub(super) fn correlate(requests: &mut [Request], answers: &[Option<Value>]) -> usize {
    let mut first_seen: HashMap<String, (usize, String)> = HashMap::new();
    for (index, answer) in answers.iter().enumerate() {
        if let Some(answer) = answer {
            leaves(answer, &mut String::new(), &mut |pointer, text| {
                let is_token = (SHORTEST..=LONGEST).contains(&text.len()) && !text.contains(char::is_whitespace);
                if is_token && first_seen.len() < MOST {
                    first_seen.entry(text.to_owned()).or_insert_with(|| (index, pointer.to_owned()));
                }
            });
        }
    }
    let mut found: Vec<(usize, String, String)> = first_seen.into_iter().map(|(t, (i, p))| (i, p, t)).collect();
    // Longest first: a token may stand in another.
    found.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
    let mut names = Vec::new();
    for (index, pointer, text) in found {
        let needle = Needle::new(&text);
        // What the client knew before is not the server's to give.
        if requests[..=index].iter().any(|request| needle.is_in(request)) {
            continue;
        }
        if !requests[index + 1..].iter().any(|request| needle.is_in(request)) {
            continue;
        }
        let name = free_name(&pointer, &names);
        for request in &mut requests[index + 1..] {
            needle.replace_in(request, &name);
        }
        requests[index].extract.push((name.clone(), pointer));
        names.push(name);
    }
    names.len()
}

/// Shows every text of a document with its JSON pointer (RFC 6901).
fn leaves(value: &Value, pointer: &mut String, show: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    match value {
        Value::String(text) => show(pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // Writing into a text cannot fail.
                let _ = write!(pointer, "/{index}");
                leaves(item, pointer, show);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                leaves(member, pointer, show);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// A text to be found, as it stands in each place.
struct Needle {
    plain: String,
    encoded: String,
}

impl Needle {
    fn new(text: &str) -> Self {
        Self { plain: literal(text), encoded: encoded(text) }
    }

    fn is_in(&self, request: &Request) -> bool {
        let in_body = match &request.body {
            Body::Json(value) => {
                let mut found = false;
                leaves(value, &mut String::new(), &mut |_, text| found |= text.contains(&self.plain));
                found
            }
            Body::Form(pairs) => pairs.iter().any(|(_, value)| value.contains(&self.plain)),
            Body::Text(text) => text.contains(&self.plain),
            Body::None | Body::File(_) => false,
        };
        let in_target = request.target.contains(&self.encoded) || request.target.contains(&self.plain);
        in_body || in_target || request.headers.iter().any(|(_, value)| value.contains(&self.plain))
    }

    fn replace_in(&self, request: &mut Request, name: &str) {
        let variable = format!("${{{name}}}");
        let replaced = |text: &str| text.replace(&self.plain, &variable);
        request.target = replaced(&request.target.replace(&self.encoded, &variable));
        for (_, value) in &mut request.headers {
            *value = replaced(value);
        }
        match &mut request.body {
            Body::Json(value) => *value = with_strings(value.take(), &replaced),
            Body::Form(pairs) => pairs.iter_mut().for_each(|(_, value)| *value = replaced(value)),
            Body::Text(text) => *text = replaced(text),
            Body::None | Body::File(_) => {}
        }
    }
}

/// A variable named after the last member of the pointer.
fn free_name(pointer: &str, taken: &[String]) -> String {
    let last = pointer.rsplit('/').find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("value");
    let base: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let numbered = (2..).map(|n| format!("{base}_{n}"));
    let free = |name: &String| !taken.contains(name);
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
}
