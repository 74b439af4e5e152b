//! The page about troubles has an entry for each way in which the program can end other than well.

use std::collections::BTreeSet;

use swarmline::vocabulary::{EndReason, FailureClass, ReasonKind, Verdict};

use super::page::{Page, code};

const PAGE: &str = "docs/troubleshooting.md";

/// What begins an error that ends the program, in the source.
const CALLS: [&str; 2] = ["Error::usage(", "Error::invalid("];

/// The shortest piece of a message that is looked for.
const SHORTEST: usize = 8;

#[test]
fn every_verdict_reason_and_failure_class_has_an_entry() {
    let page = Page::read(PAGE);
    let told: BTreeSet<&str> = code(&page.text).into_iter().collect();
    let words = Verdict::ALL.map(Verdict::as_str).into_iter();
    let words = words.chain(ReasonKind::ALL.map(ReasonKind::as_str)).chain(EndReason::ALL.map(EndReason::as_str));
    let words = words.chain(FailureClass::ALL.map(FailureClass::as_str)).map(str::to_owned);
    for word in words.chain(kinds_of_warnings()) {
        assert!(told.contains(&*word), "{word} has no entry in {PAGE}");
    }
}

/// The kinds that the page about the stream lists: those of a run and those of `merge`.
fn kinds_of_warnings() -> Vec<String> {
    let page = Page::read("docs/stream.md");
    let (of_run, of_merge) = page.section("Warnings").split_once("In a merged stream: ").unwrap();
    let rows = of_run.lines().filter(|line| line.starts_with("| `"));
    let kinds = rows.flat_map(|row| code(row.split('|').nth(1).unwrap())).chain(code(of_merge));
    let kinds: Vec<String> = kinds.map(str::to_owned).collect();
    assert!(kinds.len() > 30, "{} kinds", kinds.len());
    kinds
}

/// Flags of other tools (`cli`) name what to use here; errors of `import` name the place in its input.
#[test]
fn every_error_that_ends_the_program_has_an_entry() {
    let page = Page::read(PAGE);
    let text = page.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_left_out = |file: &Page| ["src/cli/", "src/import/"].iter().any(|folder| file.path.starts_with(folder));
    let files: Vec<Page> = Page::all_below("src", &["rs"]).into_iter().filter(|file| !is_left_out(file)).collect();
    let products = files.iter().map(|file| file.text.split("#[cfg(test)]").next().unwrap());
    let all: Vec<String> = products.flat_map(messages).collect();
    let missing: Vec<&String> = all.iter().filter(|message| !text.contains(*message)).collect();
    assert!(missing.is_empty(), "no entry in {PAGE} has {missing:#?}");
    assert!(all.len() > 40, "{} messages", all.len());
}

/// Of each error its sentence, where that is a literal: the longest piece without a value.
fn messages(source: &str) -> Vec<String> {
    let calls = CALLS.iter().flat_map(|call| source.split(call).skip(1));
    calls.filter_map(|rest| literals(arguments(rest)).pop()).filter_map(|sentence| longest_piece(&sentence)).collect()
}

/// The arguments of a call, up to its closing bracket; brackets in texts come in pairs.
fn arguments(rest: &str) -> &str {
    let mut depth = 1;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
    }
    rest
}

/// The texts of the second argument.
fn literals(arguments: &str) -> Vec<String> {
    let mut depth = 0;
    let mut is_text = false;
    let comma = arguments.char_indices().find(|(at, c)| {
        match c {
            '"' if !arguments[..*at].ends_with('\\') => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        *c == ',' && depth == 0 && !is_text
    });
    let Some((comma, _)) = comma else { return Vec::new() };
    let second = arguments[comma..].replace("\\\"", "\u{1}");
    second.split('"').skip(1).step_by(2).map(|text| text.replace('\u{1}', "\"")).collect()
}

fn longest_piece(sentence: &str) -> Option<String> {
    let one_line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let pieces = one_line
        .split(['{', '}'])
        .step_by(2)
        .map(|piece| piece.trim_matches([' ', ';', ':', ',', '(', ')']).to_owned());
    pieces.max_by_key(String::len).filter(|piece| piece.len() >= SHORTEST)
}
