//! Several runs of a build compared with several runs of another.

use super::run_data::RunData;
use crate::stats::build_comparison::{Compared, EndpointRuns, Finding, Measure, RunOfEndpoint, compare};
use crate::stats::confidence::MIN_TICKS;
use crate::vocabulary::Phase;

/// A run that is compared.
#[derive(Clone, Copy, Debug)]
pub struct ComparedRun<'r> {
    /// Its title, such as the name of its file.
    pub title: &'r str,
    /// Its id, from which the seed of resampling follows.
    pub run_id: &'r str,
    /// Its contents.
    pub run: &'r RunData,
}

/// The result of comparing two builds.
#[derive(Clone, Debug)]
pub struct BuildComparison {
    /// Titles of the baseline's runs.
    pub baseline: Vec<String>,
    /// Titles of the runs that are compared with it.
    pub runs: Vec<String>,
    /// The change that is allowed, as a fraction of 1.
    pub tolerance: f64,
    /// Endpoints in the order of first use.
    pub endpoints: Vec<ComparedEndpoint>,
    /// All requests, where there are several endpoints; shown, and not judged.
    pub all: Option<[Compared; Measure::ALL.len()]>,
    /// What limits the result, in sentences.
    pub notes: Vec<String>,
}

/// An endpoint on both sides.
#[derive(Clone, Debug)]
pub struct ComparedEndpoint {
    /// Method and name.
    pub title: String,
    /// Its measures, in the order of [`Measure::ALL`].
    pub rows: [Compared; Measure::ALL.len()],
}

impl BuildComparison {
    /// Compares the steady phases of both sides.
    #[must_use]
    pub fn new(baseline: &[ComparedRun<'_>], runs: &[ComparedRun<'_>], tolerance: f64) -> Self {
        let mut titles: Vec<String> = Vec::new();
        for endpoint in baseline.iter().chain(runs).flat_map(|run| &run.run.endpoints) {
            if !titles.contains(&endpoint.title()) {
                titles.push(endpoint.title());
            }
        }
        let side = |side: &[ComparedRun<'_>], title: &str| {
            let find = |run: &ComparedRun<'_>| {
                let endpoint = run.run.endpoints.iter().find(|endpoint| endpoint.title() == title)?;
                Some(run.run.steady(Some(endpoint), run.run_id))
            };
            // A run without the endpoint has too few requests for every figure.
            side.iter().map(|run| find(run).unwrap_or_default()).collect::<Vec<RunOfEndpoint>>()
        };
        let sides =
            titles.iter().map(|title| EndpointRuns { baseline: side(baseline, title), runs: side(runs, title) });
        let compared = compare(&sides.collect::<Vec<_>>(), tolerance);
        let endpoints: Vec<ComparedEndpoint> =
            titles.into_iter().zip(compared).map(|(title, rows)| ComparedEndpoint { title, rows }).collect();
        let all = (endpoints.len() > 1).then(|| {
            let side =
                |side: &[ComparedRun<'_>]| side.iter().map(|run| run.run.steady(None, run.run_id)).collect::<Vec<_>>();
            let all = EndpointRuns { baseline: side(baseline), runs: side(runs) };
            let row = |row: Compared| Compared { finding: Finding::NotJudged, ..row };
            compare(&[all], tolerance).remove(0).map(row)
        });
        let names = |side: &[ComparedRun<'_>]| side.iter().map(|run| run.title.to_owned()).collect();
        let notes = notes(baseline, runs);
        Self { baseline: names(baseline), runs: names(runs), tolerance, endpoints, all, notes }
    }

    /// How many figures are worse.
    #[must_use]
    pub fn worse(&self) -> usize {
        let rows = self.endpoints.iter().flat_map(|endpoint| &endpoint.rows);
        rows.filter(|row| row.finding == Finding::Worse).count()
    }

    /// The result in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let judged = |finding| {
            let rows = self.endpoints.iter().flat_map(|endpoint| &endpoint.rows);
            rows.filter(|row| row.finding == finding).count()
        };
        let parts = [
            (judged(Finding::Worse), "worse"),
            (judged(Finding::Better), "better"),
            (judged(Finding::Same), "the same"),
            (judged(Finding::CannotTell) + judged(Finding::TooFew), "cannot be told"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let all: usize = Measure::ALL.iter().filter(|measure| measure.is_judged()).count() * self.endpoints.len();
        format!("of {all} figures {}", if parts.is_empty() { "none can be told".to_owned() } else { parts.join(", ") })
    }
}

fn notes(baseline: &[ComparedRun<'_>], runs: &[ComparedRun<'_>]) -> Vec<String> {
    let mut notes = Vec::from_iter(different_plans(baseline, runs));
    let is_single = baseline.len() == 1 && runs.len() == 1;
    if is_single {
        notes.push(
            "run-to-run noise is unknown, because there is one run of each build; three or more of each make it known"
                .to_owned(),
        );
    }
    for ComparedRun { title, run, .. } in baseline.iter().chain(runs) {
        notes.extend(run.doubts(title));
        let ticks = run.timeline.points().filter(|point| point.phase == Phase::Steady).count();
        if ticks == 0 {
            notes.push(format!("{title} has no steady phase, so there is nothing to compare"));
        } else if is_single && ticks < MIN_TICKS {
            notes.push(format!(
                "{title} has {ticks} ticks in its steady phase; the noise within a run is known from {MIN_TICKS} on: \
                 run longer, or use a shorter --interval"
            ));
        }
    }
    notes
}

/// Says in what the plans of both sides differ. Those of one side are the same.
fn different_plans(baseline: &[ComparedRun<'_>], runs: &[ComparedRun<'_>]) -> Option<String> {
    let (baseline, now) = (&baseline.first()?.run.plan, &runs.first()?.run.plan);
    let difference = || baseline.difference(now).unwrap_or_else(|| "plan_hash".to_owned());
    (baseline.hash != now.hash).then(|| format!("the plans differ in {}", difference()))
}
