//! The words of the stream are those of its schema, no more and no fewer.

use serde_json::Value;
use swarmline::vocabulary::{
    EndReason, FailureClass, HistogramKind, LineKind, Phase, ReasonKind, SourceKind, StatsType, Status, Verdict,
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
        FailureClass at "/$defs/interval/properties/failed_by_class/propertyNames",
        Verdict at "/$defs/run_end/properties/verdict",
        ReasonKind at "/$defs/run_end/properties/reasons/items/properties/kind",
        HistogramKind at "/$defs/histogram/properties/kind",
    }
    // No line can tell that the stream broke.
    let told = EndReason::ALL.into_iter().filter(|reason| *reason != EndReason::StreamBroken);
    let told = sorted(told.map(|reason| reason.as_str().to_owned()));
    assert_eq!(told, allowed("/$defs/test_stop/properties/reason"), "EndReason");
}

#[test]
fn each_error_of_the_schema_begins_with_a_class() {
    let schema: Value = serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap();
    let pattern = schema.pointer("/$defs/endpoint_error/properties/error/pattern").unwrap().as_str().unwrap();
    for class in FailureClass::ALL.map(FailureClass::as_str) {
        assert!(pattern.contains(class), "{class} in {pattern}");
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
    read_back!(EndReason FailureClass HistogramKind LineKind Phase ReasonKind SourceKind StatsType Status Verdict);
}
