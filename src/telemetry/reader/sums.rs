//! The run as its intervals add up to it, held against what its last lines say.

use std::collections::HashMap;

use super::ending::RunEndFact;
use super::facts::{Fact, IntervalFact, StatsFact};
use super::failures::ErrorRow;
use super::troubles::{StreamTrouble, StreamTroubles};
use crate::stats::aggregate::MAX_ENDPOINTS;
use crate::telemetry::line::MAX_COUNT;

/// Requests that were answered or failed, and that failed.
type Completed = (u64, u64);

/// What the intervals and the last lines say.
#[derive(Debug, Default)]
pub(super) struct Sums {
    ok: u64,
    failed: u64,
    aborted: u64,
    redirects: u64,
    reopened: u64,
    endpoints: HashMap<(String, String), Completed>,
    /// Rows at the end, each with the number of its line.
    rows: Vec<(u64, (String, String), Completed)>,
    last: Option<(u64, Completed)>,
    /// Failures that lines about errors tell of, and the number of the last one.
    errors: Option<(u64, u64)>,
    end: Option<(u64, [u64; 5])>,
    /// Whether some line was not looked at, so that nothing can be held against anything.
    is_partial: bool,
}

impl Sums {
    /// Adds what line `number` says.
    ///
    /// # Errors
    /// The counts add up to more than any run has.
    pub(super) fn add(&mut self, number: u64, fact: &Fact) -> Result<(), &'static str> {
        match fact {
            Fact::Interval(interval) => return self.add_interval(interval),
            Fact::Final(row) => self.last = Some((number, completed(row))),
            Fact::Endpoint(row) if self.rows.len() <= MAX_ENDPOINTS => {
                self.rows.push((number, (row.method.clone(), row.name.clone()), completed(row)));
            }
            Fact::EndpointError(ErrorRow { occurrences, .. }) => {
                let before = self.errors.map_or(0, |(_, errors)| errors);
                self.errors = Some((number, before.saturating_add(*occurrences)));
            }
            Fact::RunEnd(RunEndFact { ok, failed, aborted, redirects, reopened, .. }) => {
                self.end = Some((number, [*ok, *failed, *aborted, *redirects, *reopened]));
            }
            _ => {}
        }
        Ok(())
    }

    /// A line is not looked at.
    pub(super) const fn pass(&mut self) {
        self.is_partial = true;
    }

    fn add_interval(&mut self, interval: &IntervalFact) -> Result<(), &'static str> {
        let IntervalFact { ok, failed, aborted, redirects, reopened, .. } = interval;
        let all = [self.ok, self.failed, self.aborted, self.redirects, self.reopened];
        let more = [*ok, *failed, *aborted, *redirects, *reopened];
        if all.iter().chain(&more).sum::<u64>() > MAX_COUNT {
            return Err("counts that add up to more than any run has");
        }
        self.ok += ok;
        self.failed += failed;
        self.aborted += aborted;
        self.redirects += redirects;
        self.reopened += reopened;
        let key = (interval.method.clone(), interval.name.clone());
        if self.endpoints.len() <= MAX_ENDPOINTS || self.endpoints.contains_key(&key) {
            let known = self.endpoints.entry(key).or_default();
            *known = (known.0 + ok + failed, known.1 + failed);
        } else {
            self.is_partial = true;
        }
        Ok(())
    }

    /// Holds the last lines against the intervals, where nothing of the stream is missing.
    pub(super) fn finish(self, troubles: &mut StreamTroubles) {
        if self.is_partial || troubles.is_loss() {
            return;
        }
        let all = (self.ok + self.failed, self.failed);
        let mut wrong = |line, what: &str| troubles.add_at(line, StreamTrouble::Contradiction, what);
        if let Some((line, _)) = self.last.filter(|(_, said)| *said != all) {
            wrong(line, "the final line does not count what the intervals count");
        }
        for (line, key, said) in &self.rows {
            if self.endpoints.get(key).copied().unwrap_or_default() != *said {
                wrong(*line, "a line about an endpoint does not count what its intervals count");
            }
        }
        if let Some((line, _)) = self.errors.filter(|(_, errors)| *errors != self.failed) {
            wrong(line, "the errors did not occur as often as requests failed");
        }
        let counted = [self.ok, self.failed, self.aborted, self.redirects, self.reopened];
        if let Some((line, _)) = self.end.filter(|(_, said)| *said != counted) {
            wrong(line, "the last line does not count what the intervals count");
        }
    }
}

const fn completed(row: &StatsFact) -> Completed {
    (row.statistics.num_requests, row.statistics.num_failures)
}
