//! How near the search for the highest rate comes: a thousand searches of each of some simulated queues whose capacity
//! theory knows. `make study` runs it; the results are in STUDY.md.

use std::process::ExitCode;

use swarmline::capacity::search::{Answer, SearchSettings};
use swarmline::plan::random::Random;

#[path = "../tests/it/capacity_search/queue.rs"]
mod queue;

use queue::{Lengths, Queue, Searched, Service};

/// Answers of 100 that must be within the precision.
const BAR: f64 = 95.0;

/// Answers of 100 that may be above the capacity by more than the precision.
const MAX_ABOVE: f64 = 1.0;

const SETTINGS: SearchSettings = SearchSettings { from: 10.0, to: None, precision: 0.05 };

/// A row of the table.
#[derive(Clone, Copy)]
struct Row {
    queue: Queue,
    /// Length of the measured part of a step, in seconds; it settles for a third of that.
    step_time: f64,
    /// Whether the steps have requests enough for the bar.
    is_enough: bool,
}

const fn row(servers: u32, service: Service, ms: f64, (percent, below_ms): (f64, f64), step_time: f64) -> Row {
    let queue = Queue { servers, service, mean: ms / 1000.0, quantile: percent / 100.0, below: below_ms / 1000.0 };
    Row { queue, step_time, is_enough: true }
}

/// A row that is expected to miss the bar.
const fn short(row: Row) -> Row {
    Row { is_enough: false, ..row }
}

const ROWS: [Row; 12] = [
    row(1, Service::Exponential, 2.0, (99.0, 50.0), 15.0),
    row(1, Service::Exponential, 1.0, (99.0, 20.0), 15.0),
    row(1, Service::Constant, 2.0, (99.0, 20.0), 15.0),
    row(1, Service::Constant, 1.0, (99.0, 10.0), 15.0),
    row(4, Service::Exponential, 10.0, (99.0, 100.0), 15.0),
    row(16, Service::Exponential, 20.0, (99.0, 150.0), 15.0),
    row(64, Service::Exponential, 50.0, (99.0, 300.0), 15.0),
    row(4, Service::Exponential, 10.0, (95.0, 60.0), 15.0),
    short(row(1, Service::Exponential, 5.0, (95.0, 50.0), 15.0)),
    row(1, Service::Exponential, 5.0, (95.0, 50.0), 60.0),
    short(row(1, Service::Exponential, 2.0, (99.0, 20.0), 15.0)),
    row(1, Service::Exponential, 2.0, (99.0, 20.0), 60.0),
];

/// What a thousand searches of one queue found.
#[derive(Default)]
struct Totals {
    within: u32,
    above: u32,
    below: u32,
    not_stable: u32,
    max_error: f64,
    steps: u32,
    max_steps: u32,
    seconds: f64,
}

impl Totals {
    fn add(&mut self, Searched { answer, steps, seconds }: Searched, capacity: f64) {
        self.steps += steps;
        self.max_steps = self.max_steps.max(steps);
        self.seconds += seconds;
        let Answer::Found(rate) = answer else {
            self.not_stable += 1;
            return;
        };
        let error = rate / capacity - 1.0;
        self.max_error = self.max_error.max(error);
        let count = match error {
            error if error > SETTINGS.precision => &mut self.above,
            error if error < -SETTINGS.precision => &mut self.below,
            _ => &mut self.within,
        };
        *count += 1;
    }
}

/// Steps that a search takes at most: from 10 up or down to the capacity, then four times (once, and after each of three
/// rechecks) the halvings of an interval, the confirmations and a recheck. Doubling again after a recheck is part of the
/// first.
fn most_steps(capacity: f64) -> u32 {
    let (mut doublings, mut rate) = (2, SETTINGS.from);
    while rate < capacity {
        rate *= 2.0;
        doublings += 1;
    }
    let halvings = 5;
    doublings + 4 * (halvings + 5 + 1)
}

fn main() -> ExitCode {
    let searches: u32 = std::env::var("STUDY_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let mut is_met = true;
    println!(
        "| queue | check | step | capacity | load | within 5 % | over 5 % above | below | not stable | most above | steps \
         | at most (bound) | minutes | |\n|{}",
        " --- |".repeat(14)
    );
    for Row { queue, step_time, is_enough } in ROWS {
        let capacity = queue.capacity();
        let lengths = Lengths { settle: step_time / 3.0, measure: step_time };
        let mut totals = Totals::default();
        for seed in 0..u64::from(searches) {
            totals.add(queue.search(SETTINGS, lengths, &mut Random::seeded(seed << 32 | 0x5eed)), capacity);
        }
        let of_100 = |count: u32| f64::from(count) * 100.0 / f64::from(searches);
        let bound = most_steps(capacity);
        let holds = of_100(totals.within) >= BAR && of_100(totals.above) <= MAX_ABOVE && totals.max_steps <= bound;
        is_met &= holds || !is_enough;
        let word = match (holds, is_enough) {
            (true, _) => "met",
            (false, true) => "MISSED",
            (false, false) => "too few requests",
        };
        let letter = if queue.service == Service::Constant { "D" } else { "M" };
        println!(
            "| M/{letter}/{} of {:.0} ms | p{:.0} < {:.0} ms | {step_time:.0} s | {capacity:.1}/s | {:.0} % | {:.1} | {:.1} | \
             {:.1} | {:.1} | {:+.1} % | {:.1} | {} ({bound}) | {:.1} | {word} |",
            queue.servers,
            queue.mean * 1000.0,
            queue.quantile * 100.0,
            queue.below * 1000.0,
            capacity * queue.mean / f64::from(queue.servers) * 100.0,
            of_100(totals.within),
            of_100(totals.above),
            of_100(totals.below),
            of_100(totals.not_stable),
            totals.max_error * 100.0,
            f64::from(totals.steps) / f64::from(searches),
            totals.max_steps,
            totals.seconds / 60.0 / f64::from(searches),
        );
    }
    if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
