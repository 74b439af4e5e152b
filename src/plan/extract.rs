//! Values extracted from responses for later requests. Pure, without clock or socket.

use std::borrow::Cow;

use memchr::memmem;

use super::html_input;
use super::json::RawJson;
use super::pattern::Pattern;
use super::pointer::PointerPattern;
use super::random::Random;
use super::response::ResponseView;
use super::template::{MAX_ITEMS, SlotId, Variable};
use super::text_search::Captured;

/// A value that is extracted from a response and kept by the user.
#[derive(Debug)]
pub struct Extraction {
    /// The variable's slot.
    pub slot: SlotId,
    /// Where the values are.
    pub from: ExtractFrom,
    /// Which of them is taken.
    pub pick: PickFrom,
    /// The value if the response has none.
    pub default: Option<Variable>,
}

/// The location of values in a response.
#[derive(Debug)]
pub enum ExtractFrom {
    /// Values in a JSON body. Strings are used as they are; everything else as JSON on one line, with digits
    /// and order as in the response; null counts as missing.
    Json(PointerPattern),
    /// The values of the form fields with this name in an HTML body.
    Input(String),
    /// A part of the response outside the body, as it is.
    Field(ResponseField),
    /// The parts between two texts, at their occurrences one after the other.
    Between(TextSource, String, String),
    /// What a group of a regular expression matches; 0 is the whole match.
    Regex(TextSource, Pattern, usize),
}

/// A text that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSource {
    /// The body.
    Body,
    /// Another part of the response.
    Field(ResponseField),
}

/// A part of the response outside the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseField {
    /// The first header field with this name.
    Header(String),
    /// All header fields, one a line.
    Headers,
    /// The user's cookie with this name.
    Cookie(String),
    /// The URL, after redirects.
    Url,
    /// The status.
    Status,
}

/// Which of several values is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickFrom {
    /// The first.
    First,
    /// The last.
    Last,
    /// One at random; all are equally likely.
    Random,
    /// The one with this index, from 0.
    Index(u32),
    /// All, as a list; of more than [`MAX_ITEMS`] the first ones.
    All,
}

impl Extraction {
    /// Returns whether it needs the head.
    #[must_use]
    pub const fn needs_head(&self) -> bool {
        matches!(self.field(), Some(ResponseField::Header(_) | ResponseField::Headers))
    }

    /// Returns whether it needs the URL.
    #[must_use]
    pub const fn needs_url(&self) -> bool {
        matches!(self.field(), Some(ResponseField::Url))
    }

    /// Returns whether it needs the body.
    #[must_use]
    pub const fn needs_body(&self) -> bool {
        match &self.from {
            ExtractFrom::Json(_) | ExtractFrom::Input(_) => true,
            ExtractFrom::Field(_) => false,
            ExtractFrom::Between(source, ..) | ExtractFrom::Regex(source, ..) => matches!(source, TextSource::Body),
        }
    }

    /// Returns whether it needs the complete body, rather than only scanning it as it arrives.
    #[must_use]
    pub const fn needs_whole_body(&self) -> bool {
        self.needs_body() && self.scanned().is_none()
    }

    /// The two texts that the body is scanned for as it arrives, whatever its size.
    #[must_use]
    pub const fn scanned(&self) -> Option<(&String, &String)> {
        match (&self.from, self.pick) {
            (ExtractFrom::Between(TextSource::Body, left, right), PickFrom::First) => Some((left, right)),
            _ => None,
        }
    }

    /// Returns whether it is the status, which even a failed response has.
    #[must_use]
    pub const fn is_status(&self) -> bool {
        matches!(self.from, ExtractFrom::Field(ResponseField::Status))
    }

    const fn field(&self) -> Option<&ResponseField> {
        match &self.from {
            ExtractFrom::Json(_) | ExtractFrom::Input(_) => None,
            ExtractFrom::Field(field) => Some(field),
            ExtractFrom::Between(source, ..) | ExtractFrom::Regex(source, ..) => match source {
                TextSource::Body => None,
                TextSource::Field(field) => Some(field),
            },
        }
    }

