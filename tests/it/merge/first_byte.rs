//! Times to the first byte of all shards together; none where a shard has none.

use serde_json::Value;

use super::{files, merge, shards};
use crate::support::lines::{Line, Stream};
use crate::support::{Run, Scratch, target};

/// A stream as a build before there were times to the first byte would have written it.
fn without_first_byte(stream: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for line in std::str::from_utf8(stream).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let telemetry = line["telemetry"].as_object_mut().unwrap();
        assert_ne!(telemetry.get("kind"), Some(&Value::from("first_byte")), "each histogram fits its line here");
        for key in ["timings", "first_byte_histogram", "judged_first_byte"] {
            telemetry.remove(key);
        }
        text += &(line.to_string() + "\n");
    }
    text.into_bytes()
}

fn sum_of_first_bytes(line: &Line) -> u64 {
    line.get("first_byte")["sum_us"].as_u64().unwrap()
}

#[test]
fn merged_times_to_the_first_byte_are_those_of_all_shards() {
    let (target, scratch) = (target(), Scratch::new("merge-first-byte"));
    let streams = shards(&target, 2, &["-n", "60"]);
    let each: u64 = streams.iter().map(|stream| sum_of_first_bytes(Stream::parse(stream).last())).sum();
    // That intervals, endpoints and the final line agree is checked for every stream.
    let master = merge(&files(&scratch, &streams), &["--check", "ttfb.max < 60s"]).exits(1).stream();
    assert_eq!(sum_of_first_bytes(master.last()), each);
    assert_eq!(master.last().get("first_byte")["count"], 60);
    assert!(master.of("check")[0].get("has_data") == true);
}

#[test]
fn a_shard_without_times_to_the_first_byte_takes_them_from_the_sum_and_from_nothing_else() {
    let (target, scratch) = (target(), Scratch::new("merge-first-byte-mixed"));
    let mut streams = shards(&target, 2, &["-n", "60"]);
    streams[1] = without_first_byte(&streams[1]);
    let paths = files(&scratch, &streams);
    let run = merge(&paths, &["--check", "ttfb.max < 60s", "--check", "requests == 60"]).exits(3);
    let master = run.stream();
    assert!(master.last().0["telemetry"].get("first_byte").is_none(), "{}", master.last().0);
    assert_eq!(master.last().count("num_requests"), 60);
    let checks: Vec<(bool, bool)> =
        master.of("check").iter().map(|check| (check.get("met") == true, check.get("has_data") == true)).collect();
    assert_eq!(checks, [(false, false), (true, true)], "no time is made of a part of the requests");
    // What merge writes report accepts, and shows as it is.
    let report = Run::new(["report", &scratch.write("master.ndjson", run.text())]).finish().exits(0);
    assert!(!report.text().starts_with("the stream is"), "{}", report.text());
}
