//! The tables of flags are made from the command line's own definition. Each cell of the last column begins with the help
//! text; what stands behind `<br>` is written by hand, and kept.
//!
//! `make docs` writes the page anew (`SWARMLINE_WRITE_DOCS=1`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};
use swarmline::cli;

use super::page::{Page, code, root};

const PAGE: &str = "docs/flags-and-environment.md";

/// The first line of each table.
const HEAD: &str = "| flag | variable | default | meaning |";

/// Where the sentence about flags begins that a command shares with `run`.
const SHARED: &str = "As with `swarmline run`: ";

/// What stands between the help text and what was written by hand.
const BY_HAND: &str = "<br>";

#[test]
fn the_tables_of_flags_are_made_from_the_command_line() {
    let page = Page::read(PAGE);
    let made = made_anew(&page);
    if std::env::var_os("SWARMLINE_WRITE_DOCS").is_some() {
        std::fs::write(root().join(PAGE), &made).unwrap();
        return;
    }
    let differing = page.text.lines().zip(made.lines()).find(|(there, wanted)| there != wanted);
    assert_eq!(page.text, made, "{PAGE}: {differing:?}; `make docs` writes it anew");
}

#[test]
fn every_variable_that_the_program_reads_is_told() {
    const PREFIXES: [&str; 11] = [
        "LOCUST_",
        "SWARMLINE_",
        "OTEL_",
        "SLURM_",
        "OMPI_",
        "PMI_",
        "PMIX_",
        "AWS_BATCH_",
        "JOB_COMPLETION_",
        "SSL_CERT_",
        "NO_COLOR",
    ];
    let page = Page::read(PAGE);
    let told = code(&page.text);
    let is_name = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let mut seen = 0;
    for file in Page::all_below("src", &["rs"]) {
        for word in file.text.split('"').filter(|word| is_name(word) && !word.ends_with('_')) {
            if PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
                assert!(told.contains(&word), "{word} of {} is not in {PAGE}", file.path);
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} variables");
}

/// The page with its tables, and sentences about shared flags, made anew.
fn made_anew(page: &Page) -> String {
    let definition = cli::command_line();
    let run = definition.find_subcommand("run").unwrap();
    let mut text = page.text.clone();
    for command in definition.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let section = page.section(&format!("swarmline {name}"));
        let by_hand = by_hand(section);
        let made = if name == "run" {
            with_tables_of_run(section, command, &by_hand)
        } else {
            let (shared, own): (Vec<&Arg>, Vec<&Arg>) = flags(command).partition(|flag| is_of(run, flag));
            let made = with_table(section, &table(&own, &by_hand));
            with_shared(&made, &shared)
        };
        text = text.replace(section, &made);
    }
    text
}

fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_told = |flag: &&Arg| !flag.is_hide_set() && !flag.is_positional() && flag.get_id() != "help";
    command.get_arguments().filter(is_told)
}

/// Whether `run` has a flag that means the same.
fn is_of(run: &Command, flag: &Arg) -> bool {
    let same = run.get_arguments().find(|other| other.get_id() == flag.get_id());
    same.is_some_and(|other| cells(other) == cells(flag))
}

/// What was written by hand, by the flag's name.
fn by_hand(section: &str) -> BTreeMap<String, String> {
    let rows = section.lines().filter(|line| line.starts_with("| `-"));
    let written = rows.filter_map(|row| row.trim_end_matches(" |").split_once(BY_HAND));
    let name = |before: &str| code(before).into_iter().find(|code| code.starts_with("--")).unwrap().to_owned();
    let name_alone = |name: String| name.split(' ').next().unwrap().to_owned();
    written.map(|(before, rest)| (name_alone(name(before)), rest.to_owned())).collect()
}

