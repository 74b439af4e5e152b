//! How a run ends when its stream cannot be written.

use std::fs::File;

use crate::support::{Scratch, load, target};

#[test]
fn a_full_disk_ends_the_run_with_one_sentence() {
    let target = target();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    // There is no run time: only the error can end these.
    let to_file = load(&target, ["--telemetry", "/dev/full", "--wait", "10ms", "/ok"]).finish().exits(4);
    let line = to_file.complaint();
    assert!(line.starts_with("--telemetry /dev/full: ") && line.contains("No space left"), "{line}");
    let to_stdout = load(&target, ["--wait", "10ms", "/ok"]).stdout(full()).finish().exits(4);
    let line = to_stdout.complaint();
    assert!(line.starts_with("--telemetry -: ") && line.contains("No space left"), "{line}");
}

#[test]
fn an_unwritable_path_is_reported_before_anything_is_sent() {
    let (target, scratch) = (target(), Scratch::new("unwritable"));
    let path = scratch.file("missing/s.ndjson");
    for path in [path.as_str(), "/", "/missing.gz/x.gz"] {
        let refused = load(&target, ["-n", "1", "--telemetry", path, "/ok"]).finish().exits(2);
        let line = refused.complaint();
        assert!(line.starts_with(&format!("--telemetry {path}: ")), "{line}");
    }
    assert_eq!(target.requests(), 0);
}
