//! A shard that differs from the others is named, in the stream and in every report.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use serde_json::Value;
use swarmline::cli::{self, Command, Invocation, Variables};
use swarmline::clock::{Clock, Moment, rfc3339};
use swarmline::event::Flight;
use swarmline::machine::sampler::Sample;
use swarmline::outcome::{DueTime, Ending, Outcome, Traffic};
use swarmline::plan::endpoint::EndpointId;
use swarmline::plan::random::Random;
use swarmline::plan::{Plan, ProcessContext};
use swarmline::stats::aggregate::Aggregate;
use swarmline::stats::judged_counts::JudgedCounts;
use swarmline::stats::stalls::SamplerReport;
use swarmline::stats::verdict::{Assessment, Evidence};
use swarmline::telemetry::ending::RunEnding;
use swarmline::telemetry::line::{Envelope, StreamSource};
use swarmline::telemetry::own_records::{RunEnvironment, WireShard};
use swarmline::telemetry::record::{Record, RecordBody};
use swarmline::telemetry::recorder::Recorder;
use swarmline::telemetry::tick::{TickCounts, TickSample};
use swarmline::vocabulary::{EndReason, Phase};

use super::{files, interleaved, merge};
use crate::support::lines::Stream;
use crate::support::{Run, Scratch};

const INTERVAL: Duration = Duration::from_secs(3);

/// A multiple of the interval: 2026-11-23T10:00:00Z.
const START: Duration = Duration::from_secs(1_795_428_000);

const TICKS: u32 = 30;

fn plan() -> Plan {
    let line = ["swarmline", "run", "-H", "http://127.0.0.1:8080", "--run-id", "odd", "/a", "/b"];
    let Ok(Invocation::Command(Command::Run(flags), origins)) =
        cli::parse(line.map(OsString::from), Variables::Ignored)
    else {
        panic!("the line is a run")
    };
    let surroundings = ProcessContext { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() };
    Plan::from_flags(&flags, &origins, surroundings).unwrap()
}

/// The stream of a shard whose responses take `factor` times as long as those of one with 1. What is slow in a tick is so
/// for all shards.
fn stream(index: u32, count: u32, factor: f64) -> Vec<u8> {
    let (plan, clock) = (plan(), Clock::anchored_at(START));
    let mut recorder = Recorder::new(&plan, clock, 2.0, Duration::from_millis(10));
    let mut aggregate = Aggregate::new(plan.endpoints().len());
    let (mut own, mut common) = (Random::seeded(u64::from(index)), Random::seeded(99));
    let place = RunEnvironment {
        shard: Some(WireShard { index, count, engine: None }),
        shards: None,
        targets: Vec::new(),
        available_cpus: 2.0,
        open_files_limit: 1024,
        memory_limit_bytes: None,
        started_at: rfc3339(START),
        started_monotonic: 1.0,
    };
    let mut records = recorder.start(place);
    for tick in 0..=TICKS {
        let at = Moment::at(INTERVAL * tick);
        let counts = TickCounts {
            cuts: aggregate.close_interval(Phase::Steady),
            sends: aggregate.take_sends(),
            queue: 0,
            joined: 0,
            aggregator_cpu: Duration::ZERO,
        };
        records.extend(recorder.tick(sample(tick, at), &aggregate, &counts));
        let slow = 1.0 + 3.0 * common.unit();
        for request in (0..100).filter(|_| tick < TICKS) {
            let took = Duration::from_secs_f64(0.01 * factor * slow * (0.5 + own.unit()));
            let times = (at, at.after(took));
            aggregate.record(&Outcome::new(
                EndpointId(request % 2),
                DueTime::WhenSent,
                times,
                Traffic { first_byte: Some(at.after(took)), status: 200, ..Traffic::default() },
                Ending::Ok,
            ));
        }
    }
    let requests = JudgedCounts::of(aggregate.total(), std::iter::empty());
    let at = Moment::at(INTERVAL * TICKS);
    let evidence = Evidence { requests, ..Evidence::default() };
    let ending = RunEnding {
        at,
        stopped_at: at,
        reason: EndReason::RunTime,
        users: 1,
        load_end: at,
        unfinished: Vec::new(),
        assessment: Assessment::of(evidence),
        exit_code: 0,
        answer: None,
    };
    records.extend(recorder.finish(&ending, &aggregate));
    written(records, &Envelope::new(StreamSource::Worker(index), plan.run_id(), plan.testplan(), clock))
}

fn written(records: Vec<Record>, envelope: &Envelope) -> Vec<u8> {
    let (mut stream, mut line) = (Vec::new(), Vec::new());
    for (seq, mut record) in (1..).zip(records) {
        if let RecordBody::RunEnd(end) = &mut record.body {
            end.lines = seq;
        }
        envelope.write(&record, seq, &mut line);
        stream.extend_from_slice(&line);
    }
    stream
}

fn sample(tick: u32, at: Moment) -> TickSample {
    TickSample {
        tick: START.as_secs() / INTERVAL.as_secs() + u64::from(tick),
        due: at,
        users: 1,
        flight: Flight { sent: u64::from(tick) * 100, in_flight: 0, oldest: Duration::ZERO },
        stopped: None,
        machine: Sample {
            at,
            cpu_time: Duration::ZERO,
            rss_bytes: 1 << 20,
            network_sent: 0,
            network_received: 0,
            throttled: Duration::ZERO,
            open_files: 10,
        },
        writer_cpu: Duration::ZERO,
        open_files_limit: 1024,
        overslept: SamplerReport::default(),
        exports: None,
    }
}

