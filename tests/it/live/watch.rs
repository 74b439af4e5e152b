//! `swarmline watch`: streams that grow, are replaced, come through a pipe, or are not what they should be.

use std::fs::{self, File};
use std::io::Write as _;

use rustix::process::Signal;
use serde_json::Value;

use super::client::{get, page_url, signal};
use crate::support::{Run, Running, Scratch};

const STREAM: &str = include_str!("../../corpus/streams/alone.ndjson");

fn watch(stream: &str, more: &[&str]) -> (Running, String) {
    let fixed = ["watch", stream, "--web-port", "0"];
    let mut running = Run::in_shell("exec 2>&1", fixed).with(more.iter().copied()).start();
    let page = page_url(&mut running);
    (running, page)
}

/// The page's data once it holds so many points.
fn await_points(page: &str, wanted: usize) -> Value {
    loop {
        let update: Value = serde_json::from_str(&get(page, "/data?base=x").body).unwrap();
        if update["data"]["course"]["ok"].as_array().unwrap().len() == wanted {
            return update;
        }
        // Waits for the next version.
        get(page, &format!("/data?base={}", update["version"].as_str().unwrap()));
    }
}

/// The lines up to and with the end of a tick that is counted from 1.
fn first_ticks(ticks: usize) -> String {
    let ends = STREAM.match_indices('\n').map(|(at, _)| at + 1);
    let is_tick = |text: &str| text.matches("\"swarmline.metric.health\"").count() > ticks;
    // The first tick is of the start, and has no length.
    ends.map(|end| &STREAM[..end]).find(|text| is_tick(text)).unwrap().to_owned()
}

#[test]
fn a_file_is_waited_for_followed_as_it_grows_and_read_anew_when_it_is_replaced() {
    let scratch = Scratch::new("watch-file");
    let path = scratch.file("s.ndjson");
    let (mut running, page) = watch(&path, &["--web-linger", "1h"]);
    running.await_output(|text| text.contains("s.ndjson: does not exist yet; waiting for it"));
    assert!(get(&page, "/").body.contains("waiting for the run to begin"));
    let (one, two) = (first_ticks(1), first_ticks(2));
    // A line comes in two pieces.
    let cut = one.len() + (two.len() - one.len()) / 2;
    let mut file = File::create(&path).unwrap();
    file.write_all(one.as_bytes()).unwrap();
    assert_eq!(await_points(&page, 1)["is_over"], false);
    file.write_all(&two.as_bytes()[one.len()..cut]).unwrap();
    file.write_all(&two.as_bytes()[cut..]).unwrap();
    await_points(&page, 2);
    let other = scratch.write("other.ndjson", &one);
    fs::rename(other, &path).unwrap();
    running.await_output(|text| text.contains("the file was replaced or truncated; reading it from its beginning"));
    await_points(&page, 1);
    fs::write(&path, "").unwrap();
    running.await_output(|text| text.contains("s.ndjson: is empty; waiting for it"));
    fs::write(&path, STREAM).unwrap();
    running.await_output(|text| text.contains("the run is over; the live page stays"));
    assert!(get(&page, "/").body.contains("The run is over"));
    signal(&running, Signal::TERM);
    running.finish().exits(0);
}

#[test]
fn a_pipe_is_watched_to_its_end_and_one_that_breaks_off_says_so() {
    Run::new(["watch", "-", "--web-port", "0"]).input(STREAM).finish().exits(0);
    let cut = Run::new(["watch", "-", "--web-port", "0"]).input(&first_ticks(1)).finish().exits(4);
    assert!(cut.stderr.contains("the stream ends without swarmline.event.run.end"), "{}", cut.stderr);
}

#[test]
fn what_is_not_a_stream_that_grows_is_refused_by_name() {
    let scratch = Scratch::new("watch-refused");
    let packed = scratch.write("s.ndjson.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let text = scratch.write("hello.txt", "hello, hello\n");
    for (path, words) in [
        (packed.as_str(), "s.ndjson.gz: a compressed stream cannot be watched; swarmline report reads it"),
        ("/", "/: is a directory"),
    ] {
        let told = Run::new(["watch", path, "--web-port", "0"]).finish().exits(2);
        assert!(told.complaint().contains(words), "only that, and no live page: {}", told.stderr);
    }
    // A file that nothing is added to, with lines, without the end of one, and shorter than what tells its form.
    let others = ["hello, hello\n", "hello, hello", "{}\n", "{}\n{}\n"];
    std::thread::scope(|scope| {
        for (at, text) in others.into_iter().enumerate() {
            let path = scratch.write(&format!("garb-{at}.nd"), text);
            scope.spawn(move || {
                let told = Run::new(["watch", &path, "--web-port", "0"]).finish().exits(2);
                assert!(told.stderr.contains("garb-") && told.stderr.contains("line 1: no stream"), "{}", told.stderr);
                assert!(!told.stderr.contains("empty") && !told.stderr.contains("live page"), "{}", told.stderr);
            });
        }
    });
    Run::new(["watch", "-", "--web-port", "0"]).input(&fs::read_to_string(text).unwrap()).finish().exits(2);
    let (running, page) = watch(&scratch.file("none"), &[]);
    assert!(!get(&page, "/").body.contains("id=\"stop\""), "a page that only watches stops nothing");
    signal(&running, Signal::INT);
    running.finish().exits(0);
}
