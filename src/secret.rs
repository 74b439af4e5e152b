//! Recognizes and masks secrets: used for every output that repeats user input.

mod known;

use std::ops::Range;

pub use known::{KnownSecrets, MIN_LEN};

/// Replaces a secret in output.
pub const MASK: &str = "***";

/// The placeholder for name and password in messages and help.
const PLACEHOLDER: &str = "[NAME:PASS";

/// Returns whether the value with this name (a header, a column, a member of a body, a variable) usually is a
/// secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 13] = [
        "auth",
        "cookie",
        "token",
        "secret",
        "key",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "session",
        "credential",
        "signature",
        "jwt",
    ];
    let lower = name.to_ascii_lowercase();
    SECRET.iter().any(|word| lower.contains(word))
}

/// A header for display: the value is masked if it usually is a secret.
#[must_use]
pub fn masked_header(name: &str, value: &str) -> String {
    if is_secret(name) { format!("{name}: {MASK}") } else { format!("{name}: {value}") }
}

/// A text for display. The following is masked: everything before the `@` of a URL (`http://u:p@h`) or of a
/// word with a colon before it (`u:p@h`), and the values of names that usually are secrets in a query or form
/// (`?api_key=x`).
///
/// Masks too much rather than too little: it is for messages and examples, not for names that statistics are
/// grouped by.
#[must_use]
pub fn masked(text: &str) -> String {
    mask_ranges(text, hidden(text))
}

/// A body for display: in addition to what [`masked`] hides, the values of JSON members that usually are
/// secrets (`"password": "x"`).
#[must_use]
pub fn masked_body(text: &str) -> String {
    mask_ranges(text, hidden_in_body(text))
}

fn hidden_in_body(text: &str) -> Vec<Range<usize>> {
    let mut hidden = hidden(text);
    hidden.extend(members(text));
    hidden.extend(parts(text));
    hidden
}

fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut hidden: Vec<Range<usize>> = Vec::new();
    let is_border = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
    let mut begin = 0;
    while let Some(skip) = text[begin..].find(|c| !is_border(c)) {
        let start = begin + skip;
        let end = text[start..].find(is_border).map_or(text.len(), |length| start + length);
        hidden.extend(userinfo(&text[start..end]).map(|range| range.start + start..range.end + start));
        hidden.extend(pairs(&text[start..end]).map(|range| range.start + start..range.end + start));
        begin = end;
    }
    hidden
}

/// A text meant as a URL, for display: in addition to what [`masked`] hides, everything before the last `@`,
/// and a port that is not a number, as in `http://name:password`.
#[must_use]
pub fn masked_url(text: &str) -> String {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(begin);
    if let Some(at) = rest.rfind('@').filter(|at| *at > 0) {
        return format!("{scheme}{MASK}{}", masked(&rest[at..]));
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let is_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '[' | ']' | ':' | '.');
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit());
    let shown = match authority.split_once(':') {
        _ if authority.starts_with('[') && authority.chars().all(is_address) => return masked(text),
        _ if authority.starts_with('[') => "",
        Some((host, port)) if !is_port(port) => host,
        _ => return masked(text),
    };
    let colon = if shown.is_empty() { "" } else { ":" };
    format!("{scheme}{shown}{colon}{MASK}{}", masked(&rest[authority.len()..]))
}

/// Name and password of a word with an `@`.
fn userinfo(word: &str) -> Option<Range<usize>> {
    let at = word.rfind('@').filter(|at| *at > 0)?;
    if word[..at].ends_with(PLACEHOLDER) {
        return None;
    }
    match word[..at].find("://") {
        Some(scheme) => Some(scheme + 3..at),
        None if word[..at].contains(':') => Some(0..at),
        None => None,
    }
}

/// Values of `name=value` pairs whose name indicates a secret.
fn pairs(word: &str) -> impl Iterator<Item = Range<usize>> {
    const SEPARATORS: [char; 5] = ['&', '?', ';', '#', ','];
    let mut place = 0;
    word.split(SEPARATORS).filter_map(move |pair| {
        let begin = place;
        place += pair.len() + 1;
        let (name, value) = pair.split_once('=')?;
        let is_shown = value.is_empty() || value.starts_with("${");
        (is_secret(name) && !is_shown).then(|| begin + name.len() + 1..begin + pair.len())
    })
}

/// Values of JSON members whose name indicates a secret. Works on a text that is cut off or is not JSON: then it masks too
/// much rather than too little.
fn members(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some((name, after)) = quoted(text, rest) {
        let Some(value) = text[after..].trim_start().strip_prefix(':').map(str::trim_start) else {
            // The closing quote may be an opening one, where a quote before it stands alone.
            rest = after - 1;
            continue;
        };
        rest = after;
        if !is_secret(&text[name]) {
            continue;
        }
        let hidden = member_value(text, text.len() - value.len());
        rest = hidden.end.max(after);
        if !hidden.is_empty() && !text[hidden.clone()].starts_with("${") {
            found.push(hidden);
        }
    }
    found
}