fn streams(factors: &[f64]) -> Vec<Vec<u8>> {
    let count = u32::try_from(factors.len()).unwrap();
    (0..count).zip(factors).map(|(index, factor)| stream(index, count, *factor)).collect()
}

fn warnings(stream: &Stream) -> Vec<String> {
    let odd = stream.of("warning").into_iter().filter(|line| line.text("kind") == "shard_odd");
    odd.map(|line| line.text("detail").to_owned()).collect()
}

#[test]
fn the_slow_shard_is_named_in_the_stream_and_in_every_report() {
    let scratch = Scratch::new("merge-odd");
    let streams = streams(&[1.0, 1.0, 2.0, 1.0]);
    let master = scratch.file("master.ndjson");
    let outputs = |kind: &str| ["m.markdown", "s.json", "p.html"].map(|name| scratch.file(&format!("{kind}-{name}")));
    let flags = |files: &[String; 3]| {
        let [markdown, json, html] = files.clone();
        [("--markdown", markdown), ("--json-file", json), ("--html", html)].map(|(flag, file)| [flag.to_owned(), file])
    };
    let [live, again] = [outputs("live"), outputs("again")];
    let run = Run::new(["merge", "--telemetry", &master]).with(files(&scratch, &streams).iter().map(String::as_str));
    let run = run.with(flags(&live).as_flattened().iter().map(String::as_str)).finish().exits(0);
    let stream = Stream::parse(&std::fs::read(&master).unwrap());
    let named = warnings(&stream);
    assert!(
        named.len() == 1 && named[0].starts_with("shard 2 is slower than the other shards together: p50 "),
        "{named:?}"
    );
    let lines = stream.of("shard");
    let odd: Vec<bool> = lines.iter().map(|line| line.get("percentiles")[0]["is_odd"] == true).collect();
    assert_eq!(odd, [false, false, true, false]);
    let counted: u64 = lines.iter().map(|line| line.count("ok")).sum();
    assert_eq!(counted, stream.run_end().count("ok"));

    let report = Run::new(["report", &master]).with(flags(&again).as_flattened().iter().map(String::as_str)).finish();
    let report = report.exits(0);
    assert!(
        run.stderr.starts_with(report.text().split_once("report: ").unwrap().0),
        "{}\n{}",
        run.stderr,
        report.text()
    );
    assert!(report.text().contains("Response time percentiles of each shard in ms"), "{}", report.text());
    for (live, again) in live.iter().zip(&again) {
        let [live, again] = [live, again].map(|file| std::fs::read_to_string(file).unwrap());
        assert_eq!(live, again);
        assert!(live.contains("shard 2 is slower than the other shards together: p50 "), "{live}");
    }
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(&live[1]).unwrap()).unwrap();
    assert_eq!((&summary["shards"][2]["is_odd"], &summary["shards"][1]["is_odd"]), (&true.into(), &false.into()));
    let markdown = std::fs::read_to_string(&live[0]).unwrap();
    assert!(markdown.contains("| ⚠️ shard 2 | 3000 |") && markdown.contains("| shard 3 | 3000 |"), "{markdown}");

    let piped = Run::new(["merge", "-"]).input(&interleaved(&streams)).finish().exits(0);
    assert_eq!(piped.stdout, std::fs::read(&master).unwrap(), "files and a pipe give the same lines");
}

#[test]
fn equal_shards_are_shown_and_none_is_named() {
    let scratch = Scratch::new("merge-even");
    let merged = merge(&files(&scratch, &streams(&[1.0; 3])), &[]).exits(0);
    assert_eq!(warnings(&merged.stream()), Vec::<String>::new());
    for line in merged.stream().of("shard") {
        let percentiles = line.get("percentiles").as_array().unwrap();
        let numbers =
            percentiles.iter().map(|value| ["low_us", "us", "high_us"].map(|key| value[key].as_u64().unwrap()));
        assert!(percentiles.len() == 3 && numbers.into_iter().all(|three| three.is_sorted()), "{}", line.0);
    }
}

#[test]
fn a_master_stream_of_an_earlier_version_is_reported_without_shards() {
    let scratch = Scratch::new("merge-old-master");
    let merged = merge(&files(&scratch, &streams(&[1.0, 1.0])), &[]).exits(0);
    let lines = merged.text().lines().filter(|line| !line.contains("swarmline.metric.shard"));
    let mut old = String::new();
    for (seq, line) in (1..).zip(lines) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["telemetry"]["seq"] = seq.into();
        if line["telemetry"]["telemetry_name"] == "swarmline.event.run.end" {
            line["telemetry"]["lines"] = seq.into();
        }
        old += &line.to_string();
        old.push('\n');
    }
    let json = scratch.file("s.json");
    let report = Run::new(["report", &scratch.write("old.ndjson", old), "--json-file", &json]).finish().exits(0);
    assert!(!report.text().contains("each shard"), "{}", report.text());
    assert!(!std::fs::read_to_string(json).unwrap().contains("\"shards\""));
    let master = scratch.write("master.ndjson", merged.stdout);
    let refused = merge(&[master], &[]).exits(4);
    assert!(
        refused.stderr.contains("this stream was written by merge; pass the streams of its shards"),
        "{}",
        refused.stderr
    );
}
