//! The run so far: every outcome recorded once, by endpoint, and as a whole.

use std::collections::HashSet;

use super::histogram::{LONGEST_US, Precision};
use super::tally::{Statistics, Tally};
use crate::clock::Moment;
use crate::load::outcome::{Ending, Failure, Outcome};
use crate::plan::request::EndpointId;

/// Endpoints with percentiles to 0.1 %: a histogram of 184 KiB each.
pub const FINE_ENDPOINTS: usize = 200;

/// Endpoints with statistics of their own, those beyond [`FINE_ENDPOINTS`] with percentiles to 1 %; further ones are
/// counted together.
pub const MOST_ENDPOINTS: usize = 1000;

/// Distinct errors an endpoint; further ones are counted together.
pub const MOST_ERRORS: usize = 100;

/// What a line about an endpoint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// This endpoint.
    Endpoint(EndpointId),
    /// All that have no place of their own.
    Other,
}

/// What an error line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// This failure.
    Failure(Failure),
    /// All that are not kept apart.
    Other,
}

/// How often an error occurred, and when.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCount {
    /// Which error.
    pub kind: ErrorKind,
    /// How often.
    pub occurrences: u64,
    /// End of the first such request.
    pub first_seen: Moment,
    /// End of the last such request.
    pub last_seen: Moment,
}

/// Something that a reader of the numbers must know of, said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remark {
    /// A response time was over an hour and counts as one in percentiles.
    OverAnHour,
    /// More endpoints than [`FINE_ENDPOINTS`] are in use.
    CoarseEndpoints,
    /// More endpoints than [`MOST_ENDPOINTS`] are in use.
    OtherEndpoints,
    /// An endpoint has more distinct errors than [`MOST_ERRORS`].
    OtherErrors,
    /// This machine ran out of ports or descriptors: the run is not valid.
    OwnLimit(Failure),
}

/// Counts of a run. sent = ok + failed + aborted, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answered as wanted.
    pub ok: u64,
    /// Failed.
    pub failed: u64,
    /// Ended by the end of the run.
    pub aborted: u64,
    /// Redirects followed.
    pub redirects: u64,
    /// Connections reopened that the server had closed while idle.
    pub reopened: u64,
}

impl Counts {
    /// Answered or failed.
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.ok + self.failed
    }

    /// Begun.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.completed() + self.aborted
    }
}

/// One endpoint's sums and errors.
#[derive(Debug)]
pub struct EndpointTally {
    /// What it is about.
    pub place: Place,
    /// Its sums.
    pub tally: Tally,
    /// Its errors in the order of first occurrence.
    pub errors: Vec<ErrorCount>,
}

/// The run so far.
#[derive(Debug)]
pub struct Aggregate {
    whole: Tally,
    counts: Counts,
    /// In the order of first use.
    endpoints: Vec<EndpointTally>,
    /// Index into `endpoints` by endpoint id.
    index: Vec<Option<usize>>,
    last_done: Moment,
    remarks: Vec<Remark>,
    remarked: HashSet<Remark>,
}

impl Aggregate {
    /// An aggregate for ids below `endpoints`.
    #[must_use]
    pub fn new(endpoints: usize) -> Self {
        Self {
            whole: Tally::new(Precision::Fine),
            counts: Counts::default(),
            endpoints: Vec::new(),
            index: vec![None; endpoints],
            last_done: Moment::START,
            remarks: Vec::new(),
            remarked: HashSet::new(),
        }
    }

    /// Counts one outcome.
    pub fn record(&mut self, outcome: &Outcome) {
        let traffic = outcome.traffic();
        self.counts.redirects += u64::from(traffic.redirects);
        self.counts.reopened += u64::from(traffic.reopened);
        let failure = match outcome.ending() {
            Ending::Aborted => {
                self.counts.aborted += 1;
                return;
            }
            Ending::Ok => None,
            Ending::Failed(failure) => Some(failure),
        };
        match failure {
            None => self.counts.ok += 1,
            Some(_) => self.counts.failed += 1,
        }
        self.last_done = self.last_done.max(outcome.done());
        self.whole.record(outcome, failure);
        let at = self.place_of(outcome.endpoint());
        self.endpoints[at].tally.record(outcome, failure);
        if let Some(failure) = failure {
            self.record_error(at, failure, outcome.done());
        }
        if outcome.response_time().as_micros() > u128::from(LONGEST_US) {
            self.remark(Remark::OverAnHour);
        }
    }

    fn place_of(&mut self, endpoint: EndpointId) -> usize {
        let id = endpoint.0 as usize;
        if let Some(at) = self.index[id] {
            return at;
        }
        let used = self.endpoints.len();
        let at = if used < MOST_ENDPOINTS {
            if used >= FINE_ENDPOINTS {
                self.remark(Remark::CoarseEndpoints);
            }
            self.open_place(Place::Endpoint(endpoint))
        } else {
            self.remark(Remark::OtherEndpoints);
            if used == MOST_ENDPOINTS { self.open_place(Place::Other) } else { MOST_ENDPOINTS }
        };
        self.index[id] = Some(at);
        at
    }

