//! Text templates: compiled once, rendered for each request. Pure, without clock or socket.

mod counter;
mod encoding;
mod placeholder;
mod time_format;
mod unset;
mod values;
mod variable;

use super::random::Probability;
use crate::secret::MASK;
pub use counter::Counter;
pub use encoding::TextEncoding;
pub(in crate::plan) use encoding::is_json_number;
pub use placeholder::Placeholder;
pub use time_format::TimeFormat;
pub use unset::{RenderError, SlotId};
pub use values::Values;
pub use variable::{MAX_ITEMS, Variable};

/// A text with placeholders.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pieces: Vec<TemplatePart>,
}

#[derive(Clone, Debug)]
struct TemplatePart {
    is_secret: bool,
    content: PartContent,
}

#[derive(Clone, Debug)]
enum PartContent {
    Literal(Vec<u8>),
    Value(Placeholder, TextEncoding),
    Separator(Separator),
    /// The parts up to the matching end are left out, but with this probability.
    OptionalBegin(Probability),
    OptionalEnd,
}

/// What stands between two fields where it depends on chance which is the first that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// A comma between members or items in JSON.
    Comma,
    /// `&` between fields of a form.
    FormField,
    /// `?` before the query of a path, then `&` between its fields.
    Query,
}

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SecretDisplay {
    Shown,
    Masked,
}

impl Template {
    /// A text without placeholders.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut template = Self::default();
        template.push_literal(text.as_bytes(), false);
        template
    }

    /// Appends bytes. A secret is sent like any other text, but shown as `***`.
    pub fn push_literal(&mut self, bytes: &[u8], is_secret: bool) {
        if let Some(TemplatePart { is_secret: before, content: PartContent::Literal(text) }) = self.pieces.last_mut()
            && *before == is_secret
        {
            text.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            self.pieces.push(TemplatePart { is_secret, content: PartContent::Literal(bytes.to_vec()) });
        }
    }

    /// Appends a placeholder.
    pub fn push_placeholder(&mut self, hole: Placeholder, encoding: TextEncoding, is_secret: bool) {
        self.pieces.push(TemplatePart { is_secret, content: PartContent::Value(hole, encoding) });
    }

    /// Appends a separator.
    pub fn push_separator(&mut self, separator: Separator) {
        self.pieces.push(TemplatePart { is_secret: false, content: PartContent::Separator(separator) });
    }

    /// Appends another template.
    pub fn push(&mut self, other: Self) {
        for piece in other.pieces {
            match piece.content {
                PartContent::Literal(bytes) => self.push_literal(&bytes, piece.is_secret),
                _ => self.pieces.push(piece),
            }
        }
    }

    /// Appends another template that is rendered with this probability, and shown always.
    pub fn push_optional(&mut self, chance: Probability, other: Self) {
        self.pieces.push(TemplatePart { is_secret: false, content: PartContent::OptionalBegin(chance) });
        self.push(other);
        self.pieces.push(TemplatePart { is_secret: false, content: PartContent::OptionalEnd });
    }

    /// The same template with all of it marked as secret.
    #[must_use]
    pub fn into_secret(self) -> Self {
        let mut secret = Self::default();
        secret.push(Self { pieces: self.pieces.into_iter().map(|p| TemplatePart { is_secret: true, ..p }).collect() });
        secret
    }

    /// The text if it is a single literal, which needs no rendering.
    #[must_use]
    pub fn as_literal(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(&[]),
            [TemplatePart { content: PartContent::Literal(bytes), .. }] => Some(bytes),
            _ => None,
        }
    }

    /// Length of the literal parts in bytes.
    #[must_use]
    pub fn literal_len(&self) -> usize {
        let length = |piece: &TemplatePart| match &piece.content {
            PartContent::Literal(bytes) => bytes.len(),
            _ => 0,
        };
        self.pieces.iter().map(length).sum()
    }

    /// The text if it has no placeholders.
    #[must_use]
    pub fn fixed(&self) -> Option<Vec<u8>> {
        let literal = |piece: &TemplatePart| match &piece.content {
            PartContent::Literal(bytes) => Some(bytes.clone()),
            _ => None,
        };
        self.pieces.iter().map(literal).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    }

    /// Renders the text with its values.
    ///
    /// # Errors
    /// A value is missing or not allowed; what was written so far must not be used.
    pub fn render(&self, values: &mut Values<'_>, out: &mut Vec<u8>) -> Result<(), RenderError> {
        self.write(values, SecretDisplay::Shown, out)
    }

    /// Like [`Template::render`], but for display: secrets are shown as `***`. Extracted values are written
    /// as given, without encoding, because what is given here only stands for them.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render_masked(&self, values: &mut Values<'_>, out: &mut Vec<u8>) -> Result<(), RenderError> {
        self.write(values, SecretDisplay::Masked, out)
    }

    fn write(&self, values: &mut Values<'_>, secrets: SecretDisplay, out: &mut Vec<u8>) -> Result<(), RenderError> {
        let mut pieces = self.pieces.iter();
        while let Some(piece) = pieces.next() {
            if piece.is_secret && secrets == SecretDisplay::Masked {
                if !out.ends_with(MASK.as_bytes()) {
                    out.extend_from_slice(MASK.as_bytes());
                }
                continue;
            }
            match &piece.content {
                PartContent::Literal(bytes) => out.extend_from_slice(bytes),
                PartContent::Value(hole, _) if secrets == SecretDisplay::Masked && hole.is_extracted() => {
                    hole.write(TextEncoding::Plain, values, out)?;
                }
                PartContent::Value(hole, encoding) => hole.write(*encoding, values, out)?,
                PartContent::Separator(separator) => separator.write(out),
                PartContent::OptionalBegin(chance) => {
                    if secrets == SecretDisplay::Shown && !chance.hits(values.random) {
                        skip_optional(&mut pieces);
                    }
                }
                PartContent::OptionalEnd => {}
            }
        }
        Ok(())
    }
}

impl Separator {
    /// Appends it, unless what follows is the first field.
    fn write(self, out: &mut Vec<u8>) {
        match self {
            // No JSON value ends with an opening bracket.
            Self::Comma if !matches!(out.last(), Some(b'{' | b'[')) => out.push(b','),
            // A form is rendered into a buffer of its own.
            Self::FormField if !out.is_empty() => out.push(b'&'),
            Self::Comma | Self::FormField => {}
            // Values in a path are encoded: a question mark begins the query.
            Self::Query => out.push(if out.contains(&b'?') { b'&' } else { b'?' }),
        }
    }
}

/// Skips the parts up to the end of an optional part whose begin was the last one.
fn skip_optional<'t>(parts: &mut impl Iterator<Item = &'t TemplatePart>) {
    let mut depth = 1_usize;
    for part in parts {
        match part.content {
            PartContent::OptionalBegin(_) => depth += 1,
            PartContent::OptionalEnd => depth -= 1,
            PartContent::Literal(_) | PartContent::Value(..) | PartContent::Separator(_) => {}
        }
        if depth == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
