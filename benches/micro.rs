//! The cost of each part of the hot path on its own: nanoseconds per operation and operations per second,
//! medians of five.
//!
//! `cargo bench --locked --bench micro`; an argument selects the parts whose names contain it. Each part
//! prints one line `<name> <ns> ns/op <n> ops/s`, which `benches/run.py` reads.

use std::hint::black_box;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use swarmline::clock::{Clock, Moment};
use swarmline::load::http::response::body::BodyReader as ResponseBody;
use swarmline::load::http::response::head::{HeadScan, ResponseExtent};
use swarmline::load::swarm::outcome_sender::OutcomeSender;
use swarmline::outcome::{DueTime, Ending, Outcome, Traffic};
use swarmline::plan::endpoint::EndpointId;
use swarmline::plan::random::Random;
use swarmline::plan::schedule::arrivals::{Arrivals, Spacing};
use swarmline::report::collector::Collector;
use swarmline::stats::aggregate::Aggregate;
use swarmline::stats::histogram::{Precision, TimeHistogram};
use swarmline::telemetry::hdr::encode::pieces;
use swarmline::telemetry::line::{Envelope, StreamSource};
use swarmline::telemetry::record::{Gauge, Record, RecordBody};
use swarmline::vocabulary::Phase;

/// Number of runs of each part; the median counts.
const RUNS: usize = 5;

/// The same values as in `src/run/mod.rs`, `src/run/aggregator.rs` and `src/run/ledger.rs`.
const QUEUE: usize = 16 * 1024;
const DRAIN_PAUSE: Duration = Duration::from_millis(5);
const MAX_PER_PASS: usize = 8 * 1024;
const BATCH: usize = 128;

/// A benchmark: its name, its number of operations, and a function that performs that many.
type Benchmark = (&'static str, u32, fn(u32));

const BENCHMARKS: [Benchmark; 10] = [
    ("aggregate-record", 2_000_000, aggregate_record),
    ("arrivals-constant", 5_000_000, arrivals_constant),
    ("arrivals-poisson", 5_000_000, arrivals_poisson),
    ("channel-64-senders", 3_200_000, channel_64),
    ("channel-4-senders", 3_200_000, channel_4),
    ("histogram-encode-10000", 300, histogram_encode),
    ("response-parse", 2_000_000, response_parse),
    ("line-mem", 300_000, line_mem),
    ("clock-now", 10_000_000, clock_now),
    ("report-copy", 200, report_copy),
];

fn main() {
    // Cargo passes --bench; arguments without a dash select benchmarks.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    for (name, operations, work) in BENCHMARKS.into_iter().filter(|(name, ..)| is_wanted(name)) {
        let mut runs: Vec<Duration> = (0..RUNS).map(|_| timed(operations, work)).collect();
        runs.sort();
        let seconds = runs[RUNS / 2].as_secs_f64() / f64::from(operations);
        println!("{name:<24} {:>12.1} ns/op {:>14.0} ops/s", seconds * 1e9, 1.0 / seconds);
    }
}

fn timed(operations: u32, work: fn(u32)) -> Duration {
    let began = Instant::now();
    work(operations);
    began.elapsed()
}

/// The outcomes that a user sends for small responses: times of around a millisecond vary, so that many slots
/// are used.
fn outcomes() -> Vec<Outcome> {
    let mut random = Random::seeded(7);
    let mut now = 0_u64;
    let mut next = || {
        now += 20_000;
        let service = 200_000 + random.bits() % 2_000_000;
        let (sent, done) = (Moment::from_nanos(now), Moment::from_nanos(now + service));
        let traffic = Traffic {
            first_byte: Some(Moment::from_nanos(now + service - 1_000)),
            status: 200,
            content_length: 3,
            bytes_in: 3,
            ..Traffic::default()
        };
        Outcome::new(EndpointId(0), DueTime::WhenSent, (sent, done), traffic, Ending::Ok)
    };
    (0..4096).map(|_| next()).collect()
}

fn aggregate_record(operations: u32) {
    let outcomes = outcomes();
    let mut aggregate = Aggregate::new(1);
    for outcome in outcomes.iter().cycle().take(operations as usize) {
        aggregate.record(black_box(outcome));
    }
    black_box(aggregate.close_interval(Phase::Steady));
}

fn arrivals_constant(operations: u32) {
    due_times(&Arrivals::constant(1e6, Spacing::Constant), operations);
}

fn arrivals_poisson(operations: u32) {
    due_times(&Arrivals::constant(1e6, Spacing::Poisson { seed: 1 }), operations);
}

fn due_times(arrivals: &Arrivals, operations: u32) {
    for due in arrivals.due().take(operations as usize) {
        black_box(due);
    }
}

fn channel_64(operations: u32) {
    channel(64, operations);
}

fn channel_4(operations: u32) {
    channel(4, operations);
}

