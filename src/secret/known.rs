//! Secrets that are known by their value, not only by the name beside them.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{hidden_in_body, is_secret, mask_ranges};

/// Shorter values are not searched for: they occur everywhere by chance. Beside a name that usually is a secret's they
/// are masked all the same.
pub const MIN_LEN: usize = 4;

/// Maximum number of values, with their encodings: each is searched for in every text.
const MAX_VALUES: usize = 1000;

/// Values that must not be shown, in every encoding in which a request or an answer may repeat them.
#[derive(Clone, Default)]
pub struct KnownSecrets(BTreeSet<String>);

impl fmt::Debug for KnownSecrets {
    /// Hides the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl KnownSecrets {
    /// Adds a value; one of fewer than 4 bytes is left out.
    pub fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < MIN_LEN || self.0.len() >= MAX_VALUES || self.0.contains(value) {
            return;
        }
        for encoded in [percent(value, "%20"), percent(value, "+"), json(value, false), json(value, true), html(value)]
        {
            self.0.insert(encoded.to_ascii_lowercase());
            self.0.insert(encoded);
        }
        self.0.insert(BASE64_STANDARD.encode(value).trim_end_matches('=').to_owned());
        self.0.insert(value.to_owned());
    }

    /// Adds what a header field holds, if it usually is a secret: its value, credentials without their scheme, name and
    /// password of basic authentication, the values of cookies.
    pub fn add_field(&mut self, name: &str, value: &str) {
        if !is_secret(name) {
            return;
        }
        if name.to_ascii_lowercase().contains("cookie") {
            let count = if name.eq_ignore_ascii_case("set-cookie") { 1 } else { usize::MAX };
            let cookies = value.split(';').take(count).filter_map(|pair| pair.split_once('='));
            return cookies.for_each(|(_, value)| self.add(value));
        }
        self.add(value);
        let Some((_, credentials)) = value.trim().split_once(' ') else { return };
        self.add(credentials);
        let decoded = BASE64_STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
            self.add(password);
        }
    }

    /// Adds the values that stand beside names of secrets in a text, so that they are masked where they stand alone.
    pub fn add_named(&mut self, text: &str) {
        for range in hidden_in_body(text) {
            self.add(&text[range]);
        }
    }

    /// A text for display: what is known is masked, and what [`masked_body`](super::masked_body) masks. The end of a
    /// text that was cut off is masked if a secret may begin there.
    #[must_use]
    pub fn mask(&self, text: &str, is_cut: bool) -> String {
        let mut hidden = hidden_in_body(text);
        hidden.extend(self.0.iter().flat_map(|value| occurrences(text, value)));
        if is_cut {
            hidden.extend(self.0.iter().filter_map(|value| beginning_at_end(text, value)));
        }
        mask_ranges(text, hidden)
    }
}

fn occurrences<'t>(text: &'t str, value: &'t str) -> impl Iterator<Item = Range<usize>> + use<'t> {
    text.match_indices(value).map(|(at, found)| at..at + found.len())
}

/// The end of the text, if a value begins there that does not fit.
fn beginning_at_end(text: &str, value: &str) -> Option<Range<usize>> {
    let longest = value.len().min(text.len());
    let starts = (text.len() - longest..text.len()).filter(|at| text.is_char_boundary(*at));
    starts.map(|at| at..text.len()).find(|range| value.starts_with(&text[range.clone()]))
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
fn percent(value: &str, blank: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b' ' => out.push_str(blank),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(byte.into()),
            // Writing into a String cannot fail.
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// As in a JSON string (RFC 8259 section 7), on request with ASCII characters only.
fn json(value: &str, is_ascii: bool) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || is_ascii && !c.is_ascii() => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    let _ = write!(out, "\\u{unit:04x}");
                });
            }
            c => out.push(c),
        }
    }
    out
}

/// As in the text of an HTML page.
fn html(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_masked_in_every_encoding() {
        let mut known = KnownSecrets::default();
        known.add("p\"w & ü/1");
        for text in [
            "p\"w & ü/1",
            "p%22w%20%26%20%C3%BC%2F1",
            "p%22w+%26+%C3%BC%2F1",
            "p%22w%20%26%20%c3%bc%2f1",
            r#"p\"w & ü/1"#,
            r#"p\"w & \u00fc/1"#,
            "p&quot;w &amp; ü/1",
        ] {
            assert_eq!(known.mask(&format!("a {text} b"), false), "a *** b", "{text}");
        }
        assert!(!format!("{known:?}").contains("w &"));
    }

    #[test]
    fn what_fields_hold_is_masked_where_it_stands_alone() {
        for (name, value, text, masked) in [
            ("Authorization", "Bearer abc123", "you sent abc123.", "you sent ***."),
            ("Authorization", "Basic YW15OnNlc2FtZQ==", "amy, sesame", "amy, ***"),
            ("Authorization", "Basic YW15OnNlc2FtZQ==", "YW15OnNlc2FtZQ==", "***"),
            ("Cookie", "sid=s1s1; theme=dark1", "s1s1 dark1", "*** ***"),
            ("Set-Cookie", "sid=s1s1; Path=/path; Secure", "s1s1 /path", "*** /path"),
            ("X-Api-Key", "k1k2", "k1k2", "***"),
            ("X-Trace", "t1t2", "t1t2", "t1t2"),
            ("X-Api-Key", "k1", "k1", "k1"),
        ] {
            let mut known = KnownSecrets::default();
            known.add_field(name, value);
            assert_eq!(known.mask(text, false), masked, "{name}: {value}");
        }
    }

    #[test]
    fn a_value_beside_a_secret_name_is_masked_where_it_stands_alone() {
        let mut known = KnownSecrets::default();
        known.add_named(r#"{"password":"sesame","n":12345}"#);
        assert_eq!(known.mask("sesame 12345", false), "*** 12345");
    }

    #[test]
    fn the_beginning_of_a_secret_at_the_end_of_a_cut_text_is_masked() {
        let mut known = KnownSecrets::default();
        known.add("sesame");
        assert_eq!(known.mask("a ses", true), "a ***");
        assert_eq!(known.mask("a ses", false), "a ses");
        assert_eq!(known.mask("sesame s", true), "*** ***");
        assert_eq!(known.mask("", true), "");
    }
}
