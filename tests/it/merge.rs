//! A merged stream is what one host would have written, and problems are reported.

mod contradictions;
mod damaged;
mod first_byte;
mod odd_shards;
mod outputs;
pub(crate) mod pipes;
mod signals;
mod troubles;

use std::collections::BTreeMap;

use swarmline::server::Server;

use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::lines::{Line, Stream};
use crate::support::{Finished, Run, Scratch, load, target};

/// Streams of the shards of one run against `target`; some requests fail, and none is cut off, so that the target counts
/// the same.
pub(crate) fn shards(target: &Server, count: u32, more: &[&str]) -> Vec<Vec<u8>> {
    let at = seconds_from_now(START_DELAY);
    let flags = ["-u", "7", "-r", "50", "--interval", "200ms", "--run-id", "r1", "--start-at", at.as_str()];
    let fixed = ["--exit-code-on-error", "0", "--wait", "1ms..5ms", "-s", "20s"];
    let paths = ["/ok", "/status/500", "/delay/5", "POST /echo"];
    let start = |index: u32| {
        let shard = format!("{index}/{count}");
        let run = load(target, flags).with(fixed).with(more.iter().copied());
        run.with(["--shard", shard.as_str()]).with(paths).start()
    };
    let running: Vec<_> = (0..count).map(start).collect();
    running.into_iter().map(|run| run.finish().exits(0).stdout).collect()
}

/// The streams as files of a scratch directory.
pub(crate) fn files(scratch: &Scratch, streams: &[Vec<u8>]) -> Vec<String> {
    let names = (0..).map(|index| format!("run-{index}.ndjson"));
    names.zip(streams).map(|(name, stream)| scratch.write(&name, stream)).collect()
}

pub(crate) fn merge(paths: &[String], flags: &[&str]) -> Finished {
    Run::new(["merge"]).with(flags.iter().copied()).with(paths.iter().map(String::as_str)).finish()
}

/// The lines of all streams as in one pipe, tick by tick.
pub(crate) fn interleaved(streams: &[Vec<u8>]) -> String {
    let mut lines: Vec<(u64, usize, usize, &str)> = Vec::new();
    for (shard, stream) in streams.iter().enumerate() {
        let mut tick = 0;
        for (place, line) in std::str::from_utf8(stream).unwrap().lines().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            tick = value["telemetry"]["tick"].as_u64().unwrap_or(tick);
            lines.push((tick, place, shard, line));
        }
    }
    // By tick, and within a tick line by line in turn.
    lines.sort_by_key(|(tick, place, shard, _)| (*tick, *place, *shard));
    lines.iter().flat_map(|(.., line)| [*line, "\n"]).collect()
}

#[test]
fn the_master_stream_is_valid_and_counts_every_request() {
    let target = target();
    let scratch = Scratch::new("merge-whole");
    let streams = shards(&target, 3, &["-t", "1100ms"]);
    let run = merge(&files(&scratch, &streams), &[]).exits(1);
    let master = run.stream();
    let each: Vec<Stream> = streams.iter().map(|stream| Stream::parse(stream)).collect();
    for key in ["sent", "ok", "failed", "aborted", "completed"] {
        let sum: u64 = each.iter().map(|shard| shard.run_end().count(key)).sum();
        assert_eq!(master.run_end().count(key), sum, "{key}");
    }
    assert_eq!(master.run_end().count("sent"), target.requests());
    assert_eq!((master.last().count("user_count"), master.own().only("spawn.complete").count("user_count")), (7, 7));
    check_passed_on(&master, &each);
    check_ends(&master, &each);
    assert!(run.stderr.contains("3 of 3 shards"), "{}", run.stderr);
    assert_eq!(master.warnings(), Vec::<&str>::new());
}

/// The lines of the workers about their machines are all passed on unchanged.
fn check_passed_on(master: &Stream, shards: &[Stream]) {
    for shard in shards {
        let id = shard.0[0].text("source_id");
        for kind in ["cpu", "mem", "network"] {
            let passed = master.of(kind).into_iter().filter(|line| line.text("source_id") == id);
            let own = shard.of(kind);
            assert_eq!(passed.clone().count(), own.len(), "{kind} of {id}");
            for (passed, own) in passed.zip(own) {
                for key in ["source", "value", "unit", "tick"] {
                    assert_eq!(passed.get(key), own.get(key), "{key}");
                }
                assert_eq!((passed.text("shard_time"), passed.count("shard_seq")), (own.time(), own.count("seq")));
                assert!(passed.time() >= own.time());
            }
        }
    }
}

/// Counts, sums, minimum and maximum of each endpoint are those of all shards together, and so are errors.
fn check_ends(master: &Stream, shards: &[Stream]) {
    for endpoint in master.of("stats endpoint success").into_iter().chain([master.last()]) {
        let same =
            |line: &&Line| line.get("name") == endpoint.get("name") && line.get("method") == endpoint.get("method");
        let all = |shard: &Stream| {
            let lines = shard.of("stats endpoint success").into_iter().chain([shard.last()]);
            lines.filter(same).map(Line::clone).collect::<Vec<Line>>()
        };
        let parts: Vec<Line> = shards.iter().flat_map(all).collect();
        for key in ["num_requests", "num_failures"] {
            assert_eq!(endpoint.count(key), parts.iter().map(|part| part.count(key)).sum::<u64>(), "{key}");
        }
        let lowest = parts.iter().map(|part| part.float("min_response_time")).min_by(f64::total_cmp);
        let highest = parts.iter().map(|part| part.float("max_response_time")).max_by(f64::total_cmp);
        let ends = ["min_response_time", "max_response_time"].map(|key| Some(endpoint.float(key)));
        assert_eq!(ends, [lowest, highest]);
        let bytes: f64 =
            parts.iter().map(|part| part.float("avg_content_length") * part.count("num_requests") as f64).sum();
        let mean = bytes / endpoint.count("num_requests") as f64;
        assert!((endpoint.float("avg_content_length") - mean).abs() < 1e-6, "{}", endpoint.0);
    }
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for (error, count) in shards.iter().flat_map(Stream::errors) {
        *errors.entry(error.to_owned()).or_default() += count;
    }
    let merged: Vec<(String, u64)> = master.errors().into_iter().map(|(error, n)| (error.to_owned(), n)).collect();
    assert_eq!(merged, errors.into_iter().collect::<Vec<_>>());
}

