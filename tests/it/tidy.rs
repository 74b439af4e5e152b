//! The rules of the house: which floor uses which, who may name what, and how long things get.

mod circles;
mod source;

use std::collections::BTreeSet;

use source::{Source, after};

/// The floors from the top, and what each uses: only floors above it, and all that it names.
const FLOORS: [(&str, &[&str]); 25] = [
    ("secret", &[]),
    ("error", &["secret"]),
    ("vocabulary", &[]),
    ("files", &["error"]),
    ("bounded", &[]),
    ("clock", &[]),
    ("value", &["clock", "secret"]),
    ("cli", &["error", "secret", "value"]),
    ("plan", &["bounded", "cli", "clock", "error", "files", "secret", "value", "vocabulary"]),
    ("outcome", &["clock", "plan", "vocabulary"]),
    ("transcript", &["outcome", "plan", "secret"]),
    ("event", &["clock", "outcome", "plan"]),
    ("load", &["clock", "event", "outcome", "plan", "secret", "transcript", "value", "vocabulary"]),
    ("stats", &["clock", "error", "outcome", "plan", "value", "vocabulary"]),
    ("capacity", &[]),
    ("machine", &["clock", "error"]),
    ("telemetry", &["clock", "error", "event", "machine", "outcome", "plan", "stats", "vocabulary"]),
    ("report", &["cli", "clock", "error", "files", "plan", "stats", "telemetry", "transcript", "value", "vocabulary"]),
    ("merge", &["clock", "error", "plan", "stats", "telemetry", "vocabulary"]),
    ("import", &["bounded", "clock", "error", "plan", "secret", "value"]),
    ("server", &["error", "plan"]),
    (
        "publish",
        &[
            "cli",
            "clock",
            "error",
            "event",
            "load",
            "merge",
            "plan",
            "report",
            "secret",
            "server",
            "stats",
            "telemetry",
            "vocabulary",
        ],
    ),
    ("request_log", &["clock", "error", "load", "outcome", "plan", "stats", "telemetry", "value", "vocabulary"]),
    (
        "run",
        &[
            "capacity",
            "clock",
            "error",
            "event",
            "files",
            "load",
            "machine",
            "outcome",
            "plan",
            "publish",
            "report",
            "request_log",
            "stats",
            "telemetry",
            "vocabulary",
        ],
    ),
    (
        "command",
        &[
            "cli",
            "clock",
            "error",
            "event",
            "files",
            "import",
            "machine",
            "merge",
            "outcome",
            "plan",
            "publish",
            "report",
            "request_log",
            "run",
            "secret",
            "server",
            "telemetry",
            "transcript",
            "value",
        ],
    ),
];

/// What `main.rs` uses: it parses, dispatches and exits.
const MAIN: [&str; 3] = ["cli", "command", "error"];

