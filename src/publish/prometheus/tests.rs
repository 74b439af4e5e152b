use std::collections::HashMap;

use super::*;
use crate::report::collector::Collector;

const STREAM: &str = include_str!("../../../tests/corpus/streams/alone.ndjson");

/// The metrics after each line of a stream.
fn so_far(stream: &str) -> impl Iterator<Item = String> {
    let mut collector = Collector::new("the stream");
    stream.lines().map(move |line| {
        collector.add_line(line.as_bytes()).unwrap();
        let live = collector.snapshot().map(|model| LiveReport { version: 1, state: FeedState::Going, model });
        metrics(live.as_ref())
    })
}

/// Value of each series.
fn series(text: &str) -> HashMap<&str, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

#[test]
fn counters_and_histograms_never_fall_and_end_at_the_streams_final_line() {
    let texts: Vec<String> = so_far(STREAM).collect();
    for (before, after) in texts.iter().zip(&texts[1..]) {
        let after = series(after);
        for (name, value) in series(before) {
            let is_cumulative = ["_total", "_bucket", "_sum", "_count{"].iter().any(|part| name.contains(part));
            assert!(!is_cumulative || after[name] >= value, "{name} fell from {value} to {}", after[name]);
        }
    }
    let last = series(texts.last().unwrap());
    let sum = |family: &str| -> f64 {
        last.iter().filter(|(name, _)| name.starts_with(family)).map(|(_, value)| *value).sum()
    };
    let line = |kind: &str| STREAM.lines().find(|line| line.contains(kind)).unwrap();
    let end: serde_json::Value = serde_json::from_str(line("\"stats_type\":\"final\"")).unwrap();
    let of_end = |key: &str| end["telemetry"][key].as_f64().unwrap();
    assert!((sum("swarmline_requests_total{") - of_end("num_requests")).abs() < 0.5);
    assert!((sum("swarmline_failures_total{") - of_end("num_failures")).abs() < 0.5);
    assert!((sum("swarmline_response_time_seconds_count") - of_end("num_requests")).abs() < 0.5);
    let mean = sum("swarmline_response_time_seconds_sum") * 1000.0 / of_end("num_requests");
    assert!((mean - of_end("avg_response_time")).abs() < 0.001, "{mean}");
}

#[test]
fn every_series_occurs_once_and_follows_the_head_of_its_family() {
    let text = so_far(STREAM).last().unwrap();
    assert_eq!(series(&text).len(), text.lines().filter(|line| !line.starts_with('#')).count());
    let heads = text.lines().filter(|line| line.starts_with("# TYPE")).count();
    let mut names: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    names.dedup();
    assert_eq!(names.len(), heads);
    assert!(text.ends_with('\n'));
}
