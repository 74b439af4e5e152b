//! Streams as the shards of one run write them, made without a server or a network: to measure `swarmline merge`.
//!
//! `shard_streams DIR SHARDS MEGABYTES [SAMPLES]` writes DIR/run-<k>.ndjson for each shard, all of them together about
//! so large; ten endpoints with SAMPLES (1,000) requests each a tick, one in fifty failed. Lines are made by the code that
//! makes them in a run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use swarmline::cli::{self, Command, Invocation, Variables};
use swarmline::clock::{Clock, Moment, rfc3339};
use swarmline::error::{Error, Result};
use swarmline::event::{Flight, Reason};
use swarmline::machine::sampler::Sample;
use swarmline::outcome::{Ending, Failure, Outcome, Traffic, Turn};
use swarmline::plan::endpoint::EndpointId;
use swarmline::plan::random::Random;
use swarmline::plan::{Plan, Surroundings};
use swarmline::stats::aggregate::Aggregate;
use swarmline::stats::stalls::Overslept;
use swarmline::stats::verdict::{Evidence, Judgement};
use swarmline::telemetry::ending::RunEnding;
use swarmline::telemetry::line::{Envelope, Source};
use swarmline::telemetry::look::{Count, Look};
use swarmline::telemetry::ours::{Place, WireShard};
use swarmline::telemetry::record::{Body, Record};
use swarmline::telemetry::recorder::Recorder;

const ENDPOINTS: u32 = 10;
const INTERVAL: Duration = Duration::from_secs(3);

/// A multiple of the interval: 2026-11-23T10:00:00Z.
const START: Duration = Duration::from_secs(1_795_428_000);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let (Some(folder), Some(shards), Some(megabytes)) = (words.first(), number(1), number(2)) else {
        println!("shard_streams: DIR SHARDS MEGABYTES [SAMPLES]");
        return ExitCode::SUCCESS;
    };
    let samples = number(3).unwrap_or(1000);
    let each = megabytes * 1_000_000 / shards.max(1);
    for index in 0..u32::try_from(shards).unwrap_or(0) {
        let shard = WireShard { index, count: u32::try_from(shards).unwrap_or(1), engine: None };
        if let Err(why) = write(Path::new(folder), &shard, each, samples) {
            eprintln!("shard_streams: {why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn plan() -> Result<Plan> {
    let paths = (0..ENDPOINTS).map(|n| format!("/items/{n}"));
    let line = ["swarmline", "run", "-H", "http://127.0.0.1:8080", "--run-id", "bench"].map(str::to_owned);
    let line = line.into_iter().chain(paths).map(OsString::from);
    let Invocation::Command(Command::Run(flags), origins) = cli::parse(line, Variables::Ignored)? else {
        return Err(Error::usage("shard_streams", "the line is a run"));
    };
    let surroundings = Surroundings { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() };
    Plan::from_flags(&flags, &origins, surroundings)
}

/// One shard's stream.
fn write(folder: &Path, shard: &WireShard, bytes: u64, samples: u64) -> Result<()> {
    let plan = plan()?;
    let clock = Clock::of_stream(START);
    let mut recorder = Recorder::new(&plan, clock, 2.0, Duration::from_millis(10));
    let mut aggregate = Aggregate::new(plan.endpoints().len());
    let mut random = Random::seeded(u64::from(shard.index));
    let path = folder.join(format!("run-{}.ndjson", shard.index));
    let cannot = |why: std::io::Error| Error::usage(path.display().to_string(), why);
    let envelope = Envelope::new(Source::Worker(shard.index), plan.run_id(), plan.testplan(), clock);
    let mut out = Out { file: BufWriter::new(File::create(&path).map_err(cannot)?), envelope, seq: 0, bytes: 0 };
    let place = Place {
        shard: Some(shard.clone()),
        shards: None,
        targets: Vec::new(),
        available_cpus: 2.0,
        open_files_limit: 1024,
        memory_limit_bytes: None,
        started_at: rfc3339(START),
        started_monotonic: 1.0,
    };
    out.write(recorder.start(place)).map_err(cannot)?;
    let mut tick = 0;
    while out.bytes < bytes {
        let at = Moment::at(INTERVAL * tick);
        let count = Count {
            cuts: aggregate.cut(),
            sends: aggregate.take_sends(),
            queue: 0,
            joined: 0,
            aggregator_cpu: INTERVAL,
        };
        out.write(recorder.tick(look(tick, at), &aggregate, &count)).map_err(cannot)?;
        for endpoint in 0..ENDPOINTS {
            (0..samples).for_each(|_| aggregate.record(&outcome(endpoint, at, &mut random)));
        }
        tick += 1;
    }
    let at = Moment::at(INTERVAL * tick);
    let count =
        Count { cuts: aggregate.cut(), sends: aggregate.take_sends(), queue: 0, joined: 0, aggregator_cpu: INTERVAL };
    out.write(recorder.tick(look(tick, at), &aggregate, &count)).map_err(cannot)?;
    let counts = aggregate.counts();
    let judgement =
        Judgement::of(Evidence { counts, answered: counts.completed(), unchecked: 1, ..Evidence::default() });
    let ending = RunEnding {
        at,
        stopped_at: at,
        reason: Reason::RunTime,
        users: 100,
        load_end: at,
        unfinished: Vec::new(),
        judgement,
        exit_code: 1,
    };
    out.write(recorder.finish(&ending, &aggregate).collect()).map_err(cannot)?;
    out.file.flush().map_err(cannot)
}

struct Out {
    file: BufWriter<File>,
    envelope: Envelope,
    seq: u64,
    bytes: u64,
}

impl Out {
    fn write(&mut self, records: Vec<Record>) -> std::io::Result<()> {
        let mut line = Vec::new();
        for mut record in records {
            self.seq += 1;
            if let Body::RunEnd(end) = &mut record.body {
                end.lines = self.seq;
            }
            self.envelope.write(&record, self.seq, &mut line);
            self.bytes += line.len() as u64;
            self.file.write_all(&line)?;
        }
        Ok(())
    }
}

fn look(tick: u32, at: Moment) -> Look {
    let number = START.as_secs() / INTERVAL.as_secs() + u64::from(tick);
    let sample = Sample {
        at,
        cpu_time: INTERVAL * tick / 2,
        rss_bytes: 20 << 20,
        network_sent: 1_000_000 * u64::from(tick),
        network_received: 2_000_000 * u64::from(tick),
        throttled: Duration::ZERO,
        open_files: 120,
    };
    let flight = Flight { sent: 0, in_flight: 0, oldest: Duration::ZERO };
    Look {
        tick: number,
        users: 100,
        flight,
        stopped: None,
        sample,
        writer_cpu: Duration::ZERO,
        open_files_limit: 1024,
        overslept: Overslept::default(),
    }
}

/// Times around 20 ms with a long tail, as of a service under load.
fn outcome(endpoint: u32, at: Moment, random: &mut Random) -> Outcome {
    let tail = -(1.0 - random.unit()).ln();
    let took = Duration::from_secs_f64(0.002 * f64::from(endpoint + 1) + 0.015 * tail * tail);
    let sent = at.after(Duration::from_secs_f64(random.unit() * 2.9));
    let ending = if random.below(50) == 0 { Ending::Failed(Failure::Status(503)) } else { Ending::Ok };
    let traffic = Traffic { content_length: 512, bytes_in: 512, ..Traffic::default() };
    Outcome::new(EndpointId(endpoint), Turn::WhenSent, (sent, sent.after(took)), traffic, ending)
}
