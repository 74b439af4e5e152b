//! `--warmup`: its requests are counted everywhere that counts, and in no figure, check or verdict.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::merge::{files, merge};
use crate::process::{Finished, run, run_alone};
use crate::server::{OK, Server};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::lines::{Line, Stream, millis};
use crate::support::{Run, Scratch};

/// Status of the requests that are slow at the beginning.
const ERROR: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nerror";

/// How long each of them takes.
const SLOW_MS: u64 = 600;

/// A server that is slow and fails at first, for this many requests, and then answers at once.
fn slow_at_first(requests: u64) -> Server {
    let seen = AtomicU64::new(0);
    Server::start(move |mut peer| {
        while peer.read().is_some() {
            if seen.fetch_add(1, Ordering::SeqCst) < requests {
                peer.pause(Duration::from_millis(SLOW_MS));
                peer.send(ERROR);
            } else {
                peer.send(OK);
            }
        }
    })
}

/// Four users, whose first requests are over long before the warm-up is.
const FLAGS: [&str; 12] =
    ["-u", "4", "-r", "1000", "-t", "2500ms", "--interval", "100ms", "--warmup", "1500ms", "--wait", "5ms"];

/// Checks that fail if a request of the warm-up is in them, and one of that phase.
const CHECKS: [&str; 8] =
    ["--check", "fail_ratio == 0", "--check", "max < 600ms", "--check", "failures@warmup == 4", "--check", "rps > 0"];

/// Flags for each kind of file, and their paths.
fn outputs(scratch: &Scratch, prefix: &str) -> Vec<String> {
    let file = |flag: &str| [format!("--{flag}"), scratch.file(&format!("{prefix}.{flag}"))];
    ["json-file", "csv", "junit", "markdown", "hgrm", "html"].iter().flat_map(|flag| file(flag)).collect()
}

fn words(arguments: &[String]) -> impl Iterator<Item = &str> {
    arguments.iter().map(String::as_str)
}

