//! Bodies as people read them: JSON indented, binary ones only by their size.

use super::Kept;
use crate::secret::KnownSecrets;

/// The body as text with secrets masked, and JSON indented; or, in parentheses, why it is not shown.
pub(super) fn shown(body: &Kept, is_coded: bool, secrets: Option<&KnownSecrets>) -> String {
    let bytes = count(body.len);
    if is_coded {
        return format!("({bytes} in a content coding that cannot be decoded)");
    }
    let Some(text) = text(body) else { return format!("({bytes} that are not text)") };
    let text = secrets.map_or_else(|| text.to_owned(), |secrets| secrets.mask(text, body.is_cut));
    let text = if text.trim_start().starts_with(['{', '[']) { indented(&text) } else { text };
    if body.is_cut { format!("{text}\n({bytes} in all)") } else { text }
}

/// At most so many bytes of a text, and how much is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\n(… {} more)", &text[..end], count((text.len() - end) as u64))
}

fn count(bytes: u64) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// The body, if it is text in UTF-8; the last character may be cut off.
fn text(body: &Kept) -> Option<&str> {
    let text = match std::str::from_utf8(&body.bytes) {
        Ok(text) => text,
        Err(why) if body.is_cut && why.error_len().is_none() => {
            std::str::from_utf8(&body.bytes[..why.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

/// JSON with a member or item a line. Goes through the text without parsing it, so that digits and order stay as they are,
/// and that a text which was cut off is indented as well.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut rest) = (0_usize, json);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        // Beyond that the blanks would be most of the text.
        out.extend(std::iter::repeat_n("  ", depth.min(20)));
    };
    while let Some(c) = rest.chars().next() {
        let len = if c == '"' { string_len(rest) } else { c.len_utf8() };
        let token = &rest[..len];
        rest = &rest[len..];
        match c {
            '{' | '[' => {
                out.push(c);
                rest = rest.trim_start();
                if let Some(after) = rest.strip_prefix(['}', ']']) {
                    out.push(if c == '{' { '}' } else { ']' });
                    rest = after;
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            _ => out.push_str(token),
        }
    }
    out
}

/// Length of the string at the start of a text, with its quotes.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &[u8], limit: usize) -> String {
        shown(&Kept::beginning(body, limit), false, Some(&KnownSecrets::default()))
    }

    #[test]
    fn json_is_indented_as_it_is_written() {
        let json = br#"{"b":1.50,"a":[{}, [ ],{"x":"a,\"b:{"}],"e":""}"#;
        let lines = "{\n  \"b\": 1.50,\n  \"a\": [\n    {},\n    [],\n    {\n      \"x\": \"a,\\\"b:{\"\n    }\n  ],\n  \"e\": \"\"\n}";
        assert_eq!(told(json, 1000), lines);
        assert_eq!(told(json, 8), "{\n  \"b\": 1.5\n(47 bytes in all)");
        assert_eq!(told(b"{\"password\":\"x\",\"n\":1}", 1000), "{\n  \"password\": \"***\",\n  \"n\": 1\n}");
    }

    #[test]
    fn what_is_not_text_is_named_with_its_size() {
        assert_eq!(told(b"\x89PNG\xff", 1000), "(5 bytes that are not text)");
        assert_eq!(told(b"a\0b", 1000), "(3 bytes that are not text)");
        assert_eq!(shown(&Kept::beginning(b"x", 9), true, None), "(1 byte in a content coding that cannot be decoded)");
        assert_eq!(told("ü€".as_bytes(), 3), "ü\n(5 bytes in all)", "a character that was cut off");
        assert_eq!(cut("abcü", 4), "abc\n(… 2 bytes more)");
    }
}
