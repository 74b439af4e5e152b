//! Texts with variables, as the parts of a request have them.

use std::fmt::Write as _;

use super::super::draft::escape_template;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// A variable of the scenario whose value is known now. A secret one has another value in the scenario.
    Known {
        name: String,
        value: String,
        is_secret: bool,
    },
    /// A variable whose value is known before the run, or only by the user.
    Open {
        name: String,
        is_of_user: bool,
    },
    /// Another expression.
    Template(&'static str),
}

/// The part of a URL that a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlPart {
    Path,
    QueryName,
    QueryValue,
}

/// The text for headers and bodies.
pub(super) fn template(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => escape_template(text),
        Piece::Known { name, .. } | Piece::Open { name, .. } => format!("${{{name}}}"),
        Piece::Template(expression) => (*expression).to_owned(),
    };
    pieces.iter().map(text).collect()
}

/// The value of a text in which everything is known.
pub(super) fn known(pieces: &[Piece]) -> Option<String> {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) | Piece::Known { value: text, .. } => Some(text.clone()),
        Piece::Open { .. } | Piece::Template(_) => None,
    };
    pieces.iter().map(text).collect()
}

/// The text itself if it has no variables.
pub(super) fn literal(pieces: &[Piece]) -> Option<String> {
    let is_literal = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    is_literal.then(|| known(pieces)).flatten()
}

/// The text in a URL: like Postman, only what would end this part is encoded in values.
pub(super) fn target(pieces: &[Piece], part: UrlPart) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => escape_template(&encoded(text, part)),
        Piece::Known { name, value, .. } if is_unreserved(value) => format!("${{{name}}}"),
        Piece::Known { name, value, is_secret } if *is_secret || encoded(value, part) == *value => {
            format!("${{raw({name})}}")
        }
        Piece::Known { value, .. } => escape_template(&encoded(value, part)),
        Piece::Open { name, .. } => format!("${{raw({name})}}"),
        Piece::Template(expression) => (*expression).to_owned(),
    };
    pieces.iter().map(text).collect()
}

/// Whether the text means something else within quotes in JSON.
pub(super) fn breaks_json(pieces: &[Piece]) -> bool {
    let is_special = |c: char| c.is_control() || matches!(c, '"' | '\\');
    pieces.iter().any(|piece| matches!(piece, Piece::Known { value, .. } if value.contains(is_special)))
}

fn is_unreserved(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// What cannot stand in this part of a URL, or would end it, is encoded; what is already encoded stays.
fn encoded(text: &str, part: UrlPart) -> String {
    let ends = |c: char| match part {
        UrlPart::Path => matches!(c, '?' | '#'),
        UrlPart::QueryName => matches!(c, '#' | '&' | '=' | '\''),
        UrlPart::QueryValue => matches!(c, '#' | '&' | '\''),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if ends(c) || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_values_as_postman_sends_them() {
        let known = |value: &str| Piece::Known { name: "x".into(), value: value.into(), is_secret: false };
        for (value, path, query) in [
            ("a-1", "${x}", "${x}"),
            ("a/b", "${raw(x)}", "${raw(x)}"),
            ("a&b", "${raw(x)}", "a%26b"),
            ("a?${b}", "a%3F$${b}", "${raw(x)}"),
        ] {
            assert_eq!(target(&[known(value)], UrlPart::Path), path);
            assert_eq!(target(&[known(value)], UrlPart::QueryValue), query);
        }
        assert_eq!(target(&[Piece::Literal("a=b&c'#".into())], UrlPart::QueryName), "a%3Db%26c%27%23");
        let secret = Piece::Known { name: "x".into(), value: "a&b".into(), is_secret: true };
        assert_eq!(target(&[secret], UrlPart::QueryValue), "${raw(x)}");
    }
}
