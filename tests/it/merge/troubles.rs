//! Streams that are missing, cut off, duplicate, foreign or torn.

use crate::support::lines::Stream;
use crate::support::{Finished, Run, Scratch, load, target};

use super::{files, interleaved, merge, shards};

/// The details of the master's warnings of this kind, after checking the exit code.
fn complaint(run: Finished, kind: &str, code: i32) -> String {
    let run = run.exits(code);
    let stream = run.stream();
    let warnings = stream.of("warning");
    let details: Vec<&str> =
        warnings.iter().filter(|line| line.text("kind") == kind).map(|line| line.text("detail")).collect();
    assert!(!details.is_empty(), "no {kind} in {:?}", stream.warnings());
    let details = details.join("\n");
    assert!(details.lines().all(|detail| run.stderr.contains(detail)), "{}", run.stderr);
    if code == 4 {
        assert_eq!(stream.run_end().text("verdict"), "invalid");
    }
    details
}

#[test]
fn a_missing_shard_is_reported_and_may_be_allowed() {
    let target = target();
    let scratch = Scratch::new("merge-missing");
    let streams = shards(&target, 4, &["-t", "500ms"]);
    let mut paths = files(&scratch, &streams);
    paths.remove(1);
    let why = complaint(merge(&paths, &[]), "shard_missing", 4);
    let expected = format!("shard 1 of 4 is missing from {}", paths.join(", "));
    assert_eq!(why, expected);
    let why = complaint(merge(&paths, &["--allow-missing"]), "shard_missing", 1);
    assert_eq!(why, expected, "it is reported although it is allowed");
    let pipe = Run::new(["merge", "-"]).input(&interleaved(&streams[..2])).finish();
    assert_eq!(complaint(pipe, "shard_missing", 4), "shards 2, 3 of 4 are missing from standard input");
}

#[test]
fn an_input_without_a_line_of_a_shard_is_named_with_the_shard_that_is_missing() {
    let target = target();
    let scratch = Scratch::new("merge-empty");
    let streams = shards(&target, 2, &["-t", "500ms"]);
    let mut paths = files(&scratch, &streams[..1]);
    paths.push(scratch.write("empty.ndjson", ""));
    let why = complaint(merge(&paths, &[]), "shard_missing", 4);
    let [one, empty] = [&paths[0], &paths[1]];
    assert_eq!(why, format!("shard 1 of 2 is missing from {one}, {empty}; {empty} has no line of a shard of this run"));
}

#[test]
fn an_input_that_is_no_stream_is_named_beside_all_shards_and_may_be_allowed() {
    let target = target();
    let scratch = Scratch::new("merge-no-stream");
    let mut paths = files(&scratch, &shards(&target, 2, &["-t", "500ms"]));
    paths.extend([scratch.write("report.html", "<!DOCTYPE html>\n<p>8 requests\n"), scratch.write("empty.ndjson", "")]);
    let expected = format!("{}: no line of a shard is in it\n{}: no line of a shard is in it", paths[2], paths[3]);
    assert_eq!(complaint(merge(&paths, &[]), "shard_foreign", 4), expected);
    assert_eq!(complaint(merge(&paths, &["--allow-missing"]), "shard_foreign", 1), expected);
}

