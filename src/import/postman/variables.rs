//! Variables of a collection: which value one has where it is used, and what the scenario has in its place.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::{is_true, items, list, member, scalar, text};
use super::super::draft::{DraftVariable, Notes};
use super::super::secrets::SecretVariables;
use super::dynamic;
use super::script::{Effect, VariableScope};
use super::text::Piece;
use crate::plan::json::Json;
use crate::plan::scenario::RESERVED;
use crate::secret::is_secret;

/// Maximum depth of variables whose values mention other variables. Deeper ones go in circles.
const MAX_DEPTH: usize = 20;

/// Maximum length of a text with all values in it: values that mention others twice each grow without bound.
const MAX_LENGTH: usize = 1024 * 1024;

/// The variables of a file, or of the collection.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) rank: VariableScope,
    values: BTreeMap<String, StaticValue>,
}

#[derive(Clone, Debug)]
struct StaticValue {
    text: String,
    is_secret: bool,
}

impl Scope {
    /// Reads a list of variables, each with `key` and `value`.
    pub(super) fn of(rank: VariableScope, variables: &[Json]) -> Self {
        let mut values = BTreeMap::new();
        for variable in variables {
            let is_off = is_true(variable, "disabled") || member(variable, "enabled") == Some(&Json::Bool(false));
            let Some(key) =
                text(variable, "key").or_else(|| text(variable, "id")).filter(|key| !is_off && !key.is_empty())
            else {
                continue;
            };
            let text = match member(variable, "value") {
                None => String::new(),
                Some(value) => scalar(value).unwrap_or_else(|| value.to_string()),
            };
            let is_secret = is_secret(key) || self::text(variable, "type") == Some("secret");
            values.insert(key.to_owned(), StaticValue { text, is_secret });
        }
        Self { rank, values }
    }
}

/// All variables, and those that the scenario has so far.
#[derive(Debug)]
pub(super) struct Variables {
    /// The one that wins first.
    scopes: Vec<Scope>,
    /// Keys that scripts set, and the names of these variables of the user.
    of_user: BTreeMap<String, String>,
    /// Names by scope and key.
    names: BTreeMap<(usize, String), String>,
    taken: BTreeSet<String>,
    written: BTreeMap<String, DraftVariable>,
}

/// Where a text stands: the variables of its folders, and how to report something about it.
pub(super) struct Place<'p, 'j> {
    /// `variable` lists of item and folders, the innermost first.
    pub(super) locals: &'p [&'j Json],
    pub(super) path: &'p str,
    pub(super) vault: &'p mut SecretVariables,
    pub(super) notes: &'p mut Notes,
}

