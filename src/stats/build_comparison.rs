//! Comparing two builds, endpoint by endpoint and figure by figure, so that noise is not taken for a difference.

use super::comparison::{ALPHA, Difference, Failures, RunFigure, WorseWhen, holm};
use super::confidence::{Estimates, Figure};

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A time or the rate.
    Figure(Figure),
    /// Failed requests as a share of the completed ones.
    FailRatio,
}

impl Measure {
    /// All of them, in the order in which they are shown: first those that are judged.
    pub const ALL: [Self; 6] = [
        Self::Figure(Figure::P50),
        Self::Figure(Figure::P95),
        Self::Figure(Figure::Mean),
        Self::FailRatio,
        Self::Figure(Figure::P99),
        Self::Figure(Figure::Rate),
    ];

    /// Whether it can fail a comparison. The 99th percentile differs too much between runs, and the rate follows from the
    /// times in the closed model and from the plan in the open one.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Figure(Figure::P50 | Figure::P95 | Figure::Mean) | Self::FailRatio)
    }

    const fn worse_when(self) -> WorseWhen {
        match self {
            Self::Figure(Figure::Rate) => WorseWhen::Lower,
            _ => WorseWhen::Higher,
        }
    }
}

/// One endpoint in one run, in its steady phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOfEndpoint {
    /// Natural logarithms of the figures, by [`Figure::index`]: judged times in microseconds, the rate per second.
    pub values: [Option<f64>; Figure::ALL.len()],
    /// Their uncertainty within the run.
    pub within: Estimates,
    /// Failed and completed requests.
    pub failures: Failures,
}

/// One endpoint on both sides.
#[derive(Clone, Debug, Default)]
pub struct EndpointRuns {
    /// In each run of the baseline.
    pub baseline: Vec<RunOfEndpoint>,
    /// In each run that is compared with it.
    pub runs: Vec<RunOfEndpoint>,
}

/// What a comparison of a figure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Worse by more than the tolerance, and by more than noise explains.
    Worse,
    /// Better by more than the tolerance, and by more than noise explains.
    Better,
    /// Within the tolerance, with confidence.
    Same,
    /// The noise is too large to tell.
    CannotTell,
    /// A run has too few requests, or there are too few runs and ticks to know how large the noise is.
    TooFew,
    /// Shown, and not judged.
    NotJudged,
}

/// A figure of an endpoint on both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The figure.
    pub measure: Measure,
    /// Geometric mean of the baseline's runs; the ratio of all failed to all completed requests for failures. Times in
    /// microseconds. `None` if a run has too few requests.
    pub baseline: Option<f64>,
    /// The same of the other side.
    pub value: Option<f64>,
    /// How they differ, where that can be estimated.
    pub difference: Option<Difference>,
    /// The result.
    pub finding: Finding,
}

/// Compares both sides of each endpoint: per endpoint the measures of [`Measure::ALL`], in that order. The probability that
/// anything is found worse in two sides that are the same is at most [`ALPHA`] over all endpoints together; that of finding
/// anything better likewise.
#[must_use]
pub fn compare(endpoints: &[EndpointRuns], tolerance: f64) -> Vec<[Compared; Measure::ALL.len()]> {
    let mut compared: Vec<_> =
        endpoints.iter().map(|endpoint| Measure::ALL.map(|measure| shown(endpoint, measure))).collect();
    for (direction, finding) in [(p_worse as Direction, Finding::Worse), (p_better, Finding::Better)] {
        let mut tested: Vec<(&mut Compared, f64)> = Vec::new();
        for (rows, endpoint) in compared.iter_mut().zip(endpoints) {
            for row in rows.iter_mut().filter(|row| row.measure.is_judged()) {
                if let Some(p) = direction(row, endpoint, tolerance) {
                    tested.push((row, p));
                }
            }
        }
        let p: Vec<f64> = tested.iter().map(|(_, p)| *p).collect();
        for ((row, _), is_found) in tested.iter_mut().zip(holm(&p, ALPHA)) {
            if is_found {
                row.finding = finding;
            }
        }
    }
    for row in compared.iter_mut().flatten().filter(|row| row.finding == Finding::CannotTell) {
        let is_same = row.difference.is_some_and(|difference| difference.is_same(tolerance))
            // Without a failure on either side there is no ratio to estimate.
            || row.measure == Measure::FailRatio && row.baseline == Some(0.0) && row.value == Some(0.0);
        if is_same {
            row.finding = Finding::Same;
        }
    }
    compared
}

