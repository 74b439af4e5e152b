//! The search itself: which rate is tried next, and when the answer is known.
//!
//! The rate doubles until a step fails, or halves until one passes; then the interval between the two is halved, on a
//! logarithmic scale, until it is within the precision. The best rate is confirmed by a longer step: short ones at the limit
//! pass and fail by chance.

use super::step::{StepResult, VoidReason};

/// The search does not go below this rate, unless it starts there.
const LOWEST: f64 = 1.0;

/// The highest rate that a schedule can have.
const HIGHEST: f64 = 1e9;

/// How often a rate is confirmed, each time one precision lower, before the service is called unstable.
const MAX_CONFIRMATIONS: u8 = 3;

/// How many times as long as the others a confirming step is.
const CONFIRMATION_LENGTH: u32 = 3;

/// What a search is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Rate of the first step, per second; no more than `to`.
    pub from: f64,
    /// Rate at which the search ends if it passes.
    pub to: Option<f64>,
    /// Largest relative distance between the answer and a rate that failed, such as 0.05.
    pub precision: f64,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// To narrow the interval.
    Search,
    /// To confirm the best rate; attempts are counted from 1.
    Confirm(u8),
}

/// A step to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Arrivals per second.
    pub rate: f64,
    /// What it is for.
    pub kind: StepKind,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Run this step, and record its result.
    Step(Step),
    /// The search is over.
    Done(Answer),
}

/// What is known of the highest rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The highest rate that passed, below all that failed.
    pub passed: Option<f64>,
    /// The lowest rate that failed.
    pub failed: Option<f64>,
}

/// What a search has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// This rate was confirmed; one a precision higher, or less, failed.
    Found(f64),
    /// `to` was confirmed; the limit was not looked for.
    ReachedTo(f64),
    /// This rate passed, without confirmation; a higher one could not be measured.
    AtLeast(f64, VoidReason),
    /// Not even the first step could be measured, or none that could be passed.
    NothingMeasured(VoidReason),
    /// The lowest rate that is tried failed: this one.
    NoRate(f64),
    /// This rate passed once, but neither it nor slightly lower ones could be confirmed.
    NotStable(f64),
    /// It was ended before the answer was known; the bounds hold.
    Interrupted,
}

/// What the next step decides.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Every step has passed.
    Rising,
    /// Every step has failed.
    Falling,
    /// One rate passed, a higher one failed.
    Narrowing,
    Confirming(u8),
    Done(Answer),
}

/// A search for the highest rate that passes.
#[derive(Clone, Debug)]
pub struct Search {
    settings: SearchSettings,
    state: State,
    /// The rate of the next step.
    rate: f64,
    /// The rate that was confirmed first.
    best: f64,
    /// Rates that passed, in their order.
    passed: Vec<f64>,
    /// The lowest rate that failed.
    failed: Option<f64>,
}

impl StepKind {
    /// How many times as long as an ordinary step its measured part is.
    #[must_use]
    pub const fn length(self) -> u32 {
        match self {
            Self::Search => 1,
            Self::Confirm(_) => CONFIRMATION_LENGTH,
        }
    }
}

impl Search {
    /// A search that has tried nothing.
    #[must_use]
    pub fn new(settings: SearchSettings) -> Self {
        let rate = settings.from.min(settings.to.unwrap_or(HIGHEST));
        Self { settings, state: State::Rising, rate, best: rate, passed: Vec::new(), failed: None }
    }

    /// What to do next.
    #[must_use]
    pub const fn next(&self) -> Next {
        let kind = match self.state {
            State::Done(answer) => return Next::Done(answer),
            State::Confirming(attempt) => StepKind::Confirm(attempt),
            State::Rising | State::Falling | State::Narrowing => StepKind::Search,
        };
        Next::Step(Step { rate: self.rate, kind })
    }

    /// Takes the result of the step that [`Search::next`] asked for. After the end it changes nothing.
    pub fn record(&mut self, result: &StepResult) {
        if matches!(self.state, State::Done(_)) {
            return;
        }
        match result {
            StepResult::Passed => self.record_pass(),
            StepResult::Failed(_) => self.record_failure(),
            StepResult::Void(why) => {
                let answer = self.bounds().passed.map_or(Answer::NothingMeasured(*why), |r| Answer::AtLeast(r, *why));
                self.state = State::Done(answer);
            }
        }
    }

