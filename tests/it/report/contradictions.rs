//! A stream is validated: a contradiction is reported with its line, makes the exit code 4, and is left out.

use crate::support::{Run, Scratch};

/// A recorded run.
const ALONE: &str = include_str!("../../corpus/streams/alone.ndjson");

/// Replaces the value of a key of the telemetry.
fn with(line: &str, key: &str, value: &str) -> String {
    let mark = format!("\"{key}\":");
    let body = line.find("\"telemetry\":").unwrap();
    let at = line[body..].find(&mark).unwrap_or_else(|| panic!("no {key} in {line}")) + body + mark.len();
    let end = line[at..].find([',', '}']).unwrap() + at;
    format!("{}{value}{}", &line[..at], &line[end..])
}

#[test]
fn each_contradiction_is_reported_with_its_line_and_changes_no_number() {
    let scratch = Scratch::new("report-contradictions");
    let interval = "\"swarmline.metric.interval\"";
    let last = ALONE.rsplit("\"service_histogram\":").next().unwrap();
    let other = &last[..last.find([',', '}']).unwrap()];
    for (kind, key, value, said) in [
        (interval, "min_us", "900000000", "longer than the longest"),
        (interval, "sum_us", "7", "does not fit their minimum"),
        (interval, "service_histogram", other, "a histogram "),
        (interval, "failed", "99", "sum of its classes"),
        (interval, "aborted", "18446744073709551615", "implausible"),
        (interval, "aborted", "99", "the last line does not count what the intervals count"),
        (interval, "interval_start", "\"yesterday\"", "without its times"),
        (interval, "tick", "9223372036854775808", "a tick that is not at its time"),
        ("\"swarmline.metric.health\"", "throttled_ms", "1e300", "implausible"),
        ("\"stats_type\":\"final\"", "num_failures", "6960", "more failures than requests"),
        ("\"stats_type\":\"final\"", "num_requests", "5000", "the final line does not count"),
        ("\"stats_type\":\"final\"", "percentile_50", "9000.0", "do not lie between the ends"),
        ("\"status\":\"success\"", "num_requests", "5000", "a line about an endpoint does not count"),
        ("\"status\":\"error\"", "occurrences", "5000", "the errors did not occur as often"),
        ("\"swarmline.event.run.end\"", "ok", "5000", "the last line does not count"),
        ("\"swarmline.metric.unfinished\"", "unsent", "5000", "do not add up"),
        ("\"swarmline.metric.unfinished\"", "overdue", "5000", "do not add up"),
    ] {
        let at = ALONE.lines().position(|line| line.contains(kind)).unwrap_or_else(|| panic!("no {kind}"));
        let lines = ALONE.lines().enumerate();
        let text: String = lines
            .map(|(number, line)| if number == at { with(line, key, value) } else { line.to_owned() } + "\n")
            .collect();
        let report = Run::new(["report", &scratch.write("s.ndjson", text)]).finish();
        assert_eq!(report.code, 4, "{said}: {}", report.text());
        let line =
            report.text().lines().find(|line| line.contains(said)).unwrap_or_else(|| panic!("{}", report.text()));
        let is_about_the_end = said.starts_with("the last line");
        assert!(is_about_the_end || line.contains(&format!("line {}: ", at + 1)), "{line}");
    }
    Run::new(["report", &scratch.write("whole.ndjson", ALONE)]).finish().exits(0);
}

#[test]
fn a_stream_of_the_previous_version_is_clean() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/streams/version-1-alone.ndjson");
    let report = Run::new(["report", path]).finish().exits(0);
    assert!(!report.text().starts_with("the stream is"), "{}", report.text());
}