    /// Extracts the value, or uses the default; `None` if there is neither. A body that could not be read proves nothing:
    /// then there is no default either.
    #[must_use]
    pub fn extract(&self, answer: &ResponseView<'_>, random: &mut Random) -> Option<Variable> {
        let is_unread = self.needs_body() && answer.body.is_err() || self.is_too_long(answer);
        let default = self.default.as_ref().filter(|_| !is_unread);
        self.found(answer, random).or_else(|| default.cloned())
    }

    /// Returns whether what the body was scanned for is longer than may be kept.
    #[must_use]
    pub fn is_too_long(&self, answer: &ResponseView<'_>) -> bool {
        self.scanned().is_some_and(|(left, right)| answer.texts.captured(left, right) == Captured::TooLong)
    }

    fn found(&self, answer: &ResponseView<'_>, random: &mut Random) -> Option<Variable> {
        if let Some((left, right)) = self.scanned() {
            return match answer.texts.captured(left, right) {
                Captured::Text(found) => answer.body.ok().map(|_| Variable::Text(text(found))),
                Captured::Missing | Captured::TooLong => None,
            };
        }
        match &self.from {
            ExtractFrom::Json(pointers) => {
                let document = answer.json()?;
                let all = || pointers.find_all(document).filter(|value| !value.is_null());
                self.picked(all, |value| json_text(*value), random)
            }
            ExtractFrom::Input(name) => {
                let html = answer.text()?;
                self.picked(|| html_input::values(&html, name), Clone::clone, random)
            }
            ExtractFrom::Field(field) => {
                let value = field.value(answer)?;
                self.picked(|| std::iter::once(&*value), |value| (*value).to_owned(), random)
            }
            ExtractFrom::Between(source, left, right) => {
                let text = source.text(answer)?;
                self.picked(|| between(&text, left, right), |found| (*found).to_owned(), random)
            }
            ExtractFrom::Regex(source, pattern, group) => {
                let text = source.text(answer)?;
                self.picked(|| pattern.matches(&text, *group), |found| (*found).to_owned(), random)
            }
        }
    }

    /// The value or values to take of `all`, which is called again where their number is needed first.
    fn picked<T, I: Iterator<Item = T>>(
        &self,
        all: impl Fn() -> I,
        text: impl Fn(&T) -> String,
        random: &mut Random,
    ) -> Option<Variable> {
        let value = match self.pick {
            PickFrom::First => all().next(),
            PickFrom::Last => all().last(),
            PickFrom::Index(at) => all().nth(at as usize),
            PickFrom::Random => match all().count() {
                0 => None,
                count => all().nth(random.below(count)),
            },
            PickFrom::All => {
                let items: Vec<String> = all().take(MAX_ITEMS).map(|item| text(&item)).collect();
                return (!items.is_empty()).then_some(Variable::List(items.into()));
            }
        };
        value.map(|value| Variable::Text(text(&value)))
    }
}

impl TextSource {
    fn text<'a>(&'a self, answer: &'a ResponseView<'_>) -> Option<Cow<'a, str>> {
        match self {
            Self::Body => answer.text(),
            Self::Field(field) => field.value(answer),
        }
    }
}

impl ResponseField {
    fn value<'a>(&'a self, answer: &'a ResponseView<'_>) -> Option<Cow<'a, str>> {
        match self {
            Self::Header(name) => answer.fields(name).next().map(String::from_utf8_lossy),
            Self::Headers => Some(answer.all_fields()),
            Self::Cookie(name) => (answer.cookie)(name).map(Cow::Owned),
            Self::Url => Some(answer.url.into()),
            Self::Status => Some(answer.status.to_string().into()),
        }
    }
}

/// The text of a string, or other JSON on one line.
fn json_text(value: RawJson<'_>) -> String {
    value.string().unwrap_or_else(|| value.compact())
}

/// The parts between two texts, one after the other. An empty text is found at once.
fn between<'t>(text: &'t str, left: &'t str, right: &'t str) -> impl Iterator<Item = &'t str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = memmem::find(rest.as_bytes(), left.as_bytes())? + left.len();
        let end = begin + memmem::find(&rest.as_bytes()[begin..], right.as_bytes())?;
        let found = &rest[begin..end];
        rest = &rest[end + right.len()..];
        Some(found)
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
