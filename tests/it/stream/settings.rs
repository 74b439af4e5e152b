//! The plan in the stream: each setting with its origin, and no secret.

use crate::support::lines::Stream;
use crate::support::{Run, Scratch, load, target};

#[test]
fn each_setting_has_its_origin() {
    let target = target();
    let run = load(&target, ["-n", "2", "-u", "2", "--wait", "1ms", "/ok"]);
    let run = run.env("LOCUST_USERS", "50").env("LOCUST_SPAWN_RATE", "100").env("LOCUST_TESTPLAN_NAME", "shop");
    let stream = run.finish().exits(0).stream();
    for (key, value, origin) in [
        ("users", "2", "flag"),
        ("spawn-rate", "100", "env"),
        ("testplan", "shop", "env"),
        ("requests", "2", "flag"),
        ("wait", "0.001s", "flag"),
        ("interval", "3s", "default"),
        ("telemetry", "-", "default"),
        ("request", "GET /ok", "flag"),
    ] {
        assert_eq!(stream.setting(key), Some((value, origin)), "{key}");
    }
    assert_eq!(stream.setting("run-time"), None, "not set, and no default");
    assert_eq!(stream.0[0].text("testplan"), "shop");
}

#[test]
fn no_secret_is_in_the_stream_or_on_stderr() {
    let (target, scratch) = (target(), Scratch::new("secrets"));
    let body = scratch.write("body", "password=sesame-5");
    let host = format!("http://amy:sesame-1@{}", target.addr());
    let whole = format!("http://amy:sesame-4@{}/ok", target.addr());
    let flags = ["run", "-n", "6", "--host", &host, "--basic-auth", "bob:sesame-2", "/echo", "/status/500", &whole];
    let headers = ["--header", "Authorization: Bearer sesame-3", "--header", "Cookie: id=sesame-6"];
    let headers = headers.into_iter().chain(["--header", "X-Api-Key: sesame-7", "-X", "POST"]);
    let mut bodies = vec![vec!["-d", "password=sesame-8"], vec!["--json", r#"{"password":"sesame-9"}"#]];
    let file = format!("@{body}");
    bodies.push(vec!["--data", &file]);
    for body in bodies {
        let finished = Run::new(flags).with(headers.clone()).with(body.clone()).finish();
        let stream = finished.stream();
        let output = format!("{}{}", finished.text(), finished.stderr);
        assert!(!output.contains("sesame"), "{body:?}: {output}");
        // The beginnings of amy:sesame and bob:sesame in Base64.
        assert!(!output.contains("YW15OnNl") && !output.contains("Ym9iOnNl"), "{body:?}: {output}");
        assert_eq!(stream.setting("basic-auth"), Some(("***", "flag")));
        assert_eq!(stream.setting("header").unwrap().0, "Authorization: ***");
    }
    let refused = Run::new(["run", "--host", "http://amy:sesame-1@[", "/"]).finish().exits(2);
    assert!(!refused.stderr.contains("sesame"), "{}", refused.stderr);
}

#[test]
fn runs_of_one_plan_have_one_hash() {
    let (target, scratch) = (target(), Scratch::new("hash"));
    let file = scratch.file("s.ndjson");
    let plain = load(&target, ["-n", "2", "/ok"]).finish().stream();
    let to_file = load(&target, ["-n", "2", "--telemetry", &file, "--run-id", "other", "/ok"]);
    to_file.env("LOCUST_LOGLEVEL", "error").finish().exits(0);
    assert_eq!(Stream::parse(&std::fs::read(&file).unwrap()).plan_hash(), plain.plan_hash());
    let by_env = load(&target, ["-n", "2", "/ok"]).env("LOCUST_USERS", "1").finish().stream();
    assert_eq!(by_env.plan_hash(), plain.plan_hash(), "the value counts, not its origin");
    for other in [["-u", "2", "/ok"], ["--json", "1", "/ok"], ["--timeout", "9s", "/ok"], ["-X", "PUT", "/ok"]] {
        let stream = load(&target, ["-n", "2"]).with(other).finish().stream();
        assert_ne!(stream.plan_hash(), plain.plan_hash(), "{other:?}");
    }
    let bodies = ["a=1", "a=2"].map(|body| load(&target, ["-n", "1", "-d", body, "/ok"]).finish().stream());
    assert_ne!(bodies[0].plan_hash(), bodies[1].plan_hash(), "a body counts although it is not in the stream");
}

#[test]
fn the_environment_names_of_locust_are_honoured() {
    let target = target();
    let run = Run::new(["run", "/ok"]).env("LOCUST_HOST", &crate::support::host(&target));
    let run = run.env("LOCUST_USERS", "3").env("LOCUST_SPAWN_RATE", "1000").env("LOCUST_RUN_TIME", "300ms");
    let run = run.env("LOCUST_STOP_TIMEOUT", "20").env("LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL", "2");
    let run = run.env("LOCUST_HEADLESS", "true").env("LOCUST_ONLY_SUMMARY", "1").env("LOCUST_LOGLEVEL", "ERROR");
    let finished = run.env("LOCUST_ENABLE_TELEMETRY_RECORDER", "json").finish().exits(0);
    assert_eq!(finished.stderr, "", "LOCUST_LOGLEVEL leaves out the summary");
    let stream = finished.stream();
    for (key, value) in
        [("users", "3"), ("spawn-rate", "1000"), ("run-time", "0.3s"), ("stop-timeout", "20s"), ("interval", "2s")]
    {
        assert_eq!(stream.setting(key), Some((value, "env")), "{key}");
    }
    assert_eq!(stream.setting("host").unwrap().1, "env");
    assert_eq!(target.connections(), 3);
}

#[test]
fn a_flag_beats_the_environment() {
    let target = target();
    let run = load(&target, ["-n", "1", "-u", "2", "--testplan", "mine", "--interval", "1s", "/ok"]);
    let run = run.env("LOCUST_HOST", "http://127.0.0.1:1").env("LOCUST_USERS", "x").env("LOCUST_TESTPLAN_NAME", "env");
    let stream = run.env("LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL", "2").finish().exits(0).stream();
    assert_eq!(stream.setting("users"), Some(("2", "flag")));
    assert_eq!(stream.setting("testplan"), Some(("mine", "flag")));
    assert_eq!(stream.setting("interval"), Some(("1s", "flag")));
    assert_eq!(target.requests(), 1);
}
