//! A signal ends a merge cleanly: files are read no further, and pipes until their writers close them.

use rustix::process::{Pid, Signal, kill_process};

use super::pipes::{pipes, start_merge, ticks, writer};
use super::{files, shards};
use crate::shards::{START_DELAY, seconds_from_now};
use crate::support::{Run, Running, Scratch, host, target};

fn signal(running: &Running, signal: Signal) {
    kill_process(Pid::from_child(&running.child), signal).unwrap();
}

#[test]
fn the_first_signal_cleanly_ends_a_merge_that_waits_for_a_pipe() {
    let (target, scratch) = (target(), Scratch::new("merge-signal"));
    let paths = files(&scratch, &shards(&target, 2, &["-t", "900ms"]));
    let pipe = pipes(&scratch, 1).remove(0);
    for twice in [false, true] {
        let page = scratch.file("page.html");
        let mut run = start_merge(&[paths[0].clone(), pipe.clone()], &["--html", &page]);
        run.await_output(|text| ticks(text) >= 1);
        signal(&run, Signal::INT);
        if twice {
            // GNU timeout sends two within milliseconds, and so do a terminal and a shell that forwards signals.
            signal(&run, Signal::TERM);
        }
        let run = run.finish().exits(4);
        let last: serde_json::Value = serde_json::from_str(run.text().lines().last().unwrap()).unwrap();
        assert_eq!(last["telemetry"]["verdict"], "invalid", "the stream is complete: {last}");
        let message = run.stderr.lines().find(|line| line.contains("a signal came before the end of ")).unwrap();
        assert!(message.ends_with(&pipe) && run.stderr.contains("shard 1 of 2 is missing from "), "{}", run.stderr);
        assert!(
            std::fs::read_to_string(&page).unwrap().contains("a signal came before the end"),
            "the report is written"
        );
    }
}

#[test]
fn a_merge_that_has_received_nothing_ends_at_the_first_signal() {
    let scratch = Scratch::new("merge-signal-silent");
    let pipe = pipes(&scratch, 1);
    let run = start_merge(&pipe, &[]);
    let _silent = writer(&pipe[0]);
    signal(&run, Signal::TERM);
    let run = run.finish().exits(4);
    assert!(run.complaint().contains(&format!("a signal came before the end of {}", pipe[0])), "{}", run.stderr);
}

#[test]
fn a_merge_whose_output_has_no_reader_ends_at_the_first_signal() {
    let (target, scratch) = (target(), Scratch::new("merge-signal-unread"));
    let paths = files(&scratch, &shards(&target, 2, &["-n", "40"]));
    let pipes = pipes(&scratch, 2);
    let run = start_merge(&[pipes[0].clone(), paths[1].clone()], &["--telemetry", &pipes[1]]);
    // It has opened its inputs, and waits for a reader of its output.
    let _silent = writer(&pipes[0]);
    signal(&run, Signal::INT);
    assert!(run.finish().exits(130).complaint().starts_with(&format!("--telemetry {}", pipes[1])));
}

#[test]
fn shards_and_a_merge_that_receive_the_same_signal_lose_nothing() {
    let (target, scratch) = (target(), Scratch::new("merge-signal-all"));
    let pipes = pipes(&scratch, 2);
    let mut merge = start_merge(&pipes, &[]);
    let (host, at) = (host(&target), seconds_from_now(START_DELAY));
    let flags = ["-t", "25s", "-u", "4", "-r", "100", "--interval", "200ms", "--run-id", "r1", "-q", "--wait", "5ms"];
    let start = |index: usize| {
        let shard = format!("{index}/2");
        let run = Run::new(["run", "--host", &host, "--shard", &shard, "--start-at", &at]).with(flags);
        run.with(["-s", "3s", "--telemetry", &pipes[index], "/ok"]).start()
    };
    let running = [0, 1].map(start);
    merge.await_output(|text| ticks(text) >= 3);
    running.iter().chain([&merge]).for_each(|process| signal(process, Signal::INT));
    for shard in running {
        shard.finish().exits(0);
    }
    let merged = merge.finish().exits(0).stream();
    assert_eq!(merged.run_end().count("sent"), target.requests());
    assert_eq!(merged.only("test.stop").text("reason"), "signal");
}

#[test]
fn an_interrupted_report_leaves_the_previous_one_and_a_complete_one_replaces_it() {
    let (target, scratch) = (target(), Scratch::new("report-signal"));
    let pipe = pipes(&scratch, 1).remove(0);
    let page = scratch.write("page.html", "former");
    let report = Run::new(["report", &pipe, "--html", &page]).start();
    let silent = writer(&pipe);
    signal(&report, Signal::INT);
    let why = report.finish().exits(130);
    assert!(why.complaint().starts_with(&format!("{pipe}: interrupted by a signal before")), "{}", why.stderr);
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "former");
    drop(silent);
    let report = Run::new(["report", &pipe, "--html", &page]).start();
    let load = ["-t", "25s", "-u", "2", "-r", "100", "--interval", "200ms", "-q", "--wait", "5ms", "-s", "3s", "/ok"];
    let run = Run::new(["run", "--host", &host(&target), "--telemetry", &pipe]).with(load).start();
    while target.requests() < 8 {
        std::thread::yield_now();
    }
    for process in [&run, &report] {
        signal(process, Signal::INT);
    }
    run.finish().exits(0);
    let report = report.finish().exits(0);
    assert!(report.text().contains(&format!("sent {} =", target.requests())), "{}", report.text());
    assert!(std::fs::read_to_string(&page).unwrap().contains("</html>"));
}
