//! Intervals add up to the run: counts, sums, and histograms, value by value.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::Value;

use super::lines::{Line, Stream, millis};

/// Number of endpoints with a histogram precise to 0.1 %, as in the final line; further ones are coarser.
const FINE_ENDPOINTS: usize = 200;

/// Compares the interval lines of a stream with its final lines.
pub(super) fn check(stream: &Stream) {
    let intervals = stream.of("interval");
    let sum = |key: &str| intervals.iter().map(|interval| interval.count(key)).sum::<u64>();
    for key in ["ok", "failed", "aborted", "redirects", "reopened"] {
        assert_eq!(sum(key), stream.run_end().count(key), "{key} of all intervals and of run.end");
    }
    check_unfinished(stream);
    check_grid(stream);
    let mut whole = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 3).unwrap();
    let mut all_pieces = stream.of("histogram");
    all_pieces.retain(|piece| !piece.text("kind").starts_with("unfinished_"));
    for interval in &intervals {
        let pieces = all_pieces.iter().copied().filter(|piece| is_of(piece, interval));
        check_failed_times(interval, &pieces.clone().collect::<Vec<_>>());
        let pieces = pieces.filter(|piece| !["first_byte", "failed_service"].contains(&piece.text("kind")));
        let (service, response): (Vec<_>, Vec<_>) = pieces.partition(|piece| piece.text("kind") == "service");
        let service = histogram(interval, "service_histogram", &service);
        let completed = interval.count("ok") + interval.count("failed");
        assert_eq!(service.as_ref().map_or(0, Histogram::len), completed, "service times of {}", interval.0);
        let response = if interval.get("response_is_service") == true {
            assert_eq!(interval.get("response"), interval.get("service"), "{}", interval.0);
            service
        } else {
            histogram(interval, "response_histogram", &response)
        };
        assert_eq!(response.as_ref().map_or(0, Histogram::len), completed, "response times of {}", interval.0);
        if let Some(response) = response {
            whole.add(response).unwrap();
        }
        let classes = interval.get("failed_by_class").as_object().unwrap();
        let failed: u64 = classes.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(failed, interval.count("failed"), "classes of {}", interval.0);
    }
    let last = stream.last();
    if stream.of("stats endpoint success").len() <= FINE_ENDPOINTS && !whole.is_empty() {
        let (min, max) = (last.float("min_response_time"), last.float("max_response_time"));
        for (key, share) in [("percentile_50", 0.5), ("percentile_95", 0.95), ("percentile_99_9", 0.999)] {
            let found = whole.value_at_quantile(share) as f64 / 1000.0;
            assert_eq!(last.get(key), found.clamp(min, max), "{key} of all intervals and of final");
        }
    }
}

/// The histograms of failed requests have as many times as requests failed, class by class; streams of earlier versions lack
/// them.
fn check_failed_times(interval: &Line, pieces: &[&Line]) {
    let Some(sums) = interval.0["telemetry"].get("failed_service_us").and_then(Value::as_object) else { return };
    let classes = interval.get("failed_by_class").as_object().unwrap();
    assert_eq!(sums.keys().collect::<Vec<_>>(), classes.keys().collect::<Vec<_>>(), "{}", interval.0);
    for (class, count) in classes {
        let of_class = |piece: &&Line| piece.text("kind") == "failed_service" && piece.text("class") == class;
        let of_class: Vec<_> = pieces.iter().copied().filter(of_class).collect();
        let times = histogram(interval, "failed_service_histogram", &of_class);
        assert_eq!(times.map_or(0, |times| times.len()), count.as_u64().unwrap(), "{class} of {}", interval.0);
    }
}

