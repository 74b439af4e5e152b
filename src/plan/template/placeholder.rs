//! The placeholders of a template, and how each is filled.

use std::io::Write as _;

use super::encoding::TextEncoding;
use super::time_format::TimeFormat;
use super::unset::{RenderError, SlotId};
use super::values::Values;
use super::variable::Variable;
use crate::plan::data::SourceId;
use crate::plan::random::{Probability, Random};

/// The source of a placeholder's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Placeholder {
    /// A variable extracted from a response.
    Slot(SlotId),
    /// A random item of a list.
    PickOf(SlotId),
    /// The first item of a list.
    FirstOf(SlotId),
    /// The number of items of a list; 0 if it was never made.
    CountOf(SlotId),
    /// A cell of the user's current row.
    Cell(SourceId, u32),
    /// A random whole number in this range, both ends included.
    Random(i64, i64),
    /// One of these texts, each equally likely.
    Choice(Box<[Box<str>]>),
    /// `true` with this probability, else `false`.
    Chance(Probability),
    /// So many random lower-case letters.
    Letters(u32),
    /// So many random hexadecimal digits.
    Hex(u32),
    /// A random UUID (RFC 9562 version 4), from the user's own generator.
    Uuid,
    /// A number that no other request gets.
    Counter,
    /// Milliseconds since the Unix epoch.
    Now,
    /// The time in a format, perhaps some time from now.
    Time(Box<TimeFormat>),
    /// The user's number, from 0.
    User,
    /// Number of tasks that the user started before this one.
    Iteration,
    /// Status of the user's last response.
    Status,
}

impl Placeholder {
    /// Appends the value.
    ///
    /// # Errors
    /// It is missing or not allowed in this context.
    pub(super) fn write(
        &self,
        encoding: TextEncoding,
        values: &mut Values<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        // Generated values consist of letters, digits and dashes, which no encoding changes. Writing into a Vec cannot
        // fail.
        match self {
            Self::Slot(slot) | Self::FirstOf(slot) => return encoding.write(item(values.variables, *slot, 0)?, out),
            Self::PickOf(slot) => {
                let at = values.random.below(items(values.variables, *slot).len().max(1));
                return encoding.write(item(values.variables, *slot, at)?, out);
            }
            Self::CountOf(slot) => drop(write!(out, "{}", items(values.variables, *slot).len())),
            Self::Cell(source, column) => {
                let row = values.rows.get(source.0 as usize).copied().flatten();
                let Some(row) = row else { unreachable!("a row of each used source was taken before") };
                return encoding.write(values.sources[source.0 as usize].cell(row, *column), out);
            }
            Self::Random(low, high) => drop(write!(out, "{}", whole_number(*low, *high, values.random))),
            Self::Choice(texts) => return encoding.write(&texts[values.random.below(texts.len())], out),
            Self::Chance(chance) => out.extend_from_slice(if chance.hits(values.random) { b"true" } else { b"false" }),
            Self::Letters(count) => (0..*count).for_each(|_| out.push(letter(values.random))),
            Self::Hex(count) => write_hex(*count, values.random, out),
            Self::Uuid => write_uuid(values.random, out),
            Self::Counter => drop(write!(out, "{}", values.counter.take())),
            Self::Now => drop(write!(out, "{}", values.now_unix_ms)),
            Self::Time(format) => return format.write(values.now_unix_ms, encoding, out),
            Self::User => drop(write!(out, "{}", values.user)),
            Self::Iteration => drop(write!(out, "{}", values.iteration)),
            Self::Status => drop(write!(out, "{}", values.status)),
        }
        Ok(())
    }

    /// Returns whether the value came from a response.
    pub(super) const fn is_extracted(&self) -> bool {
        matches!(self, Self::Slot(_) | Self::PickOf(_) | Self::FirstOf(_))
    }
}

/// The items of a variable; one value is a list of one.
fn items(variables: &[Option<Variable>], slot: SlotId) -> &[String] {
    match variables.get(slot.0 as usize) {
        Some(Some(Variable::List(items))) => items,
        Some(Some(Variable::Text(text))) => std::slice::from_ref(text),
        Some(None) | None => &[],
    }
}

fn item(variables: &[Option<Variable>], slot: SlotId, at: usize) -> Result<&str, RenderError> {
    let is_set = variables.get(slot.0 as usize).is_some_and(Option::is_some);
    let missing = if is_set { RenderError::EmptyList(slot) } else { RenderError::Slot(slot) };
    items(variables, slot).get(at).map(String::as_str).ok_or(missing)
}

fn whole_number(low: i64, high: i64, random: &mut Random) -> i128 {
    // Like `Random::below`; the range can contain up to 2^64 numbers.
    let span = (i128::from(high) - i128::from(low) + 1).unsigned_abs();
    let product = u128::from(random.bits()) * span;
    i128::from(low) + i128::try_from(product >> 64).unwrap_or(0)
}

fn letter(random: &mut Random) -> u8 {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    LETTERS[random.below(LETTERS.len())]
}

fn write_hex(count: u32, random: &mut Random, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    /// Hexadecimal digits of 64 bits.
    const AT_ONCE: u32 = 16;
    let mut bits = 0;
    for place in 0..count {
        bits = if place % AT_ONCE == 0 { random.bits() } else { bits << 4 };
        out.push(DIGITS[usize::try_from(bits >> 60).unwrap_or(0)]);
    }
}

fn write_uuid(random: &mut Random, out: &mut Vec<u8>) {
    // RFC 9562 section 5.4: version 4 in bits 48 to 51, variant 10 in bits 64 and 65.
    let high = random.bits() & !0xf000 | 0x4000;
    let low = random.bits() & !(0b11 << 62) | 0b10 << 62;
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    let _ = write!(out, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff);
}
