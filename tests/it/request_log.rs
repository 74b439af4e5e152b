//! The log of requests: each request once, in the formats of other tools, and never in the way of the load.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::symlink;

use flate2::read::GzDecoder;
use hdrhistogram::Histogram;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::server::{OK, Server};
use crate::support::lines::Stream;
use crate::support::{Run, Scratch, load, target};

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(records: &[Value], result: &str) -> u64 {
    records.iter().filter(|record| record["result"] == result).count() as u64
}

/// Each request once: no two records have the same user and number.
fn are_distinct(records: &[Value]) -> bool {
    let ids = records.iter().map(|record| (record["user"].as_u64().unwrap(), record["request"].as_u64().unwrap()));
    ids.collect::<BTreeSet<_>>().len() == records.len()
}

#[test]
fn the_log_holds_every_request_once_and_gives_the_percentiles_of_the_stream() {
    let (target, scratch) = (target(), Scratch::new("log-whole"));
    let log = scratch.file("r.ndjson");
    let flags =
        ["-u", "8", "-r", "1000", "-t", "700ms", "--wait", "1ms", "--interval", "200ms", "--log-requests", &log];
    let run = load(&target, flags).with(["/ok", "/delay/3", "/status/500", "/hang"]).finish();
    let (stream, all) = (Stream::parse(&run.stdout), records(&read(&log)));
    let end = stream.run_end();
    for key in ["ok", "failed", "aborted"] {
        assert_eq!(count(&all, key), end.count(key), "{key}");
    }
    assert!(are_distinct(&all) && end.count("aborted") > 0 && end.count("failed") > 0);
    assert!(all.iter().all(|record| record["weight"] == 1.0));
    let mut times = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
    for record in all.iter().filter(|record| record["result"] != "aborted") {
        times.record(record["response_us"].as_u64().unwrap()).unwrap();
    }
    let (min, max) = (stream.last().float("min_response_time"), stream.last().float("max_response_time"));
    for (key, quantile) in [("percentile_50", 0.5), ("percentile_95", 0.95), ("percentile_99", 0.99)] {
        let found = times.value_at_quantile(quantile) as f64 / 1000.0;
        assert_eq!(stream.last().get(key), found.clamp(min, max), "{key}");
    }
    assert!(run.stderr.contains(&format!("requests: {log} ({} records)", end.count("sent"))), "{}", run.stderr);
}

#[test]
fn requests_that_users_count_themselves_are_in_it_too() {
    let (target, scratch) = (target(), Scratch::new("log-many"));
    let log = scratch.file("r.ndjson");
    let flags = ["-u", "200", "-r", "10000", "-n", "10000", "--log-requests", &log, "/ok"];
    load(&target, flags).finish().exits(0);
    let all = records(&read(&log));
    assert_eq!((count(&all, "ok"), are_distinct(&all)), (10_000, true));
}

#[test]
fn a_share_has_every_failure_and_says_what_each_record_stands_for() {
    let (target, scratch) = (target(), Scratch::new("log-share"));
    let log = scratch.file("r.ndjson.gz");
    let flags = ["-n", "4000", "-u", "4", "-r", "1000", "--log-requests", &log, "--log-share", "10%"];
    let run = load(&target, flags).with(["/ok", "/status/503"]).finish().exits(1);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(&log).unwrap()).read_to_string(&mut text).unwrap();
    let (stream, all) = (run.stream(), records(&text));
    assert_eq!(count(&all, "failed"), stream.run_end().count("failed"));
    for record in &all {
        let (weight, error) = if record["result"] == "ok" { (10.0, None) } else { (1.0, Some("http_5xx: 503")) };
        assert_eq!((record["weight"].as_f64(), record["error"].as_str()), (Some(weight), error));
    }
    // Within 4 sigma of the share, of about 2,000: sigma = sqrt(2000 * 0.1 * 0.9) = 13.4.
    let (ok, expected) = (count(&all, "ok") as f64, stream.run_end().count("ok") as f64 / 10.0);
    assert!((ok - expected).abs() < 55.0, "{ok} of {expected}");
}

