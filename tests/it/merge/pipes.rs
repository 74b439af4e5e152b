//! Named pipes as inputs: none delays another, and merge writes while the shards still run.

use std::fs::File;
use std::io::Write as _;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use super::{files, merge, shards};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::lines::Stream;
use crate::support::{Run, Running, Scratch, host, load, target};

/// Makes this number of named pipes.
pub(crate) fn pipes(scratch: &Scratch, count: usize) -> Vec<String> {
    let pipe = |index: usize| {
        let path = scratch.file(&format!("pipe-{index}"));
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    };
    (0..count).map(pipe).collect()
}

pub(super) fn start_merge(pipes: &[String], flags: &[&str]) -> Running {
    Run::new(["merge"]).with(flags.iter().copied()).with(pipes.iter().map(String::as_str)).start()
}

/// The writing end of a pipe; opening it blocks until the merge has opened the other end.
pub(crate) fn writer(path: &str) -> File {
    File::options().write(true).open(path).unwrap()
}

/// The offset at which each tick of a stream ends.
fn tick_ends(stream: &[u8]) -> Vec<usize> {
    let mut at = 0;
    let ends = std::str::from_utf8(stream).unwrap().split_inclusive('\n').filter_map(|line| {
        at += line.len();
        line.contains("\"swarmline.metric.health\"").then_some(at)
    });
    ends.collect()
}

/// Number of ticks that merge has written.
pub(super) fn ticks(text: &str) -> usize {
    text.lines().filter(|line| line.contains("\"stats_type\":\"current\"")).count()
}

#[test]
fn a_tick_is_written_once_all_pipes_have_delivered_it_while_they_stay_open() {
    let (target, scratch) = (target(), Scratch::new("merge-pipes"));
    let streams = shards(&target, 3, &["-t", "900ms"]);
    let ends: Vec<Vec<usize>> = streams.iter().map(|stream| tick_ends(stream)).collect();
    let pipes = pipes(&scratch, 3);
    let mut run = start_merge(&pipes, &[]);
    // In reverse order, and the first only after the others have delivered their first tick.
    let mut writers: Vec<(usize, File)> = Vec::new();
    for index in [2, 1, 0] {
        let mut file = writer(&pipes[index]);
        file.write_all(&streams[index][..ends[index][0]]).unwrap();
        writers.push((index, file));
    }
    run.await_output(|text| ticks(text) == 1);
    // Tick by tick to the end, as a shard that is two ticks behind another would be late.
    let common = ends.iter().map(Vec::len).min().unwrap() - 1;
    for tick in 1..common {
        for (index, file) in &mut writers {
            file.write_all(&streams[*index][ends[*index][tick - 1]..ends[*index][tick]]).unwrap();
        }
        run.await_output(|text| ticks(text) == tick + 1);
    }
    for (index, mut file) in writers {
        file.write_all(&streams[index][ends[index][common - 1]..]).unwrap();
    }
    let run = run.finish().exits(1);
    run.stream();
    let expected = merge(&files(&scratch, &streams), &[]).exits(1);
    assert!(run.stdout == expected.stdout, "pipes and files give the same stream");
}

#[test]
fn a_silent_pipe_is_late_and_does_not_delay_the_others() {
    let (target, scratch) = (target(), Scratch::new("merge-silent"));
    let streams = shards(&target, 3, &["-t", "1500ms"]);
    let ends: Vec<Vec<usize>> = streams.iter().map(|stream| tick_ends(stream)).collect();
    let pipes = pipes(&scratch, 3);
    let mut run = start_merge(&pipes, &[]);
    let (mut one, mut two) = (writer(&pipes[1]), writer(&pipes[2]));
    one.write_all(&streams[1][..ends[1][3]]).unwrap();
    two.write_all(&streams[2][..ends[2][3]]).unwrap();
    // Two of the four ticks are two ticks old: they are written without the shard whose pipe was never opened.
    run.await_output(|text| ticks(text) == 2 && text.contains("shard 0 has sent nothing for tick"));
    // A pipe that stops within a line is treated like a silent one.
    let mut late = writer(&pipes[0]);
    let within = ends[0][0] - 100;
    late.write_all(&streams[0][..within]).unwrap();
    one.write_all(&streams[1][ends[1][3]..ends[1][5]]).unwrap();
    two.write_all(&streams[2][ends[2][3]..ends[2][5]]).unwrap();
    run.await_output(|text| ticks(text) == 4);
    late.write_all(&streams[0][within..]).unwrap();
    one.write_all(&streams[1][ends[1][5]..]).unwrap();
    two.write_all(&streams[2][ends[2][5]..]).unwrap();
    drop((late, one, two));
    let merged = run.finish().exits(1).stream();
    assert_eq!(merged.run_end().count("sent"), target.requests());
}

