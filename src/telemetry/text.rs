//! Texts from users and servers, shortened so that a line stays within its 4096 bytes.

use std::borrow::Cow;

use crate::plan::random::seed_of;

/// Maximum bytes of a name or an error text, as JSON.
pub const MAX_NAME: usize = 512;

/// Maximum bytes of a method.
pub const MAX_METHOD: usize = 32;

/// Maximum bytes of the test plan's name.
pub const MAX_TESTPLAN: usize = 128;

/// `text` if it takes at most `most` bytes as JSON; otherwise as much of it as fits, `…` and 8 hex digits of a hash of
/// all of it, so that two long texts stay different.
#[must_use]
pub fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    /// `…` takes 3 bytes in UTF-8, the digits 8.
    const MARK: usize = 11;
    if text.chars().map(json_len).sum::<usize>() <= most {
        return Cow::Borrowed(text);
    }
    let mut left = most.saturating_sub(MARK);
    let kept: String = text
        .chars()
        .take_while(|c| {
            let fits = json_len(*c) <= left;
            left = left.saturating_sub(json_len(*c));
            fits
        })
        .collect();
    // The upper half, because FNV-1a mixes it better.
    Cow::Owned(format!("{kept}…{:08x}", seed_of(text) >> 32))
}

/// The text in pieces of at most `most` bytes as JSON; one, even if it is empty.
#[must_use]
pub fn pieces(text: &str, most: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut len) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        if len + json_len(c) > most {
            pieces.push(&text[start..at]);
            (start, len) = (at, 0);
        }
        len += json_len(c);
    }
    pieces.push(&text[start..]);
    pieces
}

/// Whether `text` takes at most `most` bytes as JSON.
#[must_use]
pub fn is_within(text: &str, most: usize) -> bool {
    text.len() <= most && text.chars().map(json_len).sum::<usize>() <= most
}

/// Bytes of a character in a JSON string written by `serde_json` (RFC 8259 section 7).
const fn json_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> usize {
        serde_json::to_string(text).unwrap().len() - 2
    }

    #[test]
    fn a_text_that_fits_is_unchanged() {
        let text = "x".repeat(MAX_NAME);
        assert_eq!(clipped(&text, MAX_NAME), text);
    }

    #[test]
    fn pieces_are_as_long_as_they_may_be_and_add_up_to_the_text() {
        let text = "a\n\u{1}ü".repeat(100);
        let cut = pieces(&text, 50);
        assert_eq!(cut.concat(), text);
        assert!(cut.iter().all(|piece| written(piece) <= 50 && !piece.is_empty()));
        assert!(cut[..cut.len() - 1].iter().all(|piece| written(piece) > 44));
        assert_eq!(pieces("", 50), [""]);
    }

    #[test]
    fn long_texts_are_cut_by_their_length_in_json_and_stay_distinct() {
        for filler in ["x", "\"", "\u{1}", "ü", "日", "\u{7f}", "😀"] {
            let (one, two) = (filler.repeat(600) + "1", filler.repeat(600) + "2");
            let (one, two) = (clipped(&one, MAX_NAME), clipped(&two, MAX_NAME));
            assert!(written(&one) <= MAX_NAME && written(&one) > MAX_NAME - 20, "{filler:?}: {}", written(&one));
            assert_ne!(one, two);
        }
    }
}
