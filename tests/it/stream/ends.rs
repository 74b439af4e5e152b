//! How a stream ends when its reader, its file or the user ends it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

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

/// Sends a signal to a run whose stream goes to `stream`, as soon as its first line is there.
fn signalled(flags: &[&str], signal: &str) -> (Running, BufReader<std::io::PipeReader>) {
    let (reader, writer) = std::io::pipe().unwrap();
    let running = Run::new(["run"]).with(flags.iter().copied()).stdout(writer).start();
    let mut reader = BufReader::new(reader);
    reader.read_line(&mut String::new()).unwrap();
    let pid = running.child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
    assert!(sent.success());
    (running, reader)
}

#[test]
fn a_signal_ends_the_run_in_order() {
    let target = target();
    let host = crate::support::host(&target);
    for signal in ["INT", "TERM", "HUP"] {
        let scratch = Scratch::new(&format!("signal-{signal}"));
        let file = scratch.file("s.ndjson");
        let list = scratch.write("requests", "/ok\n");
        // The stream is in a file; standard output is only there to wait on, and closes with the process.
        let requests = format!("@{list}");
        let flags = ["--host", &host, "--wait", "1ms", "-s", "20s", &requests];
        let (running, mut rest) = signalled(&flags, signal);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut rest, &mut bytes).unwrap();
        let finished = running.finish();
        std::fs::write(&file, &bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\"reason\":\"signal\""), "{signal}: {text}");
        assert!(text.lines().last().unwrap().contains("swarmline.event.run.end"), "{signal}");
        assert!([0, 4].contains(&finished.code), "{signal}: a signal changes no exit code: {}", finished.code);
    }
}
