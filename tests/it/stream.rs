//! The stream of real runs, compared with the embedded target's own counts.

mod ends;
mod limits;
mod settings;

use std::io::Read as _;

use rustix::process::Signal;

use crate::process::Process;
use crate::support::lines::{Stream, millis};
use crate::support::{Scratch, dead_host, load, target};

#[test]
fn every_request_that_the_target_counted_is_in_the_final_line() {
    let target = target();
    let flags = ["-t", "1s", "-s", "20s", "-u", "4", "-r", "1000", "--interval", "300ms", "/ok", "/bytes/100"];
    let stream = load(&target, flags).finish().exits(0).stream();
    let last = stream.last();
    assert_eq!(last.count("num_requests"), target.requests());
    assert_eq!(stream.run_end().count("aborted"), 0, "they had 20 s to finish");
    assert_eq!(stream.only("test.stop").text("reason"), "run_time");
    for endpoint in stream.of("stats endpoint success") {
        let path = endpoint.text("name").split('/').nth(1).unwrap();
        assert_eq!(endpoint.count("num_requests"), target.requests_to(path), "{path}");
        let length = if path == "ok" { 11.0 } else { 100.0 };
        assert_eq!(endpoint.get("avg_content_length"), length, "{path}");
    }
}

#[test]
fn requests_cut_off_at_the_end_count_as_aborted_and_nowhere_else() {
    let target = target();
    let process = Process::start(load(&target, ["-u", "3", "-r", "1000", "/hang"]));
    while target.requests() < 3 {
        std::thread::yield_now();
    }
    process.signal(Signal::INT);
    let run = process.finish().exits(4);
    let stream = run.stream();
    assert_eq!(stream.run_end().count("aborted"), 3);
    assert_eq!(stream.run_end().text("verdict"), "invalid");
    assert_eq!(stream.last().count("num_requests"), 0);
    assert_eq!(stream.last().count("user_count"), 3, "users when the stop began");
    assert_eq!(target.requests(), 3);
    assert!(stream.of("stats endpoint success").is_empty(), "an endpoint without a completed request has no line");
}

#[test]
fn ticks_are_on_the_grid() {
    let target = target();
    let flags = ["-t", "1600ms", "--interval", "500ms", "--wait", "10ms", "/ok"];
    let stream = load(&target, flags).finish().exits(0).stream();
    let start = millis(stream.of("config")[0].text("started_at"));
    let ticks = stream.of("stats current");
    let numbers: Vec<u64> = ticks.iter().map(|tick| tick.count("tick")).collect();
    // On a busy machine a tick may be skipped; none comes early.
    let (last_number, on_grid) = numbers.split_last().unwrap();
    assert!(numbers[0] == 0 && numbers.is_sorted_by(|a, b| a < b) && on_grid.len() >= 2, "{numbers:?}");
    assert!(*last_number >= 3, "the last one, when the last user has ended: {numbers:?}");
    for tick in &ticks[..on_grid.len()] {
        let due = start + tick.count("tick") * 500;
        assert!(millis(tick.time()) >= due, "{} is before its time", tick.0);
    }
    let last = ticks[on_grid.len()].time();
    assert!(millis(last) >= start + 1600, "{last}: the last one is after the run time");
    assert_eq!(last, stream.of("cpu")[on_grid.len()].time());
}

#[test]
fn statistics_before_the_first_response_are_all_zero() {
    let target = target();
    let stream = load(&target, ["-n", "1", "--interval", "100ms", "/delay/700"]).finish().exits(0).stream();
    let zeros = stream.of("stats current").iter().filter(|tick| tick.count("num_requests") == 0).count();
    // Stream::parse checks that every number of such a line is 0.
    assert!(zeros >= 2, "{zeros} ticks before the response");
    assert!(stream.last().float("min_response_time") >= 700.0);
    assert_eq!(stream.last().get("max_response_time"), stream.last().get("percentile_99"));
}

#[test]
fn spawn_complete_is_written_once_when_all_users_have_started() {
    let target = target();
    let flags = ["-u", "5", "-r", "50", "--interval", "100ms", "--wait", "10ms", "/ok"];
    let mut process = Process::start(load(&target, flags));
    process.await_output(|text| text.contains("locust.tl.event.spawn.complete"));
    let before = target.requests();
    while target.requests() < before + 50 {
        std::thread::yield_now();
    }
    process.signal(Signal::INT);
    let run = process.finish();
    let code = run.code();
    let run = run.exits(code);
    let stream = run.stream();
    assert_eq!(stream.only("spawn.complete").count("user_count"), 5);
    assert_eq!(target.connections(), 5, "each with its own connection");
    let ramping = load(&target, ["-t", "500ms", "-u", "5", "-r", "0.01", "--wait", "10ms", "/ok"]).finish().stream();
    assert!(ramping.of("spawn.complete").is_empty(), "the second user was due at 100 s");
    assert_eq!(ramping.last().count("user_count"), 1);
}

