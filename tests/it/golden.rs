//! The contract: our lines have the keys of locust-telemetry in its order and with its types, except for the deviations
//! listed here.

use std::collections::BTreeSet;

use serde_json::Value;
use swarmline::clock::{Clock, Moment};
use swarmline::telemetry::line::{Envelope, StreamSource};
use swarmline::telemetry::record::{Gauge, Record, RecordBody};

use crate::support::json::Json;
use crate::support::lines::schema_errors;
use crate::support::{load, target};

const FACTS: &str = include_str!("../golden/contract.json");

const STATS: &str = "locust.tl.request.metric.stats";

/// Intended deviations: kind of line, key, and what differs.
const DEVIATIONS: [(&str, &str, Deviation); 22] = [
    ("locust.tl.event.test.stop", "stopped_at", Deviation::Added("string")),
    ("locust.tl.event.test.stop", "reason", Deviation::Added("string")),
    // A pipeline that searches for problems filters by level.
    ("locust.tl.event.cpu.warning", "level", Deviation::Other("WARNING")),
    ("locust.tl.event.cpu.warning", "tick", Deviation::Added("integer")),
    ("locust.tl.system.metric.cpu", "available_cpus", Deviation::Added("float")),
    ("locust.tl.system.metric.cpu", "tick", Deviation::Added("integer")),
    ("locust.tl.system.metric.mem", "tick", Deviation::Added("integer")),
    // The plugin's value has always been in bytes.
    ("locust.tl.system.metric.network", "unit", Deviation::Other("bytes")),
    ("locust.tl.system.metric.network", "delta", Deviation::Added("integer")),
    ("locust.tl.system.metric.network", "tick", Deviation::Added("integer")),
    ("stats current", "percentile_50", Deviation::Added("float")),
    ("stats current", "percentile_90", Deviation::Added("float")),
    ("stats current", "percentile_99_9", Deviation::Added("float")),
    ("stats current", "tick", Deviation::Added("integer")),
    ("stats final, stats endpoint success", "percentile_50", Deviation::Added("float")),
    ("stats final, stats endpoint success", "percentile_90", Deviation::Added("float")),
    ("stats final, stats endpoint success", "percentile_99_9", Deviation::Added("float")),
    ("stats final, stats endpoint success", "first_byte", Deviation::Added("object")),
    ("stats final, stats endpoint success", "timings", Deviation::Added("object")),
    // The plugin writes "" there, and a single text turns the entire column of a dashboard into text.
    ("stats endpoint error", "percentile_95", Deviation::Dropped),
    ("stats endpoint error", "percentile_99", Deviation::Dropped),
    ("all", "seq", Deviation::Added("integer")),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deviation {
    /// We add the key with this type, after the plugin's keys.
    Added(&'static str),
    /// We leave it out.
    Dropped,
    /// We write this value.
    Other(&'static str),
}

/// Deviations of a kind of line, in the order of the table.
fn deviations(kind: &str) -> impl Iterator<Item = (&'static str, Deviation)> {
    let short = kind.replace(STATS, "stats");
    let applies = move |kinds: &str| kinds == "all" || kinds.split(", ").any(|kind| kind == short);
    DEVIATIONS.iter().filter(move |(kinds, ..)| applies(kinds)).map(|(_, key, deviation)| (*key, *deviation))
}

/// The plugin's kind of a line: its name, and the type and status of statistics.
fn kind(line: &Json) -> String {
    let line = line.to_value();
    let parts = ["telemetry_name", "stats_type", "status"].map(|key| line["telemetry"][key].as_str());
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Lines of a run with every kind but one, and a handmade line of that one: a test cannot guarantee high CPU use.
fn ours() -> Vec<Json> {
    let target = target();
    let flags = ["-n", "40", "-u", "2", "-r", "1000", "--testplan", "demo", "/ok", "/status/500", "/status/404"];
    let finished = load(&target, flags).finish().exits(1);
    finished.stream();
    let mut lines: Vec<Json> = finished.text().lines().map(Json::parse).collect();
    let mut written = Vec::new();
    let body = RecordBody::CpuWarning(Gauge { value: 97.5, unit: "percent" });
    let warning = Record { at: Moment::START, tick: Some(3), body };
    Envelope::new(StreamSource::Local, "6dcae1ec", "demo", Clock::start_now()).write(&warning, 1, &mut written);
    lines.push(Json::parse(std::str::from_utf8(&written).unwrap()));
    lines.retain(|line| kind(line).starts_with("locust.tl."));
    lines
}

/// The type of a value, with integer and float as one: the plugin uses either.
fn loose(kind: &str) -> &str {
    if matches!(kind, "integer" | "float") { "number" } else { kind }
}

fn keys(facts: &Value) -> Vec<(String, String)> {
    serde_json::from_value(facts.clone()).unwrap()
}

fn keys_of(line: &Json) -> Vec<(String, String)> {
    line.entries().iter().map(|(key, value)| (key.clone(), value.kind().to_owned())).collect()
}

#[test]
fn every_line_has_the_plugins_keys_in_its_order_with_its_types() {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    let mut seen = BTreeSet::new();
    for line in ours() {
        let kind = kind(&line);
        let fact = facts["lines"].as_array().unwrap().iter().find(|fact| fact["kind"] == kind.as_str());
        let fact = fact.unwrap_or_else(|| panic!("the plugin has no {kind}"));
        assert_eq!(keys_of(&line), keys(&facts["envelope"]), "envelope of {kind}");

        let mut expected = keys(&facts["head"]);
        expected.extend(keys(&fact["keys"]).into_iter().filter(|(key, _)| {
            let dropped = deviations(&kind).any(|deviation| deviation == (key, Deviation::Dropped));
            !dropped
        }));
        let found = keys_of(line.get("telemetry"));
        let (of_plugin, added) = found.split_at(expected.len());
        let of_plugin: Vec<_> = of_plugin.iter().map(|(key, kind)| (key.clone(), loose(kind).to_owned())).collect();
        assert_eq!(of_plugin, expected, "keys of {kind}");

        let additions: Vec<_> = deviations(&kind)
            .filter_map(|(key, deviation)| match deviation {
                Deviation::Added(kind) => Some((key.to_owned(), kind.to_owned())),
                Deviation::Dropped | Deviation::Other(_) => None,
            })
            .collect();
        assert_eq!(added, additions, "keys added to {kind}");
        seen.insert(kind);
    }
    let all: BTreeSet<_> =
        facts["lines"].as_array().unwrap().iter().map(|fact| fact["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, all, "we write each kind of the plugin");
}

#[test]
fn fixed_texts_are_the_plugins() {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    for line in ours() {
        let (kind, line) = (kind(&line), line.to_value());
        assert_eq!(schema_errors(&line), Vec::<String>::new());
        let fact = facts["lines"].as_array().unwrap().iter().find(|fact| fact["kind"] == kind.as_str()).unwrap();
        for key in ["name", "level", "message", "telemetry_type", "unit"] {
            let ours = if matches!(key, "name" | "level" | "message") { &line[key] } else { &line["telemetry"][key] };
            let deviating = deviations(&kind).find_map(|(deviating, deviation)| match deviation {
                Deviation::Other(value) if deviating == key => Some(value),
                _ => None,
            });
            match deviating {
                Some(value) => {
                    assert_eq!(ours, value, "{key} of {kind}, as listed");
                    assert_ne!(ours, &fact[key], "{key} of {kind} does not deviate");
                }
                None => assert_eq!(ours, &fact[key], "{key} of {kind}"),
            }
        }
    }
}

#[test]
fn every_listed_deviation_exists() {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    for (kinds, key, deviation) in DEVIATIONS {
        for kind in kinds.split(", ").filter(|kind| *kind != "all") {
            let kind = kind.replacen("stats", STATS, usize::from(kind.starts_with("stats")));
            let fact = facts["lines"].as_array().unwrap().iter().find(|fact| fact["kind"] == kind.as_str());
            let theirs = keys(&fact.unwrap_or_else(|| panic!("no {kind}"))["keys"]);
            let has_it = theirs.iter().any(|(theirs, _)| theirs == key);
            match deviation {
                Deviation::Added(_) => assert!(!has_it, "the plugin has {key} of {kind} itself"),
                Deviation::Dropped => assert!(has_it, "the plugin has no {key} in {kind}"),
                Deviation::Other(value) => assert_ne!(fact.unwrap()[key], value, "{key} of {kind}"),
            }
        }
    }
}
