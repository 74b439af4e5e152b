//! Finds values that a response contained and a later request sent: they should be extracted rather than
//! repeated.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::body::encoded;
use super::draft::{DraftBody, DraftPart, DraftRequest, escape_template};
use crate::plan::json::Json;
use crate::plan::scenario;

/// Minimum length of a token; shorter texts are ordinary words that recur by coincidence.
const MIN_TOKEN: usize = 8;

/// Maximum length of a token; longer texts are documents.
const MAX_TOKEN: usize = 4096;

/// Maximum number of texts examined; a recording with more contains data, not tokens.
const MAX_TEXTS: usize = 20_000;

/// Maximum number of extracted values: a draft with more would not be reviewed by its user.
const MAX_VALUES: usize = 1_000;

/// A text in a response that may be a token, and its position.
#[derive(Debug)]
pub(super) struct TokenCandidate {
    pointer: String,
    text: String,
}

/// Memory budget for the tokens of all responses, so that a large recording is processed in bounded memory.
#[derive(Debug)]
pub(super) struct TokenBudget(usize);

impl Default for TokenBudget {
    fn default() -> Self {
        /// Bytes of texts and pointers.
        const MAX_BYTES: usize = 32 * 1024 * 1024;
        Self(MAX_BYTES)
    }
}

impl TokenBudget {
    /// Collects texts of a response that may be tokens, as long as the budget lasts; also returns whether all
    /// did fit.
    pub(super) fn tokens(&mut self, answer: &Json) -> (Vec<TokenCandidate>, bool) {
        let (mut tokens, mut is_whole) = (Vec::new(), true);
        leaves(answer, &mut String::new(), &mut |pointer, text| {
            // A dollar sign at the end would take part in an escape that follows it.
            let cannot_be_token = text.contains(char::is_whitespace) || text.ends_with('$');
            if !(MIN_TOKEN..=MAX_TOKEN).contains(&text.len()) || cannot_be_token {
                return;
            }
            match self.0.checked_sub(pointer.len() + text.len() + size_of::<TokenCandidate>()) {
                Some(left) => {
                    self.0 = left;
                    tokens.push(TokenCandidate { pointer: pointer.to_owned(), text: text.to_owned() });
                }
                None => is_whole = false,
            }
        });
        (tokens, is_whole)
    }
}