#[test]
fn a_log_in_jmeters_form_has_its_columns_and_the_counts_of_the_final_line() {
    let (target, scratch) = (target(), Scratch::new("log-jtl"));
    let log = scratch.file("r.jtl");
    let flags = ["-u", "3", "-r", "1000", "-t", "400ms", "--wait", "1ms", "--log-requests", &log];
    let run = load(&target, flags).with(["/ok", "/status/500", "/hang"]).finish();
    let (stream, text) = (Stream::parse(&run.stdout), read(&log));
    let mut lines = text.lines();
    // The default columns of JMeter 5.6 (jmeter.properties, jmeter.save.saveservice).
    let head = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,\
                sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect";
    assert_eq!(lines.next(), Some(head));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 17));
    let failed = rows.iter().filter(|row| row[7] == "false").count() as u64;
    let counts = (stream.last().count("num_requests"), stream.last().count("num_failures"));
    assert_eq!((rows.len() as u64, failed), counts, "requests that were cut off are in neither");
    for row in rows {
        let expected = if row[2] == "GET /ok" { ["200", "OK", "true"] } else { ["500", "http_5xx: 500", "false"] };
        assert_eq!([row[3], row[4], row[7]], expected);
    }
}

#[test]
fn a_disk_that_is_full_ends_the_log_and_not_the_load() {
    let (target, scratch) = (target(), Scratch::new("log-full"));
    let log = scratch.file("full.ndjson");
    symlink("/dev/full", &log).unwrap();
    let run = load(&target, ["-n", "500", "--log-requests", &log, "/ok"]).finish().exits(4);
    let stream = Stream::parse(&run.stdout);
    assert_eq!((target.requests(), stream.run_end().text("verdict")), (500, "pass"), "the run is whole and valid");
    assert_eq!(stream.of("warning").last().unwrap().text("kind"), "request_log_failed");
    assert!(run.stderr.contains("0 records; 500 more were lost"), "{}", run.stderr);
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with(&format!("swarmline: --log-requests {log}: No space left")), "{last}");
}

#[test]
fn a_log_that_takes_nothing_more_keeps_neither_the_load_nor_the_end() {
    let (target, scratch) = (target(), Scratch::new("log-stuck"));
    let log = scratch.file("r.ndjson");
    mknodat(CWD, &log, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // Open for reading, so that the run begins, and never read.
    let reader = std::fs::File::options().read(true).write(true).open(&log).unwrap();
    let run = load(&target, ["-n", "3000", "-u", "2", "--log-requests", &log, "/ok"]).finish().exits(4);
    drop(reader);
    assert_eq!(target.requests(), 3000);
    assert!(run.stderr.contains("the file accepts no more data"), "{}", run.stderr);
}

#[test]
fn trace_ids_are_those_that_the_server_saw() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("log-traces"));
    let log = scratch.file("r.ndjson");
    let flags = ["-n", "200", "--traceparent", "0.3", "--log-requests", &log, "/"];
    Run::new(["run", "--host", &server.host()]).with(flags).finish().exits(0);
    let seen = server
        .requests()
        .into_iter()
        .filter_map(|request| request.header("traceparent").map(|value| value.split('-').nth(1).unwrap().to_owned()));
    let told: Vec<Value> = records(&read(&log));
    let told: Vec<&str> = told.iter().filter_map(|record| record["trace_id"].as_str()).collect();
    assert_eq!(told, seen.collect::<Vec<_>>());
}

#[test]
fn each_shard_has_a_log_of_its_own() {
    let (target, scratch) = (target(), Scratch::new("log-shards"));
    let log = scratch.file("r-%s.ndjson");
    let flags = ["--shard", "1/3", "--run-id", "x", "-n", "9", "-u", "3", "--log-requests", &log, "/ok"];
    load(&target, flags).finish().exits(0);
    assert_eq!(records(&read(&scratch.file("r-1.ndjson"))).len(), 3);
}

#[test]
fn wrong_names_and_shares_are_refused() {
    let scratch = Scratch::new("log-refused");
    let [text, same] = ["r.txt", "s.ndjson"].map(|name| scratch.file(name));
    for (flags, complaint) in [
        (vec!["--log-requests", &text], "its name must end in .ndjson"),
        (vec!["--log-share", "1%"], "--log-share: needs --log-requests"),
        (vec!["--log-requests", &same, "--log-share", "0"], "must be above 0"),
        (vec!["--log-requests", "/no/such/folder/r.jtl"], "--log-requests /no/such/folder/r.jtl: No such file"),
        (vec!["--log-requests", &same, "--telemetry", &same], "is the same file as"),
    ] {
        let run = Run::new(["run", "-n", "1", "http://127.0.0.1:9/"]).with(flags).finish().exits(2);
        assert!(run.stderr.contains(complaint), "{}", run.stderr);
    }
}