fn read(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.file(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn json(scratch: &Scratch, name: &str) -> Value {
    serde_json::from_str(&read(scratch, name)).unwrap()
}

fn number(summary: &Value, pointer: &str) -> u64 {
    summary.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {summary}"))
}

/// Every count of the last line is that of the warm-up and that of the rest together, and sent = ok + failed + aborted in both.
fn assert_adds_up(end: &Line, summary: &Value) {
    for key in ["sent", "ok", "failed", "aborted", "unsent"] {
        let (rest, warmup) = (number(summary, &format!("/counts/{key}")), number(summary, &format!("/warmup/{key}")));
        assert_eq!(rest + warmup, end.count(key), "{key}");
        if key != "sent" {
            assert_eq!(warmup, end.count(&format!("warmup_{key}")), "{key}");
        }
    }
    for part in ["counts", "warmup"] {
        let of = |key: &str| number(summary, &format!("/{part}/{key}"));
        assert_eq!(of("sent"), of("ok") + of("failed") + of("aborted"), "{part}");
    }
}

#[test]
fn what_is_slow_and_fails_in_the_warmup_is_in_every_count_and_in_no_figure() {
    let (server, scratch) = (slow_at_first(4), Scratch::new("warmup-outputs"));
    let of_run = outputs(&scratch, "run");
    let run = Run::new(["run", "--host", &server.host()]).with(FLAGS).with(CHECKS).with(words(&of_run)).with(["/"]);
    let run = run.finish().exits(0);
    let stream = run.stream();
    let (end, summary) = (stream.run_end(), json(&scratch, "run.json-file"));
    assert_eq!((end.count("sent"), end.count("failed")), (server.count(), 4), "contract lines count everything");
    assert!(stream.last().float("max_response_time") >= SLOW_MS as f64);
    assert_eq!(stream.last().count("warmup_failures"), 4);
    assert_eq!(stream.only("stats endpoint success").count("warmup_failures"), 4);
    assert_eq!(stream.only("stats endpoint error").count("warmup_occurrences"), 4);
    assert_adds_up(end, &summary);
    assert_eq!((number(&summary, "/counts/failed"), number(&summary, "/warmup/failed")), (0, 4));
    assert_eq!(summary["errors"], Value::Array(Vec::new()));
    for time in ["p99", "p99_9", "max"] {
        assert!(summary["total"][time].as_f64().unwrap() < SLOW_MS as f64, "{time}: {}", summary["total"]);
    }
    let (judged, left_out) = (number(&summary, "/counts/completed"), number(&summary, "/warmup/completed"));
    assert_eq!((number(&summary, "/total/requests"), number(&summary, "/endpoints/0/requests")), (judged, judged));
    let schema = serde_json::from_str(swarmline::report::files::json::SCHEMA).unwrap();
    assert!(jsonschema::is_valid(&schema, &summary), "{summary}");
    assert_files(&scratch, judged, left_out);
    let sentence = format!("Warm-up: {left_out} requests in ");
    for text in
        [&run.stderr, &read(&scratch, "run.markdown"), &read(&scratch, "run.html"), &read(&scratch, "run.junit")]
    {
        assert!(text.contains(&sentence), "{sentence}: {text}");
    }
    assert!(!run.stderr.contains("http_5xx"), "{}", run.stderr);
    // Read back, all of it is the same.
    let file = scratch.write("run.ndjson", &run.stdout);
    let of_report = outputs(&scratch, "report");
    Run::new(["report", &file]).with(words(&of_report)).finish().exits(0);
    for name in ["json-file", "csv_stats.csv", "csv_failures.csv", "csv_stats_history.csv", "junit", "markdown", "hgrm"]
    {
        assert_eq!(read(&scratch, &format!("run.{name}")), read(&scratch, &format!("report.{name}")), "{name}");
    }
}

/// What the files count, in which `judged` requests are shown and `left_out` are not.
fn assert_files(scratch: &Scratch, judged: u64, left_out: u64) {
    let table = read(scratch, "run.csv_stats.csv");
    let title = table.lines().next().unwrap();
    assert!(title.ends_with(",Warm-up Requests"), "{title}");
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let wanted = (judged.to_string(), "0", left_out.to_string());
        assert_eq!((cells[2], cells[3], cells[cells.len() - 1]), (&*wanted.0, wanted.1, &*wanted.2), "{row}");
    }
    assert_eq!(read(scratch, "run.csv_failures.csv").lines().count(), 1, "only the titles");
    assert!(read(scratch, "run.junit").contains("failures=\"0\" errors=\"0\""));
    let distribution = read(scratch, "run.hgrm");
    assert!(distribution.contains(&format!("Total count    = {judged:12}]")), "{distribution}");
    assert!(distribution.contains(&format!("#[Warm-up = {left_out:12}")), "{distribution}");
}

#[test]
fn ticks_are_warmup_until_it_is_over_in_every_model_of_load() {
    let server = Server::responding(OK);
    let models: [&[&str]; 3] = [
        &["-t", "900ms", "-u", "2"],
        &["-t", "900ms", "--rate", "50"],
        &["--stages", "300ms:2,600ms:2", "--wait", "5ms"],
    ];
    for model in models {
        let run = run(&server, &[model, &["--interval", "100ms", "--warmup", "400ms", "/"]].concat());
        let code = run.code();
        let run = run.exits(code);
        let started = millis(run.stream().only("config").text("started_at"));
        for health in run.stream().of("health") {
            let (from, until) = (millis(health.text("interval_start")), millis(health.text("interval_end")));
            let border = started + 400;
            let in_warmup = until.min(border).saturating_sub(from.min(border));
            let is_clear = in_warmup.abs_diff((until - from) - in_warmup) > 2;
            if is_clear && from < border {
                let holds_half = in_warmup * 2 >= until - from;
                assert_eq!(health.text("phase") == "warmup", holds_half, "{model:?}: {}", health.0);
            } else if is_clear {
                assert_ne!(health.text("phase"), "warmup", "{model:?}: {}", health.0);
            }
        }
    }
}

#[test]
fn what_was_due_in_the_warmup_and_never_ends_judges_nothing() {
    let seen = AtomicU64::new(0);
    let server = Server::start(move |mut peer| {
        while peer.read().is_some() {
            if seen.fetch_add(1, Ordering::SeqCst) < 2 {
                return peer.hang();
            }
            peer.send(OK);
        }
    });
    let scratch = Scratch::new("warmup-hang");
    let file = scratch.file("s.json");
    let flags = [&FLAGS[..], &["--check", "max < 1s", "--json-file", &file, "/"]].concat();
    let run = run(&server, &flags).exits(0);
    let summary = json(&scratch, "s.json");
    assert_eq!((run.count("aborted"), run.count("warmup_aborted")), (2 + number(&summary, "/counts/aborted"), 2));
    assert_eq!(run.count("sent"), server.count());
    assert_adds_up(run.stream().run_end(), &summary);
    assert!(summary["total"]["max"].as_f64().unwrap() < 1000.0, "{}", summary["total"]);
}

#[test]
fn a_run_that_ends_in_its_warmup_is_not_valid() {
    let server = Server::responding(OK);
    let scratch = Scratch::new("only-warmup");
    let files = outputs(&scratch, "run");
    let flags: Vec<&str> = ["-n", "20", "-u", "2", "--warmup", "30s", "/"].into_iter().chain(words(&files)).collect();
    let run = run(&server, &flags).exits(4);
    let reasons = run.stream().run_end().get("reasons");
    let why = "no request completed after the warm-up";
    assert_eq!(reasons[0]["text"], why, "{reasons}");
    // No time is shown for requests that are not there, and none of them passed.
    let rows: Vec<&str> = run.stderr().lines().filter(|line| line.trim_start().starts_with("Aggregated")).collect();
    assert!(rows.len() >= 3 && rows.iter().all(|row| row.contains(" - ")), "{rows:?}");
    let times: Vec<&str> = rows[1].split_whitespace().collect();
    assert_eq!(times, ["Aggregated", "-", "-", "-", "-", "-", "-", "0"]);
    let markdown = read(&scratch, "run.markdown");
    assert!(markdown.contains("| **all** | 0 | 0 | 0.0 | - | - | - |"), "{markdown}");
    let junit = read(&scratch, "run.junit");
    let case = junit.lines().find(|line| line.contains("no failed requests")).unwrap();
    assert!(case.contains(&format!("<skipped message=\"{why}\"/>")), "{case}");
    assert_eq!((run.count("ok"), run.count("warmup_ok")), (20, 20));
}

#[test]
fn a_warmup_that_would_be_the_whole_run_is_refused_in_one_line() {
    let base = ["--host", "http://127.0.0.1:9", "/"];
    let whole = "must be shorter than the run, which takes";
    for (flags, why) in [
        (&["-t", "10s", "--warmup", "10s"][..], whole),
        (&["-t", "10s", "--warmup", "1m"], whole),
        (&["--stages", "5s:3,5s:0", "--warmup", "10s"], whole),
        (&["--rate", "5", "--stages", "5s:9,5s:0", "--warmup", "10s"], whole),
        (&["--rate", "5", "-t", "10s", "--warmup", "10s"], whole),
        (&["-t", "5s", "--warmup", "4800ms"], "takes 5s; it takes 6s"),
        (&["--rate", "5", "-n", "50", "--warmup", "10s"], "whose 50 requests are due in it"),
        (&["-t", "10s", "--warmup", "1s"], "must be at least half an --interval"),
        (&["-t", "10s", "--warmup", "0"], "--warmup"),
    ] {
        let run: Finished = run_alone(&[flags, &base].concat());
        assert_eq!(run.code(), 2, "{flags:?}: {}", run.stderr());
        assert!(run.stderr().contains("--warmup") && run.stderr().contains(why), "{flags:?}: {}", run.stderr());
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
    }
}

#[test]
fn a_scenario_and_a_variable_set_it_and_it_is_of_the_plan() {
    let server = Server::responding(OK);
    let scratch = Scratch::new("warmup-plan");
    let scenario = r#"{"warmup": "200ms", "run_time": "400ms", "interval": "100ms",
        "user_classes": [{"tasks": [{"requests": [{"get": "/"}]}]}]}"#;
    let file = scratch.write("s.json", scenario);
    let hash = |line: &Line| line.text("plan_hash").to_owned();
    let of_file = run(&server, &["-f", &file]).exits(0);
    assert!(of_file.count("warmup_ok") > 0 && of_file.count("warmup_ok") < of_file.count("ok"));
    let by_variable = Run::new(["run", "--host", &server.host(), "-f", &file]).env("SWARMLINE_WARMUP", "300ms");
    let by_variable = by_variable.finish().exits(0).stream();
    assert_ne!(hash(of_file.stream().only("config")), hash(by_variable.only("config")), "another plan");
}

