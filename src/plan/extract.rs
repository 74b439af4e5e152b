//! Values extracted from responses for later requests. Pure, without clock or socket.

use super::pointer::Pointer;
use super::response::ResponseView;
use super::template::SlotId;
use super::text_search::Captured;

/// A value that is extracted from a response and kept by the user.
#[derive(Debug)]
pub struct Extraction {
    /// The variable's slot.
    pub slot: SlotId,
    /// Where the value is.
    pub from: ExtractFrom,
}

/// The location of a value in a response.
#[derive(Debug)]
pub enum ExtractFrom {
    /// A value in a JSON body. Strings are used as they are; everything else as JSON on one line, with digits
    /// and order as in the response; null counts as missing.
    Json(Pointer),
    /// The first header field with this name.
    Header(String),
    /// The user's cookie with this name.
    Cookie(String),
    /// The part of the body between two texts, at their first occurrence one after the other.
    Between(String, String),
}

impl Extraction {
    /// Returns whether it needs the head.
    #[must_use]
    pub const fn needs_head(&self) -> bool {
        matches!(self.from, ExtractFrom::Header(_))
    }

    /// Returns whether it needs the body.
    #[must_use]
    pub const fn needs_body(&self) -> bool {
        self.needs_whole_body() || matches!(self.from, ExtractFrom::Between(..))
    }

    /// Returns whether it needs the complete body, rather than only scanning it as it arrives.
    #[must_use]
    pub const fn needs_whole_body(&self) -> bool {
        matches!(self.from, ExtractFrom::Json(_))
    }

    /// Extracts the value; `None` if the response does not contain it.
    #[must_use]
    pub fn extract(&self, answer: &ResponseView<'_>) -> Option<String> {
        match &self.from {
            ExtractFrom::Json(pointer) => match pointer.find(answer.json()?)? {
                null if null.is_null() => None,
                string if string.text().starts_with('"') => string.string(),
                other => Some(other.compact()),
            },
            ExtractFrom::Header(name) => answer.fields(name).next().map(text),
            ExtractFrom::Cookie(name) => (answer.cookie)(name),
            ExtractFrom::Between(left, right) => match answer.texts.captured(left, right) {
                Captured::Text(found) => answer.body.ok().map(|_| text(found)),
                Captured::Missing | Captured::TooLong => None,
            },
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::expect::Expect;
    use super::super::random::Random;
    use super::super::response::tests::view;
    use super::super::response::{ResponseView, UnreadBody};
    use super::super::searches::searches;
    use super::super::template::Values;
    use super::super::text_search::TextSearches;
    use super::*;

    fn take(from: ExtractFrom, answer: &ResponseView<'_>) -> Option<String> {
        Extraction { slot: SlotId(0), from }.extract(answer)
    }

    /// The text searches that this extraction needs.
    fn sought(from: ExtractFrom) -> TextSearches {
        let (sources, random) = (&[], &mut Random::seeded(1));
        let (user, iteration, now_unix_ms) = (0, 0, 0);
        let mut values = Values { variables: &[], rows: &[], sources, user, iteration, now_unix_ms, random };
        searches(&Expect::default(), &[Extraction { slot: SlotId(0), from }], &mut values, 100)
    }

    fn json(pointer: &str) -> ExtractFrom {
        ExtractFrom::Json(Pointer::parse(pointer).unwrap())
    }

    #[test]
    fn values_are_extracted_from_json() {
        let body = br#"{"token":"t\"1","id":7,"price":1.50,"big":123456789012345678901234567890,
            "ok":true,"none":null,"list":[1,{ "z" : "\u00fc b", "a":"b"}]}"#;
        let answer = view("HTTP/1.1 200 OK\r\n\r\n", body);
        for (pointer, value) in [
            ("/token", Some("t\"1")),
            ("/id", Some("7")),
            ("/price", Some("1.50")),
            ("/big", Some("123456789012345678901234567890")),
            ("/ok", Some("true")),
            ("/none", None),
            ("/list/1", Some(r#"{"z":"\u00fc b","a":"b"}"#)),
            ("/list/1/z", Some("ü b")),
            ("/list/1/a", Some("b")),
            ("/missing", None),
        ] {
            assert_eq!(take(json(pointer), &answer).as_deref(), value, "{pointer}");
        }
        assert_eq!(take(json("/token"), &view("HTTP/1.1 200 OK\r\n\r\n", b"{broken")), None);
    }

    #[test]
    fn values_are_extracted_from_fields_cookies_and_text() {
        let head = "HTTP/1.1 201 Created\r\nLocation: /orders/7\r\n\r\n";
        let answer = view(head, b"");
        let between = |left: &str, right: &str| ExtractFrom::Between(left.to_owned(), right.to_owned());
        assert_eq!(take(ExtractFrom::Header("location".to_owned()), &answer).as_deref(), Some("/orders/7"));
        assert_eq!(take(ExtractFrom::Header("etag".to_owned()), &answer), None);
        assert_eq!(take(ExtractFrom::Cookie("session".to_owned()), &answer).as_deref(), Some("s1"));
        assert_eq!(take(ExtractFrom::Cookie("other".to_owned()), &answer), None);
        for (left, right, value) in [
            ("csrf\" value=\"", "\"", Some("x y")),
            ("<input value=\"", "\"", Some("")),
            ("value=\"", "\n", None),
            ("token", "\"", None),
        ] {
            let mut texts = sought(between(left, right));
            texts.feed(b"<input name=\"csrf\" value=\"x y\"><input value=\"\">");
            let answer = ResponseView { texts: &texts, ..view(head, b"") };
            assert_eq!(take(between(left, right), &answer).as_deref(), value, "{left}");
        }
    }

    #[test]
    fn nothing_is_extracted_from_a_body_that_cannot_be_decoded() {
        let nothing = || ExtractFrom::Between(String::new(), String::new());
        let texts = sought(nothing());
        let answer =
            ResponseView { body: Err(UnreadBody::Undecodable), texts: &texts, ..view("HTTP/1.1 200 OK\r\n\r\n", b"") };
        assert_eq!(take(json(""), &answer), None);
        assert_eq!(take(nothing(), &answer), None);
    }
}