/// Who may name what: files or folders of `src`, and why.
const NAMES: [(&str, &[&str], &str); 25] = [
    ("SystemTime", &["clock.rs"], "the wall clock is read once, there"),
    (
        "Instant",
        &[
            "clock.rs",
            "load/",
            "publish/otlp.rs",
            "publish/web/readers.rs",
            "request_log/mod.rs",
            "run/mod.rs",
            "run/signals.rs",
            "run/targets.rs",
            "server/pages.rs",
            "server/pause.rs",
            "server/reader.rs",
            "telemetry/interrupt.rs",
        ],
        "deadlines of waits; everything measured is a Moment",
    ),
    ("TcpStream", &["server/"], "elsewhere a socket is a descriptor, TCP or Unix"),
    ("TcpListener", &["server/"], "only the embedded server listens"),
    ("UdpSocket", &[], "HTTP is all that is spoken"),
    ("ToSocketAddrs", &["load/net/resolve.rs"], "one resolver, asked once a host"),
    (
        "std::net",
        &["load/", "publish/web/access.rs", "server/", "value/", "cli/", "plan/url.rs", "command.rs"],
        "sockets, and addresses as values",
    ),
    (
        "std::thread",
        &[
            "import/locust/python.rs",
            "load/swarm/start.rs",
            "publish/otlp.rs",
            "request_log/mod.rs",
            "run/mod.rs",
            "run/aggregator.rs",
            "run/setup.rs",
            "run/signals.rs",
            "server/acceptor.rs",
            "load/net/resolve.rs",
            "load/swarm/roster.rs",
            "load/swarm/stop.rs",
            "telemetry/writer.rs",
            "telemetry/reader/ahead.rs",
            "merge/output_thread.rs",
            "report/screen.rs",
            "publish/threads.rs",
            "machine/limits.rs",
        ],
        "who starts threads, parks or wakes one, or counts CPUs; a lookup and a write cannot be interrupted, so nobody joins those",
    ),
    ("ureq", &["plan/url.rs", "publish/otlp/client.rs"], "hosts, checked; pushes of metrics, which are not load"),
    ("unicode_width", &["report/plain.rs"], "columns of a terminal"),
    ("regex_lite", &["plan/pattern.rs"], "patterns of a bounded size"),
    ("percent_encoding", &["plan/percent.rs"], "what is encoded where is said once"),
    ("rustls", &["load/net/tls/", "plan/tls/"], "TLS, and certificates and keys that are checked before the run"),
    ("webpki", &["load/net/tls/trouble.rs", "plan/tls/"], "what is wrong with a certificate"),
    ("rustix", &["load/", "machine/", "server/", "telemetry/", "report/screen.rs", "run/"], "system calls"),
    (
        "unsafe",
        &["load/net/prefetch.rs", "machine/memory.rs", "machine/thread_switches.rs", "run/signals.rs"],
        "one call each: to fetch memory, to do with one arena, to end restartable sequences, to give back SIGHUP",
    ),
    ("libc", &["machine/memory.rs", "machine/thread_switches.rs", "run/signals.rs"], "the same calls"),
    ("ctrlc", &["run/signals.rs"], "signals"),
    ("sysinfo", &["machine/"], "the machine"),
    ("hdrhistogram", &["stats/histogram.rs"], "what our own is held against, and what draws a distribution"),
    (
        "flate2",
        &[
            "telemetry/sink.rs",
            "telemetry/hdr/",
            "telemetry/reader/input.rs",
            "load/http/decode.rs",
            "request_log/file.rs",
        ],
        "compressed streams, logs and histograms, and answers that are looked at",
    ),
    ("clap", &["cli/"], "flags, and what is made from their definition"),
    (
        "std::env",
        &["main.rs", "command/environment.rs"],
        "the command line, and what an engine tells a shard; clap reads the rest",
    ),
    ("eprintln!", &[], "it panics where stderr cannot be written"),
    ("println!", &[], "standard output is the stream's, in whole writes"),
];

/// Words that say nothing about what is in a module.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "manager", "common"];

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;

fn product() -> Vec<Source> {
    Source::all("src").into_iter().filter(|source| !source.is_test()).collect()
}

