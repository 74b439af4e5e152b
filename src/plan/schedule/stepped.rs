//! The open model of a search for capacity: constant rates, one after another, each decided while the run goes on.
//!
//! Between two steps no arrival is due. Arrivals are numbered through all steps, so class and task of arrival k follow
//! from k and the seed as in any other run.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use super::arrivals::{ArrivalSource, Spacing, as_count};
use super::curve::Curve;
use crate::vocabulary::Phase;

/// The steps so far, and when their arrivals are due.
#[derive(Debug)]
pub struct SteppedArrivals {
    steps: RwLock<Steps>,
    spacing: Spacing,
}

#[derive(Debug)]
struct Steps {
    curve: Curve,
    windows: Vec<StepWindow>,
}

/// The times of one step, since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepWindow {
    /// Its first arrivals are due, and the service settles.
    pub start: Duration,
    /// What is due from here on is judged.
    pub measured: Duration,
    /// No arrival is due from here on, until the next step.
    pub end: Duration,
}

impl SteppedArrivals {
    /// No step yet.
    #[must_use]
    pub fn new(spacing: Spacing) -> Self {
        Self { steps: RwLock::new(Steps { curve: Curve::without_segments(), windows: Vec::new() }), spacing }
    }

    /// Appends a step of `rate` arrivals per second. It must not start before the end of the previous one.
    pub fn append(&self, window: StepWindow, rate: f64) {
        let mut steps = self.steps.write().unwrap_or_else(PoisonError::into_inner);
        steps.curve.append_constant(window.start, window.end, rate);
        steps.windows.push(window);
    }

    /// When each arrival is due, since the start of the run, in order, as far as the steps are known.
    #[must_use]
    pub fn due(&self) -> SteppedDueTimes<'_> {
        SteppedDueTimes { arrivals: self, source: ArrivalSource::new(self.spacing), pending: None }
    }

    /// Arrivals due before `at`, as the integral of the rate.
    #[must_use]
    pub fn arrivals_due(&self, at: Duration) -> f64 {
        as_count(self.read().curve.amount(at))
    }

    /// The phase that takes up most of the interval `[from, until)`: a step settles (warmup) and is measured (steady);
    /// all other time is drain. At a tie the first of these three.
    #[must_use]
    pub fn phase_of(&self, from: Duration, until: Duration) -> Phase {
        let overlap = |start: Duration, end: Duration| until.min(end).saturating_sub(from.max(start));
        let (mut settle, mut measured) = (Duration::ZERO, Duration::ZERO);
        for window in &self.read().windows {
            settle += overlap(window.start, window.measured);
            measured += overlap(window.measured, window.end);
        }
        let drain = until.saturating_sub(from).saturating_sub(settle + measured);
        if settle >= measured && settle >= drain && !settle.is_zero() {
            Phase::Warmup
        } else if measured >= drain && !measured.is_zero() {
            Phase::Steady
        } else {
            Phase::Drain
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Steps> {
        self.steps.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The times at which arrivals are due, in order. Unlike an iterator that has ended, it may go on after `None`: when
/// another step is known.
#[derive(Clone, Debug)]
pub struct SteppedDueTimes<'s> {
    arrivals: &'s SteppedArrivals,
    source: ArrivalSource,
    /// The arrival that comes next but is not due in any of the steps so far, as the value of the rate's integral.
    pending: Option<u128>,
}

impl SteppedDueTimes<'_> {
    /// Skips `skipped` arrivals; returns when the next is due. `None` if it is not due in any step so far: then the
    /// next call is about the same arrival, whatever it skips.
    pub fn nth(&mut self, skipped: usize) -> Option<Duration> {
        let amount = *self.pending.get_or_insert_with(|| self.source.amount(skipped as u64));
        let due = self.arrivals.read().curve.reached(amount)?;
        self.pending = None;
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u64, measured: u64, end: u64) -> StepWindow {
        let at = Duration::from_secs;
        StepWindow { start: at(start), measured: at(measured), end: at(end) }
    }

    fn seconds(due: &mut SteppedDueTimes<'_>) -> Vec<f64> {
        std::iter::from_fn(|| due.nth(0)).map(|due| due.as_secs_f64()).collect()
    }

    #[test]
    fn arrivals_go_on_in_the_next_step_and_none_is_lost_or_doubled() {
        let arrivals = SteppedArrivals::new(Spacing::Constant);
        let mut due = arrivals.due();
        assert_eq!(due.nth(0), None, "no step is known");
        arrivals.append(window(1, 2, 3), 2.0);
        assert_eq!(seconds(&mut due), [1.0, 1.5, 2.0, 2.5]);
        arrivals.append(window(10, 10, 12), 1.0);
        assert_eq!(seconds(&mut due), [10.0, 11.0]);
        assert_eq!(seconds(&mut arrivals.due()), [1.0, 1.5, 2.0, 2.5, 10.0, 11.0]);
        for (at, due) in [(2, 2.0), (5, 4.0), (99, 6.0)] {
            assert!((arrivals.arrivals_due(Duration::from_secs(at)) - due).abs() < 1e-9, "until {at} s");
        }
    }

    #[test]
    fn poisson_arrivals_have_the_rate_of_their_step() {
        let arrivals = SteppedArrivals::new(Spacing::Poisson { seed: 7 });
        arrivals.append(window(0, 1, 100), 100.0);
        arrivals.append(window(200, 201, 300), 50.0);
        let all = seconds(&mut arrivals.due());
        let in_first = all.iter().filter(|due| **due < 100.0).count();
        assert!((9_600..10_400).contains(&in_first), "{in_first}");
        assert!((4_700..5_300).contains(&(all.len() - in_first)), "{}", all.len() - in_first);
        assert!(all.iter().all(|due| *due < 100.0 || *due >= 200.0));
    }

    #[test]
    fn an_interval_has_the_phase_that_fills_most_of_it() {
        let arrivals = SteppedArrivals::new(Spacing::Constant);
        arrivals.append(window(1, 3, 6), 1.0);
        let phase = |from, until| arrivals.phase_of(Duration::from_secs(from), Duration::from_secs(until));
        assert_eq!(phase(0, 1), Phase::Drain);
        assert_eq!(phase(1, 3), Phase::Warmup);
        assert_eq!(phase(2, 6), Phase::Steady);
        assert_eq!(phase(5, 9), Phase::Drain);
        assert_eq!(phase(0, 2), Phase::Warmup, "a tie");
        assert_eq!(phase(4, 4), Phase::Drain, "an interval without length");
    }
}