#[test]
fn files_in_any_order_and_a_pipe_give_the_same_lines() {
    let target = target();
    let scratch = Scratch::new("merge-same");
    let streams = shards(&target, 3, &["-t", "900ms"]);
    let mut paths = files(&scratch, &streams);
    let first = merge(&paths, &[]).exits(1).stdout;
    paths.rotate_left(1);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(text(&merge(&paths, &[]).exits(1).stdout), text(&first));
    let pipe = Run::new(["merge", "-"]).input(&interleaved(&streams)).finish().exits(1).stdout;
    assert_eq!(text(&pipe), text(&first));
}

#[test]
fn labels_are_removed_and_labelled_pieces_joined() {
    let target = target();
    let streams = shards(&target, 2, &["-t", "500ms"]);
    let plain = interleaved(&streams);
    let expected = Run::new(["merge", "-"]).input(&plain).finish().exits(1).stdout;
    let tagged: String = plain.lines().flat_map(|line| ["host-1\t", line, "\n"]).collect();
    assert!(Run::new(["merge", "-"]).input(&tagged).finish().exits(1).stdout == expected, "parallel --tag");
    // As srun -l writes them: pieces of 1024 bytes with the task's number, of two tasks in turn.
    let pieces = |line: &str| -> Vec<String> {
        let task = u8::from(!line.contains("\"worker-0\""));
        line.as_bytes().chunks(1024).map(|p| format!("{task}: {}\n", std::str::from_utf8(p).unwrap())).collect()
    };
    let of_task = |stream: &Vec<u8>| std::str::from_utf8(stream).unwrap().lines().flat_map(pieces).collect::<Vec<_>>();
    let (one, two) = (of_task(&streams[0]), of_task(&streams[1]));
    let longest = one.len().max(two.len());
    let cut: String = (0..longest).flat_map(|at| [one.get(at), two.get(at)]).flatten().map(String::as_str).collect();
    let run = Run::new(["merge", "-"]).input(&cut).finish().exits(1);
    assert_eq!(run.stream().run_end().count("sent"), Stream::parse(&expected).run_end().count("sent"));
    assert!(!run.stderr.contains("torn"), "{}", run.stderr);
}

#[test]
fn compressed_streams_are_read_and_written() {
    let target = target();
    let scratch = Scratch::new("merge-gz");
    let path = scratch.file("run-%s.ndjson.gz");
    let arguments = ["-n", "8", "-u", "2", "-r", "99", "--run-id", "r1", "--telemetry", &path, "/ok"];
    for shard in ["0/2", "1/2"] {
        load(&target, arguments).with(["--shard", shard]).finish().exits(0);
    }
    let paths = [0, 1].map(|index| scratch.file(&format!("run-{index}.ndjson.gz")));
    let merged = scratch.file("master.ndjson.gz");
    merge(&paths, &["--telemetry", &merged]).exits(0);
    let mut text = Vec::new();
    let file = std::fs::File::open(&merged).unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    assert_eq!(Stream::parse(&text).run_end().count("sent"), 8);
}

#[test]
fn a_shard_without_a_share_is_part_of_the_run() {
    let target = target();
    let scratch = Scratch::new("merge-idle");
    let streams: Vec<Vec<u8>> = ["0/3", "1/3", "2/3"]
        .map(|shard| {
            let arguments = ["-n", "5", "-u", "2", "-r", "99", "--run-id", "r1", "--shard", shard, "/ok"];
            load(&target, arguments).finish().exits(0).stdout
        })
        .to_vec();
    let run = merge(&files(&scratch, &streams), &[]).exits(0);
    assert_eq!(run.stream().run_end().count("ok"), 5);
}

#[test]
fn checks_are_evaluated_once_over_all_shards() {
    let target = target();
    let scratch = Scratch::new("merge-checks");
    // No shard evaluates a check, although each has failures.
    let checks = ["--check", "fail_ratio < 0.5", "--check", "p95 < 1us", "--check", "requests >= 10"];
    let flags = [&["-t", "500ms"][..], &checks].concat();
    let streams = shards(&target, 2, &flags);
    for stream in &streams {
        assert!(Stream::parse(stream).of("check").is_empty(), "a shard evaluates no check");
    }
    let master = merge(&files(&scratch, &streams), &[]).exits(3).stream();
    let met: Vec<(&str, bool)> =
        master.of("check").iter().map(|line| (line.text("check"), line.get("met") == true)).collect();
    assert_eq!(met, [("fail_ratio < 0.5", true), ("p95 < 1us", false), ("requests >= 10", true)]);
    assert_eq!(master.run_end().text("verdict"), "check_failed");
}
