//! Comparing two builds by several runs of each: which differences are more than noise.
//!
//! Runs of one build differ from one another by more than the ticks within one run do (Kalibera and Jones, "Rigorous
//! benchmarking in reasonable time", 2013; Zhang et al., "Treadmill", 2016), so the larger of two standard errors counts:
//! that between the runs of a side, and that within them.

use super::confidence::Estimate;
use super::distributions::{binomial_tail, t_quantile, t_tail};

/// Probability that a comparison of a build with itself finds anything worse, over all of its figures together.
pub const ALPHA: f64 = 0.05;

/// A figure of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunFigure {
    /// Natural logarithm of the figure.
    pub log: f64,
    /// Its uncertainty within the run; `None` if that run has too few ticks or requests for it.
    pub within: Option<Estimate>,
}

/// How a figure differs between two sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Natural logarithm of the ratio of the second side to the first.
    pub log_ratio: f64,
    /// Standard error of it.
    pub error: f64,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
}

/// The direction in which a figure gets worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorseWhen {
    /// Times and failures.
    Higher,
    /// Rates.
    Lower,
}

impl Difference {
    /// The difference from `baseline` to `runs`; `None` if neither side has enough runs, nor each run enough ticks, to tell
    /// how large the noise is.
    #[must_use]
    pub fn between(baseline: &[RunFigure], runs: &[RunFigure]) -> Option<Self> {
        if baseline.is_empty() || runs.is_empty() {
            return None;
        }
        let log_ratio = mean(runs) - mean(baseline);
        let sides = [baseline, runs];
        let within = sides.iter().map(|side| within_variance(side)).sum::<Option<f64>>().map(f64::sqrt);
        let freedom_between = (baseline.len() + runs.len()) as f64 - 2.0;
        if freedom_between < 1.0 {
            // One run a side: how much runs differ is not known, and the result states that.
            let freedom =
                sides.iter().flat_map(|side| side.iter()).filter_map(|run| run.within).map(|known| known.freedom);
            return Some(Self { log_ratio, error: within?, freedom: freedom.sum() });
        }
        let squares: f64 = sides.iter().map(|side| squares(side)).sum();
        let share = 1.0 / baseline.len() as f64 + 1.0 / runs.len() as f64;
        let between = (squares / freedom_between * share).sqrt();
        Some(Self { log_ratio, error: between.max(within.unwrap_or(0.0)), freedom: freedom_between })
    }

    /// The probability of a difference at least this bad if the second side is worse by exactly `tolerance`, a fraction
    /// of 1.
    #[must_use]
    pub fn p_worse(&self, worse_when: WorseWhen, tolerance: f64) -> f64 {
        self.p_beyond(self.signed(worse_when), tolerance)
    }

    /// The same of being better.
    #[must_use]
    pub fn p_better(&self, worse_when: WorseWhen, tolerance: f64) -> f64 {
        self.p_beyond(-self.signed(worse_when), tolerance)
    }

    /// Whether both sides are the same to within `tolerance`: two one-sided tests, each at [`ALPHA`].
    #[must_use]
    pub fn is_same(&self, tolerance: f64) -> bool {
        let reach = self.log_ratio.abs() + t_quantile(ALPHA, self.freedom) * self.error;
        // NaN, where the error is 0 and its quantile infinite, is not the same.
        reach < tolerance.ln_1p()
    }

    /// Half of the 95 % interval of the ratio, as a fraction of 1: a smaller difference could not have been seen.
    #[must_use]
    pub fn margin(&self) -> f64 {
        (t_quantile((1.0 - super::confidence::LEVEL) / 2.0, self.freedom) * self.error).exp_m1()
    }

    /// The second side relative to the first, as a fraction of 1: 0.05 is 5 % more.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.log_ratio.exp_m1()
    }

    const fn signed(&self, worse_when: WorseWhen) -> f64 {
        match worse_when {
            WorseWhen::Higher => self.log_ratio,
            WorseWhen::Lower => -self.log_ratio,
        }
    }

    fn p_beyond(&self, difference: f64, tolerance: f64) -> f64 {
        let excess = difference - tolerance.ln_1p();
        if self.error > 0.0 {
            t_tail(excess / self.error, self.freedom)
        } else if excess > 0.0 {
            0.0
        } else {
            1.0
        }
    }
}

fn mean(side: &[RunFigure]) -> f64 {
    side.iter().map(|run| run.log).sum::<f64>() / side.len() as f64
}

/// Sum of the squared distances from the side's mean.
fn squares(side: &[RunFigure]) -> f64 {
    let mean = mean(side);
    side.iter().map(|run| (run.log - mean).powi(2)).sum()
}

/// Variance of the side's mean that follows from the uncertainty within its runs.
fn within_variance(side: &[RunFigure]) -> Option<f64> {
    let sum = side.iter().map(|run| run.within.map(|within| within.error.powi(2))).sum::<Option<f64>>()?;
    Some(sum / (side.len() as f64).powi(2))
}

/// Failed and completed requests of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Requests that failed.
    pub failed: u64,
    /// Requests that completed, these included.
    pub completed: u64,
}

impl Failures {
    /// Failed requests as a fraction of 1; 0 if none completed.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.failed as f64 / self.completed.max(1) as f64
    }

    /// The probability of at least as many failures in `self` if its ratio is that of `baseline`, raised by `tolerance`.
    ///
    /// Exact, given the failures of both sides together: each of them falls on this side with a fixed probability
    /// (Przyborowski and Wilenski, "Homogeneity of results in testing samples from Poisson series", 1940). For ratios near
    /// 1 the test is conservative, because failures are then spread more evenly than it assumes.
    #[must_use]
    pub fn p_more_than(self, baseline: Self, tolerance: f64) -> f64 {
        let share = self.completed as f64 * (1.0 + tolerance);
        let all = share + baseline.completed as f64;
        if all > 0.0 { binomial_tail(self.failed, self.failed + baseline.failed, share / all) } else { 1.0 }
    }
}

/// Which of several tests reject their hypothesis, so that the probability of rejecting any true one is at most `alpha`
/// (S. Holm, "A simple sequentially rejective multiple test procedure", 1979).
#[must_use]
pub fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut rejected = vec![false; p.len()];
    for (place, test) in order.iter().enumerate() {
        if p[*test] > alpha / (p.len() - place) as f64 {
            break;
        }
        rejected[*test] = true;
    }
    rejected
}

#[cfg(test)]
mod tests;
