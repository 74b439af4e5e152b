//! Text templates: compiled once, rendered for each request. Pure, without clock or socket.

mod encoding;
mod unset;
mod variable;

use std::io::Write as _;

use super::data::{DataSource, RowId, SourceId};
use super::random::Random;
use crate::secret::MASK;
pub use encoding::TextEncoding;
pub(in crate::plan) use encoding::is_json_number;
pub use unset::{RenderError, SlotId};
pub use variable::Variable;

/// A text with placeholders.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pieces: Vec<TemplatePart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TemplatePart {
    is_secret: bool,
    content: PartContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PartContent {
    Literal(Vec<u8>),
    Value(Placeholder, TextEncoding),
}

/// The source of a placeholder's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// A variable extracted from a response.
    Slot(SlotId),
    /// A cell of the user's current row.
    Cell(SourceId, u32),
    /// A random whole number in this range, both ends included.
    Random(i64, i64),
    /// A random UUID (RFC 9562 version 4), from the user's own generator.
    Uuid,
    /// Milliseconds since the Unix epoch.
    Now,
    /// The user's number, from 0.
    User,
    /// Number of tasks that the user started before this one.
    Iteration,
}

/// The values for placeholders.
#[derive(Debug)]
pub struct Values<'v> {
    /// The user's variables, by slot.
    pub variables: &'v [Option<Variable>],
    /// Current rows, by source.
    pub rows: &'v [Option<RowId>],
    /// The data sources.
    pub sources: &'v [DataSource],
    /// The user's number, from 0.
    pub user: u32,
    /// Number of tasks that the user started before this one.
    pub iteration: u64,
    /// Milliseconds since the Unix epoch.
    pub now_unix_ms: u64,
    /// The user's own random number generator.
    pub random: &'v mut Random,
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

    /// Appends another template.
    pub fn push(&mut self, other: Self) {
        for piece in other.pieces {
            match piece.content {
                PartContent::Literal(bytes) => self.push_literal(&bytes, piece.is_secret),
                PartContent::Value(..) => self.pieces.push(piece),
            }
        }
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
            PartContent::Value(..) => 0,
        };
        self.pieces.iter().map(length).sum()
    }

    /// The text if it has no placeholders.
    #[must_use]
    pub fn fixed(&self) -> Option<Vec<u8>> {
        let literal = |piece: &TemplatePart| match &piece.content {
            PartContent::Literal(bytes) => Some(bytes.clone()),
            PartContent::Value(..) => None,
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
        for piece in &self.pieces {
            if piece.is_secret && secrets == SecretDisplay::Masked {
                if !out.ends_with(MASK.as_bytes()) {
                    out.extend_from_slice(MASK.as_bytes());
                }
                continue;
            }
            match &piece.content {
                PartContent::Literal(bytes) => out.extend_from_slice(bytes),
                PartContent::Value(hole @ Placeholder::Slot(_), _) if secrets == SecretDisplay::Masked => {
                    hole.write(TextEncoding::Plain, values, out)?;
                }
                PartContent::Value(hole, encoding) => hole.write(*encoding, values, out)?,
            }
        }
        Ok(())
    }
}

impl Placeholder {
    fn write(self, encoding: TextEncoding, values: &mut Values<'_>, out: &mut Vec<u8>) -> Result<(), RenderError> {
        // Generated values consist of digits, hex digits and dashes, which no encoding changes. Writing into
        // a Vec cannot fail.
        match self {
            Self::Slot(slot) => {
                return match values.variables.get(slot.0 as usize).and_then(Option::as_ref) {
                    Some(Variable::Text(text)) => encoding.write(text, out),
                    Some(Variable::List(_)) => unreachable!("the reader refuses a list in the place of one value"),
                    None => Err(RenderError::Slot(slot)),
                };
            }
            Self::Cell(source, column) => {
                let row = values.rows.get(source.0 as usize).copied().flatten();
                let Some(row) = row else { unreachable!("a row of each used source was taken before") };
                return encoding.write(values.sources[source.0 as usize].cell(row, column), out);
            }
            Self::Random(low, high) => drop(write!(out, "{}", whole_number(low, high, values.random))),
            Self::Uuid => write_uuid(values.random, out),
            Self::Now => drop(write!(out, "{}", values.now_unix_ms)),
            Self::User => drop(write!(out, "{}", values.user)),
            Self::Iteration => drop(write!(out, "{}", values.iteration)),
        }
        Ok(())
    }
}

fn whole_number(low: i64, high: i64, random: &mut Random) -> i128 {
    // Like `Random::below`; the range can contain up to 2^64 numbers.
    let span = (i128::from(high) - i128::from(low) + 1).unsigned_abs();
    let product = u128::from(random.bits()) * span;
    i128::from(low) + i128::try_from(product >> 64).unwrap_or(0)
}

fn write_uuid(random: &mut Random, out: &mut Vec<u8>) {
    // RFC 9562 section 5.4: version 4 in bits 48 to 51, variant 10 in bits 64 and 65.
    let high = random.bits() & !0xf000 | 0x4000;
    let low = random.bits() & !(0b11 << 62) | 0b10 << 62;
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    let _ = write!(out, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff);
}

#[cfg(test)]
mod tests;