/// A section with a table below each heading of the help page, in its order.
fn with_tables_of_run(section: &str, run: &Command, by_hand: &BTreeMap<String, String>) -> String {
    let mut headings: Vec<&str> = Vec::new();
    for flag in flags(run) {
        let heading = flag.get_help_heading().unwrap();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let mut made = section.split("\n### ").next().unwrap().to_owned();
    for heading in headings {
        let flags: Vec<&Arg> = flags(run).filter(|flag| flag.get_help_heading() == Some(heading)).collect();
        write!(made, "\n### {heading}\n\n{}\n", table(&flags, by_hand)).unwrap();
    }
    made
}

/// A section with this table in place of its own.
fn with_table(section: &str, table: &str) -> String {
    let Some(begin) = section.find(HEAD) else {
        assert!(table.is_empty(), "a section without a place for this table:\n{table}");
        return section.to_owned();
    };
    let end = section[begin..].find("\n\n").map_or(section.trim_end().len(), |length| begin + length);
    format!("{}{table}{}", &section[..begin], &section[end..])
}

fn with_shared(section: &str, shared: &[&Arg]) -> String {
    let Some(begin) = section.find(SHARED) else {
        let names: Vec<_> = shared.iter().map(|flag| flag.get_id()).collect();
        assert!(names.is_empty(), "a section without a place for {names:?}");
        return section.to_owned();
    };
    let end = section[begin..].find("\n\n").map_or(section.trim_end().len(), |length| begin + length);
    let all: Vec<String> = shared.iter().map(|flag| shared_name(flag)).collect();
    format!("{}{}{}", &section[..begin], wrapped(&format!("{SHARED}{}.", all.join(", "))), &section[end..])
}

fn shared_name(flag: &Arg) -> String {
    let [flags, variable, ..] = cells(flag);
    let names: Vec<String> =
        code(&flags).into_iter().map(|name| format!("`{}`", name.split(' ').next().unwrap())).collect();
    if variable.is_empty() { names.join(", ") } else { format!("{} ({variable})", names.join(", ")) }
}

fn table(flags: &[&Arg], by_hand: &BTreeMap<String, String>) -> String {
    let mut table = String::new();
    for flag in flags {
        let [names, variable, default, meaning] = cells(flag);
        let written = by_hand.get(&format!("--{}", flag.get_long().unwrap()));
        let written = written.map(|text| format!("{BY_HAND}{text}")).unwrap_or_default();
        write!(table, "\n| {names} | {variable} | {default} | {meaning}{written} |").unwrap();
    }
    let table = table.replace("|  |", "| |").replace("|  |", "| |");
    if flags.is_empty() { table } else { format!("{HEAD}\n| --- | --- | --- | --- |{table}") }
}

/// Flag, variable, default and meaning, in Markdown.
fn cells(flag: &Arg) -> [String; 4] {
    let takes_value = matches!(flag.get_action(), ArgAction::Set | ArgAction::Append);
    let names = flag.get_value_names().filter(|_| takes_value).unwrap_or_default();
    let value = names.iter().fold(String::new(), |all, name| all + " " + name);
    let many = if flag.get_num_args().is_some_and(|range| range.max_values() > 1) { "..." } else { "" };
    let long = flag.get_long_and_visible_aliases().unwrap_or_default();
    let mut all: Vec<String> = flag.get_short().map(|short| format!("`-{short}`")).into_iter().collect();
    for (at, long) in long.iter().enumerate() {
        all.push(if at == 0 { format!("`--{long}{value}{many}`") } else { format!("`--{long}`") });
    }
    let variable = flag.get_env().map(|name| format!("`{}`", name.to_str().unwrap())).unwrap_or_default();
    let help = flag.get_help().expect("a flag with help").to_string();
    let (help, told) = match help.strip_suffix(']').and_then(|help| help.split_once(" [default: ")) {
        Some((help, default)) => (help.to_owned(), Some(default.to_owned())),
        None => (help, None),
    };
    let defined = flag.get_default_values().first().filter(|_| takes_value);
    let default = told.or_else(|| defined.map(|value| value.to_str().unwrap().to_owned())).unwrap_or_default();
    [all.join(", "), variable, default, help].map(|cell| escaped(&cell))
}

/// Text for a cell: what Markdown would take for its own is escaped outside of code.
fn escaped(cell: &str) -> String {
    let parts = cell.split('`').enumerate().map(|(place, part)| match place % 2 {
        0 => part.replace('<', "&lt;").replace('*', "\\*").replace('|', "\\|"),
        _ => part.replace('|', "\\|"),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Lines of at most 125 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.len() + word.len() < 125 {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
