//! Bad input is refused by one line that names the flag, with exit code 2, before anything is sent.

mod foreign;
mod pages;

use crate::support::lines::Stream;
use crate::support::{Run, Scratch, host, load, target};

/// Command lines after `run --host TARGET`, each with what the one line must say.
const REFUSED: [(&[&str], &[&str]); 75] = [
    (&["-u", "0", "/ok"], &["--users: invalid value '0': must be from 1 to 1000000"]),
    (&["-u", "-1", "/ok"], &["-1"]),
    (&["-u", "1.5", "/ok"], &["--users", "1.5"]),
    (&["-u", "1000001", "/ok"], &["--users"]),
    (&["--userz", "3", "/ok"], &["--userz", "--users"]),
    (&["-r", "0", "/ok"], &["--spawn-rate", "above 0"]),
    (&["-r", "NaN", "/ok"], &["--spawn-rate"]),
    (&["-r", "inf", "/ok"], &["--spawn-rate"]),
    (&["-t", "often", "/ok"], &["--run-time", "often", "1h30m"]),
    (&["-t", "0", "/ok"], &["--run-time", "longer than 0"]),
    (&["-n", "0", "/ok"], &["--requests", "must be at least 1"]),
    (&["/ok", "-n"], &["--requests: needs a value"]),
    (&["-n", "", "/ok"], &["--requests: invalid value '': expected a whole number"]),
    (&["-n", "1", "-n", "2", "/ok"], &["--requests: is given more than once"]),
    (&["-n", "x", "/ok"], &["--requests"]),
    (&["-s", "soon", "/ok"], &["--stop-timeout", "soon"]),
    (&["--wait", "3s..1s", "/ok"], &["--wait", "3s..1s", "shorter time comes first"]),
    (&["--wait", "now and then", "/ok"], &["--wait", "pacing:2s"]),
    (&["--wait", "throughput:0", "/ok"], &["--wait", "above 0"]),
    (&["-X", "A B", "/ok"], &["--method", "A B"]),
    (&["-X", "CONNECT", "/ok"], &["--method", "tunnel"]),
    (&["CONNECT /ok"], &["CONNECT /ok", "tunnel"]),
    (&["--header", "no colon", "/ok"], &["--header", "Name: value"]),
    (&["--header", "X: a\r\nY: b", "/ok"], &["--header", "control character"]),
    (&["--header", "X: a\nY: b", "/ok"], &["--header", "control character"]),
    (&["--header", "na me: x", "/ok"], &["--header", "\"na\"", "not a header name"]),
    (&["--header", "Content-Length: 3", "/ok"], &["--header", "Content-Length"]),
    (&["--json", "{not json", "/ok"], &["--json", "not JSON", "line 1, column 2"]),
    (&["--json", "@/missing.json", "/ok"], &["--json @/missing.json", "No such file"]),
    (&["--json", "\n{\n\u{1b}[2J", "/ok"], &["--json: not JSON", "line 3"]),
    (&["\n"], &["request", "control character"]),
    (&["/a\nb"], &["request", "control character"]),
    (&["/a\u{7f}"], &["request", "control character"]),
    (&["http://127.0.0.1:1/a\tb"], &["request", "control character"]),
    (&["POST http://127.0.0.1:1/\r"], &["request", "control character"]),
    (&["-t", "-5s", "/ok"], &["--run-time", "-5s", "1h30m"]),
    (&["--wait", "-1s", "/ok"], &["--wait", "-1s", "pacing:2s"]),
    (&["--foo", "/ok"], &["--foo: unknown flag", "swarmline run --help"]),
    (&["--hots", "x", "/ok"], &["--hots: unknown flag", "'--host'"]),
    (&["--no-keepalive=yes", "/ok"], &["--no-keepalive: takes no value"]),
    (&["--cert", "c.pem:x", "/ok"], &["--cert", "c.pem:***", "colon"]),
    (&["@/a\nb\u{1b}[2J"], &["@/a\\nb\\u{1b}[2J"]),
    (&["--json", "1", "-d", "2", "/ok"], &["--json", "--data"]),
    (&["-d", "@/missing", "/ok"], &["--data @/missing", "No such file"]),
    (&["/ok", "--json"], &["--json", "Locust's --json", "--telemetry"]),
    (&["--basic-auth", "amy", "/ok"], &["--basic-auth", "NAME:PASSWORD"]),
    (&["--expect-status", "20", "/ok"], &["--expect-status", "3xx"]),
    (&["--timeout", "0", "/ok"], &["--timeout", "longer than 0"]),
    (&["--connect-timeout", "x", "/ok"], &["--connect-timeout"]),
    (&["--max-redirects", "-1", "/ok"], &["-1"]),
    (&["--max-redirects", "1001", "/ok"], &["--max-redirects"]),
    (&["--cacert", "/missing.pem", "/ok"], &["--cacert /missing.pem", "No such file"]),
    (&["--cert", "/missing.pem", "/ok"], &["--cert /missing.pem", "No such file"]),
    (&["--key", "/missing.pem", "/ok"], &["--key", "--cert"]),
    (&["--resolve", "x:y", "/ok"], &["--resolve", "HOST:PORT:ADDR"]),
    (&["--resolve", "x:80:nowhere", "/ok"], &["--resolve", "nowhere"]),
    (&["-4", "-6", "/ok"], &["-4 and -6"]),
    (&["--interval", "50ms", "/ok"], &["--interval", "100ms"]),
    (&["--interval", "0", "/ok"], &["--interval"]),
    (&["--run-id", "a b", "/ok"], &["--run-id", "A-Z"]),
    (&["--run-id", "", "/ok"], &["--run-id"]),
    (&["--testplan", "", "/ok"], &["--testplan"]),
    (&["--exit-code-on-error", "256", "/ok"], &["--exit-code-on-error"]),
    (&["-L", "loud", "/ok"], &["--loglevel", "loud", "possible values: debug, info, warning, error, critical"]),
    (&["--logfile", "/missing/log", "/ok"], &["--logfile /missing/log", "No such file"]),
    (&["--enable-telemetry-recorder", "otel", "/ok"], &["--enable-telemetry-recorder", "otel", "--otlp"]),
    (&["--enable-telemetry-recorder", "xml", "/ok"], &["--enable-telemetry-recorder", "only json is supported"]),
    (&["-f", "locustfile.py", "/ok"], &["-f", "locustfile"]),
    (&["@/missing.txt"], &["@/missing.txt", "No such file"]),
    (&["-"], &["-", "no request"]),
    (&[], &["REQUEST", "no request given"]),
    (&["ok"], &["\"ok\"", "http://"]),
    (&["ftp://127.0.0.1/"], &["ftp://127.0.0.1/"]),
    (&["http://127.0.0.1:99999/"], &["http://127.0.0.1:99999/"]),
    (&["http://"], &["http://"]),
];

