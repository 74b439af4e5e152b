//! Quoted text and expansions of a shell, read from after their first character.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::super::marks;
use crate::secret::masked;

/// The characters of a command line.
pub(super) type CharStream<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// A reason why a text cannot be taken over.
pub(super) type Refusal = String;

/// Variables that commands of the text have set.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    /// Bytes of values that were inserted: a value that holds another one twice, and so on, has no end.
    inserted: Cell<usize>,
}

impl Variables {
    pub(super) fn extend(&mut self, assigned: Vec<(String, String)>) {
        self.values.extend(assigned);
    }

    /// The value of a variable, if it is known, to be inserted.
    fn insertion(&self, name: &str) -> Result<Option<&str>, Refusal> {
        /// Maximum number of bytes that variables of a text expand to: more than the largest text has.
        const MOST: usize = 8 * 1024 * 1024;
        let value = self.values.get(name).map(String::as_str);
        self.inserted.set(self.inserted.get() + value.map_or(0, str::len));
        if self.inserted.get() > MOST { Err(format!("${name} makes it longer than {MOST} bytes")) } else { Ok(value) }
    }
}

/// The shell whose quoting rules apply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Posix,
    /// Windows: only double quotes, with `\"` and `""` inside them.
    Cmd,
}

const UNCLOSED: &str = "has a quote that is not closed";

fn next(rest: &mut CharStream<'_>) -> Result<char, Refusal> {
    rest.next().ok_or_else(|| UNCLOSED.to_owned())
}

/// Reads `'...'`.
pub(super) fn single_quoted(rest: &mut CharStream<'_>, word: &mut String) -> Result<(), Refusal> {
    loop {
        match next(rest)? {
            '\'' => return Ok(()),
            other => word.push(other),
        }
    }
}

/// Reads `"..."`; `known` are variables whose value is known.
pub(super) fn double_quoted(
    rest: &mut CharStream<'_>,
    dialect: Dialect,
    known: &Variables,
    word: &mut String,
) -> Result<(), Refusal> {
    loop {
        match (next(rest)?, dialect) {
            ('"', Dialect::Cmd) if rest.next_if_eq(&'"').is_some() => word.push('"'),
            ('"', _) => return Ok(()),
            ('\\', Dialect::Posix) => match next(rest)? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            ('\\', Dialect::Cmd) => match rest.next_if(|c| matches!(c, '"' | '\\')) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            ('$', Dialect::Posix) => expansion(rest, known, word)?,
            ('`', Dialect::Posix) => return Err(substitution("`", rest, '`')),
            (other, _) => word.push(other),
        }
    }
}

/// Reads the text of a here-document, in which variables are expanded.
pub(super) fn here_document(text: &str, known: &Variables) -> Result<String, Refusal> {
    let (mut rest, mut word) = (text.chars().peekable(), String::new());
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(escaped @ ('\\' | '$' | '`')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
            },
            '$' => expansion(&mut rest, known, &mut word)?,
            '`' => return Err(substitution("`", &mut rest, '`')),
            other => word.push(other),
        }
    }
    Ok(word)
}

/// Maximum length of the name of a variable: far longer than people write.
const LONGEST_NAME: usize = 100;

