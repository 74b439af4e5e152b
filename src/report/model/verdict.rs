//! Judging a run a week later, by the function that judges it at its end.

use std::time::Duration;

use super::{Model, Story};
use crate::plan::check::Check;
use crate::stats::check::unchecked;
use crate::stats::verdict::{Judgement, Verdict};
use crate::telemetry::ending::events;
use crate::telemetry::reader::facts::{CheckSeen, RunEnd};

impl Model {
    /// Puts the verdict by `checks`, which the story has a bench of, in place of the one that the stream tells.
    pub(super) fn judge(&mut self, checks: &[Check]) {
        let story = &self.story;
        let failures = story.failed_by_endpoint();
        let unchecked = unchecked(checks, failures.iter().map(|(title, failed)| (title.as_str(), *failed)));
        let rulings = story.bench.rulings(story.elapsed());
        let judgement = Judgement::of(story.counts(), &self.faults(), rulings, unchecked);
        let on_failures = story.plan.setting("exit-code-on-error").and_then(|code| code.parse().ok()).unwrap_or(1);
        let counts = story.counts();
        self.story.checks = events(&judgement).map(CheckSeen::from).collect();
        self.story.end = Some(RunEnd {
            ok: counts.ok,
            failed: counts.failed,
            aborted: counts.aborted,
            redirects: counts.redirects,
            reopened: counts.reopened,
            verdict: judgement.verdict.as_str().to_owned(),
            exit_code: judgement.exit(on_failures).code(),
            reasons: judgement.reasons,
        });
    }

    /// What made the run not valid, as its stream says, and what the stream lost.
    fn faults(&self) -> Vec<String> {
        let lost = self.troubles.is_loss().then(|| "the stream is not whole".to_owned());
        let is_judged_anew = |reason: &&String| {
            let own = ["check not met: ", "check without data: "].iter().any(|own| reason.starts_with(own));
            own || reason.ends_with(" requests failed") || *reason == "no request completed"
        };
        let invalid = self.story.end.iter().filter(|end| end.verdict == Verdict::Invalid.as_str());
        let told = invalid.flat_map(|end| &end.reasons).filter(|reason| !is_judged_anew(reason)).cloned();
        told.chain(lost).collect()
    }
}

impl Story {
    /// Each endpoint, as checks call it, and how many of its requests failed.
    pub(in crate::report) fn failed_by_endpoint(&self) -> Vec<(String, u64)> {
        let failed = |endpoint| self.statistics(endpoint).map_or(0, |row| row.num_failures);
        self.endpoints.iter().map(|endpoint| (endpoint.title(), failed(endpoint))).collect()
    }

    /// Time from the start to the end of the last request, over which the stream's total rate is.
    fn elapsed(&self) -> Duration {
        let total = self.total();
        let seconds = total.num_requests as f64 / total.total_rps;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}
