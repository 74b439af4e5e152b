//! Text of others, with nothing in it that controls a terminal.

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

/// Formatting characters, and the line breaks that are no control characters.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
}
