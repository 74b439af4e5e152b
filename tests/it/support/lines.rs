//! A stream read back: each line and the stream as such are validated.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::json::Json;

/// `PIPE_BUF` of Linux: writes of longer lines may be split on a shared pipe.
const MAX_LINE: usize = 4096;

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(swarmline::telemetry::SCHEMA).unwrap()).unwrap());

/// Errors of a line by the schema; empty where it is valid.
pub(crate) fn schema_errors(line: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(line).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line(pub(crate) Value);

impl Line {
    fn parse(text: &str) -> Self {
        let line = Json::parse(text);
        let errors = schema_errors(&line.to_value());
        assert!(errors.is_empty(), "{text}\n{}", errors.join("\n"));
        check_types(&line, text);
        Self(line.to_value())
    }

    /// A value of `telemetry`.
    pub(crate) fn get(&self, key: &str) -> &Value {
        self.0["telemetry"].get(key).unwrap_or_else(|| panic!("no {key} in {}", self.0))
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        self.get(key).as_u64().unwrap_or_else(|| panic!("{key} is not a count in {}", self.0))
    }

    pub(crate) fn float(&self, key: &str) -> f64 {
        self.get(key).as_f64().unwrap_or_else(|| panic!("{key} is not a number in {}", self.0))
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_else(|| panic!("{key} is not a text in {}", self.0))
    }

    /// Its time: of fixed width, so comparing the texts compares the times.
    pub(crate) fn time(&self) -> &str {
        self.0["time"].as_str().unwrap()
    }

    /// The telemetry name without its family, with type and status of statistics: `stats endpoint error`.
    pub(crate) fn kind(&self) -> String {
        let family = ["locust.tl.event.", "locust.tl.system.metric.", "locust.tl.request.metric."];
        let family = family.into_iter().chain(["swarmline.event.", "swarmline.metric."]);
        let name = self.text("telemetry_name");
        let name = family.clone().find_map(|family| name.strip_prefix(family)).unwrap_or(name);
        let more = ["stats_type", "status"].map(|key| self.0["telemetry"][key].as_str());
        [Some(name)].into_iter().chain(more).flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Counts are always integers and all other numbers floats: a schema cannot tell 1 from 1.0. Texts are limited in bytes
/// of JSON, while a schema counts characters.
fn check_types(line: &Json, text: &str) {
    const FLOATS: [&str; 17] = [
        "intended_rate",
        "min_response_time",
        "max_response_time",
        "avg_response_time",
        "median_response_time",
        "current_rps",
        "total_rps",
        "current_fail_per_sec",
        "total_fail_per_sec",
        "avg_content_length",
        "available_cpus",
        "started_monotonic",
        "first_seen",
        "last_seen",
        "achieved_rate",
        "load_seconds",
        "value",
    ];
    const BOUNDS: [(&str, usize); 5] =
        [("testplan", 128), ("method", 32), ("name", 512), ("error", 512), ("detail", 512)];
    let is_network = text.contains("\"locust.tl.system.metric.network\"");
    for (key, value) in line.get("telemetry").entries() {
        let is_percent = key.starts_with("percentile_") || key.ends_with("_percent");
        let is_float =
            (FLOATS.contains(&key.as_str()) || is_percent || key.ends_with("_ms")) && !(key == "value" && is_network);
        match value.kind() {
            "integer" => assert!(!is_float, "{key} is an integer: {text}"),
            "float" => assert!(is_float, "{key} is a float: {text}"),
            _ => {}
        }
        if let Some((_, limit)) = BOUNDS.iter().find(|(bounded, _)| bounded == key) {
            let written = value.to_value().to_string().len() - 2;
            assert!(written <= *limit, "{key} takes {written} bytes: {text}");
        }
    }
}

/// A complete stream.
#[derive(Debug)]
pub(crate) struct Stream(pub(crate) Vec<Line>);

impl Stream {
    /// Parses a stream and checks everything that every stream promises.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert!(text.ends_with('\n'), "the last line is complete");
        let longest = text.split_inclusive('\n').map(str::len).max().unwrap();
        assert!(longest <= MAX_LINE, "a line of {longest} bytes");
        let stream = Self(text.lines().map(Line::parse).collect());
        stream.check_numbers();
        if stream.0[0].text("source") == "MasterRunner" {
            stream.own().check();
        } else {
            stream.check();
        }
        stream
    }

    /// The master's own lines of a merged stream, without those of the workers.
    pub(crate) fn own(&self) -> Self {
        Self(self.0.iter().filter(|line| line.text("source_id") == "master").cloned().collect())
    }

    fn check(&self) {
        let stream = self;
        stream.check_envelopes();
        stream.check_order();
        stream.check_sums();
        stream.check_rates();
        super::intervals::check(stream);
        super::first_byte::check(stream);
        for line in stream.0.iter().filter(|line| line.0["telemetry"]["num_requests"].is_u64()) {
            check_statistics(line);
        }
    }

    /// Lines of a kind, see [`Line::kind`].
    pub(crate) fn of(&self, kind: &str) -> Vec<&Line> {
        self.0.iter().filter(|line| line.kind() == kind).collect()
    }

    /// The only line of a kind.
    pub(crate) fn only(&self, kind: &str) -> &Line {
        let lines = self.of(kind);
        assert_eq!(lines.len(), 1, "lines of {kind}");
        lines[0]
    }

    pub(crate) fn last(&self) -> &Line {
        self.only("stats final")
    }

    pub(crate) fn run_end(&self) -> &Line {
        self.only("run.end")
    }

    /// Value and origin of a setting.
    pub(crate) fn setting(&self, key: &str) -> Option<(&str, &str)> {
        let mut settings = self.of("config").into_iter().flat_map(|part| part.get("settings").as_array().unwrap());
        let setting = settings.find(|setting| setting["key"] == key)?;
        Some((setting["value"].as_str().unwrap(), setting["origin"].as_str().unwrap()))
    }

    pub(crate) fn plan_hash(&self) -> &str {
        self.of("config")[0].text("plan_hash")
    }

    /// Kinds of all warnings, in order.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.of("warning").iter().map(|warning| warning.text("kind")).collect()
    }

    /// The error of each error line and how often it occurred.
    pub(crate) fn errors(&self) -> Vec<(&str, u64)> {
        self.of("stats endpoint error").iter().map(|line| (line.text("error"), line.count("occurrences"))).collect()
    }

    fn check_numbers(&self) {
        for (place, line) in self.0.iter().enumerate() {
            assert_eq!(line.count("seq"), place as u64 + 1, "seq has no gap");
        }
        for pair in self.0.windows(2) {
            assert!(pair[0].time() <= pair[1].time(), "time goes backwards: {} {}", pair[0].0, pair[1].0);
        }
        assert_eq!(self.run_end().count("lines"), self.0.len() as u64, "lines of run.end");
    }

    fn check_envelopes(&self) {
        for line in &self.0 {
            for key in ["source", "source_id", "run_id", "testplan"] {
                assert_eq!(line.get(key), self.0[0].get(key), "{key} is that of the stream");
            }
        }
    }

    /// test.start, config, tick 0, ticks and events, the last tick, test.stop, final, errors, endpoints, run.end.
    fn check_order(&self) {
        let mut rest = self.0.as_slice();
        take(&mut rest, "test.start");
        let parts = rest[0].count("parts");
        for part in 1..=parts {
            let config = take(&mut rest, "config");
            assert_eq!((config.count("part"), config.count("parts")), (part, parts));
            assert_eq!(config.text("plan_hash"), self.plan_hash());
        }
        let mut last_tick = take_tick(&mut rest);
        // Shards count ticks on the wall clock.
        assert!(last_tick == 0 || self.0[0].text("source") != "LocalRunner", "the first tick is {last_tick}");
        while rest[0].kind() != "test.stop" {
            match rest[0].kind().as_str() {
                "spawn.complete" | "warning" | "exchange" | "step" => rest = &rest[1..],
                _ => {
                    let tick = take_tick(&mut rest);
                    assert!(tick > last_tick, "tick {tick} after {last_tick}");
                    last_tick = tick;
                }
            }
        }
        let before = &self.0[self.0.len() - rest.len() - 1];
        // The master writes its warnings before test.stop.
        let is_last =
            ["warning", "exchange", "step"].contains(&before.kind().as_str()) || before.count("tick") == last_tick;
        assert!(is_last, "the last tick is right before test.stop: {}", before.0);
        let stop = take(&mut rest, "test.stop");
        assert!(stop.text("stopped_at") <= stop.time(), "{}", stop.0);
        assert_eq!(millis(stop.text("end_time")), millis(stop.time()) + 1000, "end_time");
        while ["unfinished", "histogram"].contains(&rest[0].kind().as_str()) {
            rest = &rest[1..];
        }
        take(&mut rest, "stats final");
        while rest[0].kind() == "stats endpoint error" {
            rest = &rest[1..];
        }
        while rest[0].kind() == "stats endpoint success" {
            rest = &rest[1..];
        }
        while rest[0].kind() == "shard" {
            assert_eq!(rest[0].text("source"), "MasterRunner", "only all shards together have a line of each");
            rest = &rest[1..];
        }
        while rest[0].kind() == "check" {
            rest = &rest[1..];
        }
        take(&mut rest, "run.end");
        assert!(rest.is_empty(), "nothing follows run.end");
    }

    fn check_sums(&self) {
        let (end, last) = (self.run_end(), self.last());
        assert_eq!(end.count("due"), end.count("sent") + end.count("unsent"), "due");
        assert_eq!(end.count("sent"), end.count("completed") + end.count("aborted"), "sent");
        assert_eq!(end.count("completed"), end.count("ok") + end.count("failed"), "completed");
        assert_eq!(last.count("num_requests"), end.count("completed"), "final holds every request");
        assert_eq!(last.count("num_failures"), end.count("failed"), "final holds every failure");
        let endpoints = self.of("stats endpoint success");
        for key in ["num_requests", "num_failures"] {
            let sum: u64 = endpoints.iter().map(|endpoint| endpoint.count(key)).sum();
            assert_eq!(sum, last.count(key), "{key} of the endpoints and of final");
        }
        let occurrences: u64 = self.errors().iter().map(|(_, occurrences)| occurrences).sum();
        assert_eq!(occurrences, last.count("num_failures"), "occurrences of all errors");
        let ticks = self.of("stats current");
        for key in ["num_requests", "num_failures"] {
            assert!(ticks.windows(2).all(|pair| pair[0].count(key) <= pair[1].count(key)), "{key} decreases");
            assert_eq!(ticks.last().unwrap().count(key), last.count(key), "{key} of the last tick and of final");
        }
        // Shards stop at different times.
        if self.0[0].text("source") != "MasterRunner" {
            let users = ticks.last().unwrap().count("user_count");
            assert_eq!(users, last.count("user_count"), "users when the stop began");
        }
        let met = |wanted: bool| self.of("check").iter().filter(|check| check.get("met") == wanted).count() as u64;
        assert_eq!((end.count("checks_met"), end.count("checks_missed")), (met(true), met(false)), "checks");
        let is_pass = end.text("verdict") == "pass";
        let reasons = end.get("reasons").as_array().unwrap();
        assert_eq!(is_pass, reasons.iter().all(|reason| reason["kind"] == "data_end"), "reasons: {}", end.0);
    }

    /// Rates are requests that ended during the load, divided by the time of the load.
    fn check_rates(&self) {
        let (end, seconds) = (self.run_end(), self.run_end().float("load_seconds"));
        let after = |key: &str, wanted: Option<&Line>| -> u64 {
            let is_of = |line: &&&Line| {
                wanted.is_none_or(|row| ["method", "name"].iter().all(|key| row.get(key) == line.get(key)))
            };
            self.of("interval").iter().filter(is_of).map(|line| line.count(key)).sum()
        };
        let rows = self.of("stats endpoint success").into_iter().map(|row| (row, Some(row)));
        for (row, wanted) in rows.chain([(self.last(), None)]).filter(|(row, _)| row.count("num_requests") > 0) {
            for (rate, count, key) in [
                ("total_rps", "num_requests", "completed_after_stop"),
                ("total_fail_per_sec", "num_failures", "failed_after_stop"),
            ] {
                let expected = (row.count(count) - after(key, wanted)) as f64 / seconds;
                let rate = row.float(rate);
                assert!((rate - expected).abs() <= expected * 1e-9, "{rate}/s, not {expected}: {} {}", row.0, end.0);
            }
        }
    }
}

/// Takes the next line, which must be of this kind.
fn take<'l>(rest: &mut &'l [Line], kind: &str) -> &'l Line {
    let (line, further) = rest.split_first().unwrap_or_else(|| panic!("the stream ends before {kind}"));
    assert_eq!(line.kind(), kind, "kind of {}", line.0);
    *rest = further;
    line
}