#[test]
fn the_stream_goes_where_it_is_sent() {
    let (target, scratch) = (target(), Scratch::new("where"));
    let (plain, zipped) = (scratch.write("s.ndjson", "x".repeat(100_000)), scratch.file("s.ndjson.gz"));

    let to_file = load(&target, ["-n", "3", "--telemetry", &plain, "/ok"]).finish().exits(0);
    assert_eq!(to_file.text(), "", "the stream is in the file");
    assert!(to_file.stderr.contains(&plain), "and stderr names the file: {}", to_file.stderr);
    let stream = Stream::parse(&std::fs::read(&plain).unwrap());
    assert_eq!(stream.last().count("num_requests"), 3, "the previous content is replaced");
    assert_eq!(stream.setting("telemetry"), Some((plain.as_str(), "flag")));

    load(&target, ["-n", "3", "--telemetry", &zipped, "/ok"]).finish().exits(0);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&zipped).unwrap()).read_to_end(&mut bytes).unwrap();
    assert_eq!(Stream::parse(&bytes).last().count("num_requests"), 3);

    let to_stdout = load(&target, ["-n", "3", "--telemetry", "-", "/ok"]).finish().exits(0);
    assert_eq!(to_stdout.stream().last().count("num_requests"), 3);
}

#[test]
fn text_for_people_goes_to_stderr_or_a_file_and_never_into_the_stream() {
    let (target, scratch) = (target(), Scratch::new("people"));
    let shown = load(&target, ["-n", "2", "/ok"]).finish().exits(0);
    assert!(shown.stderr.contains("Aggregated") && shown.stderr.contains("verdict: pass"), "{}", shown.stderr);
    shown.stream();
    assert_eq!(load(&target, ["-n", "2", "-q", "/ok"]).finish().exits(0).stderr, "");
    let log = scratch.file("log");
    assert_eq!(load(&target, ["-n", "2", "--logfile", &log, "/ok"]).finish().exits(0).stderr, "");
    assert!(std::fs::read_to_string(&log).unwrap().contains("Aggregated"));
}

#[test]
fn a_run_id_is_given_or_generated() {
    let target = target();
    let given = load(&target, ["-n", "1", "--run-id", "Night.run_7-b", "/ok"]).finish().stream();
    assert_eq!(given.0[0].text("run_id"), "Night.run_7-b");
    let by_env = load(&target, ["-n", "1", "/ok"]).env("SWARMLINE_RUN_ID", "e1").finish().stream();
    assert_eq!(by_env.0[0].text("run_id"), "e1");
    let made = [(); 2].map(|()| load(&target, ["-n", "1", "/ok"]).finish().stream().0[0].text("run_id").to_owned());
    assert_ne!(made[0], made[1]);
    assert!(made.iter().all(|id| id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit())), "{made:?}");
}

#[test]
fn failures_have_a_class_and_decide_the_exit_code() {
    let target = target();
    let flags = ["-n", "5", "/status/503"];
    let stream = load(&target, flags).finish().exits(1).stream();
    assert_eq!(stream.errors(), [("http_5xx: 503", 5)]);
    assert_eq!(stream.run_end().text("verdict"), "failures");
    assert_eq!(
        stream.only("stats endpoint success").count("num_failures"),
        5,
        "also for an endpoint with failures only"
    );
    let error = stream.only("stats endpoint error");
    let start = millis(stream.0[0].time()) as f64 / 1000.0;
    // The time of the line is truncated to a millisecond.
    assert!(error.float("first_seen") >= start - 0.001 && error.float("last_seen") >= error.float("first_seen"));
    for (code, wanted) in [("7", 7), ("0", 0)] {
        load(&target, flags).with(["--exit-code-on-error", code]).finish().exits(wanted).stream();
    }
    load(&target, flags).env("LOCUST_EXIT_CODE_ON_ERROR", "9").finish().exits(9).stream();
    let expected = load(&target, flags).with(["--expect-status", "5xx"]).finish().exits(0).stream();
    assert!(expected.errors().is_empty());
}

#[test]
fn errors_are_distinguished_by_class_and_text() {
    let target = target();
    for (path, text, exit) in [
        ("/status/404", "http_4xx: 404", 1),
        ("/reset", "reset: connection reset", 4),
        ("/redirect/3", "redirect: too many", 1),
        ("/hang", "timeout: no first byte within 1s", 4),
    ] {
        let flags = ["-n", "2", "--max-redirects", "2", "--timeout", "1s", path];
        assert_eq!(load(&target, flags).finish().exits(exit).stream().errors(), [(text, 2)], "{path}");
    }
    let dead = dead_host();
    let stream = crate::support::Run::new(["run", "-n", "2", "--host", &dead, "/"]).finish().exits(4).stream();
    assert_eq!(stream.errors(), [("connect_refused: connection refused", 2)]);
    assert_eq!(stream.last().count("num_failures"), 2);
}

#[test]
fn redirects_are_counted_separately_from_requests() {
    let target = target();
    let stream = load(&target, ["-n", "4", "/redirect/3"]).finish().exits(0).stream();
    assert_eq!(stream.last().count("num_requests"), 4);
    assert_eq!(stream.run_end().count("redirects"), 12);
    assert_eq!(target.requests(), 16, "a server counts requests and followed redirects");
}