    /// Ends the search if it still goes on.
    pub fn interrupt(&mut self) {
        if !matches!(self.state, State::Done(_)) {
            self.state = State::Done(Answer::Interrupted);
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let is_below = |rate: &f64| self.failed.is_none_or(|failed| *rate < failed);
        Bounds { passed: self.passed.iter().copied().filter(is_below).reduce(f64::max), failed: self.failed }
    }

    /// Maximum number of steps that are still to come; `None` as long as either bound is unknown.
    #[must_use]
    pub fn steps_left(&self) -> Option<u32> {
        let confirmations = u32::from(MAX_CONFIRMATIONS);
        match (self.state, self.bounds()) {
            (State::Done(_), _) => Some(0),
            (State::Confirming(attempt), _) => Some(confirmations + 1 - u32::from(attempt)),
            (_, Bounds { passed: Some(passed), failed: Some(failed) }) => {
                Some(self.halvings(failed / passed) + confirmations)
            }
            _ => None,
        }
    }

    /// How often an interval of this ratio is halved until it is within the precision.
    fn halvings(&self, ratio: f64) -> u32 {
        let mut ratio = ratio;
        let mut halvings = 0;
        while !self.is_precise(ratio) {
            ratio = ratio.sqrt();
            halvings += 1;
        }
        halvings
    }

    fn is_precise(&self, ratio: f64) -> bool {
        // Rates are rounded.
        ratio <= (1.0 + self.settings.precision) * (1.0 + 1e-4)
    }

    fn record_pass(&mut self) {
        let rate = self.rate;
        self.passed.push(rate);
        let is_highest = rate >= self.settings.to.unwrap_or(HIGHEST);
        match self.state {
            State::Rising if is_highest => self.confirm_first(rate),
            State::Rising => self.rate = (2.0 * rate).min(self.settings.to.unwrap_or(HIGHEST)),
            State::Falling | State::Narrowing => self.narrow(),
            State::Confirming(_) => {
                self.state = State::Done(if is_highest { Answer::ReachedTo(rate) } else { Answer::Found(rate) });
            }
            State::Done(_) => {}
        }
    }

    fn record_failure(&mut self) {
        let rate = self.rate;
        self.failed = Some(self.failed.map_or(rate, |failed| failed.min(rate)));
        match self.state {
            State::Confirming(MAX_CONFIRMATIONS) => self.state = State::Done(Answer::NotStable(self.best)),
            State::Confirming(attempt) => {
                self.state = State::Confirming(attempt + 1);
                self.rate = rounded(rate / (1.0 + self.settings.precision));
            }
            State::Rising if !self.passed.is_empty() => self.narrow(),
            State::Rising | State::Falling if rate <= LOWEST => self.state = State::Done(Answer::NoRate(rate)),
            State::Rising | State::Falling => {
                self.state = State::Falling;
                self.rate = (rate / 2.0).max(LOWEST);
            }
            State::Narrowing => self.narrow(),
            State::Done(_) => {}
        }
    }

    /// Chooses a rate between the bounds, or confirms the lower one if they are near enough.
    fn narrow(&mut self) {
        let Bounds { passed: Some(passed), failed: Some(failed) } = self.bounds() else { return };
        let middle = (passed * failed).sqrt();
        let readable = rounded(middle);
        if self.is_precise(failed / passed) {
            self.confirm_first(passed);
        } else {
            self.state = State::Narrowing;
            self.rate = if passed < readable && readable < failed { readable } else { middle };
        }
    }

    fn confirm_first(&mut self, rate: f64) {
        (self.best, self.rate, self.state) = (rate, rate, State::Confirming(1));
    }
}

/// The rate with four significant digits, so that people can read it and type it again.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.log10().floor() - 3.0);
    // A division by a power of ten, so that 118.9 is the float of that name.
    if unit < 1.0 { (rate / unit).round() / (1.0 / unit).round() } else { (rate / unit).round() * unit.round() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::step::FailReason;

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
                    let left = search.steps_left();
                    search.record(&judge(step));
                    if let (Some(before), Some(after)) = (left, search.steps_left()) {
                        assert!(after < before, "each step leaves fewer");
                    }
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
        assert_eq!(rates(&steps), [10.0, 20.0, 40.0, 80.0, 160.0, 113.1, 95.12, 103.7, 99.32, 99.32]);
        assert_eq!(steps.last().map(|step| (step.kind, step.kind.length())), Some((StepKind::Confirm(1), 3)));
        assert!(steps[..9].iter().all(|step| step.kind == StepKind::Search && step.kind.length() == 1));
        assert_eq!(answer, Answer::Found(99.32));
        assert_eq!(bounds, Bounds { passed: Some(99.32), failed: Some(103.7) });
    }

    #[test]
    fn whatever_the_limit_the_answer_is_below_it_and_within_the_precision_in_a_bounded_number_of_steps() {
        for precision in [0.01, 0.05, 0.2] {
            for exponent in 0..200 {
                let capacity = 10_f64.powf(f64::from(exponent) / 40.0);
                let (steps, answer, bounds) =
                    searched(SearchSettings { precision, ..settings(10.0, None) }, limit(capacity));
                let Answer::Found(rate) = answer else { panic!("{answer:?}") };
                assert!(rate <= capacity && capacity < rate * (1.0 + precision) * 1.0002, "{rate} of {capacity}");
                assert_eq!(bounds.passed, Some(rate));
                let away = (capacity / 10.0).log2().abs().floor() + 2.0;
                let halvings = (2_f64.ln() / precision.ln_1p()).log2().ceil();
                assert!(steps.len() as f64 <= away + halvings + 1.0, "{} steps to {capacity}", steps.len());
            }
        }
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

    #[test]
    fn a_rate_that_fails_when_it_is_looked_at_longer_is_lowered_by_one_precision_twice() {
        let long_limit = |rate| move |step: Step| limit(if step.kind == StepKind::Search { 100.0 } else { rate })(step);
        let confirmed = |steps: &[Step]| rates(&steps[9..]);
        let (steps, answer, bounds) = searched(settings(10.0, None), long_limit(95.0));
        assert_eq!((confirmed(&steps), answer), (vec![99.32, 94.59], Answer::Found(94.59)));
        assert_eq!(bounds, Bounds { passed: Some(95.12), failed: Some(99.32) }, "the short pass stays");
        let (steps, answer, bounds) = searched(settings(10.0, None), long_limit(80.0));
        assert_eq!((confirmed(&steps), answer), (vec![99.32, 94.59, 90.09], Answer::NotStable(99.32)));
        assert_eq!(bounds, Bounds { passed: Some(80.0), failed: Some(90.09) }, "a pass above a failure counts no more");
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
        assert_eq!(rates(&steps), [10.0, 20.0, 40.0, 80.0, 160.0]);
        assert_eq!(answer, Answer::AtLeast(80.0, VoidReason::GeneratorLate));
        let (_, answer, bounds) = searched(settings(10.0, None), void_above(5.0));
        assert_eq!(answer, Answer::NothingMeasured(VoidReason::GeneratorLate));
        assert_eq!(bounds, Bounds::default());
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
}
