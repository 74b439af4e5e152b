//! Expectations about responses. Pure evaluation of what was received, without clock or socket.

pub mod explain;

use std::borrow::Cow;
use std::time::Duration;

use super::json::{Duplicates, Json, RawJson, sorted};
use super::pattern::Pattern;
use super::pointer::Pointer;
use super::response::{ResponseView, UnreadBody};
use super::template::{Template, Values};
use crate::value::StatusSet;

/// The conditions for a response to count as ok; all must hold.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Accepted statuses.
    pub status: StatusSet,
    /// Conditions on header fields.
    pub header: Vec<HeaderRule>,
    /// Texts that must or must not be in the body.
    pub body: Vec<BodyRule>,
    /// Patterns that must match in the body.
    pub matches: Vec<Pattern>,
    /// Conditions on values in a JSON body.
    pub json: Vec<JsonRule>,
    /// Maximum service time.
    pub within: Option<Duration>,
    /// Size of the body in bytes, before decoding.
    pub size: Option<SizeRule>,
}

/// A condition on a header field.
#[derive(Clone, Debug)]
pub struct HeaderRule {
    /// The field's name.
    pub name: String,
    /// The condition. If several fields have this name, one match is enough.
    pub condition: HeaderCondition,
}

/// The condition on a header field's value.
#[derive(Clone, Debug)]
pub enum HeaderCondition {
    /// Equal to this value, ignoring surrounding blanks.
    Equals(Template),
    /// Contains this text.
    Contains(Template),
    /// Present (true) or absent (false).
    Exists(bool),
}

/// A text that must be, or must not be, in the body.
#[derive(Clone, Debug)]
pub enum BodyRule {
    /// It must be there.
    Contains(Template),
    /// It must not be there.
    ContainsNot(Template),
}

/// A condition on a value in a JSON body.
#[derive(Clone, Debug)]
pub struct JsonRule {
    /// Where the value is.
    pub at: Pointer,
    /// The condition.
    pub condition: JsonCondition,
}

/// The condition on a value in a JSON body.
#[derive(Clone, Debug)]
pub enum JsonCondition {
    /// Equal to this value; numbers are compared by value.
    Equals(ExpectedJson),
    /// Present (null included) or absent.
    Exists(bool),
}

/// A JSON value to compare with, whose texts may be templates.
#[derive(Clone, Debug)]
pub enum ExpectedJson {
    /// A value without placeholders.
    Value(Json),
    /// A string.
    Text(Template),
    /// A number, true or false produced by a template.
    Number(Template),
    /// An array.
    Array(Vec<Self>),
    /// An object with exactly these members.
    Object(Vec<(String, Self)>),
}

/// Allowed size of a body in bytes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRule {
    /// Minimum.
    pub min: u64,
    /// Maximum.
    pub max: u64,
}

/// The expectation that was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpectationFailure {
    /// The status.
    Status,
    /// A header field.
    Header,
    /// A text is not in the body.
    BodyContains,
    /// A forbidden text is in the body.
    BodyContainsNot,
    /// A pattern does not match in the body.
    BodyMatches,
    /// A value in the JSON body, or the body is not JSON.
    Json,
    /// The response took too long.
    Within,
    /// The body is too long or too short.
    Size,
    /// The body could not be read completely.
    Body(UnreadBody),
    /// The text to compare with needs a value that was never extracted from a response.
    Unset,
}

impl ExpectationFailure {
    /// Short fixed text, for error messages.
    #[must_use]
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::Status => "status",
            Self::Header => "header",
            Self::BodyContains => "body_contains",
            Self::BodyContainsNot => "body_not_contains",
            Self::BodyMatches => "body_matches",
            Self::Json => "json",
            Self::Within => "within",
            Self::Size => "size",
            Self::Body(unread) => return unread.text(),
            Self::Unset => "variable never extracted",
        }
        .into()
    }
}

impl Expect {
    /// Only a condition on the status.
    #[must_use]
    pub fn status(status: StatusSet) -> Self {
        Self { status, ..Self::default() }
    }

    /// Returns whether it needs the head.
    #[must_use]
    pub fn needs_head(&self) -> bool {
        !self.header.is_empty()
    }

