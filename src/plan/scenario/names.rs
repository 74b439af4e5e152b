//! Resolves the names in `${...}`, and compiles the texts that contain them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::functions::{self, Function};
use super::keys::suggestion;
use crate::plan::data::{DataSource, SourceId};
use crate::plan::engine::Environment;
use crate::plan::template::{Placeholder, SlotId, Template, TextEncoding};
use crate::secret::is_secret;

/// Reserved words with a meaning in every scenario, which cannot be used as names.
pub const RESERVED: [&str; 8] = ["env", "iteration", "now", "number", "random", "raw", "user", "uuid"];

/// Maximum number of extracted variables: each user has room for all of them.
const MAX_SLOTS: usize = 10_000;

/// A value that is known when the plan is made.
#[derive(Clone, Debug)]
pub(super) struct KnownValue {
    pub(super) text: String,
    pub(super) is_secret: bool,
}

/// The names that can be used in `${...}`.
#[derive(Debug, Default)]
pub(super) struct ScenarioNames {
    pub(super) environment: Environment,
    pub(super) variables: BTreeMap<String, KnownValue>,
    pub(super) sources: Vec<DataSource>,
    /// Names of the users' variables, by slot.
    pub(super) slots: Vec<String>,
    /// Those of them that are lists.
    pub(super) lists: BTreeSet<SlotId>,
    /// Variables available to the current requests: extracted by an earlier request, or by another task of
    /// the class.
    pub(super) available: BTreeSet<SlotId>,
    /// Sources used since this was last reset.
    pub(super) used_sources: BTreeSet<SourceId>,
    /// Other files that were read: data and bodies.
    pub(super) files: Vec<PathBuf>,
    /// Secret values that requests contain, so that what is shown of these can be masked.
    pub(super) secrets: BTreeSet<String>,
}

/// The result of resolving an expression.
enum Expansion {
    Known(KnownValue),
    Hole(Placeholder, bool),
}

