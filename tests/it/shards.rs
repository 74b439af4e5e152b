//! A run on many hosts: what a shard does, and how it finds out its number.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::process::prepare;
use crate::server::{OK, Server};
use crate::support::lines::{Stream, millis};
use crate::support::{Run, Scratch, load, target};

/// Seconds until the common start of shards: enough to start their processes on a busy machine, as a start in the past is
/// refused.
pub(crate) const START_DELAY: f64 = 3.0;

/// The time that many seconds from now, as Unix time in seconds.
pub(crate) fn seconds_from_now(seconds: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    format!("{:.3}", now + seconds)
}

#[test]
fn all_shards_together_make_the_requests_of_one_host() {
    for (count, users) in [(1, "1"), (3, "5"), (4, "2")] {
        let target = target();
        let mut sent = 0;
        for index in 0..count {
            let shard = format!("{index}/{count}");
            let arguments = ["-n", "11", "-u", users, "-r", "1000", "--shard", &shard, "--run-id", "r1", "/ok"];
            let stream = load(&target, arguments).finish().exits(0).stream();
            let first = &stream.0[0];
            assert_eq!((first.text("source"), first.text("run_id")), ("WorkerRunner", "r1"));
            assert_eq!(first.text("source_id"), format!("worker-{index}"));
            let shard = &stream.of("config")[0].get("shard");
            assert_eq!((shard["index"].as_u64(), shard["count"].as_u64()), (Some(index), Some(count)));
            sent += stream.run_end().count("sent");
        }
        assert_eq!((sent, target.requests()), (11, 11), "{count} shards of {users} users");
    }
}

#[test]
fn shards_of_one_plan_have_one_hash() {
    let target = target();
    let hash = |shard: &str| {
        let arguments = ["-n", "4", "-u", "2", "--shard", shard, "--run-id", "r1", "-r", "99", "/ok"];
        load(&target, arguments).finish().exits(0).stream().plan_hash().to_owned()
    };
    assert_eq!(hash("0/2"), hash("1/2"));
}

#[test]
fn a_shard_without_a_share_writes_a_complete_stream_and_passes() {
    let target = target();
    for arguments in [
        &["-n", "1", "-u", "9"][..],
        &["-n", "100", "-u", "1"],
        &["-t", "300ms", "-u", "1"],
        &["-t", "300ms", "--rate", "1", "-u", "9"],
    ] {
        let shard = ["--shard", "1/2", "--run-id", "r1", "/ok"];
        let stream = load(&target, arguments.iter().copied().chain(shard)).finish().exits(0).stream();
        assert_eq!(stream.run_end().count("sent"), 0, "{arguments:?}");
        assert_eq!(stream.run_end().text("verdict"), "pass", "{arguments:?}");
    }
    assert_eq!(target.requests(), 0);
}

#[test]
fn a_rate_needs_at_least_one_user_per_shard() {
    let why = Run::new(["run", "--shard", "0/4", "--run-id", "r1", "--rate", "5", "-u", "3", "http://127.0.0.1:9/"]);
    assert!(why.finish().exits(2).complaint().starts_with("--users: "));
}

#[test]
fn the_stream_path_can_contain_the_shard_number() {
    let (target, scratch) = (target(), Scratch::new("shard-path"));
    let path = scratch.file("run-%s.ndjson");
    let arguments = ["-n", "4", "-u", "4", "-r", "99", "--run-id", "r1", "--telemetry", &path, "/ok"];
    load(&target, arguments).with(["--shard", "3/4"]).finish().exits(0);
    let stream = Stream::parse(&std::fs::read(scratch.file("run-3.ndjson")).unwrap());
    assert_eq!(stream.run_end().count("sent"), 1);
}

#[test]
fn the_shard_is_taken_from_an_engine_and_reported() {
    let target = target();
    let run = |rank: &str| {
        let run = load(&target, ["-n", "4", "-u", "4", "-r", "99", "--shard", "auto", "/ok"]);
        let run = run.env("OMPI_COMM_WORLD_RANK", rank).env("OMPI_COMM_WORLD_SIZE", "2");
        run.env("PMIX_NAMESPACE", "77").env("PARALLEL_SEQ", "1").finish().exits(0)
    };
    let runs = [run("0"), run("1")];
    assert!(runs[1].stderr.contains("shard 1/2") && runs[1].stderr.contains("Open MPI"), "{}", runs[1].stderr);
    assert!(runs[1].stderr.contains("ignored: PARALLEL_SEQ=1"), "{}", runs[1].stderr);
    let [first, second] = runs.map(|run| run.stream());
    assert_eq!(first.0[0].text("run_id"), second.0[0].text("run_id"), "all shards derive the same run id");
    assert_eq!(second.0[0].text("run_id").len(), 8);
    assert_eq!(second.of("config")[0].get("shard")["engine"], "Open MPI");
    let given = load(&target, ["-n", "4", "-u", "4", "-r", "99", "/ok"]).env("SWARMLINE_SHARD", "1/2");
    let given = given.env("SWARMLINE_RUN_ID", "r1").finish().exits(0).stream();
    assert_eq!((given.0[0].text("source_id"), given.setting("shard")), ("worker-1", Some(("1/2", "env"))));
}