/// Flags of Locust that mean nothing here.
const OF_LOCUST: [&str; 12] = [
    "--master",
    "--worker",
    "--processes=4",
    "--expect-workers=2",
    "--master-host=x",
    "--web-login",
    "--web-base-path=x",
    "--autostart",
    "--class-picker",
    "--reset-stats",
    "--config=x",
    "--http2",
];

#[test]
fn bad_input_is_refused_by_one_line_that_names_it() {
    let target = target();
    for (arguments, words) in REFUSED {
        let finished = load(&target, arguments.iter().copied()).finish().exits(2);
        let line = finished.complaint();
        for word in words {
            assert!(line.contains(word), "{arguments:?}: {word:?} is not in: {line}");
        }
    }
    assert_eq!(target.requests() + target.connections(), 0, "nothing was sent");
}

#[test]
fn flags_of_locust_are_refused_with_the_way_to_do_it_here() {
    let target = target();
    for flag in OF_LOCUST {
        let finished = load(&target, [flag, "/ok"]).finish().exits(2);
        let name = flag.split('=').next().unwrap();
        let (named, hint) = finished.complaint().split_once(": ").unwrap();
        assert_eq!(named, name);
        assert!(hint.len() > 20, "{flag}: {hint}");
    }
    let plain = load(&target, ["--header", "X: --master", "-d", "--web-port", "-n", "1", "/ok"]).finish();
    assert_eq!(plain.code, 0, "a value that looks like one is a value: {}", plain.stderr);
}

