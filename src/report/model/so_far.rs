//! Judging a run while it goes on, by the function that judges it at its end.

use std::time::Duration;

use super::run_data::RunData;
use crate::plan::check::{Check, MAX_CHECKS};
use crate::stats::check::unchecked_failures;
use crate::stats::judged_counts::JudgedCounts;
use crate::stats::unfinished::UnfinishedCounts;
use crate::stats::verdict::{Assessment, Evidence};
use crate::telemetry::ending::check_events;
use crate::telemetry::reader::ending::CheckSeen;

impl RunData {
    /// The checks of the plan, as far as they can be read: those of a later version cannot.
    pub(super) fn plan_checks(&self) -> Vec<Check> {
        if self.plan.setting("shard").is_some() {
            // Checks are evaluated on all shards together, when they are merged.
            return Vec::new();
        }
        let texts = self.plan.settings.iter().filter(|setting| setting.key == "check");
        texts.filter_map(|setting| Check::parse(&setting.value).ok()).take(MAX_CHECKS).collect()
    }

    /// How the run would be judged if it had ended with the last tick; `None` before the first request was answered, or
    /// when the stream itself has the verdict; also for a search for capacity, of which only the end says anything. What only the end shows, such as unfinished requests, is not in it.
    #[must_use]
    pub fn assessment_so_far(&self) -> Option<Assessment> {
        let answered = self.answered();
        if self.end.is_some() || answered == 0 || self.is_search() {
            return None;
        }
        let checks = self.plan_checks();
        let failures = self.failed_by_endpoint();
        Some(Assessment::of(Evidence {
            requests: JudgedCounts { unfinished: UnfinishedCounts::default(), ..self.judged_counts() },
            faults: Vec::new(),
            check_results: self.check_set.results(self.load_time_so_far()),
            unchecked: unchecked_failures(&checks, failures.iter().map(|(title, failed)| (title.as_str(), *failed))),
            without_data: 0,
        }))
    }

    /// The result of each check: that of the stream's end or, while the run goes on, what it would be now. Empty without
    /// checks, and in the stream of a shard.
    #[must_use]
    pub fn checks_so_far(&self) -> Vec<CheckSeen> {
        match self.assessment_so_far() {
            Some(assessment) => check_events(&assessment).map(CheckSeen::from).collect(),
            None => self.checks.clone(),
        }
    }

    /// The time from the start to the end of the load or, while that goes on, to the last tick.
    fn load_time_so_far(&self) -> Duration {
        let start_ms = self.timeline.points().next().map_or(0, |point| point.start_ms);
        Duration::from_millis(self.last_of_load.map_or(0, |(_, end_ms)| end_ms.saturating_sub(start_ms)))
    }
}
