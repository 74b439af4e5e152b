//! Names of variables in the scenario.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::scenario::RESERVED;

/// Gives each thing a name of its own, close to the one that it has in the locustfile.
#[derive(Debug, Default)]
pub(super) struct Names {
    used: BTreeSet<String>,
    /// By a scope and the name in it.
    known: BTreeMap<(String, String), String>,
}

impl Names {
    /// The name of a thing, always the same.
    pub(super) fn of(&mut self, scope: &str, name: &str) -> String {
        let key = (scope.to_owned(), name.to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let fresh = self.fresh(name);
        self.known.insert(key, fresh.clone());
        fresh
    }

    /// A name that nothing has.
    pub(super) fn fresh(&mut self, name: &str) -> String {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut base: String = name.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(64).collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            base.insert(0, '_');
        }
        let is_free = |name: &String| {
            !self.used.contains(name) && !RESERVED.contains(&name.as_str()) && name != "counter" && name != "status"
        };
        let mut numbered = (2_u32..).map(|number| format!("{base}_{number}"));
        let name = if is_free(&base) { base.clone() } else { numbered.find(is_free).unwrap_or(base.clone()) };
        self.used.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_differ() {
        let mut names = Names::default();
        assert_eq!(names.of("a", "user"), "user_2", "a reserved word");
        assert_eq!([names.of("f", "id"), names.of("g", "id"), names.of("f", "id")], ["id", "id_2", "id"]);
        assert_eq!(names.fresh("1 ü"), "_1__");
    }
}
