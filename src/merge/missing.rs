//! Names what is not there: shards of which no line came, and inputs without a line of one.

use std::collections::BTreeSet;

use super::join::Join;
use super::troubles::{MergeTrouble, ranges};

/// Inputs that are named; there may be thousands.
const MOST: usize = 5;

impl Join {
    /// Names the shards of which no line came, and where they were looked for. A shard that was refused is named with the
    /// reason already.
    pub(super) fn note_missing(&mut self) {
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX);
        let refused: BTreeSet<u32> = self.refused.iter().map(|(_, index)| *index).collect();
        let is_known = |index: &u32| self.shards.contains_key(index) || refused.contains(index);
        let missing: Vec<u32> = (0..count).filter(|index| !is_known(index)).collect();
        if missing.is_empty() {
            return;
        }
        let (noun, verb) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
        let inputs: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        let sentence = format!("{noun} {} of {count} {verb} missing from {}", ranges(missing), listed(&inputs));
        let of_none = self.inputs.iter().enumerate().filter(|(input, _)| !self.used_inputs.contains(input));
        let of_none: Vec<&str> = of_none.map(|(_, name)| name.as_str()).collect();
        let without = match of_none.len() {
            0 => String::new(),
            1 => format!("; {} has no line of a shard of this run", listed(&of_none)),
            _ => format!("; {} have no line of a shard of this run", listed(&of_none)),
        };
        let sentence = sentence + &without;
        self.troubles.add(MergeTrouble::Missing, sentence);
    }

    /// Names inputs without any line of a shard, where nothing else was said of them: the wrong file may be one of several.
    pub(super) fn note_unused(&mut self) {
        let is_told = |kind: MergeTrouble| matches!(kind, MergeTrouble::Missing | MergeTrouble::Interrupted);
        if self.troubles.all().any(|(kind, _)| is_told(kind)) {
            return;
        }
        let told = self.troubles.sentences();
        let is_named = |name: &str| told.iter().any(|sentence| sentence.starts_with(&format!("{name}: ")));
        let unused = self.inputs.iter().enumerate().filter(|(input, name)| {
            let is_refused = self.refused.iter().any(|(refused, _)| refused == input);
            !self.used_inputs.contains(input) && !is_refused && !is_named(name)
        });
        let unused: Vec<String> = unused.map(|(_, name)| format!("{name}: no line of a shard is in it")).collect();
        for sentence in unused {
            self.troubles.add(MergeTrouble::Foreign, sentence);
        }
    }

    /// A signal came before these inputs were over.
    pub(super) fn note_given_up(&mut self, names: &[String]) {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let sentence = format!("a signal came before the end of {}", listed(&names));
            self.troubles.add(MergeTrouble::Interrupted, sentence);
        }
    }
}

/// A few names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let (first, rest) = names.split_at(MOST.min(names.len()));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", first.join(", "))
}
