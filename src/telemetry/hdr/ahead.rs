//! Histograms that are parsed before they are asked for, by another thread than the one that asks.

use std::ops::Range;

use crate::stats::scale::Scale;

/// What parsing a text gives depends on the text alone, so a histogram that is found here is the one that parsing it now
/// would give. One that cannot be parsed is not here: whoever asks parses it again and is told why.
#[derive(Debug, Default)]
pub struct ParsedHistograms {
    texts: Vec<u8>,
    slots: Vec<(u64, u64)>,
    all: Vec<Parsed>,
    /// Those before it were asked for: they come in the order of their lines.
    next: usize,
}

#[derive(Debug)]
struct Parsed {
    text: Range<usize>,
    scale: Scale,
    slots: Range<usize>,
}

impl ParsedHistograms {
    /// Forgets all and keeps the memory.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.slots.clear();
        self.all.clear();
        self.next = 0;
    }

    /// The place of a histogram, if it is here.
    pub(super) fn find(&mut self, text: &str) -> Option<usize> {
        let is_it = |parsed: &Parsed| self.texts[parsed.text.clone()] == *text.as_bytes();
        let found = self.next + self.all.get(self.next..)?.iter().position(is_it)?;
        self.next = found + 1;
        Some(found)
    }

    /// The histogram at a place: its scale and its slots.
    pub(super) fn at(&self, place: usize) -> (Scale, &[(u64, u64)]) {
        let Parsed { scale, slots, .. } = &self.all[place];
        (*scale, &self.slots[slots.clone()])
    }

    /// Adds a histogram and the text that it was parsed from.
    pub(super) fn add(&mut self, text: &str, scale: Scale, slots: &[(u64, u64)]) {
        let (text_start, slots_start) = (self.texts.len(), self.slots.len());
        self.texts.extend_from_slice(text.as_bytes());
        self.slots.extend_from_slice(slots);
        let (text, slots) = (text_start..self.texts.len(), slots_start..self.slots.len());
        self.all.push(Parsed { text, scale, slots });
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) const fn count(&self) -> usize {
        self.all.len()
    }
}
