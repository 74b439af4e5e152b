//! Program and schema judge the same files the same way: `tests/corpus/scenario`.
//!
//! `good` is what both accept, `broken` what both refuse, and `unseen` what the program refuses and a schema cannot
//! see: broken JSON, names that mean nothing, files that are missing, numbers that do not fit together.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use swarmline::cli::{self, Command, Invocation, Origins, RunFlags, Variables};
use swarmline::plan::scenario::{KEYS, SCHEMA, keys};
use swarmline::plan::{Plan, Surroundings};

use crate::support::Scratch;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/scenario")
}

/// The scenario files of a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus().join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "files in {folder}");
    files
}

/// The program, asked about a file as often as wanted.
struct Program(Box<RunFlags>, Origins);

impl Program {
    fn of(file: &Path) -> Self {
        let line = ["swarmline", "run", "--dry-run", "-f"].map(OsString::from).into_iter().chain([file.into()]);
        let Ok(Invocation::Command(Command::Run(flags), origins)) = cli::parse(line, Variables::Ignored) else {
            panic!("a run")
        };
        Self(flags, origins)
    }

    fn says(&self) -> Result<(), String> {
        let surroundings = Surroundings { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() };
        Plan::from_flags(&self.0, &self.1, surroundings).map(|_| ()).map_err(|error| error.to_string())
    }
}

/// What the program says of a file.
fn read(file: &Path) -> Result<(), String> {
    Program::of(file).says()
}

/// What the schema says of a file; `None` where it is not even JSON.
fn judge(schema: &jsonschema::Validator, file: &Path) -> Option<Result<(), String>> {
    let value: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).ok()?;
    Some(schema.validate(&value).map_err(|error| error.to_string()))
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

#[test]
fn good_files_are_accepted_by_program_and_schema() {
    let schema = schema();
    for file in files("good") {
        assert_eq!(read(&file), Ok(()), "{}", file.display());
        assert_eq!(judge(&schema, &file), Some(Ok(())), "{}", file.display());
    }
}

/// Each bad file with the words that the complaint must have.
fn complaints() -> BTreeMap<String, Vec<String>> {
    let table = std::fs::read_to_string(corpus().join("complaints.tsv")).unwrap();
    let line = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        (cells.next().unwrap(), cells.collect())
    };
    table.lines().map(line).collect()
}

#[test]
fn bad_files_are_refused_by_one_line_that_names_file_and_place() {
    let complaints = complaints();
    let bad: Vec<PathBuf> = files("broken").into_iter().chain(files("unseen")).collect();
    assert_eq!(bad.len(), complaints.len(), "each bad file has its words in complaints.tsv");
    let mut wrong = Vec::new();
    for file in bad {
        let name = file.strip_prefix(corpus()).unwrap().to_str().unwrap().to_owned();
        let said = read(&file).expect_err(&name);
        assert!(said.starts_with(file.to_str().unwrap()) && !said.contains('\n'), "{name}: {said}");
        let missing = complaints[&name].iter().filter(|words| !said.contains(words.as_str()));
        wrong.extend(missing.map(|words| format!("{words:?} is not in: {said}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_refuses_what_it_can_see_and_only_that() {
    let schema = schema();
    for file in files("broken") {
        assert!(matches!(judge(&schema, &file), Some(Err(_))), "the schema accepts {}", file.display());
    }
    for file in files("unseen") {
        assert!(!matches!(judge(&schema, &file), Some(Err(_))), "the schema sees {}", file.display());
    }
}

/// Each object of the schema that has fixed keys, with the keys that the reader knows.
const OBJECTS: [(&str, &[&str]); 12] = [
    ("", &KEYS),
    ("/$defs/stages/oneOf/1/items", &keys::STAGE),
    ("/$defs/variable/oneOf/2", &keys::VARIABLE),
    ("/$defs/data", &keys::DATA),
    ("/$defs/class", &keys::CLASS),
    ("/$defs/task", &keys::TASK),
    ("/$defs/request", &keys::REQUEST),
    ("/$defs/expect", &keys::EXPECT),
    ("/$defs/expect/properties/header/additionalProperties/oneOf/1", &keys::EXPECT_HEADER),
    ("/$defs/expect/properties/json/additionalProperties/oneOf/1", &keys::EXPECT_JSON),
    ("/$defs/expect/properties/size/oneOf/1", &keys::SIZE),
    ("/$defs/extraction", &keys::EXTRACT),
];

#[test]
fn the_schema_knows_the_keys_of_the_reader_and_describes_each() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    for (pointer, known) in OBJECTS {
        let object = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let properties = object["properties"].as_object().unwrap();
        let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut known = known.to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known, "{pointer}");
        assert_eq!(object["additionalProperties"], Value::Bool(false), "{pointer}");
        for (name, property) in properties {
            let of_reference = property["$ref"].as_str().and_then(|at| schema.pointer(at.trim_start_matches('#')));
            let described = property.get("description").or_else(|| of_reference?.get("description"));
            assert!(described.is_some(), "{pointer}/{name} says nothing about itself");
        }
    }
}

/// Each value in `value`, by its JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| places(member, &format!("{at}/{}", escaped(key)), found));
        }
        _ => {}
    }
}

/// What stands in place of each value of a good file.
fn slips() -> Vec<Value> {
    let texts = ["", "x", "1s", "a b", "/a", "200"].into_iter().map(Value::from);
    let others = [json!(null), json!(true), json!(0), json!(-1), json!(1.5), json!(7), json!(1e10), json!(200)];
    texts.chain(others).chain([json!([7, "x"]), json!({"x": 1})]).collect()
}

/// What the program says of what a schema cannot see.
const UNSEEN: [&str; 15] = [
    "/checks/",
    "nothing goes by that name",
    "has no host",
    "No such file",
    "is a directory",
    "has no column",
    "there is no data source",
    "shorter time comes first",
    "at least 100ms",
    "is above",
    "expected a URL",
    "the host is missing",
    "is not a host name",
    "neither http nor https",
    "there is another class",
];

#[test]
fn a_slip_anywhere_in_a_good_file_is_judged_the_same() {
    let (schema, scratch) = (schema(), Scratch::new("slips"));
    for data in ["rows.csv", "rows.ndjson", "table.data", "body.bin"] {
        scratch.write(data, std::fs::read(corpus().join(data)).unwrap());
    }
    std::fs::create_dir(scratch.file("in")).unwrap();
    let (slips, program) = (slips(), Program::of(Path::new(&scratch.file("in/slip.json"))));
    for good in files("good") {
        let value: Value = serde_json::from_slice(&std::fs::read(&good).unwrap()).unwrap();
        let mut all = Vec::new();
        places(&value, "", &mut all);
        // A quarter of the slips at each place, another at the next.
        let of_place = |(index, at)| slips.iter().skip(index % 4).step_by(4).map(move |slip| (at, slip));
        for (at, slip) in all.iter().enumerate().flat_map(of_place) {
            let mut wrong = value.clone();
            *wrong.pointer_mut(at).unwrap() = slip.clone();
            scratch.write("in/slip.json", wrong.to_string());
            let (said, judged) = (program.says(), schema.validate(&wrong).map_err(|e| e.to_string()));
            let is_unseen = said.as_ref().is_err_and(|said| UNSEEN.iter().any(|words| said.contains(words)));
            let agree = said.is_ok() == judged.is_ok() || is_unseen && judged.is_ok();
            assert!(agree, "{}, {at} = {slip}: program {said:?}, schema {judged:?}", good.display());
        }
    }
}
