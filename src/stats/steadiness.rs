//! Whether the steady phase was steady: its first third beside its last.

use super::confidence::{Estimate, Figure, TickSeries};
use super::distributions::t_tail;

/// Smaller changes are not reported.
const MIN_CHANGE: f64 = 0.10;

/// Two-sided probability that a change as large is found where there is none.
const ALPHA: f64 = 0.01;

/// A figure that drifted over the steady phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// The figure: median or rate.
    pub figure: Figure,
    /// Its value in the first third; microseconds or per second.
    pub first: f64,
    /// Its value in the last third.
    pub last: f64,
}

/// Those of median and rate that differ between the first and the last third by over 10 %, and by more than noise
/// explains at a confidence of 99 %. Empty with fewer ticks than an interval needs.
#[must_use]
pub fn drifts(first: &TickSeries, last: &TickSeries, seed: u64) -> Vec<Drift> {
    let (first, last) = (first.resampled(seed), last.resampled(seed.wrapping_add(1)));
    let drift = |figure: Figure| {
        let (first, last) = (first[figure.index()]?, last[figure.index()]?);
        let change = (last.log - first.log).abs();
        let t = change / first.error.hypot(last.error);
        let is_noise = 2.0 * t_tail(t, first.freedom + last.freedom) > ALPHA;
        let is_small = change.exp_m1() <= MIN_CHANGE;
        let [first, last] = [first, last].map(|third: Estimate| third.value());
        (!is_noise && !is_small).then_some(Drift { figure, first, last })
    };
    [Figure::P50, Figure::Rate].into_iter().filter_map(drift).collect()
}