    /// Returns whether it needs the body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        !self.body.is_empty() || self.needs_whole_body()
    }

    /// Returns whether it needs the complete body, rather than only scanning it as it arrives.
    #[must_use]
    pub fn needs_whole_body(&self) -> bool {
        !self.json.is_empty() || !self.matches.is_empty()
    }

    /// Returns whether the status is all that it looks at.
    #[must_use]
    pub fn has_only_status(&self) -> bool {
        !self.needs_head() && !self.needs_body() && self.within.is_none() && self.size.is_none()
    }

    /// Judges a response.
    ///
    /// # Errors
    /// The first expectation that is not met.
    pub fn judge(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Result<(), ExpectationFailure> {
        require(self.status.contains(answer.status), ExpectationFailure::Status)?;
        for rule in &self.header {
            require(rule.is_met(answer, values)?, ExpectationFailure::Header)?;
        }
        if self.needs_body() {
            answer.body.map_err(ExpectationFailure::Body)?;
        }
        for (place, rule) in self.body.iter().enumerate() {
            let found = answer.texts.found(place).ok_or(ExpectationFailure::Unset)?;
            match rule {
                BodyRule::Contains(_) => require(found, ExpectationFailure::BodyContains)?,
                BodyRule::ContainsNot(_) => require(!found, ExpectationFailure::BodyContainsNot)?,
            }
        }
        if !self.matches.is_empty() {
            let text = answer.text().unwrap_or_default();
            let is_met = self.matches.iter().all(|pattern| pattern.is_match(&text));
            require(is_met, ExpectationFailure::BodyMatches)?;
        }
        for rule in &self.json {
            require(rule.is_met(answer, values)?, ExpectationFailure::Json)?;
        }
        require(self.within.is_none_or(|limit| answer.service <= limit), ExpectationFailure::Within)?;
        require(self.size.is_none_or(|size| (size.min..=size.max).contains(&answer.size)), ExpectationFailure::Size)
    }
}

const fn require(is_met: bool, trouble: ExpectationFailure) -> Result<(), ExpectationFailure> {
    if is_met { Ok(()) } else { Err(trouble) }
}

fn rendered<'t>(text: &'t Template, values: &mut Values<'_>) -> Result<Cow<'t, [u8]>, ExpectationFailure> {
    if let Some(literal) = text.as_literal() {
        return Ok(literal.into());
    }
    let mut out = Vec::new();
    text.render(values, &mut out).map_err(|_| ExpectationFailure::Unset)?;
    Ok(out.into())
}

impl HeaderRule {
    fn is_met(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Result<bool, ExpectationFailure> {
        let mut fields = answer.fields(&self.name);
        Ok(match &self.condition {
            HeaderCondition::Exists(wanted) => fields.next().is_some() == *wanted,
            HeaderCondition::Equals(text) => {
                let text = rendered(text, values)?;
                fields.any(|value| value == text.trim_ascii())
            }
            HeaderCondition::Contains(text) => {
                let text = rendered(text, values)?;
                text.is_empty() && fields.next().is_some()
                    || fields.any(|value| value.windows(text.len().max(1)).any(|window| window == &*text))
            }
        })
    }
}

impl JsonRule {
    fn is_met(&self, answer: &ResponseView<'_>, values: &mut Values<'_>) -> Result<bool, ExpectationFailure> {
        let Some(document) = answer.json() else { return Ok(false) };
        let found = self.at.find(document);
        match &self.condition {
            JsonCondition::Exists(wanted) => Ok(found.is_some() == *wanted),
            JsonCondition::Equals(wanted) => found.map_or(Ok(false), |found| wanted.matches_raw(found, values)),
        }
    }
}

impl ExpectedJson {
    /// Like [`Wanted::is`], for a part of a response that has not been parsed yet.
    fn matches_raw(&self, found: RawJson<'_>, values: &mut Values<'_>) -> Result<bool, ExpectationFailure> {
        found.parse_tree(Duplicates::LastWins).map_or(Ok(false), |found| self.matches(&found, values))
    }

    fn matches(&self, found: &Json, values: &mut Values<'_>) -> Result<bool, ExpectationFailure> {
        match (self, found) {
            (Self::Value(wanted), found) => Ok(wanted.is_equivalent(found)),
            (Self::Text(text), Json::Text(found)) => Ok(*rendered(text, values)? == *found.as_bytes()),
            (Self::Number(text), Json::Number(_) | Json::Bool(_)) => {
                Ok(Json::parse(&rendered(text, values)?).is_ok_and(|wanted| wanted.is_equivalent(found)))
            }
            (Self::Array(wanted), Json::List(found)) if wanted.len() == found.len() => {
                let mut pairs = wanted.iter().zip(found);
                pairs.try_fold(true, |so_far, (wanted, found)| Ok(so_far && wanted.matches(found, values)?))
            }
            (Self::Object(wanted), Json::Object(found)) if wanted.len() == found.len() => {
                let mut pairs = sorted(wanted).into_iter().zip(sorted(found));
                pairs.try_fold(true, |so_far, ((name, wanted), (found_name, found))| {
                    Ok(so_far && name == found_name && wanted.matches(found, values)?)
                })
            }
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