/// Unfinished requests add up to the counts of the last line, and their histograms to their counts.
fn check_unfinished(stream: &Stream) {
    let lines = stream.of("unfinished");
    let sum = |key: &str| lines.iter().map(|line| line.count(key)).sum::<u64>();
    for key in ["aborted", "unsent", "overdue"] {
        assert_eq!(
            sum(key),
            stream.run_end().count(key),
            "{key} of all lines about unfinished requests and of run.end"
        );
    }
    let pieces = stream.of("histogram");
    for line in lines {
        let (aborted, unsent) = (line.count("aborted"), line.count("unsent"));
        assert!(line.count("overdue") <= aborted + unsent, "{}", line.0);
        let unanswered = line.get("first_byte")["count"].as_u64().unwrap();
        assert!(unanswered <= aborted, "{}", line.0);
        for (kind, count) in [("response", aborted + unsent), ("service", aborted), ("first_byte", unanswered)] {
            let wanted = format!("unfinished_{kind}");
            let pieces =
                pieces.iter().copied().filter(|piece| piece.text("kind") == wanted && is_of_endpoint(piece, line));
            // Two phases of one endpoint may both have partial histograms.
            let pieces: Vec<&Line> = if line.count("histogram_lines") == 0 { Vec::new() } else { pieces.collect() };
            assert_eq!(line.get(kind)["count"], count, "{}", line.0);
            let total = histogram(line, &format!("{kind}_histogram"), &pieces).as_ref().map_or(0, Histogram::len);
            assert_eq!(total, count, "{kind} times of {}", line.0);
        }
    }
}

fn is_of_endpoint(piece: &Line, line: &Line) -> bool {
    ["method", "name"].iter().all(|key| piece.get(key) == line.get(key))
}

/// Intervals follow one another without a gap, and all lines of a tick have the same interval.
fn check_grid(stream: &Stream) {
    let health = stream.of("health");
    for pair in health.windows(2) {
        assert_eq!(pair[0].get("interval_end"), pair[1].get("interval_start"), "no gap");
        assert!(pair[0].count("sent") <= pair[1].count("sent"), "sent so far decreases");
    }
    let last = health.last().unwrap();
    // Requests in flight in a shard that was cut off were never counted.
    if !stream.warnings().contains(&"shard_cut_off") {
        assert_eq!(last.count("sent"), stream.run_end().count("sent"), "sent so far at the end");
    }
    assert_eq!(last.count("in_flight"), 0, "nothing is in flight after the last user has ended");
    for interval in stream.of("interval") {
        let same = health.iter().find(|health| health.count("tick") == interval.count("tick")).unwrap();
        for key in ["interval_start", "interval_end"] {
            assert_eq!(same.get(key), interval.get(key), "{key}");
        }
        // A merged tick is warm-up while one shard warms up; the requests of the others keep their phase.
        let is_of_some = same.get("source") == "MasterRunner" && same.get("phase") == "warmup";
        assert!(is_of_some || same.get("phase") == interval.get("phase"), "phase: {}", interval.0);
    }
    let stopped = millis(stream.only("test.stop").text("stopped_at"));
    // A search drains after each step.
    let is_search = stream.setting("step-time").is_some();
    for line in health {
        let (start, end) = (millis(line.text("interval_start")), millis(line.text("interval_end")));
        let under_load = stopped.clamp(start, end) - start;
        let is_drain = line.get("phase") == "drain";
        // Times in a stream are whole milliseconds, and a moment has no duration.
        let may_drain = is_search || end - start - under_load + 2 >= under_load;
        assert!(start == end || !is_drain || may_drain, "drain: {}", line.0);
        // A merged tick is drain only where all of its shards drain, each by the moment of its own stop.
        let is_merged = line.get("source") == "MasterRunner";
        let is_load = end <= stopped + 1 || under_load + 2 >= end - start - under_load;
        assert!(is_drain || is_merged || is_load, "not drain: {}", line.0);
    }
}

fn is_of(piece: &Line, interval: &Line) -> bool {
    ["tick", "method", "name"].iter().all(|key| piece.get(key) == interval.get(key))
}

/// The histogram in the line, or the sum of its partial histograms.
pub(super) fn histogram(interval: &Line, key: &str, pieces: &[&Line]) -> Option<Histogram<u64>> {
    if let Some(text) = interval.0["telemetry"][key].as_str() {
        assert!(pieces.is_empty(), "{key} is in the line and in histogram lines: {}", interval.0);
        return Some(decoded(text));
    }
    for (place, piece) in (1..).zip(pieces) {
        assert_eq!((piece.count("part"), piece.count("parts")), (place, pieces.len() as u64), "{}", piece.0);
    }
    let mut sums = pieces.iter().map(|piece| decoded(piece.text("histogram")));
    let first = sums.next()?;
    Some(sums.fold(first, |mut sum, piece| {
        sum.add(piece).unwrap();
        sum
    }))
}

fn decoded(text: &str) -> Histogram<u64> {
    let bytes = BASE64_STANDARD.decode(text).unwrap();
    Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
}
