//! Program and schema agree on the files in `tests/corpus/scenario`.
//!
//! Both accept the files in `good` and refuse those in `broken`. `unseen` has files that the program refuses for reasons
//! that a schema cannot express: invalid JSON, unknown names, missing files, inconsistent numbers.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use swarmline::cli::{self, Command, Invocation, RunFlags, SettingSources, Variables};
use swarmline::plan::scenario::{KEYS, SCHEMA, keys};
use swarmline::plan::{Plan, ProcessContext};

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

/// The program's parser for one scenario file, which may change between calls.
struct Program(Box<RunFlags>, SettingSources);

impl Program {
    fn of(file: &Path) -> Self {
        let line = ["swarmline", "run", "--dry-run", "-f"].map(OsString::from).into_iter().chain([file.into()]);
        let Ok(Invocation::Command(Command::Run(flags), origins)) = cli::parse(line, Variables::Ignored) else {
            panic!("a run")
        };
        Self(flags, origins)
    }

    fn read(&self) -> Result<(), String> {
        let surroundings = ProcessContext { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() };
        Plan::from_flags(&self.0, &self.1, surroundings).map(|_| ()).map_err(|error| error.to_string())
    }
}

/// The program's verdict on a file.
fn read(file: &Path) -> Result<(), String> {
    Program::of(file).read()
}

/// The schema's verdict on a file; `None` where it is not JSON.
fn validate(schema: &jsonschema::Validator, file: &Path) -> Option<Result<(), String>> {
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
        assert_eq!(validate(&schema, &file), Some(Ok(())), "{}", file.display());
    }
}

/// Each bad file with the words that its error message must contain.
fn expected_errors() -> BTreeMap<String, Vec<String>> {
    let table = std::fs::read_to_string(corpus().join("complaints.tsv")).unwrap();
    let line = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        (cells.next().unwrap(), cells.collect())
    };
    table.lines().map(line).collect()
}

#[test]
fn bad_files_are_refused_by_one_line_that_names_file_and_place() {
    let expected = expected_errors();
    let bad: Vec<PathBuf> = files("broken").into_iter().chain(files("unseen")).collect();
    assert_eq!(bad.len(), expected.len(), "each bad file has its words in complaints.tsv");
    let mut wrong = Vec::new();
    for file in bad {
        let name = file.strip_prefix(corpus()).unwrap().to_str().unwrap().to_owned();
        let error = read(&file).expect_err(&name);
        assert!(error.starts_with(file.to_str().unwrap()) && !error.contains('\n'), "{name}: {error}");
        let missing = expected[&name].iter().filter(|words| !error.contains(words.as_str()));
        wrong.extend(missing.map(|words| format!("{words:?} is not in: {error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_refuses_what_it_can_see_and_only_that() {
    let schema = schema();
    for file in files("broken") {
        assert!(matches!(validate(&schema, &file), Some(Err(_))), "the schema accepts {}", file.display());
    }
    for file in files("unseen") {
        assert!(!matches!(validate(&schema, &file), Some(Err(_))), "the schema sees {}", file.display());
    }
}

/// Each object of the schema with a fixed set of keys, and the keys that the reader knows.
const OBJECTS: [(&str, &[&str]); 23] = [
    ("", &KEYS),
    ("/$defs/stages/oneOf/1/items", &keys::STAGE),
    ("/$defs/variable/oneOf/2", &keys::VARIABLE),
    ("/$defs/data", &keys::DATA),
    ("/$defs/class", &keys::CLASS),
    ("/$defs/task", &keys::TASK),
    ("/$defs/request", &keys::REQUEST),
    ("/$defs/part", &keys::PART),
    ("/$defs/pause", &keys::PAUSE),
    ("/$defs/repeat", &keys::REPEAT),
    ("/$defs/for_each", &keys::FOR_EACH),
    ("/$defs/when", &keys::WHEN),
    ("/$defs/until", &keys::UNTIL),
    ("/$defs/leave", &keys::LEAVE),
    ("/$defs/stop", &keys::STOP),
    ("/$defs/set", &keys::SET),
    ("/$defs/append", &keys::APPEND),
    ("/$defs/expect", &keys::EXPECT),
    ("/$defs/expect/properties/header/additionalProperties/oneOf/1", &keys::EXPECT_HEADER),
    ("/$defs/expect/properties/json/additionalProperties/oneOf/1", &keys::EXPECT_JSON),
    ("/$defs/expect/properties/size/oneOf/1", &keys::SIZE),
    ("/$defs/extraction", &keys::EXTRACT),
    ("/$defs/optional_field", &keys::OPTIONAL_FIELD),
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
            assert!(described.is_some(), "{pointer}/{name} has no description");
        }
    }
}

/// The JSON pointers of all values in `value`.
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

/// Values that replace each value of a good file.
fn mistakes() -> Vec<Value> {
    let texts = ["", "x", "1s", "a b", "/a", "200"].into_iter().map(Value::from);
    let others = [json!(null), json!(true), json!(0), json!(-1), json!(1.5), json!(7), json!(1e10), json!(200)];
    texts.chain(others).chain([json!([7, "x"]), json!({"x": 1})]).collect()
}

/// Messages of the program about errors that a schema cannot see.
const UNSEEN: [&str; 22] = [
    "/checks/",
    "unknown name",
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
    "duplicate class",
    "the pattern has",
    "is not a list",
    "columns, the header has",
    "have the same name",
    "no step sets",
    "there is no list",
    "is a list",
];

#[test]
fn program_and_schema_agree_on_a_mistake_anywhere_in_a_good_file() {
    let (schema, scratch) = (schema(), Scratch::new("mistakes"));
    for data in ["rows.csv", "rows.ndjson", "table.data", "body.bin"] {
        scratch.write(data, std::fs::read(corpus().join(data)).unwrap());
    }
    std::fs::create_dir(scratch.file("in")).unwrap();
    let (mistakes, program) = (mistakes(), Program::of(Path::new(&scratch.file("in/mistake.json"))));
    for good in files("good") {
        let value: Value = serde_json::from_slice(&std::fs::read(&good).unwrap()).unwrap();
        let mut all = Vec::new();
        places(&value, "", &mut all);
        // A quarter of the mistakes at each place, the next quarter at the next place.
        let of_place = |(index, at)| mistakes.iter().skip(index % 4).step_by(4).map(move |mistake| (at, mistake));
        for (at, mistake) in all.iter().enumerate().flat_map(of_place) {
            let mut wrong = value.clone();
            *wrong.pointer_mut(at).unwrap() = mistake.clone();
            scratch.write("in/mistake.json", wrong.to_string());
            let (parsed, validated) = (program.read(), schema.validate(&wrong).map_err(|e| e.to_string()));
            let is_unseen = parsed.as_ref().is_err_and(|error| UNSEEN.iter().any(|words| error.contains(words)));
            let agree = parsed.is_ok() == validated.is_ok() || is_unseen && validated.is_ok();
            assert!(agree, "{}, {at} = {mistake}: program {parsed:?}, schema {validated:?}", good.display());
        }
    }
}