#[test]
fn a_wrong_host_is_told_apart() {
    for (value, words) in [
        ("Accept: x", &["--host", "--header 'Accept: ...'"][..]),
        ("localhost:8080", &["--host", "did you mean http://localhost:8080?"]),
        ("ftp://x", &["--host", "http://"]),
        ("http://", &["--host"]),
        ("http://a b", &["--host"]),
        ("http://x:port", &["--host"]),
        ("http://[::1", &["--host"]),
        ("http://h:8080?x=1", &["--host", "a host has no query"]),
        ("http://h:8080/api#x", &["--host", "a host has no fragment"]),
    ] {
        let finished = Run::new(["run", "-H", value, "/ok"]).finish().exits(2);
        let line = finished.complaint();
        assert!(words.iter().all(|word| line.contains(word)), "{value}: {line}");
        let finished = Run::new(["run", "/ok"]).env("LOCUST_HOST", value).finish().exits(2);
        let by_variable = finished.complaint();
        assert_eq!(by_variable, line.replace("--host:", "LOCUST_HOST:"), "the variable is named in place of the flag");
    }
    let finished = Run::new(["run", "/ok"]).finish().exits(2);
    assert!(finished.complaint().contains("add --host"), "{}", finished.stderr);
}

#[test]
fn a_file_that_is_no_certificate_is_refused() {
    let (target, scratch) = (target(), Scratch::new("pem"));
    let garbage = scratch.write("garbage.pem", "not a certificate\n");
    let broken = scratch.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let binary = scratch.write("binary.pem", [0xff, 0xfe, 0x00]);
    for file in [&garbage, &broken, &binary] {
        for flag in ["--cacert", "--cert"] {
            let finished = load(&target, ["-n", "1", flag, file, "/ok"]).finish().exits(2);
            let line = finished.complaint();
            assert!(line.starts_with(&format!("{flag} {file}: ")), "{line}");
        }
    }
    assert_eq!(target.requests(), 0);
}

#[test]
fn a_bad_environment_variable_is_refused_by_its_name() {
    let target = target();
    for (name, value, words) in [
        ("LOCUST_USERS", "many", "number"),
        ("LOCUST_SPAWN_RATE", "0", "above 0"),
        ("LOCUST_RUN_TIME", "often", "often"),
        ("LOCUST_STOP_TIMEOUT", "x", "x"),
        ("LOCUST_LOGLEVEL", "loud", "loud"),
        ("LOCUST_EXIT_CODE_ON_ERROR", "999", "999"),
        ("LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL", "0", "longer than 0"),
        ("LOCUST_TELEMETRY_STATS_RECORDER_INTERVAL", "50ms", "100ms"),
        ("LOCUST_ENABLE_TELEMETRY_RECORDER", "otel", "otel"),
        ("LOCUST_TAGS", "slow", "works only with --scenario"),
        ("LOCUST_LOGFILE", "/missing/log", "No such file"),
        ("LOCUST_HTML", "/missing/page", "No such file"),
        ("SWARMLINE_TELEMETRY", "/missing/stream", "No such file"),
        ("SWARMLINE_RUN_ID", "a/b", "A-Z"),
        ("SWARMLINE_SHARD", "5/2", "5"),
        ("LOCUST_MODE_MASTER", "true", "--shard"),
        ("LOCUST_MODE_WORKER", "1", "--shard"),
        ("LOCUST_EXPECT_WORKERS", "3", "--shard"),
        ("LOCUST_PROCESSES", "4", "once"),
        ("LOCUST_LOCUSTFILE", "locustfile.py", "SWARMLINE_SCENARIO"),
    ] {
        let finished = load(&target, ["-n", "1", "/ok"]).env(name, value).finish().exits(2);
        let line = finished.complaint();
        assert!(line.starts_with(name) && line.contains(words), "{name}: {line}");
    }
    assert_eq!(target.requests(), 0);
}

