//! Marks in words for what is not literal text: variables of the shell, and bytes that are not UTF-8.
//!
//! A word stays a string, which can be split at `=` and `:` like any other. The marks are characters that Unicode reserves
//! for such internal use (noncharacters), and input that has them is refused.

use super::draft::escape_template;
use crate::plan::percent;

const VARIABLE: char = '\u{fdd0}';
const ENCODED_VARIABLE: char = '\u{fdd1}';
const END: char = '\u{fdd2}';
const BYTE: char = '\u{fdd3}';

/// Returns whether a text has characters that are used as marks.
pub(super) fn has_any(text: &str) -> bool {
    text.contains([VARIABLE, ENCODED_VARIABLE, END, BYTE])
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The value of an environment variable, as it is.
    Variable(&'t str),
    /// The value of an environment variable, encoded as in a form.
    EncodedVariable(&'t str),
    /// A byte that is not UTF-8.
    Byte(u8),
}

/// The parts of a text.
pub(super) fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(at) = text.find([VARIABLE, ENCODED_VARIABLE, BYTE]) {
        if at > 0 {
            pieces.push(Piece::Text(&text[..at]));
        }
        let mark = &text[at..at + BYTE.len_utf8()];
        let rest = &text[at + BYTE.len_utf8()..];
        if mark.starts_with(BYTE) {
            let byte = rest.chars().next().unwrap_or_default();
            pieces.push(Piece::Byte(u8::try_from(u32::from(byte)).unwrap_or_default()));
            text = &rest[byte.len_utf8().min(rest.len())..];
            continue;
        }
        let (name, after) = rest.split_once(END).unwrap_or((rest, ""));
        pieces.push(if mark.starts_with(VARIABLE) { Piece::Variable(name) } else { Piece::EncodedVariable(name) });
        text = after;
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// Appends a variable to a word.
pub(super) fn push_variable(word: &mut String, name: &str) {
    word.extend([VARIABLE]);
    word.push_str(name);
    word.push(END);
}

/// Appends bytes to a word; those that are not UTF-8 are marked.
pub(super) fn push_bytes(word: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        word.push_str(chunk.valid());
        for byte in chunk.invalid() {
            word.extend([BYTE, char::from(*byte)]);
        }
    }
}

/// Returns whether a text has a variable.
pub(super) fn has_variable(text: &str) -> bool {
    text.contains([VARIABLE, ENCODED_VARIABLE])
}

/// Returns whether a text has a byte that is not UTF-8.
pub(super) fn has_byte(text: &str) -> bool {
    text.contains(BYTE)
}

/// The text as a template of a scenario. Bytes that are not UTF-8, which it cannot have, are replaced.
pub(super) fn template(text: &str) -> String {
    let part = |piece| match piece {
        Piece::Text(text) => escape_template(text),
        Piece::Variable(name) | Piece::EncodedVariable(name) => format!("${{env.{name}}}"),
        Piece::Byte(_) => char::REPLACEMENT_CHARACTER.to_string(),
    };
    pieces(text).into_iter().map(part).collect()
}

/// The text as a template of a path or query, where curl encodes nothing but what is beyond ASCII.
pub(super) fn target_template(text: &str) -> String {
    let part = |piece| match piece {
        Piece::Text(text) => escape_template(&beyond_ascii_encoded(text)),
        Piece::Variable(name) => format!("${{raw(env.{name})}}"),
        Piece::EncodedVariable(name) => format!("${{env.{name}}}"),
        Piece::Byte(byte) => format!("%{byte:02x}"),
    };
    pieces(text).into_iter().map(part).collect()
}

/// As curl does it: in lower case.
fn beyond_ascii_encoded(text: &str) -> String {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or_default();
    let encoded = |byte: u8| {
        let whole = [Some('%'), Some(digit(byte >> 4)), Some(digit(byte & 15))];
        if byte.is_ascii() { [Some(char::from(byte)), None, None] } else { whole }
    };
    text.bytes().flat_map(encoded).flatten().collect()
}

/// The text encoded as in a form, where a blank is a plus; variables are encoded when they are sent.
pub(super) fn form_encoded(text: &str) -> String {
    let part = |piece| match piece {
        Piece::Text(text) => percent::encode(text, percent::COMPONENT).to_string().replace("%20", "+"),
        Piece::Variable(name) | Piece::EncodedVariable(name) => format!("{ENCODED_VARIABLE}{name}{END}"),
        Piece::Byte(byte) => format!("%{byte:02X}"),
    };
    pieces(text).into_iter().map(part).collect()
}

/// The bytes of a text; `None` if a variable is part of it.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Byte(byte) => bytes.push(byte),
            Piece::Variable(_) | Piece::EncodedVariable(_) => return None,
        }
    }
    Some(bytes)
}

/// The text for a message: variables as the shell has them.
pub(super) fn shown(text: &str) -> String {
    let part = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Variable(name) | Piece::EncodedVariable(name) => format!("${name}"),
        Piece::Byte(byte) => format!("\\x{byte:02x}"),
    };
    pieces(text).into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_literal_text_is_written_as_each_place_needs_it() {
        let mut word = "a ${é".to_owned();
        push_variable(&mut word, "ID");
        push_bytes(&mut word, b"\xffz\xc3\xa9");
        assert_eq!(template(&word), "a $${é${env.ID}\u{fffd}zé");
        assert_eq!(target_template(&word), "a $${%c3%a9${raw(env.ID)}%ffz%c3%a9");
        assert_eq!(shown(&word), "a ${é$ID\\xffzé");
        assert_eq!((has_any(&word), has_variable(&word), has_byte(&word), bytes(&word)), (true, true, true, None));
        let encoded = form_encoded(&word);
        assert_eq!(template(&encoded), "a+%24%7B%C3%A9${env.ID}%FFz%C3%A9");
        assert_eq!(pieces(&encoded)[1], Piece::EncodedVariable("ID"));
        let mut bytes_only = "a".to_owned();
        push_bytes(&mut bytes_only, b"\xff");
        assert_eq!(bytes(&bytes_only).unwrap(), b"a\xff");
    }
}
