//! The documentation says what the program does.

mod flags;
mod from_locust;
mod page;
mod shell;
mod troubleshooting;

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde_json::Value;
use swarmline::cli::{self, Variables};

use crate::support::{Run, Scratch};
use page::{Page, code, root};
use shell::invocations;

/// Longest README: what a reader takes in within five minutes.
const README_LINES: usize = 200;

/// What users read: not the changelog, which tells of what was.
fn pages() -> Vec<Page> {
    Page::all().into_iter().filter(|page| page.path != "CHANGELOG.md" && !page.path.starts_with("tests/")).collect()
}

#[test]
fn the_readme_is_read_in_five_minutes() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines <= README_LINES, "{lines} lines");
}

#[test]
fn the_scenario_of_the_readme_is_the_one_that_its_commands_run() {
    let readme = Page::read("README.md");
    let shown: Vec<String> =
        readme.blocks().into_iter().filter(|block| block.language == "json").map(|block| block.text).collect();
    assert_eq!(shown, [std::fs::read_to_string(root().join("examples/login.json")).unwrap()]);
}

#[test]
fn every_scenario_in_the_documentation_is_accepted() {
    let scratch = Scratch::new("documented");
    scratch.write("accounts.csv", std::fs::read(root().join("examples/accounts.csv")).unwrap());
    let mut seen = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.text.contains("\"user_classes\"")) {
            let file = scratch.write("scenario.json", &block.text);
            let run = Run::new(["run", "--dry-run", "-f", &file]).finish();
            assert_eq!(run.stderr, "", "{}: {}", page.path, block.text);
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} scenarios");
}

#[test]
fn every_link_leads_somewhere() {
    let missing = |path: &str| !root().join(path).exists();
    for page in Page::all() {
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let place = if path.is_empty() { page.path.clone() } else { resolved(page.folder(), path) };
            assert!(!missing(&place), "{}: {link}", page.path);
            let is_there = anchor.is_empty() || Page::read(&place).anchors().iter().any(|name| name == anchor);
            assert!(is_there, "{}: {link}", page.path);
        }
    }
}

#[test]
fn the_source_cites_only_documents_that_are_here() {
    for folder in ["src", "tests", "benches", "deploy", "packaging"] {
        for file in Page::all_below(folder, &["rs", "py", "yaml", "sbatch"]) {
            let words = file.text.split(|c: char| !c.is_ascii_alphanumeric() && !"_-./".contains(c));
            for cited in words.filter(|word| word.strip_suffix(".md").is_some_and(|stem| !stem.is_empty())) {
                let is_here = [".", file.folder()].iter().any(|place| root().join(place).join(cited).exists());
                assert!(is_here, "{}: {cited}", file.path);
            }
        }
    }
}

/// The path of a link, from the project's root.
fn resolved(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop().expect("a link within the project")),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_command_line_is_understood() {
    let mut seen = 0;
    for page in pages() {
        let blocks = page.blocks();
        for arguments in blocks.iter().filter(|block| block.mark != Some("exit 2")).flat_map(invocations) {
            let words = arguments.iter().map(OsString::from);
            let parsed = cli::parse(words, Variables::Ignored);
            assert!(parsed.is_ok(), "{}: {arguments:?}: {}", page.path, parsed.err().unwrap());
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen} command lines");
}

#[test]
fn every_run_of_the_readme_has_a_plan() {
    let runs: Vec<Vec<String>> = Page::read("README.md").blocks().iter().flat_map(invocations).collect();
    let runs = runs.iter().filter(|arguments| arguments[1] == "run");
    let mut seen = 0;
    for arguments in runs {
        let arguments = arguments[1..].iter().map(String::as_str).filter(|argument| *argument != "--dry-run");
        let run = Run::new(arguments).with(["--dry-run"]).in_folder(env!("CARGO_MANIFEST_DIR"));
        assert!(run.finish().exits(0).text().contains("nothing is sent"));
        seen += 1;
    }
    assert!(seen >= 4, "{seen} runs");
}

#[test]
fn flags_and_variables_are_those_of_the_command_line() {
    let page = Page::read("docs/flags-and-environment.md");
    let definition = cli::command_line();
    for command in definition.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let section = page.section(&format!("swarmline {name}"));
        let mut wanted = BTreeSet::new();
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let long = argument.get_long_and_visible_aliases().unwrap_or_default();
            wanted.extend(long.into_iter().map(|long| format!("--{long}")));
            wanted.extend(argument.get_short().map(|short| format!("-{short}")));
            wanted.extend(argument.get_env().map(|variable| variable.to_str().unwrap().to_owned()));
        }
        wanted.retain(|word| !["--help", "-h"].contains(&word.as_str()));
        let mut told: BTreeSet<String> = code(section).into_iter().filter_map(flag_or_variable).collect();
        told.retain(|word| !["--help", "-h"].contains(&word.as_str()));
        assert_eq!(told, wanted, "swarmline {name}");
    }
}

