//! Streams are validated: a contradiction is reported with file and line, and does not affect the other shards.

use serde_json::Value;

use super::merge;
use crate::support::{Finished, Run, Scratch};

/// Recorded streams of three shards.
const SHARDS: [&str; 3] = [
    include_str!("../../corpus/streams/shard-0.ndjson"),
    include_str!("../../corpus/streams/shard-1.ndjson"),
    include_str!("../../corpus/streams/shard-2.ndjson"),
];

/// Text in the line to change, words of the expected message, and the change.
type Change = (&'static str, &'static str, fn(&str) -> String);

/// Replaces the value of `"key":`, up to a comma or a bracket.
fn with(line: &str, key: &str, value: &str) -> String {
    let mark = format!("\"{key}\":");
    let body = line.find("\"telemetry\":").unwrap();
    let at = line[body..].find(&mark).unwrap_or_else(|| panic!("no {key} in {line}")) + body + mark.len();
    let end = line[at..].find([',', '}']).unwrap() + at;
    format!("{}{value}{}", &line[..at], &line[end..])
}

/// The service histogram in a line.
fn histogram(line: &str) -> &str {
    let at = line.find("\"service_histogram\":\"").unwrap() + 21;
    &line[at..at + line[at..].find('"').unwrap()]
}

/// Changes to the first line of a kind of shard 0.
const CHANGES: [Change; 18] = [
    ("\"swarmline.metric.interval\"", "longer than the longest", |line| with(line, "min_us", "900000000")),
    ("\"swarmline.metric.interval\"", "does not fit their minimum", |line| with(line, "sum_us", "7")),
    ("\"swarmline.metric.interval\"", "sum of its classes", |line| with(line, "failed", "3")),
    ("\"swarmline.metric.interval\"", "implausible", |line| with(line, "ok", "18446744073709551615")),
    ("\"swarmline.metric.interval\"", "implausible", |line| with(line, "bytes_sent", "9223372036854775808")),
    ("\"swarmline.metric.interval\"", "name of more than 512", |line| {
        with(line, "name", &format!("\"{}\"", "n".repeat(513)))
    }),
    ("\"swarmline.metric.interval\"", "more than 4096 bytes", |line| {
        with(line, "name", &format!("\"{}\"", "n".repeat(4000)))
    }),
    ("\"swarmline.metric.interval\"", "method of more than 32", |line| {
        with(line, "method", &format!("\"{}\"", "M".repeat(33)))
    }),
    ("\"swarmline.metric.interval\"", "tick that is not at its time", |line| with(line, "tick", "9223372036854775808")),
    ("\"swarmline.metric.interval\"", "not count what its line counts", |line| {
        let others = SHARDS[1].lines().filter(|other| other.contains("service_histogram"));
        let other = others.map(histogram).max_by_key(|text| text.len()).unwrap();
        line.replace(histogram(line), other)
    }),
    ("\"swarmline.metric.interval\"", "more requests ended after", |line| with(line, "completed_after_stop", "99999")),
    ("\"swarmline.metric.health\"", "tick that is not at its time", |line| with(line, "tick", "7")),
    ("\"swarmline.metric.health\"", "implausible", |line| with(line, "achieved_rate", "1e308")),
    ("\"locust.tl.system.metric.cpu\"", "a value that is none", |line| with(line, "value", "null")),
    ("\"stats_type\":\"current\"", "more failures than requests", |line| with(line, "num_failures", "6960")),
    ("\"stats_type\":\"final\"", "final line does not count", |line| with(line, "num_requests", "99")),
    ("\"swarmline.event.run.end\"", "is not the sum of ok", |line| with(line, "ok", "99")),
    ("\"swarmline.metric.unfinished\"", "do not add up", |line| with(line, "aborted", "99")),
];

/// Shard 0 with a change, and the number of the changed line.
fn changed((kind, _, change): &Change) -> (String, usize) {
    let at = SHARDS[0].lines().position(|line| line.contains(kind)).unwrap_or_else(|| panic!("no {kind}"));
    let lines = SHARDS[0].lines().enumerate();
    let text = lines.map(|(number, line)| if number == at { change(line) } else { line.to_owned() } + "\n").collect();
    (text, at + 1)
}

/// Merges this stream as shard 0 with the others.
fn merged(scratch: &Scratch, first: impl AsRef<[u8]>) -> (Finished, String) {
    let path = scratch.write("run-0.ndjson", first);
    let others = [1, 2].map(|index| scratch.write(&format!("run-{index}.ndjson"), SHARDS[index]));
    let paths: Vec<String> = std::iter::once(path.clone()).chain(others).collect();
    (merge(&paths, &[]), path)
}