/// Streams of two shards of a run at a server that is slow at first.
fn shards(server: &Server) -> Vec<Vec<u8>> {
    let at = seconds_from_now(START_DELAY);
    let start = |shard: &str| {
        let run = Run::new(["run", "--host", &server.host()]).with(FLAGS).with(["--run-id", "r1", "--start-at", &at]);
        run.with(["--shard", shard, "/"]).start()
    };
    let running = [start("0/2"), start("1/2")];
    running.map(|run| run.finish().exits(0).stdout).into()
}

/// The summary of a merge, after a report of the merged stream was found to be the same.
fn merged(scratch: &Scratch, streams: &[Vec<u8>]) -> (Stream, Value) {
    let file = scratch.file("merged.json");
    let run = merge(&files(scratch, streams), &["--json-file", &file, "--check", "fail_ratio == 0"]).exits(0);
    let stream = scratch.write("merged.ndjson", &run.stdout);
    Run::new(["report", &stream, "--json-file", &scratch.file("again.json")]).finish().exits(0);
    let summary = json(scratch, "merged.json");
    assert_eq!(summary, json(scratch, "again.json"));
    (run.stream(), summary)
}

#[test]
fn shards_merged_leave_out_what_each_of_them_left_out() {
    let (server, scratch) = (slow_at_first(4), Scratch::new("warmup-merge"));
    let streams = shards(&server);
    let (stream, summary) = merged(&scratch, &streams);
    assert_eq!(stream.run_end().count("sent"), server.count());
    assert_eq!(stream.run_end().count("warmup_failed"), 4);
    assert_eq!(stream.only("stats endpoint error").count("warmup_occurrences"), 4);
    assert_adds_up(stream.run_end(), &summary);
    for key in ["ok", "failed", "aborted"] {
        let of_shards: u64 =
            streams.iter().map(|shard| Stream::parse(shard).run_end().count(&format!("warmup_{key}"))).sum();
        assert_eq!(number(&summary, &format!("/warmup/{key}")), of_shards, "{key}");
    }
    // The same if one of them leaves its warm-up a tick before the other, as it does where it began a little earlier.
    let second = Stream::parse(&streams[1]);
    let last = second.of("interval").into_iter().rfind(|line| line.get("phase") == "warmup").unwrap();
    let (tick, requests) = (format!("\"tick\":{},", last.count("tick")), last.count("ok"));
    assert!(requests > 0 && last.count("failed") == 0, "{}", last.0);
    let text = String::from_utf8(streams[1].clone()).unwrap();
    let earlier: String = text
        .split_inclusive('\n')
        .map(|line| {
            if line.contains(&tick) {
                line.replace("\"phase\":\"warmup\"", "\"phase\":\"steady\"")
            } else {
                line.into()
            }
        })
        .collect();
    let (stream, other) = merged(&scratch, &[streams[0].clone(), earlier.into_bytes()]);
    assert_adds_up(stream.run_end(), &other);
    assert_eq!(number(&other, "/warmup/ok"), number(&summary, "/warmup/ok") - requests);
}

#[test]
fn what_is_due_at_the_end_of_the_warmup_is_after_it() {
    // The eleventh request is due when the warm-up of a second ends.
    let server = Server::start(|mut peer| {
        peer.read();
        peer.hang();
    });
    let flags = ["--rate", "10", "-t", "2s", "--warmup", "1s", "--interval", "1s", "--timeout", "60s", "/"];
    let run = run(&server, &flags).exits(4);
    let of_phase = |phase: &str| -> u64 {
        let lines = run.stream().of("unfinished").into_iter().filter(|line| line.text("phase") == phase);
        lines.map(|line| line.count("aborted") + line.count("unsent")).sum()
    };
    assert_eq!((of_phase("warmup"), of_phase("steady")), (10, 10));
    assert_eq!(run.count("warmup_aborted") + run.count("warmup_unsent"), 10);
}
