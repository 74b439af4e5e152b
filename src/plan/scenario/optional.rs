//! Fields that are sent by chance, and what stands between fields.

use super::functions;
use super::keys;
use super::reader::Node;
use crate::error::Result;
use crate::plan::json::Json;
use crate::plan::random::Probability;
use crate::plan::template::{Separator, Template};

/// What separates the fields of a list: literal text after a field that is always there, and decided for each request
/// before that.
pub(super) struct Separators {
    first: &'static str,
    next: &'static str,
    undecided: Separator,
    /// Whether a field before is always sent.
    follows_field: bool,
    /// Whether a field before may be sent.
    may_follow: bool,
}

impl Separators {
    /// Between members or items in JSON.
    pub(super) const JSON: Self = Self::of("", ",", Separator::Comma);

    /// Between the fields of a form.
    pub(super) const FORM: Self = Self::of("", "&", Separator::FormField);

    /// Before and between the fields that are added to a path, which may have a query of its own.
    pub(super) const fn query(has_query: bool) -> Self {
        Self { follows_field: has_query, ..Self::of("?", "&", Separator::Query) }
    }

    const fn of(first: &'static str, next: &'static str, undecided: Separator) -> Self {
        Self { first, next, undecided, follows_field: false, may_follow: false }
    }

    /// Appends a field, which is sent always or with a probability.
    pub(super) fn push(&mut self, out: &mut Template, chance: Option<Probability>, field: Template) {
        let mut whole = Template::default();
        match (self.follows_field, self.may_follow) {
            (true, _) => whole.push_literal(self.next.as_bytes(), false),
            (false, true) => whole.push_separator(self.undecided),
            (false, false) => whole.push_literal(self.first.as_bytes(), false),
        }
        whole.push(field);
        self.may_follow = true;
        self.follows_field |= chance.is_none();
        if let Some(chance) = chance {
            out.push_optional(chance, whole);
        } else {
            out.push(whole);
        }
    }
}

/// Reads a member or item of `json`: `{"${optional(0.5)}": value}` is sent with that probability. No data can look like
/// that: a name that begins with `${` is written `$${`.
pub(super) fn in_json<'j>(node: &Node<'_>, value: &'j Json) -> Result<(Option<Probability>, &'j Json)> {
    let Json::Object(members) = value else { return Ok((None, value)) };
    let Some(arguments) = members.iter().find_map(|(name, _)| arguments(name)) else { return Ok((None, value)) };
    let [(_, inner)] = &**members else {
        return Err(node.refused("${optional(...)} must be the only member of its object, whose value is sent or not"));
    };
    let chance =
        functions::chance(arguments).map_err(|why| node.refused(format!("${{optional({arguments})}}: {why}")))?;
    if let Json::Object(members) = inner
        && members.iter().any(|(name, _)| self::arguments(name).is_some())
    {
        return Err(node.refused("${optional(...)} is inside another one"));
    }
    Ok((Some(chance), inner))
}

/// The `0.5` in `${optional(0.5)}`.
fn arguments(name: &str) -> Option<&str> {
    let inside = name.trim().strip_prefix("${")?.strip_suffix('}')?.trim();
    let arguments = inside.strip_prefix("optional")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    Some(arguments.trim())
}

/// Reads a field of `form` or `query`: its value, or `{"value": "x", "optional": 0.5}`.
pub(super) fn field<'j>(node: &Node<'j>) -> Result<(Option<Probability>, Node<'j>)> {
    if !matches!(node.value(), Json::Object(_)) {
        return Ok((None, node.clone()));
    }
    let object = node.object(&keys::OPTIONAL_FIELD)?;
    let value = object.need("value")?;
    let optional = object.need("optional")?;
    let chance = Probability::new(optional.number()?).map_err(|why| optional.refused(why))?;
    Ok((Some(chance), value))
}
