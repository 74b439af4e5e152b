//! Splits a copied command line into words, like the shell that it was copied for.
//!
//! Not shlex or shell-words: browsers copy bodies as `$'...'` with escapes, and for cmd of Windows with carets, and neither
//! crate knows these.

use crate::error::{Error, Result};

/// The commands in a text, each as its words without the first one (`curl`).
///
/// # Errors
/// An unclosed quote, or a command other than curl.
pub(super) fn commands(text: &str) -> Result<Vec<Vec<String>>> {
    let split = if is_for_cmd(text) { split(&without_carets(text), Dialect::Cmd) } else { split(text, Dialect::Posix) };
    let split = split.map_err(|why| Error::usage("curl command", why))?;
    let mut commands = Vec::new();
    for mut words in split {
        if words.is_empty() {
            continue;
        }
        let name = words.remove(0);
        if !is_command(&name) {
            return Err(Error::usage(format!("command {name:?}"), "only curl is understood"));
        }
        commands.push(words);
    }
    Ok(commands)
}

/// The shell whose quoting rules apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Posix,
    /// Windows: only double quotes, with `\"` and `""` inside them.
    Cmd,
}

/// Chromium's "Copy as cURL (cmd)" continues lines and escapes characters with a caret.
fn is_for_cmd(text: &str) -> bool {
    text.contains("^\"") || text.lines().any(|line| line.trim_end().ends_with(" ^"))
}

/// Handles carets like cmd: the next character is literal, and a line continues.
fn without_carets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().filter(|c| *c != '\r').peekable();
    while let Some(c) = rest.next() {
        match c {
            // A caret before a line break joins the lines; a second line break is then an ordinary character.
            '^' if rest.next_if_eq(&'\n').is_some() => {
                if rest.next_if_eq(&'\n').is_some() {
                    plain.push('\n');
                }
            }
            '^' => plain.extend(rest.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// Splits a text into commands (at `;`, `&`, `|` and line ends) and words.
fn split(text: &str, dialect: Dialect) -> std::result::Result<Vec<Vec<String>>, &'static str> {
    let mut commands = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, dialect) {
            ('\\', Dialect::Posix) => match rest.next() {
                Some('\n') => {}
                Some('\r') if rest.next_if_eq(&'\n').is_some() => {}
                Some(other) => word.get_or_insert_default().push(other),
                None => return Err("ends in the middle of an escape"),
            },
            ('\'', Dialect::Posix) => single_quoted(&mut rest, word.get_or_insert_default())?,
            ('$', Dialect::Posix) if rest.peek() == Some(&'\'') => {
                rest.next();
                ansi_c_quoted(&mut rest, word.get_or_insert_default())?;
            }
            ('"', _) => double_quoted(&mut rest, dialect, word.get_or_insert_default())?,
            ('\n' | ';' | '&' | '|', _) => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            (c, _) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    commands.push(words);
    Ok(commands)
}

type CharStream<'t> = std::iter::Peekable<std::str::Chars<'t>>;

const UNCLOSED: &str = "has a quote that is not closed";

fn single_quoted(rest: &mut CharStream<'_>, word: &mut String) -> std::result::Result<(), &'static str> {
    loop {
        match rest.next().ok_or(UNCLOSED)? {
            '\'' => return Ok(()),
            other => word.push(other),
        }
    }
}

fn double_quoted(
    rest: &mut CharStream<'_>,
    dialect: Dialect,
    word: &mut String,
) -> std::result::Result<(), &'static str> {
    loop {
        match (rest.next().ok_or(UNCLOSED)?, dialect) {
            ('"', Dialect::Cmd) if rest.next_if_eq(&'"').is_some() => word.push('"'),
            ('"', _) => return Ok(()),
            ('\\', Dialect::Posix) => match rest.next().ok_or(UNCLOSED)? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            ('\\', Dialect::Cmd) => match rest.next_if(|c| matches!(c, '"' | '\\')) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            (other, _) => word.push(other),
        }
    }
}

/// `$'...'`, which browsers write if a text contains line ends or a single quote (bash, "ANSI-C Quoting").
fn ansi_c_quoted(rest: &mut CharStream<'_>, word: &mut String) -> std::result::Result<(), &'static str> {
    loop {
        match rest.next().ok_or(UNCLOSED)? {
            '\'' => return Ok(()),
            '\\' => {
                let c = match rest.next().ok_or(UNCLOSED)? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'e' | 'E' => '\u{1b}',
                    'f' => '\u{c}',
                    'v' => '\u{b}',
                    'x' => number(rest, 2, 16, "")?,
                    'u' => surrogates(rest)?,
                    'U' => number(rest, 8, 16, "")?,
                    digit @ '0'..='7' => number(rest, 2, 8, digit.encode_utf8(&mut [0; 4]))?,
                    other @ ('\\' | '\'' | '"' | '?') => other,
                    other => {
                        word.push('\\');
                        other
                    }
                };
                word.push(c);
            }
            other => word.push(other),
        }
    }
}

/// Browsers write a character beyond the first plane as two escapes, because JavaScript stores it as two
/// units.
fn surrogates(rest: &mut CharStream<'_>) -> std::result::Result<char, &'static str> {
    let high = digits(rest, 4, 16, "");
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high).ok_or("has an escape that is not a character");
    }
    if rest.next() != Some('\\') || rest.next() != Some('u') {
        return Err("has an escape that is not a character");
    }
    let low = digits(rest, 4, 16, "");
    let code = 0x1_0000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00);
    char::from_u32(code).ok_or("has an escape that is not a character")
}