/// Takes the lines of one tick, all with the same time; returns its number.
fn take_tick(rest: &mut &[Line]) -> u64 {
    let current = take(rest, "stats current");
    let (tick, time) = (current.count("tick"), current.time());
    let mut others = Vec::new();
    if current.text("source_id") != "master" {
        others.extend([take(rest, "cpu"), take(rest, "mem")]);
        for direction in ["sent", "recv"] {
            let network = take(rest, "network");
            assert_eq!(network.text("direction"), direction);
            others.push(network);
        }
    }
    if rest.first().is_some_and(|line| line.kind() == "cpu.warning") {
        others.push(take(rest, "cpu.warning"));
    }
    while rest.first().is_some_and(|line| line.kind() == "interval") {
        let interval = take(rest, "interval");
        others.push(interval);
        for _ in 0..interval.count("histogram_lines") {
            others.push(take(rest, "histogram"));
        }
    }
    let samples = rest.iter().take_while(|line| line.kind() == "sample").count();
    assert!(samples <= 20, "{samples} samples in tick {tick}");
    others.extend((0..samples).map(|_| take(rest, "sample")));
    others.push(take(rest, "health"));
    assert!(others.iter().all(|line| line.count("tick") == tick && line.time() == time), "one tick: {others:?}");
    tick
}

