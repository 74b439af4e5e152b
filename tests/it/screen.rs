//! What people see while a run goes on and at its end, and that they never hold it up.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::support::lines::Stream;
use crate::support::{Run, Scratch, load, target};

/// Over two seconds, with a tick each second.
const LONG: [&str; 9] = ["-t", "2500ms", "-u", "3", "-r", "100", "--interval", "1s", "--wait=5ms"];

/// How often the table's head is there: once in the summary.
fn tables(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("Type") && line.contains("# fails")).count()
}

#[test]
fn a_log_has_a_table_each_interval_and_the_summary() {
    let target = target();
    let run = load(&target, LONG).with(["/ok", "/status/404"]).finish().exits(1);
    assert_eq!(tables(&run.stderr), 3, "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\r'), "no terminal: {:?}", run.stderr);
    for part in ["GET  /ok", "Aggregated", "Response time percentiles", "99.9%", "Error report", "http_4xx: 404"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

/// `# reqs` and the failures of each row of a table: endpoints by `METHOD name`, and `Aggregated`.
fn rows(table: &str) -> Vec<(String, (u64, u64))> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| word.contains('(') && word.ends_with("%)"))?;
        let failed = words[at].split('(').next().unwrap();
        Some((words[..at - 1].join(" "), (words[at - 1].parse().unwrap(), failed.parse().unwrap())))
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn the_table_of_a_tick_has_the_sums_of_the_intervals_up_to_it() {
    let target = target();
    let run = load(&target, LONG).with(["/ok", "/status/404"]).finish();
    let stream = Stream::parse(&run.stdout);
    let run = run.exits(1);
    // The third is that of the summary.
    let tables: Vec<_> = run.stderr.split("Type").skip(1).take(2).map(rows).collect();
    for (number, table) in (1..).zip(&tables) {
        let up_to = stream.of("interval").into_iter().filter(|line| line.count("tick") <= number);
        let mut sums = std::collections::BTreeMap::<String, (u64, u64)>::new();
        for line in up_to {
            let failed = line.count("failed");
            for name in [format!("{} {}", line.text("method"), line.text("name")), "Aggregated".to_owned()] {
                let sum = sums.entry(name).or_default();
                *sum = (sum.0 + line.count("ok") + failed, sum.1 + failed);
            }
        }
        assert_eq!(table.len(), 3, "tick {number}: {table:?}");
        assert_eq!(table.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(), sums, "tick {number}");
    }
    assert_eq!(tables.len(), 2);
}

#[test]
fn only_the_summary_or_nothing_where_that_is_wanted() {
    let target = target();
    for (flag, wanted) in [("--only-summary", 1), ("--quiet", 0), ("--loglevel=error", 0)] {
        let run = load(&target, LONG).with([flag, "/ok"]).finish().exits(0);
        assert_eq!(tables(&run.stderr), wanted, "{flag}: {}", run.stderr);
        assert_eq!(run.stderr.is_empty(), wanted == 0, "{flag}");
    }
    let run = load(&target, LONG).env("LOCUST_ONLY_SUMMARY", "1").with(["/ok"]).finish().exits(0);
    assert_eq!(tables(&run.stderr), 1, "{}", run.stderr);
}

#[test]
fn a_log_file_gets_what_stderr_would_get() {
    let (target, scratch) = (target(), Scratch::new("logfile"));
    let log = scratch.write("log", "before\n");
    let run = load(&target, LONG).with(["--logfile", &log, "/ok"]).finish().exits(0);
    assert_eq!(run.stderr, "");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("before\n") && text.contains("verdict: pass"), "{text}");
    assert_eq!(tables(&text), 3, "{text}");
}

#[test]
fn a_stderr_that_nobody_reads_holds_nothing_up() {
    let target = target();
    let (reader, mut writer) = std::io::pipe().unwrap();
    // A pipe holds 64 KiB (pipe(7)): not a byte more goes in.
    writer.write_all(&vec![b'x'; 64 * 1024]).unwrap();
    let began = Instant::now();
    let run = load(&target, LONG).with(["/ok", "/delay/20"]).stderr(writer).finish();
    let took = began.elapsed();
    let stream = Stream::parse(&run.stdout);
    run.exits(0);
    assert_eq!(stream.of("stats current").len(), 4, "every tick came when it was due");
    assert!(stream.of("health").iter().all(|health| health.count("ticks_joined") == 0));
    assert!(took < Duration::from_secs(12), "the end came after {took:?}");
    drop(reader);
}

#[test]
fn hostile_names_steer_no_terminal() {
    let (target, scratch) = (target(), Scratch::new("hostile"));
    let file = scratch.file("s.ndjson");
    let flags = ["-n", "5", "--only-summary", "--telemetry", &file, "--check", "p95{GET /status/404} > 1s"];
    load(&target, flags).with(["/status/404"]).finish().exits(3);
    let hostile = "/\\u001b]0;x\\u0007\\u001b[2J\\u009b31m\\r\\n\\u202e";
    let text = std::fs::read_to_string(&file).unwrap().replace("/status/404", hostile).replace("http_4xx", hostile);
    let read = Run::new(["report", "-"]).input(&text).finish().exits(0);
    let is_plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
    assert!(read.text().chars().all(is_plain), "{:?}", read.text());
    assert!(read.text().contains("\\u{1b}[2J") && read.text().contains("NOT MET"), "{}", read.text());
}