fn number(rest: &mut CharStream<'_>, most: usize, radix: u32, start: &str) -> std::result::Result<char, &'static str> {
    char::from_u32(digits(rest, most, radix, start)).ok_or("has an escape that is not a character")
}

fn digits(rest: &mut CharStream<'_>, most: usize, radix: u32, start: &str) -> u32 {
    let mut text = start.to_owned();
    for _ in 0..most {
        match rest.next_if(|c| c.is_digit(radix)) {
            Some(digit) => text.push(digit),
            None => break,
        }
    }
    u32::from_str_radix(&text, radix).unwrap_or_default()
}

/// Whether a text begins with the name of curl.
pub(super) fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    matches!(first.rsplit(['/', '\\']).next(), Some("curl" | "curl.exe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        commands(text).unwrap()
    }

    #[test]
    fn a_command_copied_for_a_posix_shell_is_split_like_the_shell_does() {
        let text =
            "curl 'http://h/a b' \\\n  -H \"x: \\\"y\\\" \\z\" --data-raw $'it\\'s\\u0021\\n\\x41\\101' --x=a'b'\"c\"d";
        let expected = ["http://h/a b", "-H", "x: \"y\" \\z", "--data-raw", "it's!\nAA", "--x=abcd"];
        assert_eq!(words(text), [expected]);
        assert_eq!(words("curl $'\\ud83d\\ude00'"), [["😀"]]);
        assert_eq!(words("curl a ;\ncurl b\n\n/usr/bin/curl c"), [["a"], ["b"], ["c"]]);
        assert_eq!(words("curl ''"), [[""]]);
    }

    #[test]
    fn a_command_copied_for_cmd_is_split_like_cmd_does() {
        let old = "curl \"http://h/?a=1^%^20b\" ^\r\n  -H \"x: \\\"y\\\"\" ^\r\n  --data-raw \"a^\n\nb\"";
        assert_eq!(words(old), [["http://h/?a=1%20b", "-H", "x: \"y\"", "--data-raw", "a\nb"]]);
        let new = "curl ^\"http://h/^\" ^\n  -H ^\"x: ^\\^\"y^\\^\"^\"";
        assert_eq!(words(new), [["http://h/", "-H", "x: \"y\""]]);
    }

    #[test]
    fn unsupported_input_is_reported() {
        for (text, why) in [("curl 'a", "not closed"), ("curl \"a", "not closed"), ("curl $'a", "not closed")] {
            assert!(commands(text).unwrap_err().to_string().contains(why), "{text}");
        }
        assert!(commands("curl a | jq .").unwrap_err().to_string().contains("\"jq\""));
        assert!(commands("curl $'\\ud83d'").is_err());
    }
}
