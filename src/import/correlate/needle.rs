//! Searches for rare values within the texts of requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::body::encoded;
use super::super::draft::{DraftBody, DraftPart, DraftRequest, escape_template};
use super::candidates::leaves;
use super::naming::MIN_RARE;
use super::units::path_begin;
use crate::plan::json::Json;

/// A text to search for, in the forms in which it may occur.
pub(super) struct Needle {
    pub(super) text: String,
    plain: String,
    encoded: String,
}

impl Needle {
    pub(super) fn new(text: String) -> Self {
        Self { plain: escape_template(&text), encoded: encoded(&text), text }
    }

    /// Returns whether [`Self::replace_in`] would change the request.
    pub(super) fn is_in(&self, request: &DraftRequest) -> bool {
        let in_target = self.target_with(&request.target, "") != request.target;
        let mut found = in_target;
        other_texts(request, &mut |text| found |= replaced(text, &self.plain, "${}") != text);
        found
    }

    /// Replaces the value in the path and query of a target. A path starts with a slash.
    fn target_with(&self, target: &str, name: &str) -> String {
        let (kept, path) = target.split_at(path_begin(target));
        let path = replaced(path, &self.encoded, &format!("${{{name}}}"));
        // Written without encoding, its slashes and the like must not be encoded by the template either.
        format!("{kept}{}", replaced(&path, &self.plain, &format!("${{raw({name})}}")))
    }

    /// Replaces the value by a variable, wherever it occurs.
    pub(super) fn replace_in(&self, request: &mut DraftRequest, name: &str) {
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

/// Needles with the same first bytes, by length and text: even of many, few share a length.
type NeedlesByLength<'n> = BTreeMap<usize, HashMap<&'n [u8], Vec<usize>>>;

/// Finds the requests that contain each needle, in one pass over their texts, however many needles there are.
pub(super) fn find_requests<'n>(
    requests: &[DraftRequest],
    needles: impl Iterator<Item = &'n Needle> + Clone,
) -> Vec<BTreeSet<usize>> {
    let mut begins: HashMap<&[u8], NeedlesByLength<'_>> = HashMap::new();
    for (number, needle) in needles.clone().enumerate() {
        for form in [needle.plain.as_bytes(), needle.encoded.as_bytes()] {
            let alike = begins.entry(&form[..MIN_RARE]).or_default();
            alike.entry(form.len()).or_default().entry(form).or_default().push(number);
        }
    }
    let mut places = vec![BTreeSet::new(); needles.count()];
    for (place, request) in requests.iter().enumerate() {
        texts(request, &mut |text| {
            for (at, window) in text.as_bytes().windows(MIN_RARE).enumerate() {
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
        DraftBody::Json(value) => leaves(value, &mut String::new(), &mut |_, leaf| {
            if let Json::Text(text) = leaf {
                show(text);
            }
        }),
        DraftBody::Form(pairs) => pairs.iter().for_each(|(_, value)| show(value)),
        DraftBody::Multipart(parts) => parts.iter().filter_map(DraftPart::value).for_each(show),
        DraftBody::Text(text) => show(text),
        DraftBody::None | DraftBody::File(_) => {}
    }
}

/// Replaces a part of a template's literal text by an expression; what is in `${...}` stays. So does a part after a
/// dollar sign, which would escape the expression, and a part of a longer word or number.
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
            let is_whole = is_bounded(&literal[..at], part, &literal[at + part.len()..]);
            out.push_str(if is_escaped || !is_whole { part } else { expression });
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

/// Returns whether a part is a word of its own. A percent-encoded byte in front, such as `%2F`, ends with a digit or
/// letter and is not part of the word.
fn is_bounded(before: &str, part: &str, after: &str) -> bool {
    let is_word = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    let bytes = before.as_bytes();
    let is_encoded = bytes.len() >= 3
        && bytes[bytes.len() - 3] == b'%'
        && bytes[bytes.len() - 2..].iter().all(u8::is_ascii_hexdigit);
    let begins = is_encoded || !(is_word(before.chars().next_back()) && is_word(part.chars().next()));
    begins && !(is_word(after.chars().next()) && is_word(part.chars().next_back()))
}

/// The position of the first `${` that is not escaped.
fn expression_in(template: &str) -> Option<usize> {
    template.match_indices("${").map(|(at, _)| at).find(|at| !template[..*at].ends_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_in_literal_text_only() {
        for (template, expected) in [
            ("abc", "${v}"),
            ("/abc/abc-abc", "/${v}/${v}-${v}"),
            ("xabc abcx abc1", "xabc abcx abc1"),
            ("%2Fabc%2F", "%2F${v}%2F"),
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
