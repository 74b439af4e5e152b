//! Samples: the requests behind the tail, in the stream, in reports and over all shards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::merge::{files, merge};
use crate::server::{OK, Server};
use crate::support::lines::{Line, Stream};
use crate::support::{Finished, Run, Scratch, load, target};

fn kinds(sample: &Line) -> Vec<&str> {
    sample.get("kinds").as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect()
}

fn response_ms(sample: &Line) -> f64 {
    sample.float("done_ms") - sample.float("due_ms")
}

fn trace_id(sample: &Line) -> Option<String> {
    sample.0["telemetry"]["trace_id"].as_str().map(str::to_owned)
}

fn run(server: &Server, arguments: &[&str]) -> Finished {
    Run::new(["run", "--host", &server.host()]).with(arguments.iter().copied()).finish()
}

/// The trace id in a request that the server read.
fn seen_id(head: &str) -> Option<String> {
    let line = head.lines().find_map(|line| line.strip_prefix("traceparent: "))?;
    Some(line.split('-').nth(1).unwrap().to_owned())
}

#[test]
fn each_tick_tells_of_the_slowest_request_of_each_endpoint() {
    let target = target();
    let flags = ["-u", "4", "-r", "100", "-t", "900ms", "-s", "9s", "--interval", "300ms", "/delay/20", "/ok"];
    let stream = load(&target, flags).finish().exits(0).stream();
    let mut longest: BTreeMap<(u64, String), f64> = BTreeMap::new();
    for interval in stream.of("interval") {
        let max_us = interval.get("response")["max_us"].as_u64().unwrap();
        longest.insert((interval.count("tick"), interval.text("name").to_owned()), max_us as f64 / 1000.0);
    }
    let mut told = BTreeMap::new();
    for sample in stream.of("sample") {
        assert_eq!((kinds(sample), sample.text("result")), (vec!["slowest"], "ok"), "{}", sample.0);
        assert_eq!(trace_id(sample), None);
        let microseconds = (response_ms(sample) * 1000.0).round() / 1000.0;
        told.insert((sample.count("tick"), sample.text("name").to_owned()), microseconds);
    }
    assert!(longest.len() >= 6, "{longest:?}");
    assert_eq!(told.keys().collect::<Vec<_>>(), longest.keys().collect::<Vec<_>>());
    for (place, ms) in &longest {
        // Of a time that is not a whole number of microseconds, the moments are cut at both ends.
        assert!((told[place] - ms).abs() < 0.0015, "{place:?}: {} and {ms}", told[place]);
    }
}

#[test]
fn the_first_failed_request_of_an_endpoint_is_told_with_status_error_and_trace() {
    let server = Server::start(|mut peer| {
        let mut number = 0;
        while let Some(request) = peer.read() {
            number += 1;
            let fails = request.line() == "GET /bad" && number > 3;
            peer.send(if fails { "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" } else { OK });
        }
    });
    let stream = run(&server, &["-n", "10", "--traceparent", "1", "/bad"]).exits(1).stream();
    let samples = stream.of("sample");
    let failed: Vec<&&Line> = samples.iter().filter(|sample| kinds(sample).contains(&"first_failed")).collect();
    let [failed] = failed[..] else { panic!("{failed:?}") };
    let told = (failed.text("result"), failed.count("status_code"), failed.text("error"));
    assert_eq!(told, ("failed", 503, "http_5xx: 503"));
    assert_eq!(trace_id(failed), seen_id(&server.requests()[3].head), "the server failed the fourth");
}

#[test]
fn a_trace_id_in_the_stream_is_one_that_the_server_saw() {
    let server = Server::responding(OK);
    let flags = ["-n", "2000", "-u", "5", "-r", "1000", "--interval", "100ms", "--traceparent", "20%", "/a", "/b"];
    let stream = run(&server, &flags).exits(0).stream();
    let seen: BTreeSet<String> = server.requests().iter().filter_map(|request| seen_id(&request.head)).collect();
    let told: Vec<String> = stream.of("sample").into_iter().filter_map(trace_id).collect();
    assert!(!told.is_empty() && told.iter().all(|id| seen.contains(id)));
    for sample in stream.of("sample").into_iter().filter(|sample| kinds(sample).contains(&"slowest_traced")) {
        assert!(trace_id(sample).is_some());
    }
}