#[test]
fn shards_of_different_plans_are_told_apart_by_the_setting_and_not_called_missing() {
    let target = target();
    let scratch = Scratch::new("merge-plans");
    let run = |shard: &str, more: &[&str]| {
        let flags = ["--shard", shard, "--run-id", "r1", "-n", "6", "--start-align", "1s", "/ok"];
        load(&target, flags).with(more.iter().copied()).finish().exits(0).stdout
    };
    let long: Vec<String> =
        (0..40).flat_map(|n| ["--header".to_owned(), format!("X-{n}: {}", "v".repeat(100))]).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let with = |more: &[&'static str]| long.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
    for (one, two, expected) in [
        (vec!["-u", "4"], vec!["-u", "5"], "users: 4 and 5"),
        (vec![], vec!["--expect-status", "200"], "expect-status: not set and 200"),
        (vec!["--expect-status", "200"], vec![], "expect-status: 200 and not set"),
        // Many settings take several lines of the config, and these are in the last.
        (with(&["--timeout", "3s"]), with(&["--timeout", "4s"]), "timeout: 3s and 4s"),
    ] {
        let streams = [run("0/2", &one), run("1/2", &two)];
        let paths = files(&scratch, &streams);
        let merged = merge(&paths, &[]);
        assert!(!merged.stderr.contains("missing"), "{}", merged.stderr);
        let why = complaint(merged, "shard_foreign", 4);
        let words = format!("shard 1 runs another plan than shard 0; they differ in {expected}");
        assert_eq!(why, format!("{}: {words}", paths[1]));
        let piped = Run::new(["merge", "-"]).input(&interleaved(&streams)).finish();
        assert_eq!(complaint(piped, "shard_foreign", 4), format!("standard input: {words}"));
    }
}

#[test]
fn a_shard_that_was_cut_off_is_reported() {
    let target = target();
    let scratch = Scratch::new("merge-cut");
    let mut streams = shards(&target, 3, &["-t", "700ms"]);
    let whole = Stream::parse(&streams[2]);
    let text = String::from_utf8(streams[2].clone()).unwrap();
    // As if killed after its third tick, within a line.
    let kept = whole.0.iter().filter(|line| line.kind() == "health").nth(2).unwrap().count("seq");
    let kept: usize = text.lines().take(usize::try_from(kept).unwrap()).map(|line| line.len() + 1).sum();
    streams[2].truncate(kept + 100);
    let why = complaint(merge(&files(&scratch, &streams), &[]), "shard_cut_off", 4);
    assert!(why.ends_with("shard 2"), "{why}");
    let run = merge(&files(&scratch, &streams), &["--allow-missing"]).exits(1);
    let counted: u64 = run.stream().run_end().count("completed");
    let whole: u64 = streams[..2].iter().map(|stream| Stream::parse(stream).run_end().count("completed")).sum();
    assert!(counted > whole, "what the shard had delivered is counted: {counted}, {whole} without it");
}

#[test]
fn a_duplicate_shard_is_counted_once() {
    let target = target();
    let scratch = Scratch::new("merge-twice");
    let streams = shards(&target, 2, &["-t", "500ms"]);
    let mut paths = files(&scratch, &streams);
    paths.push(scratch.write("again.ndjson", &streams[1]));
    let run = merge(&paths, &[]);
    let stream = Stream::parse(&run.stdout);
    let why = complaint(run, "shard_twice", 4);
    assert!(why.contains("shard 1") && why.contains("run-1.ndjson") && why.contains("again.ndjson"), "{why}");
    assert_eq!(stream.run_end().count("sent"), target.requests());
    let pipe = format!("{0}{0}", interleaved(&streams));
    let why = complaint(Run::new(["merge", "-"]).input(&pipe).finish(), "shard_twice", 4);
    assert!(why.contains("shard 0 is there twice in standard input"), "{why}");
}

#[test]
fn a_stream_of_another_run_plan_or_number_is_not_counted() {
    let target = target();
    let scratch = Scratch::new("merge-foreign");
    let base = ["-n", "6", "-u", "3", "-r", "99", "--start-align", "1s"];
    let run = |more: &[&str]| load(&target, base).with(more.iter().copied()).finish().exits(0).stdout;
    let good =
        [["--shard", "0/2", "--run-id", "r1", "/ok"], ["--shard", "1/2", "--run-id", "r1", "/ok"]].map(|f| run(&f));
    for (flags, word) in [
        (&["--shard", "1/2", "--run-id", "other", "/ok"][..], "run other"),
        (&["--shard", "1/2", "--run-id", "r1", "/bytes/7"], "another plan"),
        (&["--shard", "1/3", "--run-id", "r1", "/ok"], "one of 3"),
        (&["/ok"], "a run on its own"),
    ] {
        let foreign = scratch.write("foreign.ndjson", run(flags));
        let mut paths = files(&scratch, &good[..1]);
        paths.push(foreign);
        let merged = merge(&paths, &[]);
        let sent = Stream::parse(&merged.stdout).run_end().count("sent");
        let why = complaint(merged, "shard_foreign", 4);
        assert!(why.contains(word), "{why}");
        assert_eq!(sent, Stream::parse(&good[0]).run_end().count("sent"), "{word}");
    }
}

#[test]
fn torn_lines_are_counted_and_reported_with_the_remedy() {
    let target = target();
    let streams = shards(&target, 2, &["-t", "500ms"]);
    let lines = interleaved(&streams);
    // Two lines whose writes were interleaved.
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains("metric.interval")).unwrap();
    let (head, tail) = lines[at].split_at(700);
    let torn = format!("{head}{}", lines[at + 1]);
    let rest = tail.to_owned();
    lines.splice(at..=at + 1, [torn, rest]);
    let run = Run::new(["merge", "-"]).input(&(lines.join("\n") + "\n")).finish();
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.stderr.contains("torn") && run.stderr.contains("--telemetry run-%s.ndjson"), "{}", run.stderr);
    assert!(run.stderr.contains("of its lines did not come"), "{}", run.stderr);
    let allowed = Run::new(["merge", "--allow-missing", "-"]).input(&(lines.join("\n") + "\n")).finish();
    assert_eq!(allowed.code, 4, "torn lines cannot be allowed");
}