impl ScenarioNames {
    /// Checks that a new variable, source or extraction can have this name.
    pub(super) fn check_new(name: &str) -> Result<(), String> {
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !begins || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return Err(format!("{name:?} is not a valid name; expected a letter, then letters, digits, _ and -"));
        }
        if RESERVED.contains(&name) {
            return Err(format!("{name:?} is a reserved word; choose another name"));
        }
        Ok(())
    }

    /// Returns the slot of a variable that holds one value, adding a new one if necessary.
    pub(super) fn slot(&mut self, name: &str) -> Result<SlotId, String> {
        let (slot, _) = self.any_slot(name)?;
        if self.lists.contains(&slot) {
            return Err("is a list elsewhere in this scenario; choose another name".to_owned());
        }
        Ok(slot)
    }

    /// Returns the slot of a variable that holds a list, adding a new one if necessary.
    pub(super) fn list_slot(&mut self, name: &str) -> Result<SlotId, String> {
        let (slot, is_new) = self.any_slot(name)?;
        if !is_new && !self.lists.contains(&slot) {
            return Err("holds one value elsewhere in this scenario; choose another name".to_owned());
        }
        self.lists.insert(slot);
        Ok(slot)
    }

    /// Returns the slot of this name, and whether it was added now.
    fn any_slot(&mut self, name: &str) -> Result<(SlotId, bool), String> {
        Self::check_new(name)?;
        if self.variables.contains_key(name) {
            return Err("is a variable, which never changes; choose another name".to_owned());
        }
        if self.sources.iter().any(|source| source.name() == name) {
            return Err("is a data source; choose another name".to_owned());
        }
        let known = self.slots.iter().position(|known| known == name);
        if known.is_none() && self.slots.len() >= MAX_SLOTS {
            return Err(format!("a scenario may extract at most {MAX_SLOTS} different values from responses"));
        }
        let at = known.unwrap_or_else(|| {
            self.slots.push(name.to_owned());
            self.slots.len() - 1
        });
        Ok((SlotId(u32::try_from(at).unwrap_or(u32::MAX)), known.is_none()))
    }

    /// Compiles a text for the context given by `encoding`.
    pub(super) fn text(&mut self, text: &str, encoding: TextEncoding) -> Result<Template, String> {
        let mut template = Template::default();
        for token in split_text(text)? {
            match token {
                TextPart::Literal(literal) => push_text(&mut template, literal, encoding.for_literals(), false)?,
                TextPart::Expression(expression) => self.push(&mut template, expression, encoding)?,
            }
        }
        Ok(template)
    }

    /// Compiles a text that is a JSON value: quoted, unless the whole text is `${number(...)}`.
    pub(super) fn json_text(&mut self, text: &str) -> Result<Template, String> {
        let mut template = Template::default();
        if let Some(inner) = whole_number(text) {
            self.push(&mut template, inner, TextEncoding::JsonNumber)?;
            return Ok(template);
        }
        template.push_literal(b"\"", false);
        template.push(self.text(text, TextEncoding::Json)?);
        template.push_literal(b"\"", false);
        Ok(template)
    }

    fn push(&mut self, template: &mut Template, expression: &str, encoding: TextEncoding) -> Result<(), String> {
        let expression = expression.trim();
        if let Some(inner) = call(expression, "raw") {
            return self.push(template, inner, encoding.raw());
        }
        if call(expression, "number").is_some() {
            return Err(format!("${{{expression}}} must be a whole JSON string in \"json\""));
        }
        let named = |why| format!("${{{expression}}}: {why}");
        match self.meaning(expression).map_err(named)? {
            Expansion::Known(known) => {
                if known.is_secret {
                    self.secrets.insert(known.text.clone());
                }
                push_text(template, &known.text, encoding, known.is_secret)
            }
            Expansion::Hole(hole, is_secret) => {
                fits(&hole, encoding).map_err(named)?;
                template.push_placeholder(hole, encoding, is_secret);
                Ok(())
            }
        }
    }

    fn meaning(&mut self, expression: &str) -> Result<Expansion, String> {
        if let Some(function) = functions::of(expression)? {
            return match function {
                Function::Generated(placeholder) => Ok(Expansion::Hole(placeholder, false)),
                Function::OfList(placeholder, name) => self.list(name, placeholder),
            };
        }
        let of_user = match expression {
            "uuid" => Some(Placeholder::Uuid),
            "now" => Some(Placeholder::Now),
            "user" => Some(Placeholder::User),
            "iteration" => Some(Placeholder::Iteration),
            _ => None,
        };
        if let Some(hole) = of_user {
            return Ok(Expansion::Hole(hole, false));
        }
        match expression.split_once('.') {
            Some(("env", name)) => self.of_environment(name).map(Expansion::Known),
            Some((source, column)) => self.cell(source, column),
            None => self.value(expression),
        }
    }

    /// The value of a function of the list called `name`.
    fn list(&self, name: &str, placeholder: fn(SlotId) -> Placeholder) -> Result<Expansion, String> {
        let Some(slot) = self.known_slot(name) else {
            let lists = self.lists.iter().map(|slot| self.slots[slot.0 as usize].as_str());
            return Err(format!("there is no list {name:?}{}", suggestion(name, lists)));
        };
        if !self.lists.contains(&slot) {
            return Err(format!("{name:?} is not a list but one value; write ${{{name}}}"));
        }
        if !self.available.contains(&slot) {
            return Err(NOT_BEFORE.to_owned());
        }
        Ok(Expansion::Hole(placeholder(slot), is_secret(name)))
    }

    pub(super) fn known_slot(&self, name: &str) -> Option<SlotId> {
        let at = self.slots.iter().position(|slot| slot == name)?;
        u32::try_from(at).ok().map(SlotId)
    }

    fn of_environment(&self, name: &str) -> Result<KnownValue, String> {
        let value = self.environment.get(name);
        let text = value.cloned().ok_or_else(|| format!("the environment variable {name} is not set"))?;
        Ok(KnownValue { text, is_secret: true })
    }

    fn cell(&mut self, source: &str, column: &str) -> Result<Expansion, String> {
        let Some(at) = self.sources.iter().position(|known| known.name() == source) else {
            let why = suggestion(source, self.sources.iter().map(DataSource::name).chain(["env"]));
            return Err(format!("there is no data source {source:?}{why}"));
        };
        let columns = self.sources[at].columns();
        let Some(place) = columns.iter().position(|known| known == column) else {
            let why = suggestion(column, columns.iter().map(String::as_str));
            return Err(format!("{source} has no column {column:?}{why}"));
        };
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let id = SourceId(number(at));
        self.used_sources.insert(id);
        Ok(Expansion::Hole(Placeholder::Cell(id, number(place)), is_secret(column)))
    }

    fn value(&mut self, name: &str) -> Result<Expansion, String> {
        if let Some(known) = self.variables.get(name) {
            return Ok(Expansion::Known(known.clone()));
        }
        if let Some(slot) = self.known_slot(name) {
            if self.lists.contains(&slot) {
                return Err(format!("is a list; write ${{pick({name})}}, ${{first({name})}} or ${{count({name})}}"));
            }
            if self.available.contains(&slot) {
                return Ok(Expansion::Hole(Placeholder::Slot(slot), is_secret(name)));
            }
            return Err(NOT_BEFORE.to_owned());
        }
        if let Some(source) = self.sources.iter().find(|source| source.name() == name) {
            return match source.columns() {
                [column] => self.cell(name, &column.clone()),
                _ => Err(format!("is a data source; name a column, as in ${{{name}.COLUMN}}")),
            };
        }
        // A scenario may have names of its own like these.
        match name {
            "counter" => Ok(Expansion::Hole(Placeholder::Counter, false)),
            "status" => Ok(Expansion::Hole(Placeholder::Status, false)),
            _ => {
                let known = self.variables.keys().chain(&self.slots).map(String::as_str);
                let known = known.chain(RESERVED).chain(["counter", "status"]);
                Err(format!("unknown name{}", suggestion(name, known)))
            }
        }
    }
}

