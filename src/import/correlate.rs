//! Finds values that a response contained and a later request sent: they should be extracted rather than
//! repeated.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::body::encoded;
use super::draft::{Body, Request, literal};
use crate::plan::json::Json;
use crate::plan::scenario;

/// Minimum length of a token; shorter texts are ordinary words that recur by coincidence.
const SHORTEST: usize = 8;

/// Maximum length of a token; longer texts are documents.
const LONGEST: usize = 4096;

/// Maximum number of texts examined; a recording with more contains data, not tokens.
const MOST: usize = 20_000;

/// Maximum number of extracted values: a draft with more would not be reviewed by its user.
const MOST_VALUES: usize = 1_000;

/// A text in a response that may be a token, and its position.
#[derive(Debug)]
pub(super) struct Token {
    pointer: String,
    text: String,
}

/// Memory budget for the tokens of all responses, so that a large recording is processed in bounded memory.
#[derive(Debug)]
pub(super) struct TokenRoom(usize);

impl Default for TokenRoom {
    fn default() -> Self {
        /// Bytes of texts and pointers.
        const MOST_BYTES: usize = 32 * 1024 * 1024;
        Self(MOST_BYTES)
    }
}

impl TokenRoom {
    /// Collects texts of a response that may be tokens, as long as the budget lasts; also returns whether all
    /// did fit.
    pub(super) fn tokens(&mut self, answer: &Json) -> (Vec<Token>, bool) {
        let (mut tokens, mut is_whole) = (Vec::new(), true);
        leaves(answer, &mut String::new(), &mut |pointer, text| {
            if !(SHORTEST..=LONGEST).contains(&text.len()) || text.contains(char::is_whitespace) {
                return;
            }
            match self.0.checked_sub(pointer.len() + text.len() + size_of::<Token>()) {
                Some(left) => {
                    self.0 = left;
                    tokens.push(Token { pointer: pointer.to_owned(), text: text.to_owned() });
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
pub(super) fn correlate(requests: &mut [Request], answers: Vec<Vec<Token>>) -> usize {
    let mut first_seen: HashMap<String, (usize, String)> = HashMap::new();
    for (index, tokens) in answers.into_iter().enumerate() {
        for Token { pointer, text } in tokens {
            if first_seen.len() < MOST {
                first_seen.entry(text).or_insert((index, pointer));
            }
        }
    }
    let mut found: Vec<(usize, String, Needle)> =
        first_seen.into_iter().map(|(text, (index, pointer))| (index, pointer, Needle::new(text))).collect();
    // Longest first: a token may be part of another.
    found.sort_by(|a, b| b.2.text.len().cmp(&a.2.text.len()).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
    let places = places(requests, &found);
    let mut names = Names::default();
    for ((index, pointer, needle), places) in found.into_iter().zip(places) {
        // A longer token may have replaced it in the meantime.
        let places: Vec<usize> = places.into_iter().filter(|place| needle.is_in(&requests[*place])).collect();
        // A value that the client sent before it appeared in a response does not come from the server.
        if places.first().is_none_or(|first| *first <= index) || names.taken.len() >= MOST_VALUES {
            continue;
        }
        let name = names.free(&pointer);
        for place in places {
            needle.replace_in(&mut requests[place], &name);
        }
        requests[index].extract.push((name, pointer));
    }
    names.taken.len()
}

/// Needles with the same first bytes, by length and text: even of many, few share a length.
type Alike<'n> = BTreeMap<usize, HashMap<&'n [u8], Vec<usize>>>;

/// Finds the requests that contain each needle, in one pass over their texts, however many needles there are.
fn places(requests: &[Request], needles: &[(usize, String, Needle)]) -> Vec<BTreeSet<usize>> {
    let mut begins: HashMap<&[u8], Alike<'_>> = HashMap::new();
    for (number, (_, _, needle)) in needles.iter().enumerate() {
        for form in [needle.plain.as_bytes(), needle.encoded.as_bytes()] {
            let alike = begins.entry(&form[..SHORTEST]).or_default();
            alike.entry(form.len()).or_default().entry(form).or_default().push(number);
        }
    }
    let mut places = vec![BTreeSet::new(); needles.len()];
    for (place, request) in requests.iter().enumerate() {
        texts(request, &mut |text| {
            for (at, window) in text.as_bytes().windows(SHORTEST).enumerate() {
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
fn texts(request: &Request, show: &mut impl FnMut(&str)) {
    show(&request.target);
    request.headers.iter().for_each(|(_, value)| show(value));
    match &request.body {
        Body::Json(value) => leaves(value, &mut String::new(), &mut |_, text| show(text)),
        Body::Form(pairs) => pairs.iter().for_each(|(_, value)| show(value)),
        Body::Text(text) => show(text),
        Body::None | Body::File(_) => {}
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

/// A text to search for, in the forms in which it may occur.
struct Needle {
    text: String,
    plain: String,
    encoded: String,
}

impl Needle {
    fn new(text: String) -> Self {
        Self { plain: literal(&text), encoded: encoded(&text), text }
    }

    fn is_in(&self, request: &Request) -> bool {
        let mut found = request.target.contains(&self.encoded);
        texts(request, &mut |text| found |= text.contains(&self.plain));
        found
    }

    fn replace_in(&self, request: &mut Request, name: &str) {
        let variable = format!("${{{name}}}");
        let replaced = |text: &str| text.replace(&self.plain, &variable);
        request.target = replaced(&request.target.replace(&self.encoded, &variable));
        for (_, value) in &mut request.headers {
            *value = replaced(value);
        }
        match &mut request.body {
            Body::Json(value) => *value = std::mem::replace(value, Json::Null).with_strings(&replaced),
            Body::Form(pairs) => pairs.iter_mut().for_each(|(_, value)| *value = replaced(value)),
            Body::Text(text) => *text = replaced(text),
            Body::None | Body::File(_) => {}
        }
    }
}

/// Allocates names of variables.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// How many variables with this base name were requested.
    asked: HashMap<String, usize>,
}

impl Names {
    /// Creates a variable name from the last member of the pointer.
    fn free(&mut self, pointer: &str) -> String {
        let last =
            pointer.rsplit('/').find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("value");
        let base: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        loop {
            let asked = self.asked.entry(base.clone()).or_default();
            *asked += 1;
            let name = if *asked == 1 { base.clone() } else { format!("{base}_{asked}") };
            if !scenario::RESERVED.contains(&&*name) && self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}