#[test]
fn a_tick_whose_last_line_is_missing_ends_with_the_next_tick() {
    let (target, scratch) = (target(), Scratch::new("merge-no-health"));
    let without = |stream: &Vec<u8>| {
        let text = std::str::from_utf8(stream).unwrap();
        text.split_inclusive('\n').filter(|line| !line.contains("\"swarmline.metric.health\"")).collect::<String>()
    };
    let streams: Vec<String> = shards(&target, 2, &["-t", "1500ms"]).iter().map(without).collect();
    let pipes = pipes(&scratch, 2);
    let mut run = start_merge(&pipes, &[]);
    let mut writers = [writer(&pipes[0]), writer(&pipes[1])];
    for (file, stream) in writers.iter_mut().zip(&streams) {
        let sixth = stream.match_indices("\"stats_type\":\"current\"").nth(5).unwrap().0;
        let whole = stream[..sixth].rfind('\n').unwrap() + 1;
        file.write_all(&stream.as_bytes()[..whole]).unwrap();
    }
    // Ticks are written before the end of the streams.
    run.await_output(|text| ticks(text) >= 4);
    drop(writers);
    let run = run.finish().exits(4);
    assert!(run.stderr.contains("of its lines did not come"), "{}", run.stderr);
}

#[test]
fn shards_that_write_live_into_pipes_of_their_own_are_seen_while_they_run() {
    let (target, scratch) = (target(), Scratch::new("merge-live"));
    let (pipes, page) = (pipes(&scratch, 3), scratch.file("page.html"));
    let mut run = start_merge(&pipes, &["--html", &page]);
    let (host, at) = (host(&target), seconds_from_now(START_DELAY));
    let flags = ["-t", "25s", "-u", "6", "-r", "100", "--wait", "5ms", "--interval", "200ms", "--run-id", "r1", "-q"];
    let start = |index: usize| {
        let shard = format!("{index}/3");
        let run = Run::new(["run", "--host", &host, "--shard", &shard, "--start-at", &at]).with(flags);
        run.with(["-s", "20s", "--telemetry", &pipes[index], "/ok"]).start()
    };
    let running = [2, 0, 1].map(start);
    // They run much longer than this test, until a signal ends them.
    run.await_output(|text| ticks(text) >= 3);
    for shard in &running {
        kill_process(Pid::from_child(&shard.child), Signal::INT).unwrap();
    }
    for shard in running {
        shard.finish().exits(0);
    }
    let merged = run.finish().exits(0).stream();
    assert_eq!(merged.run_end().count("sent"), target.requests());
    assert!(std::fs::read_to_string(page).unwrap().contains(">passed</span>"));
}

#[test]
fn a_compressed_stream_that_was_cut_off_is_reported_as_its_shard() {
    let (target, scratch) = (target(), Scratch::new("merge-gz-cut"));
    let path = scratch.file("run-%s.ndjson.gz");
    let flags = ["-n", "40", "-u", "2", "-r", "99", "--wait", "20ms", "--interval", "100ms", "--start-align", "1s"];
    for shard in ["0/2", "1/2"] {
        let run = load(&target, flags).with(["--run-id", "r1", "--telemetry", &path, "--shard", shard, "/ok"]);
        run.finish().exits(0);
    }
    let paths = [0, 1].map(|index| scratch.file(&format!("run-{index}.ndjson.gz")));
    let whole = std::fs::read(&paths[1]).unwrap();
    std::fs::write(&paths[1], &whole[..whole.len() - 100]).unwrap();
    let run = merge(&paths, &[]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.stderr.contains("cut off, without swarmline.event.run.end: shard 1"), "{}", run.stderr);
    assert!(Stream::parse(&run.stdout).run_end().count("sent") > 20, "what it had delivered is counted");
}