#[test]
fn a_tick_has_at_most_twenty_samples_and_those_of_the_slowest_endpoints() {
    let target = target();
    let slow: Vec<String> = (1..=5).map(|number| format!("/delay/{}", 900 + number)).collect();
    let fast: Vec<String> = (1..=40).map(|number| format!("/bytes/{number}")).collect();
    let requests = slow.iter().chain(&fast).map(String::as_str);
    let flags = ["-n", "300", "-u", "20", "-r", "1000", "--interval", "1h"];
    let stream = load(&target, flags).with(requests).finish().exits(0).stream();
    let samples = stream.of("sample");
    assert_eq!(samples.len(), 20);
    for name in &slow {
        assert!(samples.iter().any(|sample| sample.text("name") == name), "{name}");
    }
}

#[test]
fn a_request_that_the_end_cut_off_is_among_them() {
    let target = target();
    let flags = ["-t", "300ms", "--interval", "100ms", "--traceparent", "1", "/hang"];
    let stream = load(&target, flags).finish().exits(4).stream();
    let samples = stream.of("sample");
    let [sample] = samples[..] else { panic!("{samples:?}") };
    assert_eq!((sample.text("result"), kinds(sample)), ("aborted", vec!["slowest", "slowest_traced"]));
    assert!(sample.0["telemetry"].get("first_byte_ms").is_none() && trace_id(sample).is_some());
}

#[test]
fn every_report_has_the_slowest_and_the_first_failed_requests_with_their_traces() {
    let (target, scratch) = (target(), Scratch::new("samples-reports"));
    let [page, json] = ["p.html", "s.json"].map(|name| scratch.file(name));
    let flags = ["-n", "30", "-u", "5", "-r", "1000", "--traceparent", "1", "--html", &page, "--json-file", &json];
    let run = load(&target, flags).with(["/ok", "/delay/700", "/status/500"]).finish().exits(1);
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let slowest = &summary["samples"]["slowest"][0];
    assert_eq!((slowest["name"].as_str(), slowest["result"].as_str()), (Some("/delay/700"), Some("ok")));
    assert!(slowest["response_time"].as_f64().unwrap() >= 700.0);
    let failed = &summary["samples"]["first_failed"];
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["error"], "http_5xx: 500");
    let page = std::fs::read_to_string(page).unwrap();
    for id in [&slowest["trace_id"], &failed[0]["trace_id"]] {
        let id = id.as_str().unwrap();
        assert!(page.contains(&format!("<code>{id}</code>")), "{id} in the page");
    }
    let id = slowest["trace_id"].as_str().unwrap();
    let line = run.stderr.lines().find(|line| line.ends_with(id)).expect("the summary has it too");
    assert!(line.contains("GET /delay/700"), "{line}");
}

#[test]
fn a_merged_stream_has_the_slowest_of_all_shards_and_the_failure_that_was_first() {
    let (target, scratch) = (target(), Scratch::new("samples-merge"));
    let streams = crate::merge::shards(&target, 3, &["-n", "240", "--traceparent", "50%"]);
    let each: Vec<Stream> = streams.iter().map(|stream| Stream::parse(stream)).collect();
    let master = merge(&files(&scratch, &streams), &[]).exits(1).stream().own();
    let by_kind = |stream: &Stream, kind: &str| -> BTreeMap<(u64, String), Vec<f64>> {
        let mut found: BTreeMap<(u64, String), Vec<f64>> = BTreeMap::new();
        for sample in stream.of("sample").into_iter().filter(|sample| kinds(sample).contains(&kind)) {
            let place = (sample.count("tick"), sample.text("name").to_owned());
            found.entry(place).or_default().push((response_ms(sample) * 1000.0).round() / 1000.0);
        }
        found
    };
    for kind in ["slowest", "slowest_traced"] {
        let mut longest: BTreeMap<(u64, String), f64> = BTreeMap::new();
        for (place, times) in each.iter().flat_map(|shard| by_kind(shard, kind)) {
            let known = longest.entry(place).or_default();
            *known = times.into_iter().fold(*known, f64::max);
        }
        let told = by_kind(&master, kind);
        assert!(!told.is_empty());
        assert_eq!(told, longest.into_iter().map(|(place, ms)| (place, vec![ms])).collect(), "{kind}");
    }
    let ids = |stream: &Stream| stream.of("sample").into_iter().filter_map(trace_id).collect::<BTreeSet<_>>();
    let of_shards: BTreeSet<String> = each.iter().flat_map(ids).collect();
    assert!(ids(&master).is_subset(&of_shards) && !ids(&master).is_empty());
}
