#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times of some milliseconds")]

use super::*;
use crate::plan::random::Random;

/// A run of shards that differ by `factor`, with noise that is common to all shards of a tick, noise of a shard that lasts
/// over several ticks (AR(1), 0.5), and times with a long tail.
fn run(seed: u64, ticks: u32, requests: u32, factors: &[f64]) -> Vec<ShardTimes> {
    let mut random = Random::seeded(seed);
    let normal = |random: &mut Random| (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
    let mut own = vec![0.0; factors.len()];
    let mut comparison = ShardComparison::default();
    for _ in 0..ticks {
        let common = (0.3 * normal(&mut random)).exp();
        let mut parts = Vec::new();
        for (index, factor) in factors.iter().enumerate() {
            own[index] = 0.5 * own[index] + 0.03 * normal(&mut random);
            let mut times = TimeHistogram::new(Precision::Coarse);
            for _ in 0..requests {
                let us = 5_000.0 * (0.5 * normal(&mut random) + own[index]).exp() * common * factor;
                times.record(us as u64);
            }
            parts.push((u32::try_from(index).unwrap(), times));
        }
        comparison.add_tick(&parts);
    }
    comparison.results()
}

fn odd(results: &[ShardTimes]) -> Vec<(u32, Oddity)> {
    let oddity = |times: &ShardTimes| times.percentiles.iter().find_map(|percentile| percentile.oddity);
    results.iter().filter_map(|times| Some((times.shard, oddity(times)?))).collect()
}

#[test]
fn the_one_slow_shard_is_named_and_no_other() {
    for seed in 0..10 {
        let results = run(seed, 40, 50, &[1.0, 1.0, 1.5, 1.0]);
        assert_eq!(odd(&results), [(2, Oddity::Slower)], "seed {seed}: {results:?}");
    }
    assert_eq!(odd(&run(1, 40, 50, &[1.0, 1.6])), [(1, Oddity::Slower)], "the slower one of two");
    assert_eq!(odd(&run(1, 40, 50, &[1.0, 0.5, 1.0])), [(1, Oddity::Faster)]);
}

#[test]
fn of_equal_shards_at_most_one_run_in_twenty_names_any() {
    let mut named = 0;
    for seed in 0..100 {
        named += u32::from(!odd(&run(seed, 24, 20, &[1.0; 4])).is_empty());
    }
    assert!(named <= 5, "{named} of 100");
}

#[test]
fn a_difference_that_does_not_matter_is_not_named() {
    assert_eq!(odd(&run(3, 200, 200, &[1.0, 1.05, 1.0])), []);
}

#[test]
fn too_few_ticks_or_requests_give_no_interval_and_name_none() {
    let intervals = |results: &[ShardTimes]| results[0].percentiles.iter().filter(|p| p.interval_us.is_some()).count();
    let short = run(1, 19, 100, &[1.0, 3.0]);
    assert_eq!((intervals(&short), odd(&short)), (0, vec![]));
    assert_eq!(intervals(&run(1, 20, 100, &[1.0, 1.0])), 3);
    assert_eq!(intervals(&run(1, 20, 40, &[1.0, 1.0])), 2, "fewer than 10 requests are beyond p99");
}

#[test]
fn a_shard_that_was_there_only_while_the_service_was_slow_is_not_named() {
    let mut random = Random::seeded(7);
    let mut comparison = ShardComparison::default();
    for tick in 0..80 {
        let base = if tick < 40 { 50_000.0 } else { 1_000.0 };
        let shards = if tick < 40 { 3 } else { 2 };
        let part = |index| {
            let mut times = TimeHistogram::new(Precision::Coarse);
            (0..50).for_each(|_| times.record((base * (0.5 + random.unit())) as u64));
            (index, times)
        };
        comparison.add_tick(&(0..shards).map(part).collect::<Vec<_>>());
    }
    let results = comparison.results();
    assert!(results[2].percentiles[0].us > 10 * results[0].percentiles[0].us, "{results:?}");
    assert_eq!(odd(&results), []);
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    let mut comparison = ShardComparison::default();
    let mut times = TimeHistogram::new(Precision::Coarse);
    times.record(1000);
    for _ in 0..10_000 {
        comparison.add_tick(&[(0, times.clone()), (1, times.clone())]);
    }
    assert!(comparison.shards.values().all(|series| series.batches.len() <= MAX_BATCHES && series.ticks == 10_000));
    let results = comparison.results();
    assert_eq!(
        results[0].percentiles[0],
        ShardPercentile { permille: 500, us: 1003, others_us: Some(1003), interval_us: None, oddity: None }
    );
}
