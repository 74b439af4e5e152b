//! What the verdict of a run does not say is said in every output, at its end and when its stream is read later.

use rustix::process::Signal;

use crate::merge::{files, merge};
use crate::process::{prepare, start};
use crate::server::{OK, Server};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::{Run, Scratch};

/// The outputs that say it, by their flags.
const OUTPUTS: [&str; 4] = ["json-file", "junit", "markdown", "html"];

fn outputs(scratch: &Scratch, prefix: &str) -> Vec<String> {
    let file = |flag: &str| [format!("--{flag}"), scratch.file(&format!("{prefix}.{flag}"))];
    OUTPUTS.iter().flat_map(|flag| file(flag)).collect()
}

fn read(scratch: &Scratch, name: &str) -> String {
    std::fs::read_to_string(scratch.file(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Makes all outputs of a stream again, which must be those that `prefix` has, and returns the texts of all.
fn texts(scratch: &Scratch, prefix: &str, stream: &[u8]) -> Vec<String> {
    let file = scratch.write("again.ndjson", stream);
    let flags = outputs(scratch, "again");
    let again = Run::new(["report", &file]).with(flags.iter().map(String::as_str)).finish().exits(0);
    let mut texts = vec![again.text().to_owned()];
    for flag in OUTPUTS {
        let (former, now) = (read(scratch, &format!("{prefix}.{flag}")), read(scratch, &format!("again.{flag}")));
        assert_eq!(former, now, "{flag}");
        texts.push(now);
        std::fs::remove_file(scratch.file(&format!("again.{flag}"))).unwrap();
    }
    texts
}

/// The sentence without what Markdown escapes.
fn says(text: &str, sentence: &str) -> bool {
    text.replace('\\', "").contains(sentence)
}

#[test]
fn every_output_says_that_a_signal_stopped_the_run_after_how_long_of_how_long() {
    let planned = [
        (&["-t", "25s"][..], "of the planned 25 s."),
        (&["-n", "1000000"], "of the planned 1000000 requests ("),
        (&["--stages", "10s:2,20s:2"], "of the planned 30 s."),
        (&[], "s; no end was planned."),
    ];
    for (flags, end) in planned {
        let (server, scratch) = (Server::responding(OK), Scratch::new("stopped-early"));
        let of_run = outputs(&scratch, "run");
        let of_run: Vec<&str> = of_run.iter().map(String::as_str).collect();
        let fixed = ["--wait", "5ms", "--interval", "200ms", "-s", "5s", "/"];
        let process = start(&server, &[flags, &of_run, &fixed].concat());
        server.wait_for_requests(20);
        process.signal(Signal::INT);
        let run = process.finish().exits(0);
        assert_eq!((run.reason(), run.stream().run_end().text("verdict")), ("signal", "pass"));
        let load = run.stream().run_end().float("load_seconds");
        let texts = texts(&scratch, "run", run.text().as_bytes());
        let after = format!("by a signal, after {} s ", (load * 10.0).round() / 10.0);
        let sent = format!("by a signal, after {} of the ", run.count("sent"));
        let after = if flags.contains(&"-n") { sent } else { after };
        let after = if flags.is_empty() { after.replace(',', "").trim_end().to_owned() } else { after };
        for (text, kind) in texts.iter().zip(["summary", "json", "junit", "markdown", "html"]) {
            if kind != "json" {
                assert!(says(text, &after) && says(text, end), "{kind}: {after}{end}: {text}");
            }
        }
        let summary: serde_json::Value = serde_json::from_str(&texts[1]).unwrap();
        let schema = serde_json::from_str(swarmline::report::files::json::SCHEMA).unwrap();
        assert!(jsonschema::is_valid(&schema, &summary), "{summary}");
        let stopped = &summary["stopped_by_signal"];
        assert_eq!(stopped["seconds"].as_f64(), Some(load));
        let seconds = end.strip_suffix(" s.").and_then(|end| end.rsplit(' ').next()?.parse::<f64>().ok());
        assert_eq!(stopped["planned_seconds"].as_f64(), seconds);
        assert_eq!(stopped["planned_requests"].as_u64(), flags.contains(&"-n").then_some(1_000_000));
    }
}

#[test]
fn a_run_that_came_to_its_end_is_not_called_stopped() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("not-stopped"));
    let of_run = outputs(&scratch, "run");
    let run = prepare(&server, &["-n", "20", "/"]).with(of_run.iter().map(String::as_str)).finish().exits(0);
    for text in texts(&scratch, "run", run.text().as_bytes()) {
        assert!(!text.contains("by a signal") && !text.contains("stopped_by_signal"), "{text}");
    }
}

/// The streams of two shards; a signal stops those whose numbers are given.
fn two_shards(server: &Server, stopped: &[usize]) -> Vec<Vec<u8>> {
    let at = seconds_from_now(START_DELAY);
    let flags = ["--run-id", "r1", "--start-at", &at, "-u", "2", "-r", "100", "--wait", "5ms", "--interval", "200ms"];
    let start_one = |index: usize| {
        let shard = format!("{index}/2");
        start(server, &[&flags[..], &["-t", "2s", "-s", "1s", "--shard", &shard, "/"]].concat())
    };
    let running = [0, 1].map(start_one);
    let before = usize::try_from(server.count()).unwrap();
    server.wait_for_requests(before + 20);
    for index in stopped {
        running[*index].signal(Signal::INT);
    }
    running.into_iter().map(|shard| shard.finish().exits(0).text().as_bytes().to_vec()).collect()
}

#[test]
fn a_merge_says_that_a_signal_stopped_all_shards_or_which() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("merge-stopped"));
    for (stopped, sentence) in [
        (&[0, 1][..], "Stopped early, by a signal, after "),
        (&[1], "shard 1 stopped early, by a signal; others did not"),
    ] {
        let paths = files(&scratch, &two_shards(&server, stopped));
        let of_merge = outputs(&scratch, "merge");
        let of_merge: Vec<&str> = of_merge.iter().map(String::as_str).collect();
        let merged = merge(&paths, &of_merge).exits(0);
        assert!(merged.stderr.contains(sentence), "{}", merged.stderr);
        for flag in OUTPUTS {
            let text = read(&scratch, &format!("merge.{flag}"));
            let key = if stopped.len() == 2 { "stopped_by_signal" } else { sentence };
            assert!(says(&text, if flag == "json-file" { key } else { sentence }), "{flag}: {text}");
            std::fs::remove_file(scratch.file(&format!("merge.{flag}"))).unwrap();
        }
    }
}

