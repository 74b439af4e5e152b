//! How a stream ends when its reader, its file or the user ends it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};

use crate::support::lines::Stream;
use crate::support::{Run, Running, Scratch, dead_host, load, target};

#[test]
fn a_full_disk_ends_the_run_with_one_sentence() {
    let target = target();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    // No run time: only the error can end these.
    let to_file = load(&target, ["--telemetry", "/dev/full", "--wait", "10ms", "/ok"]).finish().exits(4);
    let line = to_file.complaint();
    assert!(line.starts_with("--telemetry /dev/full: ") && line.contains("No space left"), "{line}");
    let to_stdout = load(&target, ["--wait", "10ms", "/ok"]).stdout(full()).finish().exits(4);
    let line = to_stdout.complaint();
    assert!(line.starts_with("--telemetry -: ") && line.contains("No space left"), "{line}");
}

#[test]
fn a_reader_that_leaves_ends_the_run_silently() {
    let target = target();
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = ["--interval", "100ms", "--wait", "10ms", "/status/500"];
    let running = load(&target, flags).stdout(writer).start();
    let mut first = String::new();
    BufReader::new(reader).read_line(&mut first).unwrap();
    assert!(first.contains("test.start"), "{first}");
    let finished = running.finish().exits(0);
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_reader_that_takes_nothing_is_a_write_error_in_the_end() {
    let (target, scratch) = (target(), Scratch::new("stuck"));
    let (reader, writer) = std::io::pipe().unwrap();
    // Lines of 300 endpoints: three times what a pipe holds.
    let list: Vec<String> = (0..300).map(|n| format!("/ok?n={n}")).collect();
    let list = format!("@{}", scratch.write("list", list.join("\n")));
    let finished = load(&target, ["-n", "3000", "-q", &list]).stdout(writer).finish().exits(4);
    assert!(finished.complaint().contains("the reader took nothing for 5 s"), "{}", finished.stderr);
    assert_eq!(target.requests(), 3_000, "the load did not wait for it");
    drop(reader);
}

#[test]
fn a_path_that_cannot_be_written_is_said_before_anything_is_sent() {
    let (target, scratch) = (target(), Scratch::new("unwritable"));
    let path = scratch.file("missing/s.ndjson");
    for path in [path.as_str(), "/", "/missing.gz/x.gz"] {
        let refused = load(&target, ["-n", "1", "--telemetry", path, "/ok"]).finish().exits(2);
        let line = refused.complaint();
        assert!(line.starts_with(&format!("--telemetry {path}: ")), "{line}");
    }
    assert_eq!(target.requests(), 0);
}

#[test]
fn a_run_without_a_completed_request_is_not_valid() {
    let target = target();
    let finished = load(&target, ["-t", "300ms", "/hang"]).finish().exits(4);
    let stream = finished.stream();
    assert_eq!(stream.run_end().text("verdict"), "invalid");
    assert_eq!(stream.run_end().get("reasons")[0], "no request completed");
    assert!(finished.stderr.contains("no request completed"), "{}", finished.stderr);
    let code = load(&target, ["-t", "300ms", "--exit-code-on-error", "0", "/hang"]).finish().code;
    assert_eq!(code, 4, "--exit-code-on-error is about failures");
    let refused = Run::new(["run", "-n", "1", "--exit-code-on-error", "0", &dead_host()]).finish();
    assert_eq!(refused.exits(0).stream().run_end().text("verdict"), "failures", "a refusal is an outcome");
}

/// Sends a signal to a process.
fn signal(running: &Running, name: &str) {
    let pid = running.child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
    assert!(sent.success());
}

/// Reads lines until one has this in it; gives all that was read.
fn read_until(reader: &mut impl BufRead, part: &str) -> String {
    let mut text = String::new();
    while !text.lines().last().is_some_and(|line| line.contains(part)) {
        assert_ne!(reader.read_line(&mut text).unwrap(), 0, "no {part} in {text}");
    }
    text
}

#[test]
fn a_signal_ends_the_run_in_order() {
    let target = target();
    for name in ["INT", "TERM", "HUP"] {
        let (reader, writer) = std::io::pipe().unwrap();
        let flags = ["--wait", "1ms", "--interval", "100ms", "-s", "20s", "/ok"];
        let running = load(&target, flags).stdout(writer).start();
        let mut reader = BufReader::new(reader);
        let mut text = read_until(&mut reader, "\"tick\":3");
        signal(&running, name);
        reader.read_to_string(&mut text).unwrap();
        let finished = running.finish().exits(0);
        assert!(finished.stderr.contains("verdict: pass"), "{name}: {}", finished.stderr);
        let stream = Stream::parse(text.as_bytes());
        assert_eq!(stream.only("test.stop").text("reason"), "signal", "{name}");
        assert_eq!(stream.run_end().count("aborted"), 0, "what was in flight had its time");
        assert_eq!(stream.last().count("user_count"), 1);
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let target = target();
    let (reader, writer) = std::io::pipe().unwrap();
    let running = load(&target, ["-s", "1h", "--interval", "100ms", "/hang"]).stdout(writer).start();
    let mut reader = BufReader::new(reader);
    read_until(&mut reader, "\"tick\":1");
    // Two of one kind may become one on the way.
    signal(&running, "INT");
    signal(&running, "TERM");
    running.finish().exits(130);
    // A reader that leaves would end the run, too.
    drop(reader);
}
