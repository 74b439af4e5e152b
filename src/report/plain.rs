//! Text of others, made fit for a terminal.

use unicode_width::UnicodeWidthStr as _;

pub use crate::transcript::plain::plain;

/// Columns that a text takes on a terminal.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// As much of `text` as fits into so many columns; what was cut ends in `…`.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    if most == 0 {
        return String::new();
    }
    // By the width of what is kept, not by a sum over characters: some change the width of the one before them.
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let end = ends.take_while(|end| columns(&text[..*end]) < most).last().unwrap_or(0);
    format!("{}…", &text[..end])
}

/// `text` cut or filled up to exactly so many columns.
#[must_use]
pub fn fitted(text: &str, columns_wide: usize) -> String {
    let text = cut(text, columns_wide);
    let blanks = columns_wide.saturating_sub(columns(&text));
    text + &" ".repeat(blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_padded_by_their_width_in_columns() {
        assert_eq!(cut("/é-and-more", 4), "/é-…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(columns("e\u{301}日"), 3);
        for emoji in ["⏱", "⌚", "⚡", "✅", "❌", "🚀", "🛒", "🟢", "🪄", "🫶", "❤\u{fe0f}"] {
            let wide = if emoji == "⏱" { 1 } else { 2 };
            assert_eq!(
                (columns(emoji), &*cut(&format!("{emoji}ab"), wide + 1)),
                (wide, &*format!("{emoji}…")),
                "{emoji}"
            );
        }
        assert_eq!(fitted("日本語", 4), "日… ");
        assert_eq!(fitted("ab", 4), "ab  ");
    }
}