/// The part to mask of a JSON value that begins at `begin`: what is between the quotes of a string, all of an array or
/// object, and everything else up to the next separator. A value that is cut off reaches to the end of the text.
fn member_value(text: &str, begin: usize) -> Range<usize> {
    let value = &text[begin..];
    match value.chars().next() {
        Some('"') => {
            let end = quoted(text, begin).map_or(text.len(), |(inner, _)| inner.end);
            begin + 1..end
        }
        Some('{' | '[') => begin..begin + nested_len(value),
        _ => begin..begin + value.find([',', '}', ']']).unwrap_or(value.len()),
    }
}

/// Length of the array or object at the start of a text.
fn nested_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(step) = text[at..].find(['{', '[', '}', ']', '"']) {
        at += step;
        match text.as_bytes()[at] {
            b'"' => match quoted(text, at) {
                Some((_, after)) => {
                    at = after;
                    continue;
                }
                None => return text.len(),
            },
            b'{' | b'[' => depth += 1,
            _ => depth -= 1,
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Values of the parts of a `multipart/form-data` body (RFC 7578) whose name indicates a secret: from the empty line
/// after the part's head to the next line that begins with `--`.
fn parts(text: &str) -> Vec<Range<usize>> {
    const NAME: &str = "form-data;";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find(NAME) {
        at += step + NAME.len();
        let line = &text[at..at + text[at..].find('\n').unwrap_or(text.len() - at)];
        let name = line.split(';').find_map(|part| part.trim().strip_prefix("name="));
        let Some(body) = text[at..].find("\r\n\r\n").map(|end| at + end + 4) else { break };
        if name.is_some_and(is_secret) {
            let end = text[body..].find("\r\n--").map_or(text.len(), |length| body + length);
            found.push(body..end);
        }
    }
    found
}

/// The text between the next two quotes after `from`, and the position after the second one.
fn quoted(text: &str, from: usize) -> Option<(Range<usize>, usize)> {
    let begin = from + text[from..].find('"')? + 1;
    let mut at = begin;
    loop {
        at += text[at..].find(['"', '\\'])?;
        if text[at..].starts_with('"') {
            return Some((begin..at, at + 1));
        }
        at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
    }
}

/// The text with these ranges masked.
fn mask_ranges(text: &str, mut hidden: Vec<Range<usize>>) -> String {
    hidden.sort_by_key(|range| (range.start, range.end));
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for range in hidden {
        if range.start >= done && range.start < range.end {
            out.push_str(&text[done..range.start]);
            out.push_str(MASK);
        }
        done = done.max(range.end);
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_url_are_masked_and_the_rest_is_shown() {
        for (text, told) in [
            ("request \"GET http://u:p@h:99999/a\": is wrong", "request \"GET http://***@h:99999/a\": is wrong"),
            ("http://u:p/x@h and http://h/y", "http://***@h and http://h/y"),
            ("u:p@h", "***@h"),
            ("expected http://[NAME:PASS@]HOST:PORT", "expected http://[NAME:PASS@]HOST:PORT"),
            ("--json @/a/b.json", "--json @/a/b.json"),
            ("amy@example.com", "amy@example.com"),
            ("/a?api_key=x&n=1#token=y", "/a?api_key=***&n=1#token=***"),
            ("PASSWORD=x curl", "PASSWORD=*** curl"),
            ("p=1&password=${x}", "p=1&password=${x}"),
        ] {
            assert_eq!(masked(text), told, "{text}");
        }
        for (text, told) in [
            ("p=1&password=x", "p=1&password=***"),
            (r#"{"password" : "a\"b", "n":1,"pin_secret":7}"#, r#"{"password" : "***", "n":1,"pin_secret":***}"#),
            (r#"{"token":"${token}"}"#, r#"{"token":"${token}"}"#),
            ("\"key\": \"never, closed", "\"key\": \"***"),
            (r#"{"auth":{"a":"b","c":["}"]},"n":1}"#, r#"{"auth":***,"n":1}"#),
            (r#"{"keys":["a","b"#, r#"{"keys":***"#),
            (r#"an inch is 1" {"password": "x"}"#, r#"an inch is 1" {"password": "***"}"#),
            (
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--b\r\n",
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n--b\r\n",
            ),
            ("http://ü:ü@ü", "http://***@ü"),
        ] {
            assert_eq!(masked_body(text), told, "{text}");
        }
    }

    #[test]
    fn secrets_are_masked_in_any_malformed_url() {
        for (text, told) in [
            ("http://u:a b@h:1/x", "http://***@h:1/x"),
            ("http://u:\"p@h", "http://***@h"),
            ("http://u:p/x@h", "http://***@h"),
            ("http://u:p", "http://u:***"),
            ("http://u:p?q", "http://u:***?q"),
            ("http://[u:p/x", "http://***/x"),
            ("http://[::1", "http://[::1"),
            ("http://h:99999/", "http://h:99999/"),
            ("Accept: text/html", "Accept:***/html"),
            ("localhost:8080", "localhost:8080"),
            ("GET /a?key=1", "GET /a?key=***"),
            ("@file", "@file"),
            ("ok", "ok"),
        ] {
            assert_eq!(masked_url(text), told, "{text}");
        }
    }

    #[test]
    fn headers_are_masked_by_their_name() {
        assert_eq!(masked_header("Authorization", "Bearer x"), "Authorization: ***");
        assert_eq!(masked_header("X-Api-Key", "x"), "X-Api-Key: ***");
        assert_eq!(masked_header("Accept", "x"), "Accept: x");
    }
}
