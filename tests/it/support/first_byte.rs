//! Times to the first byte add up to the run, and with the other parts of a request to its service time.

use hdrhistogram::Histogram;
use serde_json::Value;

use super::intervals::histogram;
use super::lines::{Line, Stream};

/// The parts of a request's time to the first byte, and the last part.
const BEFORE: [&str; 4] = ["dns_us", "connect_us", "tls_us", "first_byte_us"];
const AFTER: &str = "body_us";

/// Compares what the interval lines of a stream say of first bytes with its final lines. Where one does not say, because it
/// is merged from a stream of an earlier version, the final lines must not say it either.
pub(super) fn check(stream: &Stream) {
    let intervals = stream.of("interval");
    let completed = |line: &Line| line.count("ok") + line.count("failed");
    let last = stream.last();
    let is_partial = intervals.iter().any(|line| line.0["telemetry"]["timings"].is_null() && completed(line) > 0);
    if is_partial {
        assert!(last.0["telemetry"]["timings"].is_null() && last.0["telemetry"]["first_byte"].is_null(), "{}", last.0);
        return;
    }
    let mut whole = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 2).unwrap();
    let pieces = stream.of("histogram");
    for interval in &intervals {
        let timings = interval.get("timings");
        adds_up(timings, interval.get("first_byte"), Some(interval.get("service")));
        assert!(count(timings, "connected") <= completed(interval), "{}", interval.0);
        let pieces = pieces.iter().copied().filter(|piece| piece.text("kind") == "first_byte");
        let is_of = |piece: &&Line| ["tick", "method", "name"].iter().all(|key| piece.get(key) == interval.get(key));
        let pieces: Vec<&Line> = pieces.filter(is_of).collect();
        let times = histogram(interval, "first_byte_histogram", &pieces);
        assert_eq!(times.as_ref().map_or(0, Histogram::len), completed(interval), "{}", interval.0);
        assert_eq!(count(interval.get("first_byte"), "count"), completed(interval), "{}", interval.0);
        whole.add(times.unwrap_or_else(|| Histogram::new(2).unwrap())).unwrap();
    }
    let sum = |of: &str, key: &str| intervals.iter().map(|line| count(line.get(of), key)).sum::<u64>();
    let (timings, first_byte) = (last.get("timings"), last.get("first_byte"));
    for key in BEFORE.into_iter().chain([AFTER, "connected"]) {
        assert_eq!(sum("timings", key), count(timings, key), "{key} of all intervals and of final");
    }
    for key in ["count", "sum_us"] {
        assert_eq!(sum("first_byte", key), count(first_byte, key), "{key} of all intervals and of final");
    }
    for (key, share) in [("p50_us", 0.5), ("p95_us", 0.95), ("p99_9_us", 0.999)] {
        let found = if whole.is_empty() { 0 } else { whole.value_at_quantile(share) };
        let expected = found.clamp(count(first_byte, "min_us"), count(first_byte, "max_us"));
        assert_eq!(count(first_byte, key), expected, "{key} of all intervals and of final");
    }
    let endpoints = stream.of("stats endpoint success");
    for endpoint in &endpoints {
        adds_up(endpoint.get("timings"), endpoint.get("first_byte"), None);
    }
    let sum = |key: &str| endpoints.iter().map(|line| count(line.get("timings"), key)).sum::<u64>();
    for key in BEFORE.into_iter().chain([AFTER]) {
        assert_eq!(sum(key), count(timings, key), "{key} of all endpoints and of final");
    }
}

/// The parts are the time to the first byte, and with the body the service time, to the microsecond.
fn adds_up(timings: &Value, first_byte: &Value, service: Option<&Value>) {
    let before: u64 = BEFORE.iter().map(|key| count(timings, key)).sum();
    assert_eq!(before, count(first_byte, "sum_us"), "{timings} of {first_byte}");
    if let Some(service) = service {
        assert_eq!(before + count(timings, AFTER), count(service, "sum_us"), "{timings} of {service}");
    }
}

fn count(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("no {key} in {value}"))
}
