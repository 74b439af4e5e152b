//! The flags of the page, and what they exclude.

use crate::support::{Run, Scratch, host, target};

/// Flags, variables and what the one line says.
type Refused = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

const REFUSED: [Refused; 8] = [
    (
        &["--web-port", "0", "--shard", "0/2", "--run-id", "r"],
        &[],
        "swarmline: --web-port: would show one shard of the run",
    ),
    (
        &["--shard", "0/2", "--run-id", "r"],
        &[("LOCUST_WEB_PORT", "0")],
        "swarmline: LOCUST_WEB_PORT: would show one shard",
    ),
    (&["--web-port", "0", "--headless"], &[], "swarmline: --web-port: excludes --headless"),
    (&["--web-linger", "1s"], &[], "swarmline: --web-linger: there is no page; add --web-port"),
    (&["--web-host", "localhost"], &[], "swarmline: --web-host: there is no page; add --web-port"),
    (&["--web-port", "0", "--web-host", "http://x"], &[], "swarmline: --web-host: \"http://x\" is not a host"),
    (&["--web-port", "x"], &[], "swarmline: --web-port: "),
    (&["--web-login"], &[], "swarmline: --web-login: the live page has --web-port, --web-host and --web-linger only"),
];

#[test]
fn flags_that_contradict_one_another_are_refused_by_name() {
    let target = target();
    for (arguments, variables, words) in REFUSED {
        let mut run = Run::new(["run", "-H", &host(&target), "-n", "1", "/ok"]).with(arguments.iter().copied());
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let told = run.finish().exits(2);
        assert!(told.stderr.starts_with(words) && told.stderr.lines().count() == 1, "{arguments:?}: {}", told.stderr);
    }
    assert_eq!(target.requests(), 0);
}

#[test]
fn headless_wins_over_the_variable_as_in_locust_and_a_flag_over_the_headless_variable() {
    let (target, scratch) = (target(), Scratch::new("live-headless"));
    let (stream, host) = (scratch.file("s.ndjson"), host(&target));
    let run = || Run::new(["run", "-H", &host, "-n", "1", "--telemetry", &stream, "/ok"]);
    for (arguments, variables, has_page) in [
        (&[][..], &[("LOCUST_WEB_PORT", "0")][..], true),
        (&["--headless"], &[("LOCUST_WEB_PORT", "0")], false),
        (&[], &[("LOCUST_WEB_PORT", "0"), ("LOCUST_HEADLESS", "1")], false),
        (&["--web-port", "0"], &[("LOCUST_HEADLESS", "1")], true),
        (&[], &[("LOCUST_WEB_HOST", "0.0.0.0")], false),
        (&["--web-port", "0", "--web-host", "localhost"], &[], true),
    ] {
        let mut run = run().with(arguments.iter().copied());
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let done = run.finish().exits(0);
        assert_eq!(
            done.stderr.contains("live page: http://"),
            has_page,
            "{arguments:?} {variables:?}: {}",
            done.stderr
        );
    }
}
