//! Which answers are wanted. Pure: judged over what came, no clock, no socket.

use std::borrow::Cow;
use std::time::Duration;

use super::answer::{AnswerView, Unread};
use super::json::{Json, Raw, Twice, sorted};
use super::pointer::Pointer;
use super::template::{Template, Values};
use crate::value::StatusSet;

/// What an answer must be to be ok: all of it.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Statuses.
    pub status: StatusSet,
    /// Header fields.
    pub header: Vec<HeaderRule>,
    /// Texts in the body.
    pub body: Vec<BodyRule>,
    /// Places in a JSON body.
    pub json: Vec<JsonRule>,
    /// Longest service time.
    pub within: Option<Duration>,
    /// Bytes of the body, before decoding.
    pub size: Option<SizeRule>,
}

/// What a header field must be.
#[derive(Clone, Debug)]
pub struct HeaderRule {
    /// The field's name.
    pub name: String,
    /// What is wanted of it. Of several fields of the name one is enough.
    pub want: HeaderWant,
}

/// What is wanted of a header field.
#[derive(Clone, Debug)]
pub enum HeaderWant {
    /// This value, blanks around it aside.
    Equals(Template),
    /// This text in it.
    Contains(Template),
    /// It is there, or is not.
    Exists(bool),
}

/// A text that must be in the body, or must not be.
#[derive(Clone, Debug)]
pub enum BodyRule {
    /// It must be there.
    Contains(Template),
    /// It must not be there.
    ContainsNot(Template),
}

/// What must stand at a place of a JSON body.
#[derive(Clone, Debug)]
pub struct JsonRule {
    /// The place.
    pub at: Pointer,
    /// What is wanted there.
    pub want: JsonWant,
}

/// What is wanted at a place of a JSON body.
#[derive(Clone, Debug)]
pub enum JsonWant {
    /// This value; numbers are the same when they mean the same.
    Equals(Wanted),
    /// Something is there (null too), or nothing.
    Exists(bool),
}

/// A JSON value to compare with, its texts with holes.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One without holes.
    Value(Json),
    /// A string.
    Text(Template),
    /// A number made of a text.
    Number(Template),
    /// An array.
    Array(Vec<Self>),
    /// An object: these members and no others.
    Object(Vec<(String, Self)>),
}

/// Bytes of a body, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRule {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

/// Which expectation was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpectTrouble {
    /// The status.
    Status,
    /// A header field.
    Header,
    /// A text is not in the body.
    BodyContains,
    /// A text is in the body that must not be.
    BodyContainsNot,
    /// A place of the JSON body, or it is no JSON.
    Json,
    /// It took too long.
    Within,
    /// The body is too long or too short.
    Size,
    /// The body was not looked at whole.
    Body(Unread),
    /// The text to compare with needs a value that was never taken from an answer.
    Unset,
}

impl ExpectTrouble {
    /// Short fixed text, for errors.
    #[must_use]
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::Status => "status",
            Self::Header => "header",
            Self::BodyContains => "body_contains",
            Self::BodyContainsNot => "body_not_contains",
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
    /// Only statuses.
    #[must_use]
    pub fn status(status: StatusSet) -> Self {
        Self { status, ..Self::default() }
    }

    /// Whether it looks at the head.
    #[must_use]
    pub fn needs_head(&self) -> bool {
        !self.header.is_empty()
    }