/// The path of outcomes: `users` threads send, one drains like the aggregator does, and the users help if it
/// falls behind; nothing is counted.
fn channel(users: u32, operations: u32) {
    let outcomes = outcomes();
    let (sender, receiver) = bounded(QUEUE);
    let drainer = Drainer { outcomes: receiver, turn: Mutex::new(()) };
    let relieve = || drainer.help_drain();
    let outlet = OutcomeSender::new(sender, &relieve);
    std::thread::scope(|scope| {
        for _ in 0..users {
            let outlet = outlet.clone();
            let outcomes = outcomes.iter().cycle();
            scope.spawn(move || {
                for outcome in outcomes.take((operations / users) as usize) {
                    black_box(outlet.send(*outcome));
                }
            });
        }
        drop(outlet);
        drainer.drain();
    });
}

/// The shared aggregate of a run, without the aggregate.
struct Drainer {
    outcomes: Receiver<Outcome>,
    turn: Mutex<()>,
}

impl Drainer {
    fn drain(&self) {
        while let Ok(first) = self.outcomes.recv() {
            black_box(first);
            let mut looked = 0;
            loop {
                let some = self.turn.lock().map_or(0, |_turn| self.drain_batch());
                looked += some;
                if some < BATCH || looked >= MAX_PER_PASS {
                    break;
                }
            }
            if looked < MAX_PER_PASS {
                std::thread::sleep(DRAIN_PAUSE);
            }
        }
    }

    fn help_drain(&self) {
        if let Ok(_turn) = self.turn.try_lock() {
            self.drain_batch();
        }
    }

    fn drain_batch(&self) -> usize {
        self.outcomes.try_iter().take(BATCH).map(black_box).count()
    }
}

fn histogram_encode(operations: u32) {
    let mut histogram = TimeHistogram::new(Precision::Fine);
    let mut random = Random::seeded(3);
    (0..10_000).for_each(|_| histogram.record(200 + random.bits() % 2_000));
    for _ in 0..operations {
        black_box(pieces(black_box(&histogram), 2400));
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 21:00:23 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n";

fn response_parse(operations: u32) {
    for _ in 0..operations {
        let input = black_box(ANSWER);
        let Ok(Some(head)) = HeadScan::default().parse(input, ResponseExtent::HeadAndBody) else {
            unreachable!("the response above is complete")
        };
        let fed = ResponseBody::new(head.framing).feed(&input[head.len..], |_| {});
        assert!(fed.is_ok_and(|fed| fed.complete), "the response above is complete");
    }
}

fn line_mem(operations: u32) {
    let clock = Clock::start_now();
    let envelope = Envelope::new(StreamSource::Local, "0123abcd", "127.0.0.1:8080", clock);
    let body = RecordBody::Mem(Gauge { value: 12.5, unit: "MiB" });
    let record = Record { at: clock.now(), tick: Some(3), body };
    let mut line = Vec::new();
    for seq in 0..u64::from(operations) {
        envelope.write(black_box(&record), seq, &mut line);
        black_box(&line);
    }
}

fn clock_now(operations: u32) {
    let clock = Clock::start_now();
    for _ in 0..operations {
        black_box(clock.now());
    }
}

/// The stream whose lines are repeated, and the ticks and endpoints that they are made to be of.
const STREAM: &str = include_str!("../tests/corpus/streams/alone.ndjson");
const TICKS: u64 = 4000;
const ENDPOINTS: u64 = 200;

/// What the writer waits for when a live page asks: a copy of the report after 4,000 ticks of 200 endpoints.
fn report_copy(operations: u32) {
    static COLLECTOR: OnceLock<Collector> = OnceLock::new();
    let collector = COLLECTOR.get_or_init(long_run);
    for _ in 0..operations {
        black_box(collector.snapshot());
    }
}

fn long_run() -> Collector {
    let mut collector = Collector::new("the stream");
    let line = |kind: &str| STREAM.lines().find(|line| line.contains(kind)).unwrap_or_default();
    let kinds = ["swarmline.metric.interval", "swarmline.metric.health"];
    let [interval, health] = kinds.map(|kind| serde_json::from_str::<serde_json::Value>(line(kind)));
    let (Ok(mut interval), Ok(mut health)) = (interval, health) else { return collector };
    let mut seq = 0;
    let mut add = |line: &mut serde_json::Value| {
        seq += 1;
        line["telemetry"]["seq"] = seq.into();
        // A line that the reader refuses shows in the count of points below.
        let _ = collector.add_line(line.to_string().as_bytes());
    };
    for tick in 0..TICKS {
        let (start, end) = (moment(tick), moment(tick + 1));
        for line in [&mut interval, &mut health] {
            line["time"] = end.clone().into();
            line["telemetry"]["tick"] = (tick + 1).into();
            line["telemetry"]["interval_start"] = start.clone().into();
            line["telemetry"]["interval_end"] = end.clone().into();
        }
        for endpoint in 0..ENDPOINTS {
            interval["telemetry"]["name"] = format!("/{endpoint}").into();
            add(&mut interval);
        }
        add(&mut health);
    }
    let points = collector.snapshot().map_or(0, |model| model.run.timeline.points().len());
    assert!(points as u64 >= TICKS / 2, "{points} points: the lines were refused");
    collector
}

fn moment(second: u64) -> String {
    swarmline::clock::rfc3339(Duration::from_secs(1_764_000_000 + second))
}