#[test]
fn every_output_of_a_merge_without_a_shard_says_once_which_is_missing() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("merge-lacks"));
    let paths = files(&scratch, &two_shards(&server, &[]));
    let of_merge = outputs(&scratch, "merge");
    let of_merge: Vec<&str> = of_merge.iter().map(String::as_str).chain(["--allow-missing"]).collect();
    let merged = merge(&paths[..1], &of_merge).exits(0);
    let sentence = format!("shard 1 of 2 is missing from {}", paths[0]);
    for (text, kind) in
        texts(&scratch, "merge", &merged.stdout).iter().zip(["summary", "json", "junit", "markdown", "html"])
    {
        assert_eq!(text.replace('\\', "").matches(&sentence).count(), 1, "{kind}: {text}");
    }
    let junit = read(&scratch, "merge.junit");
    assert!(junit.contains("<property name=\"shard_missing\""), "{junit}");
    // Where it makes the run invalid, it is a reason.
    let invalid = merge(&paths[..1], &[]).exits(4);
    let stream = scratch.write("invalid.ndjson", &invalid.stdout);
    let report = Run::new(["report", &stream]).finish().exits(0);
    assert_eq!(report.text().matches(&sentence).count(), 1, "{}", report.text());
}

#[test]
fn a_comparison_says_of_each_run_that_it_is_not_valid_stopped_early_or_a_part_of_the_load() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("doubts"));
    let shards = two_shards(&server, &[1]);
    let paths = files(&scratch, &shards);
    let [allowed, invalid] = [&["--allow-missing"][..], &[]].map(|flags| merge(&paths[..1], flags).stdout);
    let renamed = |name: &str, stream: &[u8]| {
        let text = std::str::from_utf8(stream).unwrap().replace("\"run_id\":\"r1\"", &format!("\"run_id\":\"{name}\""));
        scratch.write(name, text)
    };
    let (allowed, invalid) = (renamed("allowed", &allowed), renamed("invalid", &invalid));
    let missing = format!("shard 1 of 2 is missing from {}", paths[0]);
    let files = outputs(&scratch, "compared");
    for (run, baseline, notes) in [
        (
            &paths[1],
            &invalid,
            vec![
                format!("{} was stopped early by a signal", paths[1]),
                format!("{} is shard 1 of 2, a part of the load", paths[1]),
                format!("{invalid} is not valid: {missing}"),
            ],
        ),
        (
            &paths[0],
            &allowed,
            vec![format!("{} is shard 0 of 2, a part of the load", paths[0]), format!("{allowed}: {missing}")],
        ),
    ] {
        let report = Run::new(["report", run, "--baseline", baseline]).with(files.iter().map(String::as_str));
        let report = report.finish().exits(0);
        let texts = OUTPUTS.map(|flag| read(&scratch, &format!("compared.{flag}")));
        for note in &notes {
            assert!(report.text().contains(&format!("note: {note}\n")), "{note}: {}", report.text());
            assert!(texts.iter().all(|text| says(text, note)), "{note}: {texts:?}");
        }
    }
}