    /// Whether it looks at the body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        !self.body.is_empty() || self.needs_whole_body()
    }

    /// Whether it looks at the body as a whole, not only while it passes.
    #[must_use]
    pub fn needs_whole_body(&self) -> bool {
        !self.json.is_empty()
    }

    /// Judges an answer.
    ///
    /// # Errors
    /// The first expectation that it does not meet.
    pub fn judge(&self, answer: &AnswerView<'_>, values: &mut Values<'_>) -> Result<(), ExpectTrouble> {
        met(self.status.contains(answer.status), ExpectTrouble::Status)?;
        for rule in &self.header {
            met(rule.is_met(answer, values)?, ExpectTrouble::Header)?;
        }
        if self.needs_body() {
            answer.body.map_err(ExpectTrouble::Body)?;
        }
        for (place, rule) in self.body.iter().enumerate() {
            let found = answer.texts.found(place).ok_or(ExpectTrouble::Unset)?;
            match rule {
                BodyRule::Contains(_) => met(found, ExpectTrouble::BodyContains)?,
                BodyRule::ContainsNot(_) => met(!found, ExpectTrouble::BodyContainsNot)?,
            }
        }
        for rule in &self.json {
            met(rule.is_met(answer, values)?, ExpectTrouble::Json)?;
        }
        met(self.within.is_none_or(|limit| answer.service <= limit), ExpectTrouble::Within)?;
        met(self.size.is_none_or(|size| (size.min..=size.max).contains(&answer.size)), ExpectTrouble::Size)
    }
}

const fn met(is_met: bool, trouble: ExpectTrouble) -> Result<(), ExpectTrouble> {
    if is_met { Ok(()) } else { Err(trouble) }
}

fn rendered<'t>(text: &'t Template, values: &mut Values<'_>) -> Result<Cow<'t, [u8]>, ExpectTrouble> {
    if let Some(literal) = text.as_literal() {
        return Ok(literal.into());
    }
    let mut out = Vec::new();
    text.render(values, &mut out).map_err(|_| ExpectTrouble::Unset)?;
    Ok(out.into())
}

impl HeaderRule {
    fn is_met(&self, answer: &AnswerView<'_>, values: &mut Values<'_>) -> Result<bool, ExpectTrouble> {
        let mut fields = answer.fields(&self.name);
        Ok(match &self.want {
            HeaderWant::Exists(wanted) => fields.next().is_some() == *wanted,
            HeaderWant::Equals(text) => {
                let text = rendered(text, values)?;
                fields.any(|value| value == text.trim_ascii())
            }
            HeaderWant::Contains(text) => {
                let text = rendered(text, values)?;
                text.is_empty() && fields.next().is_some()
                    || fields.any(|value| value.windows(text.len().max(1)).any(|window| window == &*text))
            }
        })
    }
}

impl JsonRule {
    fn is_met(&self, answer: &AnswerView<'_>, values: &mut Values<'_>) -> Result<bool, ExpectTrouble> {
        let Some(document) = answer.json() else { return Ok(false) };
        let found = self.at.find(document);
        match &self.want {
            JsonWant::Exists(wanted) => Ok(found.is_some() == *wanted),
            JsonWant::Equals(wanted) => found.map_or(Ok(false), |found| wanted.is_raw(found, values)),
        }
    }
}

impl Wanted {
    /// As [`Wanted::is`], of a part of an answer that is not taken apart yet.
    fn is_raw(&self, found: Raw<'_>, values: &mut Values<'_>) -> Result<bool, ExpectTrouble> {
        found.tree(Twice::LastCounts).map_or(Ok(false), |found| self.is(&found, values))
    }

    fn is(&self, found: &Json, values: &mut Values<'_>) -> Result<bool, ExpectTrouble> {
        match (self, found) {
            (Self::Value(wanted), found) => Ok(wanted.means(found)),
            (Self::Text(text), Json::Text(found)) => Ok(*rendered(text, values)? == *found.as_bytes()),
            (Self::Number(text), Json::Number(found)) => {
                let wanted = Json::parse(&rendered(text, values)?);
                Ok(wanted.is_ok_and(|wanted| matches!(wanted, Json::Number(wanted) if wanted.is_same(found))))
            }
            (Self::Array(wanted), Json::List(found)) if wanted.len() == found.len() => {
                let mut pairs = wanted.iter().zip(found);
                pairs.try_fold(true, |so_far, (wanted, found)| Ok(so_far && wanted.is(found, values)?))
            }
            (Self::Object(wanted), Json::Object(found)) if wanted.len() == found.len() => {
                let mut pairs = sorted(wanted).into_iter().zip(sorted(found));
                pairs.try_fold(true, |so_far, ((name, wanted), (found_name, found))| {
                    Ok(so_far && name == found_name && wanted.is(found, values)?)
                })
            }
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
