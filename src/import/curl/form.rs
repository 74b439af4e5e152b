//! `-F` and `--form-string`: the parts of a multipart body, in curl's syntax.

use super::super::draft::{DraftContent, DraftPart, FileName, Notes};
use super::super::marks;
use super::files::why_not_a_file;
use crate::error::{Error, Result};

/// A part as it is written: content, and what follows it behind semicolons.
#[derive(Debug, Default, PartialEq, Eq)]
struct WrittenPart {
    content: String,
    media_type: Option<String>,
    filename: Option<String>,
    /// Names of parameters that are left out.
    lost: Vec<&'static str>,
    /// It is followed by another file.
    goes_on: bool,
}

/// Reads the value of `-F`; `None` if the part is left out, with a note.
///
/// # Errors
/// curl does not accept the value.
pub(super) fn part(flag: &str, text: &str, notes: &mut Notes) -> Result<Option<DraftPart>> {
    let Some((name, content)) = text.split_once('=') else {
        return Err(Error::usage(format!("curl {flag}"), "expected NAME=CONTENT"));
    };
    if name.is_empty() {
        notes.lost(format!("{flag}: a part without a name is left out"));
        return Ok(None);
    }
    let shown = format!("{flag} {}", marks::shown(name));
    let mut lost = |why: &str| notes.lost(format!("{shown}: {why}"));
    if content.starts_with('(') {
        lost("parts within parts are left out");
        return Ok(None);
    }
    let (kind, rest) = match content.chars().next() {
        Some(kind @ ('@' | '<')) => (Some(kind), &content[1..]),
        _ => (None, content),
    };
    let written = written(rest, if kind == Some('@') { &[';', ','] } else { &[';'] })
        .map_err(|why| Error::usage(format!("curl {flag}"), why))?;
    if written.goes_on {
        lost("several files in one part are left out");
        return Ok(None);
    }
    for parameter in &written.lost {
        lost(&format!("{parameter} is left out"));
    }
    if marks::has_byte(text) {
        lost("bytes that are not UTF-8 are replaced, as a scenario cannot have them; send a file");
    }
    let given = written.filename.as_deref().map(marks::template);
    let (content, filename) = match kind {
        None => (DraftContent::Value(marks::template(&written.content)), given.map_or(FileName::Own, FileName::Given)),
        Some(kind) => {
            if let Some(why) = why_not_a_file(&written.content) {
                lost(&format!("a file in a form is left out, {why}"));
                return Ok(None);
            }
            let own = if kind == '@' { FileName::Own } else { FileName::Omitted };
            (DraftContent::File(marks::template(&written.content)), given.map_or(own, FileName::Given))
        }
    };
    let content_type = written.media_type.as_deref().map(marks::template);
    Ok(Some(DraftPart { name: marks::template(name), content, filename, content_type }))
}

/// Reads the value of `--form-string`, which is literal.
pub(super) fn literal_part(flag: &str, text: &str, notes: &mut Notes) -> Result<Option<DraftPart>> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Error::usage(format!("curl {flag}"), "expected NAME=TEXT"));
    };
    if name.is_empty() {
        notes.lost(format!("{flag}: a part without a name is left out"));
        return Ok(None);
    }
    if marks::has_byte(value) {
        notes.lost(format!("{flag} {}: bytes that are not UTF-8 are replaced; send a file", marks::shown(name)));
    }
    let content = DraftContent::Value(marks::template(value));
    Ok(Some(DraftPart { name: marks::template(name), content, filename: FileName::Own, content_type: None }))
}

/// Splits content and parameters as curl's `get_param_part` does; `ends` are the characters that end a word.
fn written(text: &str, ends: &[char]) -> std::result::Result<WrittenPart, &'static str> {
    let mut part = WrittenPart::default();
    let mut rest = text.trim_ascii_start();
    part.content = word(&mut rest, ends);
    let mut is_in_type = false;
    while let Some(after) = rest.strip_prefix(';') {
        rest = after.trim_ascii_start();
        let parameter = |name: &str| {
            let begin = rest.get(..name.len())?;
            begin.eq_ignore_ascii_case(name).then(|| rest[name.len()..].trim_ascii_start())
        };
        if let Some(after) = parameter("type=").filter(|_| !is_in_type) {
            rest = after;
            let media_type = plain_word(&mut rest, ends);
            let (major, minor) = media_type.split_once('/').ok_or("a type is written as in type=text/plain")?;
            if major.is_empty() || major.contains(' ') || minor.is_empty() {
                return Err("a type is written as in type=text/plain");
            }
            part.media_type = Some(media_type);
            is_in_type = true;
        } else if let Some(after) = parameter("filename=") {
            (rest, is_in_type) = (after, false);
            part.filename = Some(word(&mut rest, ends));
        } else if let Some(after) = parameter("headers=") {
            (rest, is_in_type) = (after, false);
            part.lost.push("headers=");
            word(&mut rest, ends);
        } else if let Some(after) = parameter("encoder=") {
            (rest, is_in_type) = (after, false);
            part.lost.push("encoder=");
            word(&mut rest, ends);
        } else if is_in_type {
            let more = plain_word(&mut rest, ends);
            part.media_type.iter_mut().for_each(|media_type| *media_type = format!("{media_type};{more}"));
        } else {
            // curl skips what it does not know, with a warning.
            word(&mut rest, ends);
        }
    }
    part.goes_on = !rest.is_empty();
    Ok(part)
}

/// Reads up to one of `ends`, without blanks at the end.
fn plain_word(rest: &mut &str, ends: &[char]) -> String {
    let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    *rest = after;
    word.trim_ascii_end().to_owned()
}

/// Reads a word, which may be quoted.
fn word(rest: &mut &str, ends: &[char]) -> String {
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut text = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quoted[at + 1..].starts_with(['\\', '"']) => text.extend(chars.next().map(|(_, c)| c)),
                '"' => {
                    // curl skips what follows the quote, with a warning.
                    let after = &quoted[at + 1..];
                    *rest = &after[after.find(ends).unwrap_or(after.len())..];
                    return text;
                }
                c => text.push(c),
            }
        }
    }
    plain_word(rest, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_parameters_are_split_as_curl_does() {
        let of = |text: &str| {
            let part = written(text, &[';']).unwrap();
            (part.content, part.media_type.unwrap_or_default(), part.filename.unwrap_or_default())
        };
        let expected = |content: &str, media_type: &str, filename: &str| {
            (content.to_owned(), media_type.to_owned(), filename.to_owned())
        };
        for (text, content, media_type, filename) in [
            (r#""b""#, "b", "", ""),
            (" c ; type=text/plain", "c", "text/plain", ""),
            (r#"{"x":1};type=application/json"#, r#"{"x":1}"#, "application/json", ""),
            ("x;y=z", "x", "", ""),
            ("x;type=text/plain;charset=utf-8;filename=v", "x", "text/plain;charset=utf-8", "v"),
            (r#"x;filename="a\"b""#, "x", "", "a\"b"),
            (r#""a\\b\"c"d"#, "a\\b\"c", "", ""),
            (r#""a;b"#, "\"a", "", ""),
            ("", "", "", ""),
        ] {
            assert_eq!(of(text), expected(content, media_type, filename), "{text}");
        }
        assert!(written("x;type=text", &[';']).is_err());
        assert!(written("a,b", &[';', ',']).unwrap().goes_on);
        assert_eq!(written("a;headers=\"X: 1\";encoder=base64", &[';']).unwrap().lost, ["headers=", "encoder="]);
    }
}