#[test]
fn a_merge_does_not_say_of_a_shard_that_was_cut_off_that_no_signal_stopped_it() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("merge-cut-off"));
    let mut streams = two_shards(&server, &[0, 1]);
    let text = String::from_utf8(streams[1].clone()).unwrap();
    let before_the_stop = text.lines().take_while(|line| !line.contains("event.test.stop"));
    streams[1] = before_the_stop.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
    let merged = merge(&files(&scratch, &streams), &[]).exits(4);
    assert!(merged.stderr.contains("cut off, without swarmline.event.run.end: shard 1"), "{}", merged.stderr);
    assert!(!merged.stderr.contains("others did not"), "{}", merged.stderr);
}

#[test]
fn every_output_of_one_shard_says_that_it_is_a_part_of_the_load_and_those_of_a_merge_do_not() {
    let (server, scratch) = (Server::responding(OK), Scratch::new("part-of-the-load"));
    let shard = |index: &str, of_run: &[String]| {
        let run = prepare(&server, &["--shard", index, "--run-id", "r1", "-n", "20", "-u", "2", "--wait", "5ms", "/"]);
        run.with(of_run.iter().map(String::as_str)).finish().exits(0)
    };
    let (first, second) = (shard("0/2", &[]), shard("1/2", &outputs(&scratch, "run")));
    let texts = texts(&scratch, "run", second.text().as_bytes());
    for (text, kind) in texts.iter().zip(["summary", "json", "junit", "markdown", "html"]) {
        let is_said = says(text, "Shard 1 of 2 (counted from 0): a part of the load");
        assert!(is_said || kind == "json", "{kind}: {text}");
    }
    let summary: serde_json::Value = serde_json::from_str(&texts[1]).unwrap();
    let schema = serde_json::from_str(swarmline::report::files::json::SCHEMA).unwrap();
    assert!(jsonschema::is_valid(&schema, &summary), "{summary}");
    assert_eq!(summary["shard"], serde_json::json!({"index": 1, "count": 2}));
    assert!(second.stderr.contains("Shard 1 of 2"), "{}", second.stderr);
    let paths = files(&scratch, &[first.stdout, second.stdout]);
    let of_merge = outputs(&scratch, "merge");
    // They did not start together, which is allowed here.
    let of_merge: Vec<&str> = of_merge.iter().map(String::as_str).chain(["--allow-missing"]).collect();
    let merged = merge(&paths, &of_merge);
    let texts = OUTPUTS.map(|flag| read(&scratch, &format!("merge.{flag}")));
    for text in texts.iter().chain([&merged.stderr]) {
        assert!(!text.contains("a part of the load") && !text.contains("\"shard\": {"), "{text}");
    }
}