/// The number of requests sent by the last line of a stream.
fn counted(stream: &str) -> u64 {
    let last: Value = serde_json::from_str(stream.lines().last().unwrap()).unwrap();
    last["telemetry"]["sent"].as_u64().unwrap()
}

/// Asserts that report accepts the output of merge as complete and clean.
fn is_accepted(scratch: &Scratch, run: &Finished) {
    let path = scratch.write("master.ndjson", &run.stdout);
    let report = Run::new(["report", &path]).finish().exits(0);
    assert!(!report.text().starts_with("the stream is"), "{}", report.text());
}

#[test]
fn each_contradiction_is_reported_and_the_other_shards_count_in_full() {
    let scratch = Scratch::new("merge-contradictions");
    let (whole, _) = merged(&scratch, SHARDS[0]);
    assert!(!whole.stderr.contains("run-0"), "{}", whole.stderr);
    for change in CHANGES {
        let (first, number) = changed(&change);
        let (run, path) = merged(&scratch, first);
        assert_eq!(run.code, 4, "{}", change.1);
        let said = run.stderr.lines().find(|line| line.contains(&format!("{path}: line {number}: ")));
        assert!(said.is_some_and(|line| line.contains(change.1)), "{}: {}", change.1, run.stderr);
        assert!(!run.stderr.contains("shard 1") && !run.stderr.contains("shard 2"), "{}", run.stderr);
        let sent = counted(run.text());
        let others = counted(SHARDS[1]) + counted(SHARDS[2]);
        assert!((others..=others + counted(SHARDS[0])).contains(&sent), "{}: {sent}", change.1);
        is_accepted(&scratch, &run);
    }
}

#[test]
fn a_shard_that_contradicts_the_run_is_left_out_and_the_others_are_merged() {
    let scratch = Scratch::new("merge-lies");
    let others = counted(SHARDS[1]) + counted(SHARDS[2]);
    let wrong = SHARDS[0].replace("\"count\":3", "\"count\":4294967295");
    let (run, path) = merged(&scratch, wrong);
    assert!(run.stderr.contains(&format!("{path}: line 2: a number of shards that no run has")), "{}", run.stderr);
    assert!(run.stderr.contains("shard 0 of 3 is missing from "), "{}", run.stderr);
    assert_eq!(counted(run.exits(4).text()), others);
    let stray = SHARDS[0].lines().next().unwrap().replace("\"run_id\":\"r1\"", "\"run_id\":\"zz\"");
    let (run, path) = merged(&scratch, format!("{stray}\n{}", SHARDS[0]));
    let run = run.exits(4);
    assert!(run.stderr.contains(&format!("{path}: line 1: of shard 0 of run zz")), "{}", run.stderr);
    assert_eq!(counted(run.text()), others + counted(SHARDS[0]), "one line of another run does not affect its shard");
    is_accepted(&scratch, &run);
}

#[test]
fn a_line_that_is_not_utf_8_is_torn_and_never_passed_on() {
    let scratch = Scratch::new("merge-not-utf-8");
    let at = SHARDS[0].lines().position(|line| line.contains("\"locust.tl.system.metric.cpu\"")).unwrap();
    let mut lines: Vec<Vec<u8>> = SHARDS[0].lines().map(|line| line.as_bytes().to_vec()).collect();
    let place = lines[at].windows(9).position(|part| part == b"Recording").unwrap();
    lines[at][place] = 0xff;
    let (run, path) = merged(&scratch, lines.join(&b'\n'));
    let run = run.exits(4);
    assert!(run.stderr.contains(&format!("the first at {path}: line {}", at + 1)), "{}", run.stderr);
    assert!(std::str::from_utf8(&run.stdout).is_ok());
    is_accepted(&scratch, &run);
}

#[test]
fn crlf_line_ends_lose_nothing() {
    let scratch = Scratch::new("merge-crlf");
    let (plain, _) = merged(&scratch, SHARDS[0]);
    let (run, _) = merged(&scratch, SHARDS[0].replace('\n', "\r\n"));
    assert_eq!(run.text(), plain.text());
    let cpu = |text: &str| text.lines().filter(|line| line.contains("system.metric.cpu")).count();
    assert_eq!(cpu(run.text()), SHARDS.map(cpu).iter().sum::<usize>());
}

#[test]
fn streams_of_the_previous_version_are_merged_and_reported() {
    let scratch = Scratch::new("merge-version-1");
    let names = [0, 1, 2].map(|index| format!("tests/corpus/streams/version-1-shard-{index}.ndjson"));
    let paths = names.map(|name| format!("{}/{name}", env!("CARGO_MANIFEST_DIR")));
    let run = merge(&paths, &[]).exits(1);
    let sent: u64 = paths.iter().map(|path| counted(&std::fs::read_to_string(path).unwrap())).sum();
    assert_eq!(counted(run.text()), sent);
    is_accepted(&scratch, &run);
}
