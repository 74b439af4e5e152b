//! How often intervals hold the true value, how often a build that is compared with itself is found worse, and how often
//! a slower one is: over synthetic runs whose truth is known. `make study` runs it; the results are in STUDY.md.
//!
//! A run has a level of its own (standard deviation 1 %), its ticks vary around it by 3 % and are correlated with the one
//! before, and each tick has 200 requests with log-normal times.
//!
//! With `STUDY_EXAMPLES=FILE` it writes examples with their results instead, for `tests/e2e/statistics_judge.py`, which computes
//! the same by scipy and statsmodels.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of some milliseconds")]

use std::process::ExitCode;

use serde_json::{Value, json};
use swarmline::plan::random::Random;
use swarmline::stats::build_comparison::{Compared, EndpointRuns, Finding, Measure, RunOfEndpoint, compare};
use swarmline::stats::comparison::{Failures, WorseWhen};
use swarmline::stats::confidence::{Figure, LEVEL, TickSeries};
use swarmline::stats::packed::{PackedHistogram, PackedTimes};
use swarmline::stats::sum::Sum;

/// Median of the times, in microseconds.
const MEDIAN_US: f64 = 10_000.0;
/// Spread of single times, on the logarithmic scale.
const TIME_SD: f64 = 0.3;
const TICK_SD: f64 = 0.03;
const RUN_SD: f64 = 0.01;
const TICKS: usize = 60;
const REQUESTS: usize = 200;

struct Generator(Random);

impl Generator {
    /// A standard normal variable, by the polar method of Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.0.unit()).cos()
    }

    /// The ticks of a run whose times have this factor.
    fn run(&mut self, factor: f64, correlation: f64) -> Vec<PackedTimes> {
        let mut level = self.normal() * TICK_SD;
        let innovation = TICK_SD * (1.0 - correlation * correlation).sqrt();
        (0..TICKS)
            .map(|_| {
                level = correlation * level + innovation * self.normal();
                let scale = MEDIAN_US * factor * level.exp();
                let mut us: Vec<u64> =
                    (0..REQUESTS).map(|_| (scale * (TIME_SD * self.normal()).exp()) as u64).collect();
                us.sort_unstable();
                let mut sum = Sum::default();
                for us in &us {
                    sum.record(*us);
                }
                PackedTimes { sum, histogram: PackedHistogram::of(us.into_iter().map(|us| (us, 1))) }
            })
            .collect()
    }

    /// An endpoint in one run, whose times have this factor apart from the run's own level.
    fn endpoint(&mut self, factor: f64) -> RunOfEndpoint {
        let own_level = (RUN_SD * self.normal()).exp();
        let ticks = self.run(factor * own_level, 0.5);
        let series = TickSeries::new(ticks.iter().map(|tick| (1.0, tick)));
        let failures = Failures { failed: 0, completed: (TICKS * REQUESTS) as u64 };
        RunOfEndpoint { values: series.values(), within: series.estimates(self.0.bits()), failures }
    }
}