/// The statistics of a line are consistent.
fn check_statistics(line: &Line) {
    let ascending = [
        "min_response_time",
        "percentile_50",
        "percentile_90",
        "percentile_95",
        "percentile_99",
        "percentile_99_9",
        "max_response_time",
    ];
    let values = ascending.map(|key| line.float(key));
    assert!(values.is_sorted(), "{ascending:?} {values:?}");
    assert_eq!(line.get("median_response_time"), line.get("percentile_50"), "{}", line.0);
    let average = line.float("avg_response_time");
    assert!(values[0] <= average && average <= values[6], "average between the ends: {}", line.0);
    assert!(line.count("num_failures") <= line.count("num_requests"), "{}", line.0);
    if line.count("num_requests") == 0 {
        let rates = ["max_response_time", "total_rps", "current_rps", "current_fail_per_sec", "total_fail_per_sec"];
        let zeros = rates.iter().chain(&["avg_content_length"]);
        assert!(zeros.into_iter().all(|key| line.float(key) == 0.0), "0 without a request: {}", line.0);
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn millis(time: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| -> u64 { time[range].parse().unwrap() };
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days since 0000-03-01: counted from March, a year ends with its leap day.
    let days = |year: u64, month: u64, day: u64| {
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
    };
    let since = days(year, month, day) - days(1970, 1, 1);
    let seconds = (number(11..13) * 60 + number(14..16)) * 60 + number(17..19);
    (since * 86_400 + seconds) * 1000 + number(20..23)
}

#[test]
fn times_read_back_as_written() {
    for seconds in [0, 951_782_399, 951_782_400, 1_709_164_800, 1_795_381_223, 4_107_542_400] {
        let since = std::time::Duration::from_millis(seconds * 1000 + 7);
        assert_eq!(u128::from(millis(&swarmline::clock::rfc3339(since))), since.as_millis());
    }
}