#[test]
fn an_environment_that_does_not_determine_the_shard_is_refused() {
    let run = |shard: &str| Run::new(["run", "--shard", shard, "http://127.0.0.1:9/"]);
    for (run, flag, word) in [
        (run("auto").env("SLURM_PROCID", "0").env("SLURM_NTASKS", "4"), "--shard: ", "srun"),
        (run("auto").env("PMI_RANK", "0"), "--shard: ", "PMI_SIZE"),
        (run("auto").env("JOB_COMPLETION_INDEX", "0"), "--shard: ", "auto/N"),
        (run("auto/2").env("JOB_COMPLETION_INDEX", "2"), "--shard: ", "no shard 2 of 2"),
        (run("auto/2").env("JOB_COMPLETION_INDEX", "1"), "--run-id: ", "all shards"),
        (run("0/2"), "--run-id: ", "all shards"),
        (run("2/2"), "--shard: ", "from 0 to 1"),
        (run("two"), "--shard: ", "I/N"),
    ] {
        let run = run.finish().exits(2);
        let why = run.complaint();
        assert!(why.starts_with(flag) && why.contains(word), "{why}");
    }
}

#[test]
fn a_start_in_the_past_is_refused_with_how_long_ago_it_was() {
    let run = |at: &str| Run::new(["run", "--start-at", at, "http://127.0.0.1:9/"]).finish().exits(2);
    let refused = run(&seconds_from_now(-100.0));
    let why = refused.complaint();
    assert!(why.starts_with("--start-at: ") && why.contains(" was 10"), "{why}");
    assert!(run("2001-01-01T00:00:00Z").complaint().contains("2001-01-01T00:00:00.000Z was "));
    let both = Run::new(["run", "--start-at", "9999999999", "--start-align", "1s", "http://127.0.0.1:9/"]);
    assert!(both.finish().exits(2).complaint().contains("cannot be combined"));
}

#[test]
fn a_run_starts_at_the_given_time() {
    let target = target();
    let at = seconds_from_now(START_DELAY);
    let stream = load(&target, ["-n", "1", "--start-at", &at, "/ok"]).finish().exits(0).stream();
    let started = stream.of("config")[0].text("started_at");
    let expected: f64 = at.parse::<f64>().unwrap() * 1000.0;
    assert!((millis(started) as f64 - expected).abs() < 1.5, "{started} for {at}");
    assert!(stream.0[0].time() == started, "the stream begins with the run: {}", stream.0[0].time());
}

#[test]
fn aligned_shards_start_and_tick_together() {
    let target = target();
    let arguments = ["-t", "700ms", "-u", "2", "-r", "99", "--wait", "50ms", "--interval", "200ms", "--run-id", "r1"];
    let shards = ["0/2", "1/2"]
        .map(|shard| load(&target, arguments).with(["--shard", shard, "--start-align", "500ms", "/ok"]).start());
    for stream in shards.map(|run| run.finish().exits(0).stream()) {
        let started = millis(stream.of("config")[0].text("started_at"));
        assert_eq!(started % 500, 0);
        let ticks = stream.of("stats current");
        assert_eq!(ticks[0].count("tick"), started / 200);
        let (last, on_grid) = ticks[1..].split_last().unwrap();
        for tick in on_grid {
            assert!(millis(tick.time()) >= tick.count("tick") * 200, "{}", tick.0);
        }
        assert!(millis(last.time()) > (last.count("tick") - 1) * 200, "{}", last.0);
    }
}

#[test]
fn a_signal_ends_the_wait_for_the_start() {
    let server = Server::responding(OK);
    let scratch = Scratch::new("waiting");
    let path = scratch.file("s.ndjson");
    let process = prepare(&server, &["--start-at", &seconds_from_now(3600.0), "--telemetry", &path, "/"]).start();
    let began = Instant::now();
    // The stream's file is created after signals are handled.
    while !std::fs::exists(&path).unwrap() && began.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&process.child), Signal::TERM).unwrap();
    process.finish().exits(4);
    assert!(began.elapsed() < Duration::from_secs(25));
    let stream = Stream::parse(&std::fs::read(&path).unwrap());
    assert_eq!(stream.only("test.stop").text("reason"), "signal");
    assert_eq!(stream.run_end().count("sent"), 0);
}

#[test]
fn a_dry_run_of_a_shard_shows_the_row_that_its_first_user_takes() {
    let scratch = Scratch::new("dry-run-shard");
    scratch.write("people.csv", "name\nanna\nboris\n");
    for (pick, third) in [("unique", "anna"), ("sequential", "anna"), ("random", "anna")] {
        let scenario = format!(
            r#"{{"host": "http://127.0.0.1:9", "data": {{"who": {{"csv": "people.csv", "pick": "{pick}"}}}},
               "user_classes": [{{"name": "u", "tasks": [{{"name": "t", "requests": [{{"get": "/${{who.name}}", "name": "n"}}]}}]}}]}}"#
        );
        let file = scratch.write("scenario.json", scenario);
        let shown = |shard: &str| {
            let run = Run::new(["run", "--dry-run", "-f", &file, "--run-id", "r1", "-u", "3", "--shard", shard]);
            run.finish().exits(0).text().to_owned()
        };
        let second = if pick == "random" { "anna" } else { "boris" };
        for (shard, row) in [("0/3", "anna"), ("1/3", second), ("2/3", third)] {
            let text = shown(shard);
            assert!(text.contains(&format!("GET /{row} HTTP/1.1")), "{pick}, {shard}: {text}");
            let has_none = pick == "unique" && shard == "2/3";
            assert_eq!(text.contains("data who has no row for this shard"), has_none, "{pick}, {shard}: {text}");
        }
    }
}

#[test]
fn how_long_ago_a_start_was_is_said_in_milliseconds() {
    let at = seconds_from_now(-5.0);
    let run = Run::new(["run", "--start-at", &at, "http://127.0.0.1:9/"]).finish().exits(2);
    let seconds = run.complaint().rsplit_once(" was ").and_then(|(_, rest)| rest.strip_suffix(" s ago")).unwrap();
    assert_eq!(seconds.split_once('.').unwrap().1.len(), 3, "{}", run.stderr);
}