/// Of 100 intervals, how many hold the true value.
fn coverage(runs: u64, correlation: f64) -> [f64; Figure::ALL.len()] {
    // Quantiles of the times of all ticks together: log-normal with both variances.
    let sd = TIME_SD.hypot(TICK_SD);
    let truth = [
        MEDIAN_US,
        MEDIAN_US * (1.644_853_627 * sd).exp(),
        MEDIAN_US * (2.326_347_874 * sd).exp(),
        MEDIAN_US * (sd * sd / 2.0).exp(),
        REQUESTS as f64,
    ];
    let mut held = [0_u32; Figure::ALL.len()];
    for seed in 0..runs {
        let mut generator = Generator(Random::seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let ticks = generator.run(1.0, correlation);
        let estimates = TickSeries::new(ticks.iter().map(|tick| (1.0, tick))).estimates(seed);
        for figure in Figure::ALL {
            let (low, high) = estimates[figure.index()].map_or((0.0, 0.0), |estimate| estimate.interval(LEVEL));
            held[figure.index()] += u32::from((low - 1e-9..=high + 1e-9).contains(&truth[figure.index()]));
        }
    }
    held.map(|held| f64::from(held) * 100.0 / runs as f64)
}

/// Of 100 comparisons, how many find anything worse.
fn found(comparisons: u64, (endpoints, runs): (usize, usize), slower: f64, tolerance: f64) -> f64 {
    let finds = |seed: u64| {
        let mut generator = Generator(Random::seeded(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 7));
        let mut side = |factor| (0..runs).map(|_| generator.endpoint(factor)).collect::<Vec<_>>();
        let endpoints: Vec<EndpointRuns> =
            (0..endpoints).map(|_| EndpointRuns { baseline: side(1.0), runs: side(slower) }).collect();
        compare(&endpoints, tolerance).iter().flatten().any(|row| row.finding == Finding::Worse)
    };
    let found = (0..comparisons).filter(|seed| finds(*seed)).count();
    found as f64 * 100.0 / comparisons as f64
}

/// Runs with independent ticks: how often each time in microseconds occurred in each tick, and the interval of each figure.
fn example_runs(runs: u64) -> Vec<Value> {
    let example = |seed: u64| {
        let ticks = Generator(Random::seeded(seed)).run(1.0, 0.0);
        let estimates = TickSeries::new(ticks.iter().map(|tick| (1.0, tick))).estimates(seed);
        let interval = |figure: Figure| estimates[figure.index()].map(|estimate| estimate.interval(LEVEL));
        let times = |tick: &PackedTimes| tick.histogram.iter().collect::<Vec<_>>();
        let ticks: Vec<_> = ticks.iter().map(times).collect();
        let [p50, p95, mean] = [Figure::P50, Figure::P95, Figure::Mean].map(interval);
        json!({ "ticks": ticks, "p50": p50, "p95": p95, "mean": mean })
    };
    (0..runs).map(example).collect()
}

/// Comparisons of builds of which some are slower: each judged figure of each run, and what was found.
fn example_comparisons(comparisons: u64) -> Vec<Value> {
    let example = |seed: u64| {
        let mut generator = Generator(Random::seeded(seed ^ 0x5eed));
        let (slower, tolerance) = (1.0 + 0.03 * (seed % 4) as f64, 0.01 * (seed % 3) as f64);
        let mut side = |factor| (0..3 + seed % 3).map(|_| generator.endpoint(factor)).collect::<Vec<_>>();
        let endpoints: Vec<EndpointRuns> =
            (0..=seed % 2).map(|_| EndpointRuns { baseline: side(1.0), runs: side(slower) }).collect();
        let compared = compare(&endpoints, tolerance);
        let of_endpoint = |(endpoint, rows): (&EndpointRuns, &[Compared; Measure::ALL.len()])| {
            rows.iter().filter_map(|row| example_row(endpoint, row, tolerance)).collect::<Vec<_>>()
        };
        let rows: Vec<Value> = endpoints.iter().zip(&compared).flat_map(of_endpoint).collect();
        json!({ "tolerance": tolerance, "rows": rows })
    };
    (0..comparisons).map(example).collect()
}

fn example_row(endpoint: &EndpointRuns, row: &Compared, tolerance: f64) -> Option<Value> {
    let Measure::Figure(figure) = row.measure else { return None };
    let place = figure.index();
    let of_run = |run: &RunOfEndpoint| json!([run.values[place], run.within[place].map(|within| within.error)]);
    let difference = row.difference.filter(|_| row.measure.is_judged())?;
    Some(json!({
        "baseline": endpoint.baseline.iter().map(of_run).collect::<Vec<_>>(),
        "runs": endpoint.runs.iter().map(of_run).collect::<Vec<_>>(),
        "p": difference.p_worse(WorseWhen::Higher, tolerance),
        "margin": difference.margin(),
        "is_same": difference.is_same(tolerance),
        "is_worse": row.finding == Finding::Worse,
    }))
}

/// Failures of two sides, and the probability of as many.
fn example_failures() -> Vec<Value> {
    let cases =
        [(0, 1000, 3, 1000), (5, 1000, 9, 800), (40, 5000, 30, 2000), (100, 1000, 160, 1000), (7, 7000, 0, 500)];
    let cases = cases.into_iter().flat_map(|case| [0.0, 0.1].map(|tolerance| (case, tolerance)));
    let example = |((failed, completed, more, of), tolerance): ((u64, u64, u64, u64), f64)| {
        let (baseline, runs) = (Failures { failed, completed }, Failures { failed: more, completed: of });
        let p = runs.p_more_than(baseline, tolerance);
        json!({ "baseline": [failed, completed], "runs": [more, of], "tolerance": tolerance, "p": p })
    };
    cases.map(example).collect()
}

fn write_examples(file: &str) -> ExitCode {
    let (runs, comparisons, failures) = (example_runs(40), example_comparisons(200), example_failures());
    let examples = json!({ "runs": runs, "comparisons": comparisons, "failures": failures });
    match std::fs::write(file, examples.to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{file}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    if let Ok(file) = std::env::var("STUDY_EXAMPLES") {
        return write_examples(&file);
    }
    let number =
        |name: &str, default: u64| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or(default));
    let (runs, comparisons) = (number("STUDY_RUNS", 1000), number("STUDY_COMPARISONS", 2000));
    let mut is_met = true;
    let mut line = |what: String, value: f64, bar: f64, is_at_least: bool| {
        let met = if is_at_least { value >= bar } else { value <= bar };
        is_met &= met;
        let (sign, word) = (if is_at_least { "at least" } else { "at most" }, if met { "met" } else { "MISSED" });
        println!("| {what} | {value:.1} | {sign} {bar:.0} | {word} |");
    };
    println!("| of 100 | found | bar | |\n| --- | --- | --- | --- |");
    for (correlation, bar) in [(0.0, 93.0), (0.5, 90.0)] {
        let names = ["p50", "p95", "p99", "mean", "rate"];
        for (name, held) in names.iter().zip(coverage(runs, correlation)) {
            line(format!("intervals of {name} that hold the true value, correlation {correlation}"), held, bar, true);
        }
    }
    for endpoints in [1, 5] {
        let share = found(comparisons, (endpoints, 3), 1.0, 0.0);
        line(
            format!("3 runs against 3 of the same build, {endpoints} endpoints, tolerance 0: worse"),
            share,
            6.0,
            false,
        );
    }
    let share = found(comparisons / 4, (1, 5), 1.05, 0.02);
    line("5 runs against 5 of a build 5 % slower, tolerance 2 %: worse".to_owned(), share, 80.0, true);
    if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