impl Variables {
    /// `scopes` in any order; of several of one rank the later wins.
    pub(super) fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.reverse();
        scopes.sort_by_key(|scope| std::cmp::Reverse(scope.rank));
        let (of_user, names, taken, written) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { scopes, of_user, names, taken, written }
    }

    /// Registers what scripts set: such a variable has other values while the scenario runs.
    pub(super) fn register(&mut self, effects: &[Effect]) {
        for effect in effects {
            let key = match effect {
                Effect::Set(key, scope, _) if !self.is_hidden(key, *scope) => key,
                Effect::Unset(key) => key,
                _ => continue,
            };
            if !self.of_user.contains_key(key) {
                let name = self.free_name(key);
                self.of_user.insert(key.clone(), name);
            }
        }
    }

    /// Whether a variable of a higher scope wins over one that a script sets in `scope`.
    pub(super) fn is_hidden(&self, key: &str, scope: VariableScope) -> bool {
        self.scopes.iter().any(|known| known.rank > scope && known.values.contains_key(key))
    }

    /// The user's variable for a key that scripts set.
    pub(super) fn of_user(&self, key: &str) -> Option<&str> {
        self.of_user.get(key).map(String::as_str)
    }

    /// Variables of the user that have a value before any script sets them: key and name.
    pub(super) fn initial(&self) -> Vec<(String, String)> {
        let has_value =
            |key: &str| self.scopes.iter().any(|scope| scope.values.get(key).is_some_and(|v| !v.text.is_empty()));
        self.of_user.iter().filter(|(key, _)| has_value(key)).map(|(key, name)| (key.clone(), name.clone())).collect()
    }

    /// The value of a variable of the user before any script sets it, as template text.
    pub(super) fn initial_text(&mut self, key: &str, place: &mut Place<'_, '_>) -> String {
        let Some((_, value)) = self.lookup(key, &[]) else { return String::new() };
        let env = value.is_secret.then(|| place.vault.variable(key, &value.text, place.notes)).flatten();
        match env {
            Some(env) => format!("${{env.{env}}}"),
            None => super::text::template(&self.pieces(&value.text, place)),
        }
    }

    /// A text that is a secret: the name of a variable that holds it, in double braces.
    pub(super) fn hidden(&mut self, key: &str, text: &str, place: &mut Place<'_, '_>) -> String {
        let literal = super::text::literal(&self.pieces(text, place));
        let Some(env) = literal.and_then(|literal| place.vault.variable(key, &literal, place.notes)) else {
            return text.to_owned();
        };
        // A key that no collection has.
        let key = format!("\0{env}");
        let id = (usize::MAX, key.clone());
        if !self.names.contains_key(&id) {
            let name = self.free_name(&env);
            self.written.insert(name.clone(), DraftVariable::Environment { env });
            self.names.insert(id, name);
        }
        format!("{{{{{key}}}}}")
    }

    /// The variables for the scenario.
    pub(super) fn into_written(self) -> BTreeMap<String, DraftVariable> {
        self.written
    }

    /// The parts of a text with `{{variables}}`.
    pub(super) fn pieces(&mut self, text: &str, place: &mut Place<'_, '_>) -> Vec<Piece> {
        let mut length = 0;
        self.pieces_within(text, place, 0, &mut length)
    }

    fn pieces_within(&mut self, text: &str, place: &mut Place<'_, '_>, depth: usize, length: &mut usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text;
        *length += text.len();
        while let Some((before, key, after)) = next_variable(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            pieces.extend(self.value(key, place, depth, length));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        pieces
    }

    fn value(&mut self, key: &str, place: &mut Place<'_, '_>, depth: usize, length: &mut usize) -> Vec<Piece> {
        if let Some(name) = self.of_user.get(key) {
            return vec![Piece::Open { name: name.clone(), is_of_user: true }];
        }
        let Some((scope, value)) = self.lookup(key, place.locals) else {
            return vec![self.unresolved(key, place)];
        };
        if depth == MAX_DEPTH || *length > MAX_LENGTH {
            place
                .notes
                .lost(format!("{}: {{{{{key}}}}}: its value mentions itself; it is sent as written", place.path));
            return vec![Piece::Literal(format!("{{{{{key}}}}}"))];
        }
        let pieces = self.pieces_within(&value.text, place, depth + 1, length);
        match super::text::known(&pieces) {
            Some(text) if value.is_secret && text.is_empty() => vec![self.unresolved(key, place)],
            Some(text) => vec![self.known(scope, key, StaticValue { text, ..value }, place)],
            None => pieces,
        }
    }

    /// The scope and value of a variable, innermost scope first.
    fn lookup(&self, key: &str, locals: &[&Json]) -> Option<(usize, StaticValue)> {
        for list in locals {
            if let Some(value) = Scope::of(VariableScope::Local, items(list)).values.remove(key) {
                // Beyond the numbers of the other scopes.
                return Some((self.scopes.len() + std::ptr::from_ref(*list) as usize, value));
            }
        }
        let found = self.scopes.iter().enumerate().find_map(|(at, scope)| Some((at, scope.values.get(key)?)))?;
        Some((found.0, found.1.clone()))
    }

    fn known(&mut self, scope: usize, key: &str, value: StaticValue, place: &mut Place<'_, '_>) -> Piece {
        let id = (scope, key.to_owned());
        let StaticValue { text, is_secret } = value;
        if let Some(name) = self.names.get(&id) {
            return Piece::Known { name: name.clone(), value: text, is_secret };
        }
        // In `variables` every text is literal, but `${` is refused there.
        if text.contains("${") && !is_secret {
            return Piece::Literal(text);
        }
        let name = self.free_name(key);
        let variable = is_secret.then(|| place.vault.variable(key, &text, place.notes)).flatten();
        let is_secret = variable.is_some();
        let written =
            variable.map_or_else(|| DraftVariable::Constant(text.clone()), |env| DraftVariable::Environment { env });
        self.written.insert(name.clone(), written);
        self.names.insert(id, name.clone());
        Piece::Known { name, value: text, is_secret }
    }

    /// What stands for a variable without a value.
    fn unresolved(&mut self, key: &str, place: &mut Place<'_, '_>) -> Piece {
        if let Some(expression) = dynamic::expression(key) {
            return Piece::Template(expression);
        }
        if dynamic::is_dynamic(key) {
            place.notes.lost(format!("{}: {{{{{key}}}}}: not known, a random text is sent in its place", place.path));
            return Piece::Template(dynamic::ANY_TEXT);
        }
        let id = (usize::MAX, key.to_owned());
        if let Some(name) = self.names.get(&id) {
            return Piece::Open { name: name.clone(), is_of_user: false };
        }
        let name = self.free_name(key);
        let env = place.vault.reserve(key);
        place.notes.add(format!(
            "{}: {{{{{key}}}}}: has no value; set {env} to it before the run, or pass its environment with --environment",
            place.path
        ));
        self.written.insert(name.clone(), DraftVariable::Environment { env });
        self.names.insert(id, name.clone());
        Piece::Open { name, is_of_user: false }
    }

    /// A name that a scenario accepts and that is not taken.
    fn free_name(&mut self, key: &str) -> String {
        /// Characters of a key that are used: enough to recognize it by.
        const LONGEST: usize = 64;
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        let front = if key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { "" } else { "_" };
        let name: String = front.chars().chain(key.chars().take(LONGEST).map(plain)).collect();
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let is_free = |name: &String| !self.taken.contains(name) && !RESERVED.contains(&name.as_str());
        let free = std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name);
        self.taken.insert(free.clone());
        free
    }
}

