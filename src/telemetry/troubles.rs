//! What is wrong with streams, in sentences by kind, and bounded: a broken file may be broken on every line.

use std::collections::BTreeMap;
use std::fmt;

/// A kind of trouble; the gravest comes first in their order.
pub trait TroubleKind: Copy + Ord {
    /// Maximum sentences of this kind; further ones are counted.
    fn max_kept(self) -> usize;

    /// What further ones of this kind are called, as in `and 3 more repeated lines`.
    fn further(self) -> String;
}

/// Everything that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Troubles<K>(BTreeMap<K, (Vec<String>, u64)>);

impl<K> Default for Troubles<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: TroubleKind> Troubles<K> {
    /// Adds one; its sentence is only made if it is kept.
    pub fn add(&mut self, kind: K, sentence: impl fmt::Display) {
        let (sentences, further) = self.0.entry(kind).or_default();
        if sentences.len() < kind.max_kept() {
            sentences.push(sentence.to_string());
        } else {
            *further += 1;
        }
    }

    /// Returns whether nothing at all is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kinds that there are, gravest first.
    pub fn kinds(&self) -> impl Iterator<Item = K> {
        self.0.keys().copied()
    }

    /// Kind and sentence of each, gravest first; further ones of a kind are counted in one sentence.
    pub fn all(&self) -> impl Iterator<Item = (K, String)> {
        self.0.iter().flat_map(|(kind, (sentences, further))| {
            let more = (*further > 0).then(|| format!("and {further} more {}", kind.further()));
            sentences.iter().cloned().chain(more).map(|sentence| (*kind, sentence))
        })
    }

    /// The sentences of all.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        self.all().map(|(_, sentence)| sentence).collect()
    }
}