type Direction = fn(&Compared, &EndpointRuns, f64) -> Option<f64>;

fn p_worse(row: &Compared, endpoint: &EndpointRuns, tolerance: f64) -> Option<f64> {
    match row.measure {
        Measure::FailRatio => {
            let (baseline, runs) = (failures(&endpoint.baseline), failures(&endpoint.runs));
            can_differ(baseline, runs).then(|| runs.p_more_than(baseline, tolerance))
        }
        Measure::Figure(_) => Some(row.difference?.p_worse(row.measure.worse_when(), tolerance)),
    }
}

fn p_better(row: &Compared, endpoint: &EndpointRuns, tolerance: f64) -> Option<f64> {
    match row.measure {
        Measure::FailRatio => {
            let (baseline, runs) = (failures(&endpoint.baseline), failures(&endpoint.runs));
            can_differ(baseline, runs).then(|| baseline.p_more_than(runs, tolerance))
        }
        Measure::Figure(_) => Some(row.difference?.p_better(row.measure.worse_when(), tolerance)),
    }
}

/// A figure on both sides, before it is judged.
fn shown(endpoint: &EndpointRuns, measure: Measure) -> Compared {
    let (baseline, value, difference) = match measure {
        Measure::FailRatio => {
            let (baseline, runs) = (failures(&endpoint.baseline), failures(&endpoint.runs));
            let ratio = |side: Failures| (side.completed > 0).then(|| side.ratio());
            (ratio(baseline), ratio(runs), between_ratios(baseline, runs))
        }
        Measure::Figure(figure) => {
            let [baseline, runs] = [&endpoint.baseline, &endpoint.runs].map(|side| figures(side, figure));
            let mean = |side: &Option<Vec<RunFigure>>| {
                let side = side.as_ref()?;
                Some((side.iter().map(|run| run.log).sum::<f64>() / side.len() as f64).exp())
            };
            let difference =
                baseline.as_ref().zip(runs.as_ref()).and_then(|(one, other)| Difference::between(one, other));
            (mean(&baseline), mean(&runs), difference)
        }
    };
    let is_known = match measure {
        Measure::FailRatio => baseline.is_some() && value.is_some(),
        Measure::Figure(_) => difference.is_some(),
    };
    let finding = match (measure.is_judged(), is_known) {
        (false, _) => Finding::NotJudged,
        (true, false) => Finding::TooFew,
        (true, true) => Finding::CannotTell,
    };
    Compared { measure, baseline, value, difference, finding }
}

/// A figure in every run of a side; `None` if there is no run, or one has too few requests for it.
fn figures(side: &[RunOfEndpoint], figure: Figure) -> Option<Vec<RunFigure>> {
    let place = figure.index();
    let runs = side.iter().map(|run| Some(RunFigure { log: run.values[place]?, within: run.within[place] }));
    runs.collect::<Option<Vec<_>>>().filter(|runs| !runs.is_empty())
}

fn failures(side: &[RunOfEndpoint]) -> Failures {
    side.iter().fold(Failures::default(), |sum, run| Failures {
        failed: sum.failed + run.failures.failed,
        completed: sum.completed + run.failures.completed,
    })
}

/// Whether the shares of failures can differ at all. Without a failure on either side the test cannot reject anything, and
/// does not count as one (R. E. Tarone, "A modified Bonferroni method for discrete data", 1990).
const fn can_differ(baseline: Failures, runs: Failures) -> bool {
    baseline.completed > 0 && runs.completed > 0 && baseline.failed + runs.failed > 0
}

