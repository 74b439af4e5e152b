//! The page for those who come from Locust says of flags and variables what the program does with them.

use std::collections::BTreeSet;

use super::page::{Page, code};
use crate::support::Run;

/// A row of the tables of flags: the flags, the variable, and what becomes of them.
struct Row {
    flags: Vec<String>,
    variable: Option<String>,
    here: String,
}

impl Row {
    fn is_refused(&self) -> bool {
        self.here.starts_with("refused")
    }
}

fn rows(page: &Page) -> Vec<Row> {
    let sections = ["Command line", "locust-telemetry"].map(|heading| page.section(heading));
    let lines = sections.iter().flat_map(|section| section.lines()).filter(|line| line.starts_with("| `-"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split('|').map(str::trim).collect();
        let [flags, .., here] = cells[..] else { panic!("{line}") };
        let variable = cells.iter().find_map(|cell| cell.strip_prefix("`LOCUST_"));
        Row {
            flags: code(flags).into_iter().map(str::to_owned).collect(),
            variable: variable.map(|rest| format!("LOCUST_{}", rest.trim_end_matches('`'))),
            here: here.to_owned(),
        }
    };
    lines.map(row).collect()
}

#[test]
fn a_flag_of_locust_is_refused_by_name_where_the_page_says_so_and_known_where_not() {
    let help = Run::new(["run", "--help"]).finish().text().to_owned();
    let rows = rows(&Page::read("docs/from-locust.md"));
    for flag in rows.iter().filter(|row| row.is_refused()).flat_map(|row| &row.flags) {
        let run = Run::new(["run", flag.as_str()]).finish().exits(2);
        assert!(run.stderr.starts_with(&format!("swarmline: {flag}: ")), "{flag}: {}", run.stderr);
        assert!(!run.stderr.contains("unknown flag") && !run.stderr.contains("needs a value"), "{}", run.stderr);
    }
    let words: BTreeSet<&str> = help.split([' ', ',', '\n', '[', ']']).collect();
    for flag in rows.iter().filter(|row| !row.is_refused()).flat_map(|row| &row.flags) {
        assert!(words.contains(flag.as_str()), "{flag} is not in the help of run");
    }
    assert!(rows.len() > 50, "{} rows", rows.len());
}

#[test]
fn a_variable_of_locust_is_refused_known_or_ignored_as_the_page_says() {
    let page = Page::read("docs/from-locust.md");
    let rows = rows(&page);
    let listed = page.text.split("is refused where it would change the load (").nth(1).unwrap();
    let refused = code(listed.split(')').next().unwrap());
    let help = Run::new(["run", "--help"]).finish().text().to_owned();
    for row in &rows {
        let Some(variable) = row.variable.as_deref() else { continue };
        if !row.is_refused() {
            assert!(help.contains(variable), "{variable} is not in the help of run");
            continue;
        }
        let run = Run::new(["run", "--dry-run", "http://127.0.0.1:1/"]).env(variable, "1").finish();
        if refused.contains(&variable) {
            assert!(run.exits(2).stderr.starts_with(&format!("swarmline: {variable}: ")), "{variable}");
        } else {
            assert_eq!(run.exits(0).stderr, "", "{variable}");
        }
    }
}
