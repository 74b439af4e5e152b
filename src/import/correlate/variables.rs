//! Names for the variables of a scenario.

use std::collections::{HashMap, HashSet};

use super::candidates::ValueCandidate;
use crate::plan::scenario;

/// Allocates names of variables.
#[derive(Debug, Default)]
pub(super) struct VariableNames {
    pub(super) used: HashSet<String>,
    /// How many variables with this base name were requested.
    requested: HashMap<String, usize>,
}

impl VariableNames {
    /// Creates a variable name from that of the value, else from what it identifies.
    pub(super) fn allocate(&mut self, value: &ValueCandidate) -> String {
        let of_stem = || value.stems.first().map_or_else(|| "value".to_owned(), |stem| format!("{stem}_id"));
        let is_name = value.name.starts_with(|c: char| c.is_ascii_alphabetic());
        let last = if is_name { value.name.clone() } else { of_stem() };
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
