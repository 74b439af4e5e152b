//! Text of others, made fit for a terminal.

use unicode_width::UnicodeWidthStr as _;

/// Text that steers no terminal: what comes from a URL, a file or a server has its control characters written out, and
/// so have those that turn the direction of writing or are not seen (Unicode TR 36, "bidirectional text spoofing").
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Formatting characters, and the line breaks that are not control characters.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

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
    fn text_from_outside_cannot_control_the_terminal() {
        for (hostile, written) in [
            ("/a\u{1b}[2J\nb\u{9b}31m", "/a\\u{1b}[2J\\nb\\u{9b}31m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\r\t\0\u{7f}\u{8}", "\\r\\t\\u{0}\\u{7f}\\u{8}"),
            ("a\u{202e}cod.exe\u{2066}\u{200b}\u{2028}", "a\\u{202e}cod.exe\\u{2066}\\u{200b}\\u{2028}"),
            ("/ünï/日本?x=1&y=%1b", "/ünï/日本?x=1&y=%1b"),
        ] {
            assert_eq!(plain(hostile), written);
        }
        let all: String = (0..0x11_0000).filter_map(char::from_u32).collect();
        assert!(!plain(&all).chars().any(|c| c.is_control() || is_invisible(c)));
    }

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
