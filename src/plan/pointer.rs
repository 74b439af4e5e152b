//! Places in a JSON document (RFC 6901).
//!
//! Not `serde_json::Value::pointer`: a number read into a `Value` loses digits, and an answer of megabytes would be taken
//! apart for one member of it. [`RawJson`] goes through the text as it is.

use std::fmt;

use super::json::RawJson;

/// A place in a JSON document, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Box<[String]>);

impl Pointer {
    /// Reads `/items/0/name`; the empty text is the whole document.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(Box::default()));
        }
        let tokens = text
            .strip_prefix('/')
            .ok_or_else(|| format!("{text:?} is not a JSON pointer; did you mean \"/{text}\"?"))?;
        tokens.split('/').map(unescaped).collect::<Result<_, _>>().map(Self)
    }

    /// What stands there.
    #[must_use]
    pub fn find<'v>(&self, document: RawJson<'v>) -> Option<RawJson<'v>> {
        self.0.iter().try_fold(document, |value, token| {
            value.member(token).or_else(|| index(token).and_then(|at| value.item(at)))
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", escaped(token)))
    }
}

/// A member's name as a pointer has it.
#[must_use]
pub fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn unescaped(token: &str) -> Result<String, String> {
    let mut text = String::with_capacity(token.len());
    let mut rest = token.chars();
    while let Some(char) = rest.next() {
        text.push(match (char, char == '~') {
            (char, false) => char,
            _ => match rest.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(format!("a ~ in {token:?} must be ~0, or ~1 for a slash")),
            },
        });
    }
    Ok(text)
}

/// RFC 6901 section 4: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    plain.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn pointers_are_resolved_as_in_rfc_6901() {
        // Section 5.
        let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
                              "k\"l": 6, " ": 7, "m~n": 8});
        let written = document.to_string();
        let raw = RawJson::parse(written.as_bytes()).unwrap();
        for (text, value) in [
            ("", document.clone()),
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            let found: Value = serde_json::from_str(pointer.find(raw).unwrap().text()).unwrap();
            assert_eq!(found, value, "{text:?}");
            assert_eq!(document.pointer(text), Some(&value), "the oracle on {text:?}");
            assert_eq!(pointer.to_string(), text);
        }
        for text in ["/foo/2", "/foo/00", "/foo/01", "/foo/-", "/foo/+1", "/foo/", "/foo/0/x", "/bar"] {
            assert_eq!(Pointer::parse(text).unwrap().find(raw), None, "{text}");
        }
    }

    #[test]
    fn an_invalid_pointer_gives_the_reason() {
        assert!(Pointer::parse("token").unwrap_err().contains("did you mean \"/token\"?"));
        assert!(Pointer::parse("/a~2").unwrap_err().contains("~0"));
        assert!(Pointer::parse("/a~").is_err());
    }
}
