//! Limits of this process are checked before the first user: memory for its users, and endless inputs.

use std::time::{Duration, Instant};

use crate::support::{Run, Scratch, host, load, target};

/// A run with a limit of address space in KiB.
fn within(kib: u32, arguments: &[&str]) -> Run {
    Run::in_shell(&format!("ulimit -v {kib}"), ["run", "-r", "100000"]).with(arguments.iter().copied())
}

/// The number of users that fit, from the error about too many.
fn fits(complaint: &str) -> u32 {
    let words = complaint.split("enough for ").nth(1).unwrap_or_else(|| panic!("{complaint}"));
    words.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn as_many_users_as_are_reported_to_fit_can_run() {
    let target = target();
    for kib in [100_000, 130_000, 196_608] {
        let host = host(&target);
        let refused = within(kib, &["-H", &host, "-n", "1", "-u", "20000", "/ok"]).finish().exits(2);
        let complaint = refused.complaint();
        assert!(complaint.starts_with("limit of address space: is "), "{complaint}");
        assert!(complaint.contains("20000 users") && complaint.contains("`ulimit -v "), "{complaint}");
        let max = fits(complaint);
        assert!(max > 100, "{complaint}");
        let max = max.to_string();
        let run = within(kib, &["-H", &host, "-t", "2s", "-s", "5s", "--wait", "200ms", "-u", &max, "/ok"]).finish();
        assert!(run.code == 0 || run.stderr.contains("sent over 10 ms late"), "{max} users: {}", run.stderr);
        assert!(run.stderr.contains(&format!("memory: {max} users may take ")), "near the limit: {}", run.stderr);
        let max: u64 = max.parse().unwrap();
        assert!(run.stream().run_end().count("sent") >= max, "each user sent something");
    }
}

#[test]
fn users_with_tls_or_bodies_take_more_memory() {
    let scratch = Scratch::new("memory");
    let file = scratch.write(
        "bodies.json",
        r#"{"host": "http://127.0.0.1:9", "user_classes": [{"tasks": [{"requests": [
            {"get": "/", "expect": {"body_contains": "x"}}]}]}]}"#,
    );
    let max_users = |arguments: &[&str]| {
        let run = within(196_608, &[arguments, &["-n", "1", "-u", "20000"]].concat()).finish().exits(2);
        fits(run.complaint())
    };
    let plain = max_users(&["http://127.0.0.1:9/"]);
    assert!(max_users(&["https://127.0.0.1:9/"]) < plain && max_users(&["-f", &file]) < plain);
    let file = scratch.write(
        "upload.json",
        format!(
            r#"{{"host": "http://127.0.0.1:9", "user_classes": [{{"tasks": [{{"requests": [
                {{"post": "/${{user}}", "body": "{}"}}]}}]}}]}}"#,
            "x".repeat(1024 * 1024)
        ),
    );
    assert!(max_users(&["-f", &file]) * 4 < plain);
}

#[test]
fn endless_inputs_are_read_up_to_a_limit_that_the_error_names() {
    let scratch = Scratch::new("endless");
    let zero = |key: &str| {
        let text = format!(r#"{{"data": {{"d": {{"{key}": "/dev/zero"}}}}, "user_classes": []}}"#);
        scratch.write(&format!("{key}.json"), text)
    };
    let (csv, ndjson, json) = (zero("csv"), zero("ndjson"), zero("json"));
    for (arguments, words) in [
        (&["run", "-f", "/dev/zero"][..], &["/dev/zero: is longer than 16 MiB", "a scenario file"][..]),
        (&["run", "@/dev/zero"], &["@/dev/zero: is longer than 16 MiB", "a list of requests"]),
        (&["run", "--cacert", "/dev/zero", "https://127.0.0.1:9/"], &["--cacert /dev/zero: is longer than 16 MiB"]),
        (&["run", "--cert", "/dev/zero", "https://127.0.0.1:9/"], &["--cert /dev/zero: is longer than 16 MiB"]),
        (&["run", "-f", &csv], &["/data/d/csv: /dev/zero: is longer than 64 MiB", "a line"]),
        (&["run", "-f", &ndjson], &["/data/d/ndjson: /dev/zero: line 1: is longer than 64 MiB", "a line"]),
        (&["run", "-f", &json], &["/data/d/json: /dev/zero: line 1, column 1"]),
        (&["import", "/dev/zero"], &["/dev/zero: is longer than 4 MiB", "a file of curl commands"]),
    ] {
        let finished = Run::new(arguments.iter().copied()).finish().exits(2);
        let line = finished.complaint();
        assert!(words.iter().all(|word| line.contains(word)), "{arguments:?}: {line}");
    }
}

#[test]
fn inputs_may_come_from_a_pipe() {
    let target = target();
    let from_pipe = |arguments: &[&str], text: &str| {
        load(&target, ["-n", "1"]).with(arguments.iter().copied()).input(text).finish().exits(0).stream();
    };
    from_pipe(&["-d", "@/dev/stdin", "/echo"], "a=1");
    from_pipe(&["--json", "@/dev/stdin", "/echo"], "{}");
    from_pipe(&["@/dev/stdin"], "/ok\n");
    from_pipe(&["-f", "/dev/stdin"], r#"{"user_classes": [{"tasks": [{"requests": [{"get": "/ok"}]}]}]}"#);
    assert_eq!(target.requests(), 4);
}

#[test]
fn a_header_line_with_very_many_columns_is_refused_quickly() {
    let scratch = Scratch::new("columns");
    let head: Vec<String> = (0..100_000).map(|n| format!("c{n}")).collect();
    scratch.write("wide.csv", head.join(",") + "\n" + &"1,".repeat(99_999) + "1\n");
    let file = scratch.write("f.json", r#"{"data": {"d": {"csv": "wide.csv"}}, "user_classes": []}"#);
    let began = Instant::now();
    let run = Run::new(["run", "-f", &file]).finish().exits(2);
    assert!(run.complaint().contains("wide.csv: has more than 10000 columns"), "{}", run.stderr);
    // Comparing each name with every other would take much longer.
    assert!(began.elapsed() < Duration::from_secs(20), "quadratic: {:?}", began.elapsed());
}

#[test]
fn a_recording_of_very_many_requests_is_refused() {
    let scratch = Scratch::new("har-long");
    let entry = r#"{"request":{"method":"GET","url":"http://h/"},"response":{}}"#;
    let har = |count: usize| format!(r#"{{"log":{{"entries":[{}]}}}}"#, vec![entry; count].join(","));
    let file = scratch.write("long.har", har(50_001));
    let run = Run::new(["import", &file]).finish().exits(2);
    assert!(run.complaint().contains("the recording: has more than 50000 requests"), "{}", run.stderr);
    let file = scratch.write("short.har", har(5_000));
    Run::new(["import", &file]).finish().exits(0);
}

#[test]
fn the_bodies_of_all_requests_have_one_limit() {
    let scratch = Scratch::new("bodies");
    let body = scratch.write("body", vec![b'x'; 64 * 1024]);
    let list = scratch.write("list", "http://127.0.0.1:9/\n".repeat(16_385));
    // Larger files stay on disk.
    let run = Run::new(["run", "-d", &format!("@{body}"), &format!("@{list}")]).finish().exits(2);
    let line = run.complaint();
    assert!(line.starts_with("--data: sent by 16385 requests is longer than 1 GiB"), "{line}");
}