/// Reads what follows a `$` that may begin an expansion.
pub(super) fn expansion(rest: &mut CharStream<'_>, known: &Variables, word: &mut String) -> Result<(), Refusal> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = match rest.peek().copied() {
        Some('(') => return Err(substitution("$", rest, ')')),
        Some('{') => {
            rest.next();
            let inside: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
            if rest.next().is_none() {
                return Err("has a ${ without its }".to_owned());
            }
            if inside.is_empty() || !inside.chars().all(is_part) || inside.starts_with(|c: char| c.is_ascii_digit()) {
                // What follows the name may be a value.
                let name: String = inside.chars().take_while(|c| is_part(*c)).collect();
                return Err(format!("${{{name}...}} is an expansion of the shell; write its value"));
            }
            inside
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            std::iter::from_fn(|| rest.next_if(|c| is_part(*c))).collect()
        }
        Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => {
            return Err(format!("${c} is an expansion of the shell; write its value, or \\$ for a dollar sign"));
        }
        _ => {
            word.push('$');
            return Ok(());
        }
    };
    if name.len() > LONGEST_NAME {
        return Err(format!("has a variable with a name of more than {LONGEST_NAME} characters"));
    }
    match known.insertion(&name)? {
        Some(value) => word.push_str(value),
        None if word.ends_with('$') => {
            return Err(format!("has a dollar sign directly before ${name}, which no scenario can have"));
        }
        None => marks::push_variable(word, &name),
    }
    Ok(())
}

/// The refusal of a command whose output would be inserted.
pub(super) fn substitution(begin: &str, rest: &mut CharStream<'_>, end: char) -> Refusal {
    /// Characters that are shown.
    const LONGEST: usize = 40;
    let mut depth = 0_usize;
    let is_inside = |c: &char| {
        depth = if *c == '(' {
            depth + 1
        } else if *c == ')' {
            depth.saturating_sub(1)
        } else {
            depth
        };
        *c != end || depth > 0
    };
    let inside: String = rest.take_while(is_inside).take(LONGEST).collect();
    // Its arguments may be secrets.
    let mut words = inside.split_whitespace();
    let command = words.next().map(masked).unwrap_or_default();
    let arguments = if words.next().is_some() { " …" } else { "" };
    format!("{begin}{command}{arguments}{end} is the output of a command; write its value")
}

/// Reads `$'...'`, which browsers write if a text contains line ends or a single quote (bash, "ANSI-C Quoting").
pub(super) fn ansi_c_quoted(rest: &mut CharStream<'_>, word: &mut String) -> Result<(), Refusal> {
    let mut bytes = Vec::new();
    let push = |bytes: &mut Vec<u8>, c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    loop {
        match next(rest)? {
            '\'' => break,
            '\\' => match next(rest)? {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                'e' | 'E' => bytes.push(0x1b),
                'f' => bytes.push(0xc),
                'v' => bytes.push(0xb),
                // A byte, not a character.
                'x' if rest.peek().is_some_and(char::is_ascii_hexdigit) => {
                    bytes.push(low_byte(digits(rest, 2, 16, "")));
                }
                digit @ '0'..='7' => bytes.push(low_byte(digits(rest, 2, 8, digit.encode_utf8(&mut [0; 4])))),
                'c' => bytes.push(low_byte(u32::from(next(rest)?.to_ascii_uppercase()) ^ 0x40)),
                'u' => push(&mut bytes, surrogates(rest)?),
                'U' => push(&mut bytes, character(digits(rest, 8, 16, ""))?),
                other @ ('\\' | '\'' | '"' | '?') => push(&mut bytes, other),
                other => {
                    bytes.push(b'\\');
                    push(&mut bytes, other);
                }
            },
            other => push(&mut bytes, other),
        }
    }
    // As in a shell, a zero byte ends the text.
    marks::push_bytes(word, bytes.split(|byte| *byte == 0).next().unwrap_or_default());
    Ok(())
}

fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

fn character(code: u32) -> Result<char, Refusal> {
    char::from_u32(code).ok_or_else(|| "has an escape that is not a character".to_owned())
}

/// Browsers write a character beyond the first plane as two escapes, because JavaScript stores it as two
/// units.
fn surrogates(rest: &mut CharStream<'_>) -> Result<char, Refusal> {
    let high = digits(rest, 4, 16, "");
    if !(0xd800..0xdc00).contains(&high) || rest.next_if_eq(&'\\').is_none() || rest.next_if_eq(&'u').is_none() {
        return character(high);
    }
    let low = digits(rest, 4, 16, "");
    character(0x1_0000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00))
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