#[test]
fn an_empty_variable_is_as_one_that_is_not_set() {
    let target = target();
    let mut run = load(&target, ["-n", "1", "/ok"]);
    let definition = swarmline::cli::command_line();
    let variables =
        definition.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(|flag| flag.get_env());
    let variables: Vec<&str> = variables.filter_map(std::ffi::OsStr::to_str).collect();
    assert!(variables.len() >= 20, "{variables:?}");
    for name in variables.into_iter().chain(["LOCUST_MODE_WORKER", "LOCUST_PROCESSES", "LOCUST_LOCUSTFILE"]) {
        run = run.env(name, "");
    }
    run.env("LOCUST_MODE_MASTER", "false").finish().exits(0).stream();
    assert_eq!(target.requests(), 1);
}

#[test]
fn the_demo_obeys_no_variable() {
    let scratch = Scratch::new("demo");
    let mut run = Run::new(["demo"]).in_folder(&scratch.file(""));
    for (name, value) in [
        ("SWARMLINE_SHARD", "5/2"),
        ("SWARMLINE_SCENARIO", "/missing"),
        ("SWARMLINE_TELEMETRY", "/missing/stream"),
        ("LOCUST_CHECK_RPS", "x"),
        ("LOCUST_CHECK_FAIL_RATIO", "0"),
        ("LOCUST_RUN_TIME", "often"),
        ("LOCUST_CSV", "/missing/csv"),
        ("LOCUST_MODE_WORKER", "1"),
    ] {
        run = run.env(name, value);
    }
    let finished = run.finish().exits(0);
    assert!(finished.stderr.contains("stream: swarmline-demo.ndjson"), "{}", finished.stderr);
    // In a clone of the repository it leaves nothing that git would add.
    let patterns = include_str!("../../.gitignore");
    for (file, pattern) in [("swarmline-demo.ndjson", "*.ndjson"), ("swarmline-demo.html", "swarmline-*.html")] {
        assert!(std::fs::exists(scratch.file(file)).unwrap(), "{file}");
        assert!(patterns.lines().any(|line| line == pattern), "{pattern}");
    }
    let stream = Stream::parse(&std::fs::read(scratch.file("swarmline-demo.ndjson")).unwrap());
    let drained = stream.of("interval").into_iter().filter(|interval| interval.get("phase") == "drain");
    let drained: u64 = drained.map(|interval| interval.count("ok") + interval.count("failed")).sum();
    assert!(drained <= 20, "{drained} requests after the load, more than there were users");
    let page = std::fs::read_to_string(scratch.file("swarmline-demo.html")).unwrap();
    assert!(page.contains("<small>0 B sent, bodies only</small>"), "POST without a body");
}

#[test]
fn a_stderr_that_cannot_be_written_changes_nothing() {
    let target = target();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    load(&target, ["-u", "0", "/ok"]).stderr(full()).finish().exits(2);
    load(&target, ["-n", "1", "/ok"]).stderr(full()).finish().exits(0).stream();
}

#[test]
fn a_log_file_or_stdout_that_cannot_be_written_is_exit_4_and_one_line() {
    let target = target();
    let log = load(&target, ["-n", "1", "--logfile", "/dev/full", "/ok"]).finish().exits(4);
    assert!(log.stderr.starts_with("swarmline: --logfile /dev/full: No space left on device"), "{}", log.stderr);
    assert_eq!(log.stderr.lines().count(), 1, "{}", log.stderr);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let trial = Run::new(["try", "-H", &host(&target), "/ok"]).stdout(full).finish().exits(4);
    assert!(trial.complaint().starts_with("stdout: No space left on device"), "{}", trial.stderr);
}

#[test]
fn a_list_with_a_bad_request_is_refused_as_a_whole() {
    let (target, scratch) = (target(), Scratch::new("bad-list"));
    let list = format!("@{}", scratch.write("list", "/ok\n/ok\nnonsense\n"));
    let finished = load(&target, ["-n", "1", &list]).finish().exits(2);
    assert!(finished.complaint().contains("nonsense"), "{}", finished.stderr);
    let empty = format!("@{}", scratch.write("empty", "# nothing\n\n"));
    let finished = load(&target, ["-n", "1", &empty]).finish().exits(2);
    assert!(finished.complaint().contains("no request"), "{}", finished.stderr);
    assert_eq!(target.requests(), 0);
}

