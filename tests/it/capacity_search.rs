//! The search for the highest rate, against simulated queues whose capacity is known from theory. `benches/capacity.rs`
//! does a thousand searches of each of more queues.

mod queue;

use queue::{Lengths, Queue, Service};
use swarmline::capacity::search::{Answer, SearchSettings};
use swarmline::capacity::step::StepResult;
use swarmline::plan::random::Random;

const LENGTHS: Lengths = Lengths { settle: 5.0, measure: 15.0 };

const SETTINGS: SearchSettings = SearchSettings { from: 10.0, to: None, precision: 0.05 };

/// Four servers of 10 ms each, `p99 < 100ms`.
const FOUR_SERVERS: Queue = Queue { servers: 4, service: Service::Exponential, mean: 0.01, quantile: 0.99, below: 0.1 };

/// Eight servers of 50 ms each, `p99 < 300ms`: at the low rates in the beginning a step has so few requests that it may fail
/// by chance.
const EIGHT_SERVERS: Queue =
    Queue { servers: 8, service: Service::Exponential, mean: 0.05, quantile: 0.99, below: 0.3 };

/// One server that takes 2 ms each time, `p99 < 20ms`.
const CONSTANT: Queue = Queue { servers: 1, service: Service::Constant, mean: 0.002, quantile: 0.99, below: 0.02 };

#[test]
fn the_capacities_are_those_of_theory() {
    // M/M/1: response times are exponential with the mean 1 / (500 - rate), and their p99 is ln 100 times that.
    let one = Queue { servers: 1, service: Service::Exponential, mean: 0.002, quantile: 0.99, below: 0.05 };
    assert!((one.capacity() - (500.0 - 100_f64.ln() / 0.05)).abs() < 1e-6);
    // The others hold against steps so long that little is left to chance.
    for (queue, seed) in [(FOUR_SERVERS, 1), (CONSTANT, 2), (EIGHT_SERVERS, 3)] {
        let long = Lengths { settle: 10.0, measure: 1500.0 };
        let step = |factor| queue.step(queue.capacity() * factor, long, &mut Random::seeded(seed));
        assert_eq!(step(0.98), StepResult::Passed);
        assert!(matches!(step(1.02), StepResult::Failed(_)));
    }
}

/// By how much ten answers differ from the capacity.
fn errors(queue: Queue) -> Vec<f64> {
    let capacity = queue.capacity();
    let error = |seed: u64| {
        let searched = queue.search(SETTINGS, LENGTHS, &mut Random::seeded(seed << 32));
        assert!(searched.steps <= 30 && searched.seconds <= 900.0, "{searched:?}");
        let Answer::Found(rate) = searched.answer else { panic!("{searched:?}") };
        rate / capacity - 1.0
    };
    (0..10).map(error).collect()
}

#[test]
fn nearly_all_answers_are_within_the_precision_of_the_capacity_and_none_is_further_above() {
    for queue in [FOUR_SERVERS, CONSTANT] {
        let errors = errors(queue);
        assert!(errors.iter().filter(|error| error.abs() <= 0.05).count() >= 9, "{errors:?}");
        assert!(errors.iter().all(|error| *error <= 0.05), "{errors:?}");
    }
}

#[test]
fn a_step_that_fails_by_chance_at_a_low_rate_does_not_decide_the_answer() {
    let errors = errors(EIGHT_SERVERS);
    assert!(errors.iter().all(|error| error.abs() <= 0.10), "{errors:?}");
}