#[test]
fn a_lost_line_is_reported() {
    let target = target();
    let scratch = Scratch::new("merge-lost");
    let mut streams = shards(&target, 2, &["-t", "500ms"]);
    let text = String::from_utf8(streams[0].clone()).unwrap();
    let lost = text.lines().position(|line| line.contains("metric.interval")).unwrap();
    streams[0] =
        text.lines().enumerate().filter(|(at, _)| *at != lost).flat_map(|(_, l)| [l, "\n"]).collect::<String>().into();
    let run = merge(&files(&scratch, &streams), &["--allow-missing"]);
    assert_eq!(run.code, 4);
    assert!(run.stderr.contains("shard 0: 1 of its lines did not come"), "{}", run.stderr);
    assert!(run.stderr.contains("do not add up"), "{}", run.stderr);
}

#[test]
fn a_late_shard_is_not_waited_for_and_its_data_are_added_later() {
    let target = target();
    let streams = shards(&target, 2, &["-t", "1500ms"]);
    // The lines of the second shard follow all those of the first.
    let text: String = streams.iter().map(|stream| String::from_utf8(stream.clone()).unwrap()).collect();
    let run = Run::new(["merge", "-"]).input(&text).finish().exits(1);
    let stream = run.stream();
    let late = stream.of("warning").into_iter().find(|line| line.text("kind") == "shard_late").unwrap();
    assert!(late.text("detail").starts_with("shard 1 has sent nothing for tick "), "{}", late.0);
    assert_eq!(stream.run_end().count("sent"), target.requests());
}

#[test]
fn input_without_a_shard_is_refused() {
    let scratch = Scratch::new("merge-none");
    let empty = scratch.write("empty.ndjson", "");
    for (path, code, word) in [(empty.as_str(), 4, "no line of a shard"), ("/nowhere/x.ndjson", 2, "/nowhere/x.ndjson")]
    {
        let run = Run::new(["merge", path]).finish().exits(code);
        assert!(run.complaint().contains(word), "{}", run.stderr);
    }
    let target = target();
    let alone = scratch.write("alone.ndjson", load(&target, ["-n", "1", "/ok"]).finish().exits(0).stdout);
    assert!(Run::new(["merge", &alone]).finish().exits(4).complaint().contains("swarmline report"));
}

#[test]
fn shards_that_did_not_start_together_are_reported() {
    let target = target();
    let scratch = Scratch::new("merge-apart");
    let run = |shard: &str| {
        let arguments = ["-n", "4", "-u", "2", "-r", "99", "--interval", "100ms", "--run-id", "r1", "--shard", shard];
        load(&target, arguments).with(["--wait", "200ms", "/ok"]).finish().exits(0).stdout
    };
    // One after the other: the first takes at least 200 ms.
    let streams = vec![run("0/2"), run("1/2")];
    let why = complaint(merge(&files(&scratch, &streams), &[]), "shards_apart", 4);
    assert!(why.contains("shards 0 and 1 started "), "{why}");
}

#[test]
fn an_input_that_does_not_exist_is_named_with_what_was_expected() {
    let scratch = Scratch::new("merge-no-input");
    let expected =
        "expected a stream that swarmline wrote (--telemetry): a file, a named pipe, or - for standard input";
    for command in ["merge", "report"] {
        for (name, what) in [("run-7.ndjson", "does not exist"), ("run-*.ndjson", "no file matches this pattern")] {
            let file = scratch.file(name);
            let run = Run::new([command, &file]).finish().exits(2);
            assert_eq!(run.complaint(), format!("{file}: {what}; {expected}"), "{command}");
        }
        let folder = scratch.file("");
        let run = Run::new([command, &folder]).finish().exits(2);
        assert!(run.complaint().starts_with(&format!("{folder}: is a directory; {expected}")), "{}", run.stderr);
    }
}