fn everything() -> Vec<Source> {
    Source::all("src").into_iter().chain(Source::all("tests")).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_map_names_the_floors_in_their_order() {
    let map = product().into_iter().find(|source| source.path == "src/lib.rs").unwrap();
    let modules: Vec<String> = after(&map.code, "pub mod ").map(first_word).collect();
    assert_eq!(modules, FLOORS.map(|(floor, _)| floor));
}

#[test]
fn a_floor_uses_only_floors_above_it() {
    let sources = product();
    for (place, (floor, uses)) in FLOORS.iter().enumerate() {
        let above: Vec<&str> = FLOORS[..place].iter().map(|(floor, _)| *floor).collect();
        assert!(uses.iter().all(|used| above.contains(used)), "{floor} uses a floor below it: {uses:?}");
        let mut used = BTreeSet::new();
        for source in sources.iter().filter(|source| source.floor() == *floor) {
            used.extend(after(source.product(), "crate::").map(first_word));
        }
        used.remove(*floor);
        assert_eq!(used.iter().map(String::as_str).collect::<Vec<_>>(), *uses, "what {floor} uses");
    }
    let main = sources.iter().find(|source| source.path == "src/main.rs").unwrap();
    let mut used: Vec<String> = after(&main.code, "swarmline::").map(first_word).collect();
    used.sort();
    assert_eq!(used, MAIN, "what main uses");
    assert!(main.lines <= 60, "main.rs reads like a table of contents");
}

#[test]
fn a_path_upwards_stays_on_its_floor() {
    for source in product() {
        let most = source.module().len().saturating_sub(1);
        let upwards = "super::".repeat(most + 1);
        assert!(!source.product().contains(&upwards), "{}: {upwards} leaves the floor; write crate::", source.path);
    }
}

#[test]
fn files_do_not_use_one_another_in_circles() {
    let sources: Vec<Source> = product().into_iter().filter(|source| source.path != "src/main.rs").collect();
    let uses = circles::uses(&sources);
    let arrows = |circle: BTreeSet<&str>| {
        let within = |file: &str| uses[file].intersection(&circle).copied().collect::<Vec<_>>().join(", ");
        circle.iter().map(|file| format!("{file} uses {}", within(file))).collect::<Vec<_>>().join("\n")
    };
    let found: Vec<String> = circles::circles(&uses).into_iter().map(arrows).collect();
    assert!(
        found.is_empty(),
        "files use one another in a circle; move what both sides use into a file of its own, or pass it as a \
         parameter:\n{}",
        found.join("\n\n")
    );
}

#[test]
fn every_file_belongs_to_a_floor() {
    let floors = FLOORS.map(|(floor, _)| floor);
    for source in product() {
        let is_known = floors.contains(&source.floor()) || ["lib", "main"].contains(&source.floor());
        assert!(is_known, "{} is on no floor", source.path);
    }
}

#[test]
fn what_is_named_is_named_where_it_belongs() {
    let sources = product();
    for (name, places, why) in NAMES {
        let users: Vec<&str> = sources
            .iter()
            .filter(|source| after(source.product(), name).next().is_some())
            .map(|source| source.path.strip_prefix("src/").unwrap())
            .collect();
        let stray: Vec<_> = users.iter().filter(|user| !places.iter().any(|place| user.starts_with(place))).collect();
        assert!(stray.is_empty(), "{name} ({why}) is named in {stray:?}");
        let unused: Vec<_> =
            places.iter().filter(|place| !users.iter().any(|user| user.starts_with(**place))).collect();
        assert!(unused.is_empty(), "{name} is no longer named in {unused:?}: shorten the table");
    }
}

#[test]
fn files_and_functions_fit_the_reader() {
    for source in everything() {
        assert!(source.lines <= LONGEST_FILE, "{}: {} lines", source.path, source.lines);
        for (function, lines) in source.functions() {
            assert!(lines <= LONGEST_FUNCTION, "{}: {function} has {lines} lines", source.path);
        }
    }
}

#[test]
fn modules_have_names_that_say_something() {
    for source in everything() {
        let mut parts = source.path.trim_end_matches(".rs").split('/');
        assert!(parts.all(|part| !EMPTY_NAMES.contains(&part)), "{}", source.path);
        let modules = after(&source.code, "mod ").map(first_word);
        assert!(modules.into_iter().all(|module| !EMPTY_NAMES.contains(&module.as_str())), "{}", source.path);
    }
}

#[test]
fn imports_name_what_they_import() {
    for source in everything() {
        let code = if source.is_test() { &source.code } else { source.product() };
        let globs: Vec<_> = code.lines().filter(|line| line.contains("::*")).map(str::trim).collect();
        // A test module is about what is around it.
        let allowed = source.is_test() && globs.iter().all(|line| *line == "use super::*;");
        assert!(globs.is_empty() || allowed, "{}: {globs:?}", source.path);
    }
}

#[test]
fn tests_neither_sleep_nor_are_left_out() {
    for source in everything().into_iter().filter(Source::is_test) {
        assert!(after(&source.code, "sleep(").next().is_none(), "{}: a sleep is no synchronisation", source.path);
        assert!(!source.code.contains("#[ignore"), "{}: a test that is not run", source.path);
    }
}