/// The text before the next variable, its key, and the text after it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let end = from + text[from..].find("}}")?;
        // Of several opening braces the last two belong to the variable.
        if let Some(begin) = text[..end].rfind("{{").filter(|begin| *begin >= from) {
            let key = &text[begin + 2..end];
            if !key.is_empty() && !key.contains(['{', '}']) {
                return Some((&text[..begin], key, &text[end + 2..]));
            }
        }
        from = end + 1;
    }
}

/// The `variable` lists of these parts of a collection, the innermost first.
pub(super) fn local_lists<'j>(chain: &[&'j Json]) -> Vec<&'j Json> {
    let has_some = |node: &&&Json| !list(node, "variable").is_empty();
    chain.iter().rev().filter(has_some).filter_map(|node| member(node, "variable")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_between_double_braces() {
        for (text, found) in [
            ("a{{b}}c", Some(("a", "b", "c"))),
            ("{{{b}}}", Some(("{", "b", "}"))),
            ("{{a b}}", Some(("", "a b", ""))),
            ("}}{{x}}", Some(("}}", "x", ""))),
            ("{{}}{{x}}", Some(("{{}}", "x", ""))),
            ("{{a", None),
            ("{{a{b}}", None),
            ("ü{{ü}}ü", Some(("ü", "ü", "ü"))),
        ] {
            assert_eq!(next_variable(text), found, "{text}");
        }
    }
}
