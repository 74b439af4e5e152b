use super::*;
use crate::capacity::step::FailReason;
use crate::plan::random::Random;

fn settings(from: f64, to: Option<f64>) -> SearchSettings {
    SearchSettings { from, to, precision: 0.05 }
}

fn failed() -> StepResult {
    StepResult::Failed(vec![FailReason::Check("p99 is 61 ms".to_owned())])
}

/// The steps of a search against a service that `judge` stands for, and the answer.
fn searched(settings: SearchSettings, mut judge: impl FnMut(Step) -> StepResult) -> (Vec<Step>, Answer, Bounds) {
    let mut search = Search::new(settings);
    let mut steps = Vec::new();
    loop {
        match search.next() {
            Next::Step(step) => {
                steps.push(step);
                assert!(steps.len() < 100, "it ends");
                search.record(&judge(step));
            }
            Next::Done(answer) => return (steps, answer, search.bounds()),
        }
    }
}

/// A service that passes up to this rate.
fn limit(rate: f64) -> impl FnMut(Step) -> StepResult {
    move |step| if step.rate <= rate { StepResult::Passed } else { failed() }
}

fn rates(steps: &[Step]) -> Vec<f64> {
    steps.iter().map(|step| step.rate).collect()
}

#[test]
fn the_rate_doubles_until_a_step_fails_and_the_bounds_close_in_on_the_limit() {
    let (steps, answer, bounds) = searched(settings(10.0, None), limit(100.0));
    let narrowed = [10.0, 20.0, 40.0, 80.0, 160.0, 113.1, 95.12, 103.7, 99.32, 101.5];
    assert_eq!(rates(&steps)[..10], narrowed);
    assert!(steps[..10].iter().all(|step| step.kind == StepKind::Search && step.kind.length() == 1));
    let long_steps: Vec<_> = steps[10..].iter().map(|step| (step.rate, step.kind, step.kind.length())).collect();
    assert_eq!(long_steps, [(99.32, StepKind::Confirm(1), 3), (101.5, StepKind::Recheck, 3)]);
    assert_eq!(answer, Answer::Found(99.32));
    assert_eq!(bounds, Bounds { passed: Some(99.32), failed: Some(101.5) });
}

#[test]
fn whatever_the_limit_the_answer_is_below_it_and_within_half_the_precision_in_a_bounded_number_of_steps() {
    for precision in [0.01, 0.05, 0.2] {
        for exponent in 0..200 {
            let capacity = 10_f64.powf(f64::from(exponent) / 40.0);
            let (steps, answer, bounds) =
                searched(SearchSettings { precision, ..settings(10.0, None) }, limit(capacity));
            let Answer::Found(rate) = answer else { panic!("{answer:?}") };
            assert!(rate <= capacity && capacity < rate * (1.0 + precision / 2.0) * 1.0002, "{rate} of {capacity}");
            assert_eq!(bounds.passed, Some(rate));
            let away = (capacity / 10.0).log2().abs().floor() + 2.0;
            let halvings = (2_f64.ln() / (precision / 2.0).ln_1p()).log2().ceil();
            assert!(steps.len() as f64 <= away + halvings + 2.0, "{} steps to {capacity}", steps.len());
        }
    }
}

#[test]
fn the_steps_expected_are_those_that_come_when_no_result_is_by_chance() {
    let mut search = Search::new(settings(10.0, None));
    let mut expected = Vec::new();
    while let Next::Step(step) = search.next() {
        expected.push(search.steps_expected());
        search.record(&limit(100.0)(step));
    }
    assert_eq!(expected[..5], [None; 5]);
    assert_eq!(expected[5..], [7, 6, 5, 4, 3, 2, 1].map(Some));
    assert_eq!(search.steps_expected(), Some(0));
}

#[test]
fn it_halves_down_to_1_a_second_if_the_first_step_fails() {
    let (steps, answer, _) = searched(settings(10.0, None), limit(0.5));
    assert_eq!(rates(&steps), [10.0, 5.0, 2.5, 1.25, 1.0]);
    assert_eq!(answer, Answer::NoRate(1.0));
    let (steps, answer, _) = searched(settings(0.1, None), limit(0.05));
    assert_eq!((rates(&steps), answer), (vec![0.1], Answer::NoRate(0.1)));
    let (steps, answer, _) = searched(settings(0.1, None), limit(0.31));
    assert_eq!((rates(&steps)[..3].to_vec(), answer), (vec![0.1, 0.2, 0.4], Answer::Found(0.3084)));
}

#[test]
fn the_highest_rate_asked_for_is_tried_and_confirmed() {
    let (steps, answer, bounds) = searched(settings(10.0, Some(50.0)), limit(1000.0));
    assert_eq!(rates(&steps), [10.0, 20.0, 40.0, 50.0, 50.0]);
    assert_eq!(answer, Answer::ReachedTo(50.0));
    assert_eq!(bounds, Bounds { passed: Some(50.0), failed: None });
    let (_, answer, _) = searched(settings(10.0, Some(50.0)), limit(49.0));
    assert_eq!(answer, Answer::Found(48.63));
}

/// A service with one limit for short steps and another for long ones.
fn limits(short: f64, long: f64) -> impl FnMut(Step) -> StepResult {
    move |step| limit(if step.kind == StepKind::Search { short } else { long })(step)
}