#[test]
fn help_and_version_are_no_errors() {
    for (arguments, word) in [
        (&["--help"][..], "Usage: swarmline"),
        (&["-h"], "Usage: swarmline"),
        (&["run", "--help"], "--spawn-rate"),
        (&["run", "-h"], "LOCUST_USERS"),
        (&["target", "--help"], "--listen"),
        (&["help", "run"], "--spawn-rate"),
        (&["--version"], concat!("swarmline ", env!("CARGO_PKG_VERSION"))),
    ] {
        let finished = Run::new(arguments.iter().copied()).finish().exits(0);
        assert!(finished.text().contains(word), "{arguments:?}: {}", finished.text());
        assert_eq!(finished.stderr, "", "{arguments:?}");
    }
}

#[test]
fn help_is_short_or_long_and_fits_100_columns() {
    let definition = swarmline::cli::command_line();
    let commands = definition.get_subcommands().map(|command| vec![command.get_name()]);
    for command in commands.filter(|command| *command != ["help"]).chain([vec![]]) {
        let [short, long] = ["-h", "--help"].map(|flag| {
            let finished = Run::new(command.iter().copied().chain([flag])).finish().exits(0);
            finished.text().to_owned()
        });
        for line in short.lines().chain(long.lines()) {
            assert!(line.chars().count() <= 100, "{command:?}: {line}");
        }
        assert!(short.len() <= long.len(), "{command:?}");
    }
}

#[test]
fn each_flag_says_what_it_does_under_a_heading() {
    let definition = swarmline::cli::command_line();
    let run = definition.find_subcommand("run").unwrap();
    for flag in run.get_arguments().filter(|flag| !["help", "requests"].contains(&flag.get_id().as_str())) {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with(char::is_uppercase) && !help.ends_with('.'), "{}: {help:?}", flag.get_id());
        assert!(flag.get_help_heading().is_some(), "{}", flag.get_id());
    }
}

#[test]
fn help_fits_the_columns_that_there_are() {
    let definition = swarmline::cli::command_line();
    let names = definition.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help");
    let mut commands: Vec<Vec<&str>> = names.map(|name| vec![name]).collect();
    commands.push(Vec::new());
    for columns in [80, 120] {
        let mut widest = 0;
        for command in &commands {
            for help in ["-h", "--help"] {
                let shown =
                    Run::new(command.iter().copied()).with([help]).env("COLUMNS", &columns.to_string()).finish();
                let width = shown.exits(0).text().lines().map(|line| line.chars().count()).max().unwrap();
                assert!(width <= columns, "{command:?} {help}: {width} of {columns} columns");
                widest = widest.max(width);
            }
        }
        assert!(widest > columns - 25, "{widest} of {columns} columns are used");
    }
}

#[test]
fn a_missing_or_unknown_command_says_which_there_are() {
    let none = Run::new([]).finish().exits(2);
    assert!(
        none.complaint()
            .contains("run, capacity, try, demo, report, target, merge, watch, import, schema, completions or man"),
        "{}",
        none.stderr
    );
    let bare = Run::new(["merge"]).finish().exits(2);
    assert_eq!(bare.complaint(), "STREAM: is required; swarmline merge --help");
    let unknown = Run::new(["runn"]).finish().exits(2);
    assert!(unknown.complaint().contains("'run'"), "{}", unknown.stderr);
}

#[test]
fn the_target_listens_where_only_this_host_reaches_it() {
    let refused = Run::new(["target", "--listen", "0.0.0.0:0"]).finish().exits(2);
    assert!(refused.complaint().contains("--allow-remote"), "{}", refused.stderr);
    let taken = target();
    let refused = Run::new(["target", "--listen", host(&taken).strip_prefix("http://").unwrap()]).finish().exits(2);
    assert!(refused.complaint().starts_with("--listen"), "{}", refused.stderr);
    let garbage = Run::new(["target", "--listen", "here"]).finish().exits(2);
    assert!(
        garbage.complaint().starts_with("--listen: invalid value 'here': expected ADDR:PORT"),
        "{}",
        garbage.stderr
    );
}
