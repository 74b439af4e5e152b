//! The words of the stream are those of its schema, no more and no fewer.

use std::collections::BTreeSet;

use serde_json::Value;
use swarmline::telemetry::reader::line::Key;
use swarmline::telemetry::reader::required;
use swarmline::vocabulary::{
    EndReason, FailureClass, HistogramKind, LineKind, Phase, ReasonKind, RequestResult, SampleKind, SearchAnswer,
    SourceKind, StatsType, Status, StepPurpose, StepVerdict, Verdict,
};

/// The words that the schema allows at a place.
fn allowed(pointer: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    let place = schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in the schema"));
    let words = place.get("enum").and_then(Value::as_array).unwrap_or_else(|| panic!("no words at {pointer}"));
    sorted(words.iter().map(|word| word.as_str().unwrap().to_owned()))
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

#[test]
fn the_words_of_the_stream_are_those_of_the_schema() {
    macro_rules! same {
        ($($name:ident at $pointer:literal,)+) => {
            $(
                let words = sorted($name::ALL.into_iter().map(|word| word.as_str().to_owned()));
                assert_eq!(words, allowed($pointer), stringify!($name));
            )+
        };
    }
    same! {
        LineKind at "/$defs/head/properties/telemetry_name",
        SourceKind at "/$defs/head/properties/source",
        StatsType at "/$defs/stats/properties/stats_type",
        Status at "/$defs/stats/allOf/2/then/properties/status",
        Phase at "/$defs/interval/properties/phase",
        Phase at "/$defs/unfinished/properties/phase",
        Phase at "/$defs/health/properties/phase",
        FailureClass at "/$defs/interval/properties/failed_by_class/propertyNames",
        Verdict at "/$defs/run_end/properties/verdict",
        ReasonKind at "/$defs/run_end/properties/reasons/items/properties/kind",
        HistogramKind at "/$defs/histogram/properties/kind",
        SampleKind at "/$defs/sample/properties/kinds/items",
        RequestResult at "/$defs/sample/properties/result",
        StepPurpose at "/$defs/step/properties/step/properties/purpose",
        StepVerdict at "/$defs/step/properties/step/properties/result",
        SearchAnswer at "/$defs/run_end/properties/capacity/properties/answer",
    }
    // No line can tell that the stream broke.
    let told = EndReason::ALL.into_iter().filter(|reason| *reason != EndReason::StreamBroken);
    let told = sorted(told.map(|reason| reason.as_str().to_owned()));
    assert_eq!(told, allowed("/$defs/test_stop/properties/reason"), "EndReason");
}

#[test]
fn each_error_of_the_schema_begins_with_a_class() {
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    for line in ["endpoint_error", "sample"] {
        let pattern = schema.pointer(&format!("/$defs/{line}/properties/error/pattern")).unwrap().as_str().unwrap();
        for class in FailureClass::ALL.map(FailureClass::as_str) {
            assert!(pattern.contains(class), "{class} in {pattern}");
        }
    }
}

#[test]
fn each_word_is_read_back_as_what_it_was_written_for() {
    macro_rules! read_back {
        ($($name:ident)+) => {
            $(
                for value in $name::ALL {
                    assert_eq!($name::parse(value.as_str()), Some(value));
                }
                assert_eq!($name::parse("no such word"), None);
            )+
        };
    }
    read_back!(EndReason FailureClass HistogramKind LineKind Phase ReasonKind RequestResult SampleKind SourceKind);
    read_back!(SearchAnswer StatsType Status StepPurpose StepVerdict Verdict);
}

/// The keys that the schema requires of a definition, and of those that it refers to.
fn required_by(schema: &Value, name: &str) -> BTreeSet<String> {
    let definition = &schema["$defs"][name];
    assert!(definition.is_object(), "no {name} in the schema");
    let own = definition["required"].as_array().into_iter().flatten().map(|key| key.as_str().unwrap().to_owned());
    let parts = definition["allOf"].as_array().into_iter().flatten().chain([definition]);
    let others = parts.filter_map(|part| part["$ref"].as_str()?.strip_prefix("#/$defs/"));
    own.chain(others.flat_map(|other| required_by(schema, other))).collect()
}

/// Not in version 1 of the format, which is read as well, or of no use to a reader.
const NOT_DEMANDED: [&str; 22] = [
    "available_cpus",
    "checks_met",
    "checks_missed",
    "completed_after_stop",
    "delta",
    "direction",
    "due",
    "end_time",
    "failed_after_stop",
    "interval_end",
    "interval_start",
    "is_bound",
    "load_seconds",
    "median_response_time",
    "overdue",
    "part",
    "parts",
    "phase",
    "tick",
    "unit",
    "unsent",
    "user_count",
];

/// A kind of line, whose statistics it has, and its definition in the schema.
type Definition = (LineKind, (Option<StatsType>, Option<Status>), &'static str);

const DEFINITIONS: [Definition; 21] = [
    (LineKind::TestStart, (None, None), "test_start"),
    (LineKind::SpawnComplete, (None, None), "spawn_complete"),
    (LineKind::TestStop, (None, None), "test_stop"),
    (LineKind::CpuWarning, (None, None), "cpu_warning"),
    (LineKind::Cpu, (None, None), "cpu"),
    (LineKind::Mem, (None, None), "mem"),
    (LineKind::Network, (None, None), "network"),
    (LineKind::Stats, (Some(StatsType::Current), None), "stats_current"),
    (LineKind::Stats, (Some(StatsType::Final), None), "stats_final"),
    (LineKind::Stats, (Some(StatsType::Endpoint), Some(Status::Success)), "endpoint_stats"),
    (LineKind::Stats, (Some(StatsType::Endpoint), Some(Status::Error)), "endpoint_error"),
    (LineKind::Config, (None, None), "config"),
    (LineKind::Interval, (None, None), "interval"),
    (LineKind::Histogram, (None, None), "histogram"),
    (LineKind::Health, (None, None), "health"),
    (LineKind::Warning, (None, None), "warning"),
    (LineKind::Sample, (None, None), "sample"),
    (LineKind::Unfinished, (None, None), "unfinished"),
    (LineKind::Shard, (None, None), "shard_metric"),
    (LineKind::Check, (None, None), "check"),
    (LineKind::RunEnd, (None, None), "run_end"),
];

#[test]
fn what_readers_demand_of_a_line_the_schema_requires() {
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    for (kind, (stats_type, status), definition) in DEFINITIONS {
        let mut required = required_by(&schema, definition);
        for key in required::keys(kind, stats_type, status).iter().copied().map(Key::as_str) {
            assert!(required.remove(key), "{definition}: readers demand {key}, the schema does not");
        }
        let of_every_line = required_by(&schema, "head");
        let is_left = |key: &&String| {
            !of_every_line.contains(*key)
                && !NOT_DEMANDED.contains(&key.as_str())
                && !key.ends_with("_type")
                && *key != "status"
        };
        let left: Vec<&String> = required.iter().filter(is_left).collect();
        assert!(left.is_empty(), "{definition}: no reader demands {left:?}");
    }
}
