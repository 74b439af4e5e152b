//! Which texts a body is looked through for, by what is expected of it and extracted from it.

use super::expect::{BodyRule, Expect};
use super::extract::Extraction;
use super::template::Values;
use super::text_search::TextSearches;

/// The searches needed for `expect` and `extract`; a captured text has at most `limit` bytes.
#[must_use]
pub fn searches(expect: &Expect, extract: &[Extraction], values: &mut Values<'_>, limit: u64) -> TextSearches {
    let rules = expect.body.iter().map(|rule| {
        let (BodyRule::Contains(text) | BodyRule::ContainsNot(text)) = rule;
        if let Some(literal) = text.as_literal() {
            return Some(literal.to_vec());
        }
        let mut needle = Vec::new();
        text.render(values, &mut needle).ok().map(|()| needle)
    });
    let between = extract.iter().filter_map(Extraction::scanned);
    TextSearches::of(rules, between.map(|(left, right)| (left.as_str(), right.as_str())), limit)
}