    fn open_place(&mut self, place: Place) -> usize {
        let at = self.endpoints.len();
        let precision = if at < FINE_ENDPOINTS { Precision::Fine } else { Precision::Coarse };
        self.endpoints.push(EndpointTally { place, tally: Tally::new(precision), errors: Vec::new() });
        at
    }

    fn record_error(&mut self, at: usize, failure: Failure, done: Moment) {
        if failure.is_own_limit() {
            self.remark(Remark::OwnLimit(failure));
        }
        let errors = &mut self.endpoints[at].errors;
        let is_new = !errors.iter().any(|error| error.kind == ErrorKind::Failure(failure));
        let is_full = is_new && errors.len() >= MOST_ERRORS;
        let kind = if is_full { ErrorKind::Other } else { ErrorKind::Failure(failure) };
        match errors.iter_mut().find(|error| error.kind == kind) {
            Some(error) => {
                error.occurrences += 1;
                // Outcomes of several users arrive in the order sent, not in that of their ends.
                error.first_seen = error.first_seen.min(done);
                error.last_seen = error.last_seen.max(done);
            }
            None => errors.push(ErrorCount { kind, occurrences: 1, first_seen: done, last_seen: done }),
        }
        if is_full {
            self.remark(Remark::OtherErrors);
        }
    }

    fn remark(&mut self, remark: Remark) {
        if self.remarked.insert(remark) {
            self.remarks.push(remark);
        }
    }

    /// Remarks not taken before.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Counts so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// End of the last request that was answered or failed.
    #[must_use]
    pub const fn last_done(&self) -> Moment {
        self.last_done
    }

    /// Statistics of all requests at `now`, total rates over the time until `last`.
    #[must_use]
    pub fn statistics(&self, now: Moment, last: Moment) -> Statistics {
        self.whole.statistics(now, last)
    }

    /// Endpoints in the order of first use.
    #[must_use]
    pub fn endpoints(&self) -> &[EndpointTally] {
        &self.endpoints
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::outcome::Traffic;

    fn outcome(endpoint: usize, ending: Ending) -> Outcome {
        let at = Moment::from_nanos(1_000_000);
        let id = EndpointId(u32::try_from(endpoint).unwrap());
        Outcome::new(id, (at, at, at), Traffic::default(), ending)
    }

    #[test]
    fn sent_is_ok_and_failed_and_aborted() {
        let mut aggregate = Aggregate::new(2);
        for ending in [Ending::Ok, Ending::Failed(Failure::Timeout), Ending::Aborted, Ending::Ok] {
            aggregate.record(&outcome(1, ending));
        }
        let counts = aggregate.counts();
        assert_eq!((counts.ok, counts.failed, counts.aborted), (2, 1, 1));
        assert_eq!((counts.sent(), counts.completed()), (4, 3));
        let statistics = aggregate.statistics(Moment::START, Moment::START);
        assert_eq!((statistics.num_requests, statistics.num_failures), (3, 1));
        assert_eq!(aggregate.endpoints().len(), 1, "an aborted request opens no place");
    }

    #[test]
    fn endpoints_beyond_the_limit_are_counted_together_and_that_is_said() {
        let many = MOST_ENDPOINTS + 5;
        let mut aggregate = Aggregate::new(many);
        (0..many).chain(0..many).for_each(|id| aggregate.record(&outcome(id, Ending::Ok)));
        assert_eq!(aggregate.endpoints().len(), MOST_ENDPOINTS + 1);
        let other = aggregate.endpoints().last().unwrap();
        assert_eq!((other.place, other.tally.requests()), (Place::Other, 10));
        assert_eq!(aggregate.take_remarks(), [Remark::CoarseEndpoints, Remark::OtherEndpoints]);
        assert_eq!(aggregate.take_remarks(), []);
    }

    #[test]
    fn errors_beyond_the_limit_are_counted_together() {
        let mut aggregate = Aggregate::new(1);
        for status in (400..400 + MOST_ERRORS + 3).chain([400, 600]) {
            let failure = Failure::Status(u16::try_from(status).unwrap());
            aggregate.record(&outcome(0, Ending::Failed(failure)));
        }
        let errors = &aggregate.endpoints()[0].errors;
        assert_eq!(errors.len(), MOST_ERRORS + 1);
        assert_eq!(errors[0].occurrences, 2);
        assert_eq!((errors[MOST_ERRORS].kind, errors[MOST_ERRORS].occurrences), (ErrorKind::Other, 4));
        assert_eq!(aggregate.take_remarks(), [Remark::OtherErrors]);
    }
}
