//! Encodes a text for its context: what a path, a form or a JSON string would misinterpret is escaped.

use std::io::Write as _;

use super::unset::RenderError;
use crate::plan::percent;

/// The context that a value is encoded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// Unchanged: bodies, and texts to compare with.
    Plain,
    /// In a path or query: `%XX` for all but the unreserved characters of RFC 3986.
    Percent,
    /// Literal text of a path or query: `%XX` only for characters that are not allowed in a request line.
    Target,
    /// In a form (URL standard, `application/x-www-form-urlencoded`): as in a path, but a blank becomes a
    /// plus.
    Form,
    /// In a field of a query: as in a form.
    Query,
    /// In a JSON string.
    Json,
    /// A bare number, `true` or `false` in place of a JSON string.
    JsonNumber,
    /// A name in a part of a multipart body (HTML standard, `multipart/form-data`): `%XX` for quotes and line breaks.
    FormName,
    /// In a header field: unchanged, but without control characters.
    Field,
}

impl TextEncoding {
    /// Encodes a value.
    ///
    /// # Errors
    /// The value is not allowed in this context.
    pub fn write(self, value: &str, out: &mut Vec<u8>) -> Result<(), RenderError> {
        match self {
            Self::Percent => percent_encode(value, percent::COMPONENT, out),
            Self::Target => percent_encode(value, percent::TARGET, out),
            Self::Form | Self::Query => value.split(' ').enumerate().for_each(|(at, word)| {
                if at > 0 {
                    out.push(b'+');
                }
                percent_encode(word, percent::COMPONENT, out);
            }),
            Self::Json => value.chars().for_each(|char| json(char, out)),
            Self::JsonNumber if is_json_number(value) || matches!(value, "true" | "false") => {
                out.extend_from_slice(value.as_bytes());
            }
            Self::FormName => value.bytes().for_each(|byte| form_name(byte, out)),
            Self::JsonNumber => return Err(RenderError::NotANumber),
            Self::Field if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') => {
                return Err(RenderError::ControlCharacter);
            }
            Self::Plain | Self::Field => out.extend_from_slice(value.as_bytes()),
        }
        Ok(())
    }

    /// The encoding of literal text in the template itself: a slash in a path stays a slash.
    #[must_use]
    pub const fn for_literals(self) -> Self {
        match self {
            Self::Percent => Self::Target,
            other => other,
        }
    }

    /// The encoding used by `raw(...)`: without URL-encoding.
    #[must_use]
    pub const fn raw(self) -> Self {
        match self {
            Self::Percent | Self::Query => Self::Target,
            Self::Form => Self::Plain,
            other => other,
        }
    }
}

fn percent_encode(value: &str, set: &'static percent::Set, out: &mut Vec<u8>) {
    percent::encode(value, set).for_each(|piece| out.extend_from_slice(piece.as_bytes()));
}

fn form_name(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\r' | b'\n' => drop(write!(out, "%{byte:02X}")),
        _ => out.push(byte),
    }
}

/// RFC 8259 section 7.
fn json(char: char, out: &mut Vec<u8>) {
    match char {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        // Writing into a Vec cannot fail.
        control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// RFC 8259 section 6, `number`.
pub(in crate::plan) fn is_json_number(text: &str) -> bool {
    fn digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    fn after_whole(text: &str) -> Option<&str> {
        let text = text.strip_prefix('-').unwrap_or(text);
        text.strip_prefix('0').or_else(|| digits(text))
    }
    fn after_fraction(text: &str) -> Option<&str> {
        text.strip_prefix('.').map_or(Some(text), digits)
    }
    fn after_exponent(text: &str) -> Option<&str> {
        let Some(exponent) = text.strip_prefix(['e', 'E']) else { return Some(text) };
        digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
    }
    after_whole(text).and_then(after_fraction).and_then(after_exponent) == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoding: TextEncoding, value: &str) -> Result<String, RenderError> {
        let mut out = Vec::new();
        encoding.write(value, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_context_escapes_what_it_would_misinterpret() {
        let value = "a b/ü&=+%?\"\\\u{1}~";
        for (encoding, expected) in [
            (TextEncoding::Plain, value),
            (TextEncoding::Percent, "a%20b%2F%C3%BC%26%3D%2B%25%3F%22%5C%01~"),
            (TextEncoding::Target, "a%20b/%C3%BC&=+%?%22%5C%01~"),
            (TextEncoding::Query, "a+b%2F%C3%BC%26%3D%2B%25%3F%22%5C%01~"),
            (TextEncoding::Form, "a+b%2F%C3%BC%26%3D%2B%25%3F%22%5C%01~"),
            (TextEncoding::FormName, "a b/ü&=+%?%22\\\u{1}~"),
            (TextEncoding::Json, "a b/ü&=+%?\\\"\\\\\\u0001~"),
        ] {
            assert_eq!(written(encoding, value).as_deref(), Ok(expected), "{encoding:?}");
        }
        assert_eq!(written(TextEncoding::Json, "\n\r\t").as_deref(), Ok("\\n\\r\\t"));
    }

    #[test]
    fn a_header_field_cannot_contain_a_second_line() {
        assert_eq!(written(TextEncoding::Field, "a\r\nb: c"), Err(RenderError::ControlCharacter));
        assert_eq!(written(TextEncoding::Field, "a\tü").as_deref(), Ok("a\tü"));
    }

    #[test]
    fn numbers_follow_the_json_grammar() {
        for text in ["0", "-0", "7", "-12", "1.5", "0.25", "1e9", "1.5E-3", "2e+4"] {
            assert_eq!(written(TextEncoding::JsonNumber, text).as_deref(), Ok(text));
            assert!(serde_json::from_str::<f64>(text).is_ok(), "serde_json on {text}");
        }
        assert_eq!(written(TextEncoding::JsonNumber, "true").as_deref(), Ok("true"));
        for text in
            ["", "-", "01", "1.", ".5", "1e", "+1", "1 ", "0x1", "NaN", "1,5", "٣", "1e+", "--1", "null", "True"]
        {
            assert_eq!(written(TextEncoding::JsonNumber, text), Err(RenderError::NotANumber), "{text}");
        }
    }
}
