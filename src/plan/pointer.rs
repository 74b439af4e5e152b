//! Places in a JSON document (RFC 6901).
//!
//! Not `serde_json::Value::pointer`: a number read into a `Value` loses digits, and an answer of megabytes would be taken
//! apart for one member of it. [`RawJson`] goes through the text as it is.

use std::fmt;

use super::json::{RawJson, RawParts};

/// A place in a JSON document, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Box<[String]>);

/// Places in a JSON document: a pointer in which `*` stands for every item of an array, or every member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerPattern {
    /// The pointers before, between and after the asterisks.
    parts: Box<[Pointer]>,
}

impl Pointer {
    /// Reads `/items/0/name`; the empty text is the whole document.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        if tokens.iter().any(|token| token == ANY) {
            let one = text.replace("/*", "/0");
            return Err(format!("{text:?}: a * stands for every item in \"extract\" only; name one, as in {one:?}"));
        }
        Ok(Self(tokens.into()))
    }

    /// What stands there.
    #[must_use]
    pub fn find<'v>(&self, document: RawJson<'v>) -> Option<RawJson<'v>> {
        self.0.iter().try_fold(document, |value, token| step(value, token))
    }

    /// The value furthest along this path, and how many steps lead to it.
    pub(super) fn furthest<'v>(&self, document: RawJson<'v>) -> (RawJson<'v>, usize) {
        let mut value = document;
        for (taken, token) in self.0.iter().enumerate() {
            let Some(next) = step(value, token) else { return (value, taken) };
            value = next;
        }
        (value, self.0.len())
    }

    /// The first `count` steps of this path.
    pub(super) fn prefix(&self, count: usize) -> Self {
        Self(self.0[..count].into())
    }
}

fn step<'v>(value: RawJson<'v>, token: &str) -> Option<RawJson<'v>> {
    value.member(token).or_else(|| index(token).and_then(|at| value.item(at)))
}

const ANY: &str = "*";

impl PointerPattern {
    /// Reads `/items/*/id`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        Ok(Self { parts: tokens.split(|token| token == ANY).map(|part| Pointer(part.into())).collect() })
    }

    /// The pointer before the first asterisk, and whether there is one.
    pub(super) fn first(&self) -> (&Pointer, bool) {
        (&self.parts[0], self.parts.len() > 1)
    }

    /// All values there, in the order of the document.
    #[must_use]
    pub fn find_all<'p, 'v>(&'p self, document: RawJson<'v>) -> PointerMatches<'p, 'v> {
        PointerMatches { pattern: self, document: Some(document), open: Vec::new() }
    }
}

/// Iterates over the values at the places of a pattern.
pub struct PointerMatches<'p, 'v> {
    pattern: &'p PointerPattern,
    /// The document, before the first step.
    document: Option<RawJson<'v>>,
    /// The arrays and objects that are gone through, one for each asterisk so far.
    open: Vec<RawParts<'v>>,
}

impl<'v> Iterator for PointerMatches<'_, 'v> {
    type Item = RawJson<'v>;

    fn next(&mut self) -> Option<RawJson<'v>> {
        loop {
            let value = if let Some(document) = self.document.take() {
                document
            } else if let Some((_, value)) = self.open.last_mut()?.next() {
                value
            } else {
                self.open.pop();
                continue;
            };
            let depth = self.open.len();
            let Some(found) = self.pattern.parts[depth].find(value) else { continue };
            if depth + 1 == self.pattern.parts.len() {
                return Some(found);
            }
            self.open.extend(found.parts());
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", escaped(token)))
    }
}

impl fmt::Display for PointerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.parts.iter();
        parts.next().map_or(Ok(()), |first| first.fmt(f))?;
        parts.try_for_each(|part| write!(f, "/{ANY}{part}"))
    }
}

/// A member's name as a pointer has it.
#[must_use]
pub fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let tokens = text
        .strip_prefix('/')
        .ok_or_else(|| format!("{text:?} is not a JSON pointer; did you mean {:?}?", from_path(text)))?;
    tokens.split('/').map(unescaped).collect()
}

/// The pointer that a path of `JSONPath`, jq, `JavaScript` or Python stands for: `$.items[0].id` is `/items/0/id`.
fn from_path(path: &str) -> String {
    let path = path.strip_prefix('$').unwrap_or(path);
    let mut pointer = String::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.trim_start_matches('.');
        let token;
        if let Some(inside) = rest.strip_prefix('[') {
            (token, rest) = inside.split_once(']').unwrap_or((inside, ""));
        } else {
            (token, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        }
        let token = token.trim_matches(['"', '\'']);
        if !token.is_empty() || path.is_empty() {
            pointer.push('/');
            pointer.push_str(token);
        }
    }
    pointer
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
        for (path, pointer) in [
            ("token", "/token"),
            ("$.items[0].id", "/items/0/id"),
            ("$.items[*].id", "/items/*/id"),
            ("$['a b'][\"c\"]", "/a b/c"),
            ("[\"items\"][0][\"id\"]", "/items/0/id"),
            (".data.token", "/data/token"),
            ("$..id", "/id"),
            ("items/0/id", "/items/0/id"),
            ("$", ""),
            ("a[", "/a"),
        ] {
            let why = Pointer::parse(path).unwrap_err();
            assert!(why.ends_with(&format!("is not a JSON pointer; did you mean {pointer:?}?")), "{why}");
        }
        assert!(Pointer::parse("/items/*/id").unwrap_err().ends_with("name one, as in \"/items/0/id\""));
        assert!(Pointer::parse("/a~2").unwrap_err().contains("~0"));
        assert!(Pointer::parse("/a~").is_err());
    }

    #[test]
    fn asterisks_stand_for_every_item_and_member() {
        let document = r#"{"items": [{"id": 1, "tags": ["a", "b"]}, {"x": 2}, {"id": 3, "tags": []}, {"id": {"id": 4}}],
                           "by": {"k": {"id": 5}, "l": {"id": 6}}, "*": 7}"#;
        let raw = RawJson::parse(document.as_bytes()).unwrap();
        for (text, expected) in [
            ("/items/*/id", &["1", "3", r#"{"id": 4}"#][..]),
            ("/items/*/tags/*", &["\"a\"", "\"b\""]),
            ("/by/*/id", &["5", "6"]),
            ("/*/*/id", &["1", "3", r#"{"id": 4}"#, "5", "6"]),
            ("/items/*/id/*", &["4"]),
            ("/items/0/id", &["1"]),
            ("/items/0/id/*", &[]),
            ("/no/*", &[]),
            ("/by/k/*", &["5"]),
        ] {
            let pattern = PointerPattern::parse(text).unwrap();
            assert_eq!(pattern.find_all(raw).map(RawJson::text).collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(pattern.to_string(), text);
        }
        assert_eq!(PointerPattern::parse("").unwrap().find_all(raw).count(), 1);
    }
}