/// The flag or the variable that a piece of code is, without its value.
fn flag_or_variable(code: &str) -> Option<String> {
    let word = code.split([' ', '=']).next()?;
    let is_flag = word.starts_with('-') && word.len() > 1;
    let is_variable = ["LOCUST_", "SWARMLINE_"].iter().any(|prefix| word.starts_with(prefix));
    (is_flag || is_variable).then(|| word.to_owned())
}

#[test]
fn the_stream_is_described_line_by_line() {
    let page = Page::read("docs/stream.md");
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    let definitions = &schema["$defs"];
    let words = |value: &Value| -> BTreeSet<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let known = words(&definitions["head"]["properties"]["telemetry_name"]["enum"]);
    let is_name = |word: &&str| word.starts_with("locust.tl.") || word.starts_with("swarmline.");
    let lines = code(page.section("Lines")).into_iter().filter(is_name).map(str::to_owned).collect();
    assert_eq!(known, lines);
    let first_cells = |heading| -> BTreeSet<String> {
        let rows = page.section(heading).lines().filter(|line| line.starts_with("| `"));
        rows.flat_map(|row| code(row.split('|').nth(1).unwrap())).map(str::to_owned).collect()
    };
    let reasons = &definitions["test_stop"]["properties"]["reason"]["enum"];
    assert_eq!(words(reasons), first_cells("Why the load ended"));
    let classes = &definitions["interval"]["properties"]["failed_by_class"]["propertyNames"]["enum"];
    assert_eq!(words(classes), first_cells("Failure classes"));
}

#[test]
fn every_key_of_a_scenario_is_told() {
    let page = Page::read("docs/scenarios.md");
    let prose = page.prose().join("\n");
    let schema: Value = serde_json::from_str(swarmline::plan::scenario::SCHEMA).unwrap();
    for part in ["class", "task", "request", "expect", "extraction", "data"] {
        for key in schema["$defs"][part]["properties"].as_object().unwrap().keys() {
            let is_told = code(&prose).iter().any(|code| code.split([' ', '"', ':', '{', ',']).any(|word| word == key));
            assert!(is_told, "{key} of {part}");
        }
    }
}

#[test]
fn the_changelog_tells_of_this_version_and_manual_pages_show_its_day() {
    let page = Run::new(["man"]).finish().exits(0);
    let heading = page.text().lines().find(|line| line.starts_with(".TH ")).unwrap();
    let day = heading.split(' ').nth(3).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(heading, format!(".TH SWARMLINE 1 {day} \"swarmline {version}\""));
    let changelog = Page::read("CHANGELOG.md").text;
    assert!(changelog.lines().any(|line| line == format!("## [{version}] - {day}")), "{version}, {day}");
}

#[test]
fn exit_codes_are_told_once() {
    for exit in ["0", "1", "2", "3", "4", "130"] {
        let row = format!("| {exit} |");
        let told = |page: &Page| page.text.lines().filter(|line| line.starts_with(&row)).count();
        let places: Vec<_> =
            pages().into_iter().filter(|page| told(page) > 0).map(|page| (told(&page), page.path)).collect();
        assert_eq!(places, [(1, "docs/checks.md".to_owned())], "rows that begin with {row}");
    }
}