/// Replaces values from earlier responses by variables; returns the number of values replaced.
///
/// `answers` are the tokens of the responses, in the order of the requests.
pub(super) fn correlate(requests: &mut [DraftRequest], answers: Vec<Vec<TokenCandidate>>) -> usize {
    let mut first_seen: HashMap<String, (usize, String)> = HashMap::new();
    for (index, tokens) in answers.into_iter().enumerate() {
        for TokenCandidate { pointer, text } in tokens {
            if first_seen.len() < MAX_TEXTS {
                first_seen.entry(text).or_insert((index, pointer));
            }
        }
    }
    let mut found: Vec<(usize, String, Needle)> =
        first_seen.into_iter().map(|(text, (index, pointer))| (index, pointer, Needle::new(text))).collect();
    // Longest first: a token may be part of another.
    found.sort_by(|a, b| b.2.text.len().cmp(&a.2.text.len()).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
    let places = find_requests(requests, &found);
    let mut names = VariableNames::default();
    for ((index, pointer, needle), places) in found.into_iter().zip(places) {
        // A longer token may have replaced it in the meantime.
        let places: Vec<usize> = places.into_iter().filter(|place| needle.is_in(&requests[*place])).collect();
        // A value that the client sent before it appeared in a response does not come from the server.
        if places.first().is_none_or(|first| *first <= index) || names.used.len() >= MAX_VALUES {
            continue;
        }
        let name = names.allocate(&pointer);
        for place in places {
            needle.replace_in(&mut requests[place], &name);
        }
        requests[index].extract.push((name, pointer));
    }
    names.used.len()
}

/// Needles with the same first bytes, by length and text: even of many, few share a length.
type NeedlesByLength<'n> = BTreeMap<usize, HashMap<&'n [u8], Vec<usize>>>;

/// Finds the requests that contain each needle, in one pass over their texts, however many needles there are.
fn find_requests(requests: &[DraftRequest], needles: &[(usize, String, Needle)]) -> Vec<BTreeSet<usize>> {
    let mut begins: HashMap<&[u8], NeedlesByLength<'_>> = HashMap::new();
    for (number, (_, _, needle)) in needles.iter().enumerate() {
        for form in [needle.plain.as_bytes(), needle.encoded.as_bytes()] {
            let alike = begins.entry(&form[..MIN_TOKEN]).or_default();
            alike.entry(form.len()).or_default().entry(form).or_default().push(number);
        }
    }
    let mut places = vec![BTreeSet::new(); needles.len()];
    for (place, request) in requests.iter().enumerate() {
        texts(request, &mut |text| {
            for (at, window) in text.as_bytes().windows(MIN_TOKEN).enumerate() {
                for (length, of_length) in begins.get(window).into_iter().flatten() {
                    let found = text.as_bytes().get(at..at + length).and_then(|part| of_length.get(part));
                    for number in found.into_iter().flatten() {
                        places[*number].insert(place);
                    }
                }
            }
        });
    }
    places
}

/// Calls `show` for every text of a request that may contain a value.
fn texts(request: &DraftRequest, show: &mut impl FnMut(&str)) {
    show(&request.target);
    other_texts(request, show);
}

fn other_texts(request: &DraftRequest, show: &mut impl FnMut(&str)) {
    request.headers.iter().for_each(|(_, value)| show(value));
    match &request.body {
        DraftBody::Json(value) => leaves(value, &mut String::new(), &mut |_, text| show(text)),
        DraftBody::Form(pairs) => pairs.iter().for_each(|(_, value)| show(value)),
        DraftBody::Multipart(parts) => parts.iter().filter_map(DraftPart::value).for_each(show),
        DraftBody::Text(text) => show(text),
        DraftBody::None | DraftBody::File(_) => {}
    }
}

/// Calls `show` for every text of a document, with its JSON pointer (RFC 6901).
fn leaves(value: &Json, pointer: &mut String, show: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    match value {
        Json::Text(text) => show(pointer, text),
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
        _ => {}
    }
}

/// A text to search for, in the forms in which it may occur.
struct Needle {
    text: String,
    plain: String,
    encoded: String,
}

impl Needle {
    fn new(text: String) -> Self {
        Self { plain: escape_template(&text), encoded: encoded(&text), text }
    }

    fn is_in(&self, request: &DraftRequest) -> bool {
        let in_target = self.target_with(&request.target, "") != request.target;
        let mut found = in_target;
        other_texts(request, &mut |text| found |= replaced(text, &self.plain, "${}") != text);
        found
    }

    /// Replaces the value in the path and query of a target. The host must be known when the plan is made, and a path
    /// starts with a slash.
    fn target_with(&self, target: &str, name: &str) -> String {
        let authority = target.find("://").map_or(0, |at| at + 3);
        let path = target[authority..].find('/').map_or(target.len(), |at| authority + at + 1);
        let (kept, path) = target.split_at(path);
        let path = replaced(path, &self.encoded, &format!("${{{name}}}"));
        // Written without encoding, its slashes and the like must not be encoded by the template either.
        format!("{kept}{}", replaced(&path, &self.plain, &format!("${{raw({name})}}")))
    }

    fn replace_in(&self, request: &mut DraftRequest, name: &str) {
        let variable = format!("${{{name}}}");
        let replaced = |text: &str| replaced(text, &self.plain, &variable);
        request.target = self.target_with(&request.target, name);
        for (_, value) in &mut request.headers {
            *value = replaced(value);
        }
        match &mut request.body {
            DraftBody::Json(value) => *value = std::mem::replace(value, Json::Null).with_strings(&replaced),
            DraftBody::Form(pairs) => pairs.iter_mut().for_each(|(_, value)| *value = replaced(value)),
            DraftBody::Multipart(parts) => {
                parts.iter_mut().filter_map(DraftPart::value_mut).for_each(|value| *value = replaced(value));
            }
            DraftBody::Text(text) => *text = replaced(text),
            DraftBody::None | DraftBody::File(_) => {}
        }
    }
}

/// Replaces a part of a template's literal text by an expression; what is in `${...}` stays. So does a part after a
/// dollar sign, which would escape the expression.
fn replaced(template: &str, part: &str, expression: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    loop {
        let begin = expression_in(rest).unwrap_or(rest.len());
        let (literal, after) = rest.split_at(begin);
        let mut last = 0;
        for (at, _) in literal.match_indices(part) {
            let before = &literal[last..at];
            out.push_str(before);
            let is_escaped = literal[..at].ends_with('$');
            out.push_str(if is_escaped { part } else { expression });
            last = at + part.len();
        }
        out.push_str(&literal[last..]);
        let end = after.find('}').map_or(after.len(), |at| at + 1);
        out.push_str(&after[..end]);
        rest = &after[end..];
        if rest.is_empty() {
            return out;
        }
    }
}

/// The position of the first `${` that is not escaped.
fn expression_in(template: &str) -> Option<usize> {
    template.match_indices("${").map(|(at, _)| at).find(|at| !template[..*at].ends_with('$'))
}

/// Allocates names of variables.
#[derive(Default)]
struct VariableNames {
    used: HashSet<String>,
    /// How many variables with this base name were requested.
    requested: HashMap<String, usize>,
}

impl VariableNames {
    /// Creates a variable name from the last member of the pointer.
    fn allocate(&mut self, pointer: &str) -> String {
        let last =
            pointer.rsplit('/').find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("value");
        let base: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        loop {
            let asked = self.requested.entry(base.clone()).or_default();
            *asked += 1;
            let name = if *asked == 1 { base.clone() } else { format!("{base}_{asked}") };
            if !scenario::RESERVED.contains(&&*name) && self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_in_literal_text_only() {
        for (template, expected) in [
            ("abc", "${v}"),
            ("xabcabc", "x${v}${v}"),
            ("${abc}abc${raw(abc)}", "${abc}${v}${raw(abc)}"),
            ("$${abc}", "$${${v}}"),
            ("$abc abc", "$abc ${v}"),
            ("${abc", "${abc"),
            ("", ""),
        ] {
            assert_eq!(replaced(template, "abc", "${v}"), expected, "{template}");
        }
        assert_eq!(replaced("$${abc", "$${abc", "${v}"), "${v}");
        assert_eq!(replaced("$${abc", "{abc", "${v}"), "$${abc", "half of an escape");
    }
}
