//! The conditions of `when` and `until`: `${status} == 200`, `${token} exists`.

use super::keys::suggestion;
use super::names::ScenarioNames;
use super::reader::Node;
use crate::error::Result;
use crate::plan::condition::{Comparison, Condition, Subject, Test};
use crate::plan::template::TextEncoding;

/// An operator between two operands, or after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Compare(Comparison),
    Contains,
    Exists,
    IsEmpty,
}

/// The operators as they are written.
const OPERATORS: [(&str, Operator); 7] = [
    ("==", Operator::Compare(Comparison::Equal)),
    ("!=", Operator::Compare(Comparison::Unequal)),
    ("<", Operator::Compare(Comparison::Less)),
    (">", Operator::Compare(Comparison::Greater)),
    ("contains", Operator::Contains),
    ("exists", Operator::Exists),
    ("is_empty", Operator::IsEmpty),
];

/// A part of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'t> {
    /// Between quotes: an operand, whatever it says.
    Quoted(&'t str),
    Bare(&'t str),
}

/// Reads a condition.
pub(super) fn condition(node: &Node<'_>, names: &mut ScenarioNames) -> Result<Condition> {
    let text = node.name()?;
    parse(text)
        .and_then(|parts| compile(parts, names))
        .map(|test| Condition::new(test, text.to_owned()))
        .map_err(|why| node.refused(why))
}

/// The operator and its operands; the right one is empty for an operator that has none.
fn parse(text: &str) -> std::result::Result<(&str, Operator, &str), String> {
    let words = words(text)?;
    let expected = || "expected a test such as ${status} == 200 or ${token} exists".to_owned();
    match &*words {
        [left, operator, right] => match (operator_of(operator)?, operand(left), operand(right)) {
            (Operator::Exists | Operator::IsEmpty, ..) => Err(format!(
                "{right} after {operator}: one test only; nest \"when\" for two",
                right = operand(right),
                operator = operand(operator)
            )),
            (operator, left, right) => Ok((left, operator, right)),
        },
        [left, operator] => match operator_of(operator)? {
            operator @ (Operator::Exists | Operator::IsEmpty) => Ok((operand(left), operator, "")),
            _ => Err(format!("nothing follows {}; an empty text is written ''", operand(operator))),
        },
        [] | [_] => Err(expected()),
        [.., last] => Err(format!(
            "{}, with more words than one test has, up to {:?}: put quotes around a text with blanks, and nest \"when\" for two tests",
            expected(),
            operand(last)
        )),
    }
}

fn operand<'t>(word: &Word<'t>) -> &'t str {
    match word {
        Word::Quoted(text) | Word::Bare(text) => text,
    }
}

fn operator_of(word: &Word<'_>) -> std::result::Result<Operator, String> {
    let found = OPERATORS.iter().find(|(known, _)| *word == Word::Bare(known));
    found.map(|(_, operator)| *operator).ok_or_else(|| {
        let word = operand(word);
        let why = suggestion(word, OPERATORS.iter().map(|(known, _)| *known));
        format!("{word:?} is not an operator{why}")
    })
}

/// The words, which are separated by blanks: not those in quotes, and not those in `${...}`.
fn words(text: &str) -> std::result::Result<Vec<Word<'_>>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '\'') {
            let inside = &rest[1..];
            let end = inside.find(first).ok_or_else(|| format!("a {first} has no closing {first}"))?;
            words.push(Word::Quoted(&inside[..end]));
            rest = &inside[end + 1..];
            if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
                return Err(format!("a blank is missing after the closing {first}"));
            }
        } else {
            let end = bare(rest);
            words.push(Word::Bare(&rest[..end]));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

/// Length of the word that a text begins with.
fn bare(text: &str) -> usize {
    let mut at = 0;
    while let Some(char) = text[at..].chars().next().filter(|char| !char.is_whitespace()) {
        let placeholder = text[at..].strip_prefix("${").and_then(|inside| inside.find('}'));
        at += placeholder.map_or(char.len_utf8(), |end| "${".len() + end + 1);
    }
    at
}

fn compile(
    (left, operator, right): (&str, Operator, &str),
    names: &mut ScenarioNames,
) -> std::result::Result<Test, String> {
    Ok(match operator {
        Operator::Compare(comparison) => {
            Test::Compare(names.text(left, TextEncoding::Plain)?, comparison, names.text(right, TextEncoding::Plain)?)
        }
        Operator::Contains => Test::Contains(subject(left, names)?, names.text(right, TextEncoding::Plain)?),
        Operator::Exists => Test::Exists(subject(left, names)?),
        Operator::IsEmpty => Test::IsEmpty(subject(left, names)?),
    })
}

/// What `contains`, `exists` and `is_empty` look at: a variable may be a list, or set nowhere before.
fn subject(text: &str, names: &mut ScenarioNames) -> std::result::Result<Subject, String> {
    let name = text.strip_prefix("${").and_then(|inside| inside.strip_suffix('}')).map(str::trim);
    let slot = name.and_then(|name| names.known_slot(name));
    slot.map_or_else(|| names.text(text, TextEncoding::Plain).map(Subject::Text), |slot| Ok(Subject::Variable(slot)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_an_operator_with_its_operands() {
        use Operator::{Compare, Contains, Exists, IsEmpty};
        for (text, parts) in [
            ("${status} == 200", ("${status}", Compare(Comparison::Equal), "200")),
            ("  ${a}/${b}   !=  x ", ("${a}/${b}", Compare(Comparison::Unequal), "x")),
            ("${random(1, 6)} < 4", ("${random(1, 6)}", Compare(Comparison::Less), "4")),
            ("${state} == 'in == progress'", ("${state}", Compare(Comparison::Equal), "in == progress")),
            ("\"it's ${a b}\" > \"\"", ("it's ${a b}", Compare(Comparison::Greater), "")),
            ("${list} contains contains", ("${list}", Contains, "contains")),
            ("exists exists", ("exists", Exists, "")),
            ("${token} is_empty", ("${token}", IsEmpty, "")),
            ("'==' == '=='", ("==", Compare(Comparison::Equal), "==")),
        ] {
            assert_eq!(parse(text), Ok(parts), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_reason() {
        for (text, words) in [
            ("${status}", "expected a test such as"),
            ("${a} = 1", "\"=\" is not an operator"),
            ("${a} >= 1", "\">=\" is not an operator"),
            ("${a} contain 1", "did you mean \"contains\"?"),
            ("${a} ==", "an empty text is written ''"),
            ("${a} exists now", "one test only"),
            ("${a} == in progress", "put quotes around a text with blanks"),
            ("${a} == 1 and ${b} == 2", "nest \"when\""),
            ("${a} '==' 1", "is not an operator"),
            ("${a} == 'x", "no closing '"),
            ("${a} == 'x'y", "a blank is missing"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
