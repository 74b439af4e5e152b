//! Reads the text of a multipart body (RFC 7578), as browsers send it.

/// A part of a multipart body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordedPart {
    pub(super) name: String,
    /// `None` for a file whose content is not in the recording.
    pub(super) content: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

/// Reads the parts; `None` if the text is not such a body, or has what a scenario cannot express. With `is_torn` the
/// recorder lost some of the text: browsers do not record the contents of files.
pub(super) fn parse(content_type: &str, text: &str, is_torn: bool) -> Option<Vec<RecordedPart>> {
    let boundary = parameter(content_type, "boundary")?;
    let delimiter = format!("\r\n--{boundary}");
    let rest = text.strip_prefix(&delimiter[2..])?;
    let mut pieces: Vec<&str> = rest.split(&delimiter).collect();
    if !pieces.pop()?.starts_with("--") || pieces.is_empty() {
        return None;
    }
    pieces.into_iter().map(|piece| part(piece.strip_prefix("\r\n")?, is_torn)).collect()
}

fn part(text: &str, is_torn: bool) -> Option<RecordedPart> {
    let (head, content) = text.split_once("\r\n\r\n")?;
    let mut disposition = None;
    let mut content_type = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        match &*name.to_ascii_lowercase() {
            "content-disposition" => disposition = Some(value.trim()),
            "content-type" => content_type = Some(value.trim().to_owned()),
            _ => return None,
        }
    }
    let disposition = disposition?;
    let name = unescaped(&parameter(disposition, "name")?);
    let file_name = parameter(disposition, "filename").map(|name| unescaped(&name));
    let is_file = file_name.as_deref().is_some_and(|name| !name.is_empty());
    let is_lost = is_file && (is_torn || content.is_empty());
    Some(RecordedPart { name, content: (!is_lost).then(|| content.to_owned()), file_name, content_type })
}

/// The value of a parameter of a header field, with or without quotes.
fn parameter(field: &str, name: &str) -> Option<String> {
    let mut rest = field;
    while let Some((_, after)) = rest.split_once(';') {
        let after = after.trim_start();
        let (key, value) = after.split_once('=')?;
        let (value, next) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map_or((quoted, ""), |(value, next)| (value, next)),
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = next;
    }
    None
}

/// The name as it was before a browser escaped it (HTML standard, `multipart/form-data`).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, content: Option<&str>, file_name: Option<&str>, content_type: Option<&str>) -> RecordedPart {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        RecordedPart {
            name: name.to_owned(),
            content: owned(content),
            file_name: owned(file_name),
            content_type: owned(content_type),
        }
    }

    #[test]
    fn the_parts_of_a_browsers_form_are_read() {
        let kind = "multipart/form-data; boundary=----x";
        let text = "------x\r\nContent-Disposition: form-data; name=\"a; b=%22\"\r\n\r\n1\r\n2\r\n\
                    ------x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"ü.txt\"\r\nContent-Type: text/plain\
                    \r\n\r\nhello\r\n\
                    ------x\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\
                    Content-Type: application/octet-stream\r\n\r\n\r\n------x--\r\n";
        let none = part("none", Some(""), Some(""), Some("application/octet-stream"));
        let expected = |content| {
            vec![
                part("a; b=\"", Some("1\r\n2"), None, None),
                part("f", content, Some("ü.txt"), Some("text/plain")),
                part("none", Some(""), Some(""), Some("application/octet-stream")),
            ]
        };
        assert_eq!(parse(kind, text, false), Some(expected(Some("hello"))));
        assert_eq!(parse(kind, text, true), Some(expected(None)), "the content of a file may be torn");
        assert_eq!(parse(kind, text, true).unwrap().pop(), Some(none), "no file was chosen");
    }

    #[test]
    fn what_is_not_such_a_body_is_not_read() {
        let good = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
        assert!(parse("multipart/form-data; boundary=\"x\"", good, false).is_some());
        for (kind, text) in [
            ("multipart/form-data", good),
            ("multipart/form-data; boundary=y", good),
            ("multipart/form-data; boundary=x", "a=1"),
            ("multipart/form-data; boundary=x", "--x--\r\n"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
            ("multipart/form-data; boundary=x", "--x\r\nX-Other: 1\r\n\r\n1\r\n--x--"),
            ("multipart/form-data; boundary=x", &good[..good.len() - 6]),
        ] {
            assert_eq!(parse(kind, text, false), None, "{kind} {text}");
        }
    }
}