const NOT_BEFORE: &str = "no request before this one extracts it from a response";

/// Checks the parts of a text that do not depend on the meaning of names.
pub(super) fn check(text: &str, encoding: TextEncoding) -> Result<(), String> {
    let literal = |token| if let TextPart::Literal(literal) = token { Some(literal) } else { None };
    let mut literals = split_text(text)?.into_iter().filter_map(literal);
    literals.try_for_each(|literal| push_text(&mut Template::default(), literal, encoding.for_literals(), false))
}

/// Appends text that is known now.
fn push_text(template: &mut Template, text: &str, encoding: TextEncoding, is_secret: bool) -> Result<(), String> {
    let mut written = Vec::with_capacity(text.len());
    encoding.write(text, &mut written).map_err(|_| match encoding {
        TextEncoding::JsonNumber if is_secret => "is not a number".to_owned(),
        TextEncoding::JsonNumber => format!("{text:?} is not a number"),
        _ => "has a control character, which is not allowed in a header field".to_owned(),
    })?;
    template.push_literal(&written, is_secret);
    Ok(())
}

/// The `x` in `name(x)`.
fn call<'t>(expression: &'t str, name: &str) -> Option<&'t str> {
    expression.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')').map(str::trim)
}

/// Returns whether a text produces a bare JSON number.
pub(super) fn is_number(text: &str) -> bool {
    whole_number(text).is_some()
}

/// The `x` if a text consists of `${number(x)}` only.
fn whole_number(text: &str) -> Option<&str> {
    let expression = text.strip_prefix("${")?.strip_suffix('}')?;
    if expression.contains('}') { None } else { call(expression.trim(), "number") }
}

/// Checks that a value can stand in this context, as far as that is known now.
fn fits(placeholder: &Placeholder, encoding: TextEncoding) -> Result<(), String> {
    match placeholder {
        Placeholder::Choice(texts) => {
            texts.iter().try_for_each(|text| push_text(&mut Template::default(), text, encoding, false))
        }
        Placeholder::Uuid | Placeholder::Letters(_) | Placeholder::Hex(_) if encoding == TextEncoding::JsonNumber => {
            Err("is not a number".to_owned())
        }
        _ => Ok(()),
    }
}

/// A text that stands in places where no `${...}` is expanded: it may have none. `$${` is a literal `${`.
pub(super) fn fixed_text(text: &str, place: &str) -> Result<String, String> {
    let parts = split_text(text)?;
    parts.iter().try_fold(String::new(), |so_far, part| match part {
        TextPart::Literal(literal) => Ok(so_far + literal),
        TextPart::Expression(expression) => {
            Err(format!("${{{expression}}} is not expanded in {place}; a literal ${{ is written $${{"))
        }
    })
}

/// A part of a text as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextPart<'t> {
    Literal(&'t str),
    /// The text between `${` and `}`.
    Expression(&'t str),
}

/// Splits a text into its parts; `$${` is a literal `${`.
pub(super) fn split_text(text: &str) -> Result<Vec<TextPart<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            // The first dollar of `$${` is dropped, and the rest is literal text.
            tokens.push(TextPart::Literal(&rest[..at - 1]));
            tokens.push(TextPart::Literal("${"));
            rest = &rest[at + 2..];
            continue;
        }
        tokens.push(TextPart::Literal(&rest[..at]));
        let inside = &rest[at + 2..];
        let Some(end) = inside.find('}') else {
            return Err("a ${ has no closing brace (a literal ${ is written $${)".to_owned());
        };
        tokens.push(TextPart::Expression(&inside[..end]));
        rest = &inside[end + 1..];
    }
    tokens.push(TextPart::Literal(rest));
    Ok(tokens.into_iter().filter(|token| *token != TextPart::Literal("")).collect())
}

#[cfg(test)]
mod tests;