/// The ratio of two shares with its standard error by the delta method; `None` if either is 0. It decides only whether
/// they are the same: that one is larger is tested exactly.
fn between_ratios(baseline: Failures, runs: Failures) -> Option<Difference> {
    let variance =
        |side: Failures| (side.failed > 0).then(|| (side.failed as f64).recip() - (side.completed as f64).recip());
    let error = (variance(baseline)? + variance(runs)?).max(0.0).sqrt();
    // Of so many single requests that t is normal.
    let freedom = (baseline.completed + runs.completed) as f64;
    Some(Difference { log_ratio: (runs.ratio() / baseline.ratio()).ln(), error, freedom })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::confidence::Estimate;

    /// A run whose times all have this value, known within it to 1 %.
    fn run(us: f64, failed: u64) -> RunOfEndpoint {
        let estimate = Estimate { log: us.ln(), error: 0.01, freedom: 7.0 };
        let within = [Some(estimate); Figure::ALL.len()];
        RunOfEndpoint {
            values: [Some(us.ln()); Figure::ALL.len()],
            within,
            failures: Failures { failed, completed: 1000 },
        }
    }

    fn endpoint(baseline: [f64; 3], runs: [f64; 3]) -> EndpointRuns {
        EndpointRuns { baseline: baseline.map(|us| run(us, 0)).to_vec(), runs: runs.map(|us| run(us, 0)).to_vec() }
    }

    fn findings(endpoints: &[EndpointRuns], tolerance: f64) -> Vec<[Finding; 6]> {
        compare(endpoints, tolerance).iter().map(|rows| rows.map(|row| row.finding)).collect()
    }

    #[test]
    fn each_word_has_its_case() {
        use Finding::{Better, CannotTell, NotJudged, Same, Worse};
        let slower = endpoint([100.0, 101.0, 99.0], [130.0, 131.0, 129.0]);
        let faster = endpoint([100.0, 101.0, 99.0], [70.0, 71.0, 69.0]);
        let equal = endpoint([100.0, 101.0, 99.0], [101.0, 100.0, 99.5]);
        let noisy = endpoint([100.0, 160.0, 60.0], [120.0, 190.0, 70.0]);
        let words = findings(&[slower, faster, equal, noisy], 0.1);
        assert_eq!(words[0], [Worse, Worse, Worse, Same, NotJudged, NotJudged]);
        assert_eq!(words[1], [Better, Better, Better, Same, NotJudged, NotJudged]);
        assert_eq!(words[2], [Same, Same, Same, Same, NotJudged, NotJudged]);
        assert_eq!(words[3], [CannotTell, CannotTell, CannotTell, Same, NotJudged, NotJudged]);
    }

    #[test]
    fn a_figure_without_enough_requests_is_not_judged_by_luck() {
        let mut few = endpoint([100.0; 3], [300.0; 3]);
        few.runs[1].values[Figure::P95.index()] = None;
        let words = findings(&[few], 0.0);
        assert_eq!(words[0][0], Finding::Worse);
        assert_eq!(words[0][1], Finding::TooFew, "one run has fewer than 200 requests");
    }

    #[test]
    fn more_failures_than_chance_explains_are_worse() {
        let with_failures = |baseline: u64, failed: u64| EndpointRuns {
            baseline: vec![run(100.0, baseline)],
            runs: vec![run(100.0, failed)],
        };
        let words =
            findings(&[with_failures(0, 30), with_failures(0, 2), with_failures(40, 4), with_failures(50, 50)], 0.1);
        assert_eq!(
            words.iter().map(|row| row[3]).collect::<Vec<_>>(),
            [Finding::Worse, Finding::CannotTell, Finding::Better, Finding::CannotTell,]
        );
    }

    #[test]
    fn an_endpoint_that_only_one_side_has_is_compared_with_nothing() {
        let gone = EndpointRuns { baseline: vec![run(100.0, 0)], runs: Vec::new() };
        assert_eq!(findings(&[gone], 0.1)[0][..4], [Finding::TooFew; 4]);
    }

    #[test]
    fn the_more_figures_are_tested_the_more_each_must_show() {
        let barely = || endpoint([100.0, 103.0, 97.0], [106.0, 109.0, 103.0]);
        assert_eq!(
            findings(&[barely()], 0.0)[0][0],
            Finding::CannotTell,
            "p is about 0.04, and there are four figures"
        );
    }
}
