//! `${...}` in flags. It works in scenario files only, and is refused elsewhere: sent as it is, it would be another load
//! than the one meant. `$${` is a literal `${`, as in scenario files.

use crate::cli::RunFlags;
use crate::error::{Error, Result};

/// The flags with literal texts: each `$${` is a `${`.
///
/// # Errors
/// Names the first flag that has an expression.
pub(super) fn literal_flags(flags: &RunFlags) -> Result<RunFlags> {
    let mut flags = flags.clone();
    for header in &mut flags.headers {
        if let Some(value) = &mut header.value {
            *value = literal("--header", value)?;
        }
    }
    for (flag, text) in [
        ("--host", &mut flags.host),
        ("--data", &mut flags.data),
        ("--json", &mut flags.json),
        ("--basic-auth", &mut flags.basic_auth),
    ] {
        // The content of a file is sent as it is.
        let is_file = matches!(flag, "--data" | "--json") && text.as_deref().is_some_and(|text| text.starts_with('@'));
        if let Some(text) = text.as_mut().filter(|_| !is_file) {
            *text = literal(flag, text)?;
        }
    }
    Ok(flags)
}

/// A text of a flag or a request; `what` names it.
///
/// # Errors
/// It has an expression.
pub(super) fn literal(what: &str, text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, found) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.extend([before, "${"]);
        } else if let Some(end) = found.find('}') {
            let shown = shown(&found[..=end]);
            let why = format!("{shown} works in scenario files only; to send it as it is, write ${shown}");
            return Err(Error::usage(what, why));
        } else {
            // Without a closing brace it is not an expression.
            out.extend([before, "${"]);
        }
        rest = &found[2..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The expression, unless it may be something else.
fn shown(expression: &str) -> &str {
    /// Longer than any function with its arguments.
    const LONGEST: usize = 60;
    let is_plain = |char: char| char.is_ascii_alphanumeric() || " ${}_-.,():".contains(char);
    if expression.len() <= LONGEST && expression.chars().all(is_plain) { expression } else { "${...}" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_refused_and_its_escape_is_literal() {
        for (text, expected) in [
            ("plain $5 {x}", Ok("plain $5 {x}")),
            ("00-$${uuid}-01", Ok("00-${uuid}-01")),
            ("a ${ b", Ok("a ${ b")),
            ("$${a}$${b", Ok("${a}${b")),
            (
                "00-${uuid}-01",
                Err("--header: ${uuid} works in scenario files only; to send it as it is, write $${uuid}"),
            ),
            ("$${a} ${b}", Err("--header: ${b} works in scenario files only; to send it as it is, write $${b}")),
            ("${a\"b}", Err("--header: ${...} works in scenario files only; to send it as it is, write $${...}")),
        ] {
            let literal = literal("--header", text).map_err(|error| error.to_string());
            assert_eq!(literal.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
