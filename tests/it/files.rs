//! No output overwrites an input, and a report that cannot be written leaves the previous one unchanged.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use crate::merge::{files, shards};
use crate::support::{Finished, Run, Scratch, load, target};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Asserts that this run is refused because of `flag` and leaves `path` unchanged.
fn is_refused(run: Run, flag: &str, path: &str) -> Finished {
    let before = read(path);
    let refused = run.finish().exits(2);
    assert!(refused.complaint().starts_with(flag), "{flag}: {}", refused.stderr);
    assert_eq!(read(path), before, "{flag} changed {path}");
    refused
}

/// A recorded run.
fn stream(scratch: &Scratch) -> String {
    let recorded = load(&target(), ["-n", "3", "/ok"]).finish().exits(0).stdout;
    scratch.write("s.ndjson", recorded)
}

#[test]
fn an_output_that_is_an_input_of_a_run_is_refused_before_anything_is_opened() {
    let (target, scratch) = (target(), Scratch::new("files-run"));
    scratch.write("rows.csv", "name\namy\n");
    scratch.write("body.bin", "body");
    let classes =
        r#"[{"name": "a", "tasks": [{"name": "t", "requests": [{"post": "/echo", "body_file": "body.bin"}]}]}]"#;
    let text = format!(r#"{{"data": {{"d": {{"csv": "rows.csv"}}}}, "user_classes": {classes}}}"#);
    let scenario = scratch.write("sc.json", text);
    let pem = scratch.write("ca.pem", include_str!("tls/ca.pem"));
    let list = scratch.write("list.txt", "/ok\n");
    for output in ["--telemetry", "--html", "--json-file", "--junit", "--markdown", "--hgrm", "--logfile"] {
        for input in ["sc.json", "rows.csv", "body.bin"] {
            let path = scratch.file(input);
            is_refused(load(&target, ["-n", "1", "-f", &scenario, output, &path]), output, &path);
        }
        is_refused(load(&target, ["-n", "1", "--cacert", &pem, output, &pem, "/ok"]), output, &pem);
        let (list_argument, body) = (format!("@{list}"), format!("@{}", scratch.file("body.bin")));
        is_refused(load(&target, ["-n", "1", output, &list, &list_argument]), output, &list);
        let run = load(&target, ["-n", "1", "--data", &body, output, &body[1..], "/echo"]);
        is_refused(run, output, &body[1..]);
        is_refused(load(&target, ["--dry-run", "-f", &scenario, output, &scenario]), output, &scenario);
    }
    let tables = scratch.write("x_stats.csv", "name\namy\n");
    let text = format!(r#"{{"data": {{"d": {{"csv": "x_stats.csv"}}}}, "user_classes": {classes}}}"#);
    let scenario = scratch.write("tables.json", text);
    is_refused(load(&target, ["-n", "1", "-f", &scenario, "--csv", &scratch.file("x")]), "--csv", &tables);
    assert_eq!(target.requests(), 0);
}

#[test]
fn a_merge_and_a_report_refuse_their_own_streams_through_links_too() {
    let (target, scratch) = (target(), Scratch::new("files-merge"));
    let paths = files(&scratch, &shards(&target, 2, &["-n", "40"]));
    let input = &paths[0];
    let (soft, hard, shard) = (scratch.file("soft"), scratch.file("hard"), scratch.file("run-%s.ndjson"));
    symlink(input, &soft).unwrap();
    std::fs::hard_link(input, &hard).unwrap();
    for output in [input, &soft, &hard] {
        for flag in ["--telemetry", "--html", "--junit"] {
            let merge = Run::new(["merge"]).with(paths.iter().map(String::as_str)).with([flag, output]);
            let why = is_refused(merge, flag, input).stderr;
            assert!(why.contains(&format!("is the same file as the input {input}")), "{why}");
        }
        is_refused(Run::new(["report", input, "--html", output]), "--html", input);
        is_refused(
            Run::new(["report", &paths[1], "--baseline", input]).with(["--json-file", output]),
            "--json-file",
            input,
        );
    }
    assert!(!Path::new(&shard).exists());
    let appended = std::fs::File::options().append(true).open(input).unwrap();
    is_refused(Run::new(["merge", input, &paths[1]]).stdout(appended), "standard output", input);
    let appended = std::fs::File::options().append(true).open(input).unwrap();
    is_refused(Run::new(["report", input]).stdout(appended), "standard output", input);
}

#[test]
fn two_outputs_of_one_path_are_refused_and_devices_are_not() {
    let (target, scratch) = (target(), Scratch::new("files-twice"));
    let (one, link) = (scratch.file("x_stats.csv"), scratch.file("link"));
    symlink("x_stats.csv", &link).unwrap();
    for (first, second) in [("--telemetry", "--html"), ("--html", "--junit"), ("--junit", "--logfile")] {
        for path in [&one, &link] {
            let refused = load(&target, ["-n", "1", first, &one, second, path, "/ok"]).finish().exits(2);
            assert!(refused.complaint().contains("is the same file as "), "{}", refused.stderr);
            assert!(!Path::new(&one).exists(), "nothing was opened");
        }
    }
    let refused = load(&target, ["-n", "1", "--csv", &scratch.file("x"), "--html", &one, "/ok"]).finish().exits(2);
    assert!(refused.complaint().contains("--html"), "{}", refused.stderr);
    let null = ["--telemetry", "/dev/null", "--html", "/dev/null", "--junit", "/dev/null"];
    load(&target, ["-n", "1", "/ok"]).with(null).finish().exits(0);
}

#[test]
fn a_report_replaces_the_previous_one_and_keeps_its_mode_and_symlink() {
    let scratch = Scratch::new("files-replaced");
    let stream = stream(&scratch);
    let (page, link) = (scratch.write("real.html", "former"), scratch.file("link.html"));
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o604)).unwrap();
    symlink("real.html", &link).unwrap();
    let before = std::fs::metadata(&page).unwrap().ino();
    Run::new(["report", &stream, "--html", &link]).finish().exits(0);
    assert!(read(&page).starts_with(b"<!doctype html>"));
    let after = std::fs::metadata(&page).unwrap();
    assert_ne!(after.ino(), before, "it was written to another file and renamed");
    assert_eq!(after.mode() & 0o777, 0o604);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    // Descriptors from the shell are written to, whatever they are.
    let text = Run::new(["report", &stream, "--json-file", "/dev/stdout"]).finish().exits(0);
    assert!(text.text().starts_with('{') && text.text().contains("verdict: pass"), "{}", text.text());
    let out = scratch.file("out.txt");
    let run = Run::new(["report", &stream, "--json-file", "/dev/stdout"]).stdout(std::fs::File::create(&out).unwrap());
    run.finish().exits(0);
    assert_eq!(String::from_utf8(read(&out)).unwrap(), text.text());
}

