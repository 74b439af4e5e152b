//! The functions that can be called in `${...}`.
//!
//! Arguments are separated by commas, without the blanks around them. One that has a comma, a quote or blanks of its own
//! stands in single or double quotes, in which that quote is written twice.

use super::keys::suggestion;
use crate::plan::random::Probability;
use crate::plan::template::{Placeholder, SlotId, TimeFormat};

/// The names of all functions. `raw` and `number` say how a value is written, and `optional` whether a field is sent:
/// they are read where that is decided.
pub(super) const FUNCTIONS: [&str; 12] =
    ["chance", "choice", "count", "first", "hex", "now", "number", "optional", "pick", "random", "raw", "text"];

/// Names of values that look like functions to people from other tools.
const VALUES: [&str; 5] = ["counter", "iteration", "status", "user", "uuid"];

/// Maximum number of random letters or digits: longer ones are better read from a file.
const MAX_LENGTH: u32 = 65_536;

/// What a call stands for.
pub(super) enum Function<'t> {
    /// A value that is made anew each time.
    Generated(Placeholder),
    /// A value made of the list with this name.
    OfList(fn(SlotId) -> Placeholder, &'t str),
}

/// Reads an expression, if it is a call.
///
/// # Errors
/// A sentence: an unknown function, or wrong arguments.
pub(super) fn of(expression: &str) -> Result<Option<Function<'_>>, String> {
    let Some((name, rest)) = expression.split_once('(') else { return Ok(None) };
    let name = name.trim_end();
    let Some(arguments) = rest.strip_suffix(')').map(str::trim) else {
        return Err("has no closing parenthesis at its end (a } cannot stand in ${...})".to_owned());
    };
    let list = |placeholder| {
        let is_name = !arguments.is_empty() && !arguments.contains(['(', ',', '\'', '"']);
        let why = || format!("expected the name of a list, as in {name}(ids)");
        if is_name { Ok(Function::OfList(placeholder, arguments)) } else { Err(why()) }
    };
    Ok(Some(match name {
        "pick" => list(Placeholder::PickOf)?,
        "first" => list(Placeholder::FirstOf)?,
        "count" => list(Placeholder::CountOf)?,
        _ => Function::Generated(generated(name, arguments)?),
    }))
}

fn generated(name: &str, arguments: &str) -> Result<Placeholder, String> {
    match name {
        "random" => random(arguments),
        "choice" => choice(arguments),
        "chance" => chance(arguments).map(Placeholder::Chance),
        "text" => length(name, arguments).map(Placeholder::Letters),
        "hex" => length(name, arguments).map(Placeholder::Hex),
        "now" if arguments.is_empty() => Err("takes no empty arguments; write ${now}".to_owned()),
        "now" => TimeFormat::parse(&time(arguments)?).map(|format| Placeholder::Time(Box::new(format))),
        "optional" => Err(
            "makes a member of \"json\" optional: {\"name\": {\"${optional(0.5)}\": value}}; in \"form\" and \"query\" \
             write {\"value\": …, \"optional\": 0.5}"
                .to_owned(),
        ),
        _ if VALUES.contains(&name) => Err(format!("takes no arguments; write ${{{name}}}")),
        _ => Err(format!("there is no function {name:?}{}", suggestion(name, FUNCTIONS))),
    }
}

fn random(arguments: &str) -> Result<Placeholder, String> {
    let hint = || "expected random(a,b) with whole numbers, a not above b".to_owned();
    let (low, high) = arguments.split_once(',').ok_or_else(hint)?;
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| hint());
    let (low, high) = (number(low)?, number(high)?);
    if low <= high { Ok(Placeholder::Random(low, high)) } else { Err(hint()) }
}

fn choice(arguments: &str) -> Result<Placeholder, String> {
    let texts = split_arguments(arguments)?;
    if texts.len() < 2 {
        return Err("expected at least two texts, as in choice(red,green,green)".to_owned());
    }
    Ok(Placeholder::Choice(texts.into_iter().map(String::into_boxed_str).collect()))
}

/// Reads the argument of `chance` and `optional`.
pub(super) fn chance(arguments: &str) -> Result<Probability, String> {
    let share = arguments.parse().map_err(|_| ()).and_then(|share| Probability::new(share).map_err(|_| ()));
    share.map_err(|()| format!("{arguments:?} is not a probability; expected a number from 0 to 1, such as 0.2"))
}

fn length(name: &str, arguments: &str) -> Result<u32, String> {
    let length = arguments.parse().ok().filter(|length| (1..=MAX_LENGTH).contains(length));
    length.ok_or_else(|| format!("expected a length from 1 to {MAX_LENGTH}, as in {name}(12)"))
}

/// The argument of `now`: a format may be quoted as a whole, for blanks at its ends.
fn time(arguments: &str) -> Result<String, String> {
    let (offset, format) = match arguments.split_once(',') {
        Some((offset, format)) if arguments.starts_with(['+', '-']) => (Some(offset), format.trim()),
        _ => (None, arguments),
    };
    let format = if format.starts_with(['\'', '"']) { split_arguments(format)?.concat() } else { format.to_owned() };
    Ok(offset.map_or_else(|| format.clone(), |offset| format!("{offset},{format}")))
}

/// Splits arguments at their commas.
fn split_arguments(text: &str) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (argument, after) = if let Some(quote @ ('\'' | '"')) = rest.chars().next() {
            quoted(&rest[1..], quote)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let argument = rest[..end].trim_end();
            if argument.is_empty() {
                return Err("an argument is empty; an empty text is written ''".to_owned());
            }
            (argument.to_owned(), &rest[end..])
        };
        arguments.push(argument);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if after.is_empty() => return Ok(arguments),
            None => return Err(format!("expected a comma before {after:?}")),
        }
    }
}

/// Reads a quoted text after its opening quote; returns it, and what follows the closing one.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut read = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(quote) {
        read.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(more) = rest.strip_prefix(quote) else { return Ok((read, rest)) };
        read.push(quote);
        rest = more;
    }
    Err(format!("has no closing {quote} (within a text in {quote} it is written twice)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_at_commas_outside_quotes() {
        for (text, expected) in [
            ("a,b", &["a", "b"][..]),
            (" a , b c ", &["a", "b c"]),
            ("'a,b', \"c'd\"", &["a,b", "c'd"]),
            ("'it''s', ' x '", &["it's", " x "]),
            ("'', b", &["", "b"]),
            ("it's,b(c)", &["it's", "b(c)"]),
            ("\"a\"\"b\"", &["a\"b"]),
            ("ü,'ö,ä'", &["ü", "ö,ä"]),
        ] {
            assert_eq!(
                split_arguments(text).as_deref(),
                Ok(expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref(),
                "{text}"
            );
        }
        for (text, words) in [
            ("a,,b", "an empty text is written ''"),
            ("a,", "an argument is empty"),
            ("", "an argument is empty"),
            ("'a", "no closing '"),
            ("'a'b", "expected a comma before \"b\""),
        ] {
            let why = split_arguments(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