#[test]
fn a_rate_that_fails_a_long_step_is_lowered_by_half_a_precision_up_to_four_times() {
    let confirmed = |steps: &[Step]| rates(&steps[10..]);
    let (steps, answer, bounds) = searched(settings(10.0, None), limits(100.0, 97.0));
    assert_eq!((confirmed(&steps), answer), (vec![99.32, 96.9, 99.32], Answer::Found(96.9)));
    assert_eq!(bounds, Bounds { passed: Some(96.9), failed: Some(99.32) });
    let (steps, answer, bounds) = searched(settings(10.0, None), limits(100.0, 85.0));
    assert_eq!((confirmed(&steps), answer), (vec![99.32, 96.9, 94.54, 92.23, 89.98], Answer::NotStable(99.32)));
    assert_eq!(bounds, Bounds { passed: Some(80.0), failed: Some(89.98) }, "a pass above a failure counts no more");
}

#[test]
fn a_service_that_answers_nothing_any_more_is_not_tried_at_lower_rates() {
    let gone = |step: Step| match step.kind {
        StepKind::Search => limit(100.0)(step),
        StepKind::Confirm(_) | StepKind::Recheck => StepResult::Failed(vec![FailReason::NoAnswer { due: 9 }]),
    };
    let (steps, answer, _) = searched(settings(10.0, None), gone);
    let long = steps.iter().filter(|step| step.kind != StepKind::Search).count();
    assert_eq!((long, answer), (1, Answer::NotStable(99.32)));
}

#[test]
fn a_rate_that_failed_by_chance_is_found_out_and_the_search_goes_on_above_it() {
    let mut first_at_40 = true;
    let (steps, answer, _) = searched(settings(10.0, None), |step| {
        if (39.0..41.0).contains(&step.rate) && std::mem::take(&mut first_at_40) {
            failed()
        } else {
            limit(100.0)(step)
        }
    });
    let recheck = steps.iter().position(|step| step.kind == StepKind::Recheck).map(|at| rates(&steps[at..]));
    assert_eq!(recheck.unwrap()[..3], [40.0, 80.0, 160.0]);
    assert_eq!(answer, Answer::Found(99.32));
    // Above the rate that was rechecked, one failed before.
    let (_, answer, bounds) = searched(settings(10.0, None), limits(95.5, 100.0));
    assert_eq!(answer, Answer::Found(99.32));
    assert_eq!(bounds, Bounds { passed: Some(99.32), failed: Some(101.5) });
}

#[test]
fn a_search_ends_whatever_the_results_are() {
    let mut random = Random::seeded(7);
    for _ in 0..10_000 {
        let share = random.unit();
        let to = Some(1000.0);
        // `searched` counts the steps.
        let (_, answer, bounds) =
            searched(settings(10.0, to), |_| if random.unit() < share { StepResult::Passed } else { failed() });
        if let (Some(passed), Some(failed)) = (bounds.passed, bounds.failed) {
            assert!(passed < failed);
        }
        match answer {
            Answer::Found(rate) => assert!(rate < 1000.0 && bounds.failed.is_some_and(|failed| rate < failed)),
            Answer::ReachedTo(rate) => assert_eq!((rate, bounds.failed), (1000.0, None)),
            Answer::NotStable(near) => assert!((1.0..=1000.0).contains(&near)),
            Answer::NoRate(lowest) => assert_eq!((lowest, bounds.passed), (1.0, None)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_void_step_ends_the_search_with_what_passed() {
    let void_above = |rate| {
        move |step: Step| {
            let why = VoidReason::GeneratorLate;
            if step.rate > rate { StepResult::Void(why) } else { StepResult::Passed }
        }
    };
    let (steps, answer, _) = searched(settings(10.0, None), void_above(100.0));
    assert_eq!(rates(&steps), [10.0, 20.0, 40.0, 80.0, 160.0, 160.0], "it is tried once more");
    assert_eq!(answer, Answer::AtLeast(80.0, VoidReason::GeneratorLate));
    let (_, answer, bounds) = searched(settings(10.0, None), void_above(5.0));
    assert_eq!(answer, Answer::NothingMeasured(VoidReason::GeneratorLate));
    assert_eq!(bounds, Bounds::default());
}

#[test]
fn a_void_recheck_leaves_a_confirmed_answer_as_it_is() {
    let why = VoidReason::DataUsedUp;
    let (_, answer, _) = searched(settings(10.0, None), |step| {
        if step.kind == StepKind::Recheck { StepResult::Void(why) } else { limit(100.0)(step) }
    });
    assert_eq!(answer, Answer::Found(99.32));
    let (_, answer, _) = searched(settings(10.0, None), |step| match step.kind {
        StepKind::Confirm(_) => StepResult::Void(why),
        _ => limit(100.0)(step),
    });
    assert_eq!(answer, Answer::AtLeast(99.32, why));
}

#[test]
fn a_step_in_which_the_generator_was_late_for_once_changes_nothing() {
    let mut is_late = false;
    let (steps, answer, _) = searched(settings(10.0, None), |step| {
        is_late = !is_late;
        if is_late { StepResult::Void(VoidReason::GeneratorLate) } else { limit(100.0)(step) }
    });
    assert_eq!((steps.len(), answer), (24, Answer::Found(99.32)));
}

#[test]
fn an_interrupted_search_keeps_its_bounds() {
    let mut search = Search::new(settings(10.0, None));
    search.record(&StepResult::Passed);
    search.record(&failed());
    search.interrupt();
    assert_eq!(search.next(), Next::Done(Answer::Interrupted));
    search.record(&StepResult::Passed);
    assert_eq!(search.bounds(), Bounds { passed: Some(10.0), failed: Some(20.0) });
}