#[test]
fn a_report_that_cannot_be_written_completely_leaves_the_previous_one_and_no_other_file() {
    let scratch = Scratch::new("files-full");
    let stream = stream(&scratch);
    let page = scratch.write("page.html", "former");
    let folder = scratch.file("");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    // As on a disk that is full after 512 bytes.
    let run = Run::in_shell("trap '' XFSZ; ulimit -f 1", ["report", &stream, "--html", &page]).finish().exits(2);
    assert!(run.complaint().starts_with("--html"), "{}", run.stderr);
    assert_eq!((read(&page), names()), (b"former".to_vec(), before.clone()));
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o600)).unwrap();
    Run::new(["report", &stream, "--html", &page]).finish().exits(0);
    assert_eq!(names(), before);
    // A run that is refused for another reason creates no file either.
    load(&target(), ["-n", "1", "--html", &scratch.file("new.html"), "--junit", "/nowhere/j.xml", "/ok"])
        .finish()
        .exits(2);
    assert_eq!(names(), before);
}

#[test]
fn values_from_a_stream_never_become_a_path() {
    let scratch = Scratch::new("files-traversal");
    let recorded = String::from_utf8(read(&stream(&scratch))).unwrap();
    let hostile = recorded.replacen(r#""key":"users","value":"1""#, r#""key":"users","value":"../../x\u0000\ny""#, 1);
    assert_ne!(hostile, recorded);
    let path = scratch.write("hostile.ndjson", hostile);
    std::fs::create_dir_all(scratch.file("a/b")).unwrap();
    let report = Run::new(["report", &path, "--html", &scratch.file("a/b/{u}.html")]).finish().exits(0);
    assert!(report.text().contains("a/b/______x__y.html"), "{}", report.text());
    assert!(Path::new(&scratch.file("a/b/______x__y.html")).exists());
}
