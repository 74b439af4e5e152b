//! The run so far: every outcome recorded once, by endpoint, and as a whole.

use std::collections::HashSet;
use std::time::Duration;

use super::histogram::{LONGEST_US, Precision};
use super::interval::Interval;
use super::sends::Sends;
use super::tally::{Counts, Statistics, Tally};
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

/// Longer response times count as this in percentiles.
const LONGEST: Duration = Duration::from_micros(LONGEST_US);

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

/// One endpoint: what happened since the last cut, what came before, and its errors.
#[derive(Debug)]
pub struct EndpointTally {
    /// What it is about.
    pub place: Place,
    /// Everything up to the last cut.
    pub tally: Tally,
    /// Its errors in the order of first occurrence.
    pub errors: Vec<ErrorCount>,
    interval: Interval,
}

/// What happened at one endpoint between two cuts.
#[derive(Debug)]
pub struct Cut {
    /// Which endpoint.
    pub place: Place,
    /// What happened.
    pub interval: Interval,
}

/// How a run goes, between two cuts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoFar {
    /// Requests that were answered or failed.
    pub completed: u64,
    /// Those that failed.
    pub failed: u64,
    /// Requests a second over the last complete seconds.
    pub rate: f64,
}

/// The run: each outcome is recorded once, in its endpoint's interval; everything else is a sum of intervals, made
/// when they are cut.
#[derive(Debug)]
pub struct Aggregate {
    whole: Tally,
    recent_sends: Sends,
    sends: Sends,
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
            recent_sends: Sends::default(),
            sends: Sends::default(),
            endpoints: Vec::new(),
            index: vec![None; endpoints],
            last_done: Moment::START,
            remarks: Vec::new(),
            remarked: HashSet::new(),
        }
    }

    /// Counts one outcome.
    pub fn record(&mut self, outcome: &Outcome) {
        self.recent_sends.record(outcome);
        let at = self.place_of(outcome.endpoint());
        let place = &mut self.endpoints[at];
        place.interval.record(outcome);
        let failure = match outcome.ending() {
            Ending::Aborted => return,
            Ending::Ok => None,
            Ending::Failed(failure) => Some(failure),
        };
        place.tally.note(outcome.done(), failure.is_some());
        self.whole.note(outcome.done(), failure.is_some());
        self.last_done = self.last_done.max(outcome.done());
        if let Some(failure) = failure {
            self.record_error(at, failure, outcome.done());
        }
        if outcome.response_time() > LONGEST {
            self.remark(Remark::OverAnHour);
        }
    }

    /// Ends the interval: what happened since the last cut, by endpoint, is taken out and added to the sums.
    pub fn cut(&mut self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for endpoint in self.endpoints.iter_mut().filter(|endpoint| endpoint.interval.is_used()) {
            let interval = endpoint.interval.take();
            endpoint.tally.add(&interval);
            self.whole.add(&interval);
            cuts.push(Cut { place: endpoint.place, interval });
        }
        cuts
    }

    /// How late requests were sent since the last call.
    pub fn take_sends(&mut self) -> Sends {
        let sends = std::mem::take(&mut self.recent_sends);
        self.sends.add(&sends);
        sends
    }

    /// How late requests were sent up to the last [`Aggregate::take_sends`].
    #[must_use]
    pub const fn sends(&self) -> &Sends {
        &self.sends
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
        let (tally, interval) = (Tally::new(precision), Interval::new(precision));
        self.endpoints.push(EndpointTally { place, tally, errors: Vec::new(), interval });
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

    /// Counts up to the last cut.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.whole.counts()
    }

    /// End of the last request that was answered or failed.
    #[must_use]
    pub const fn last_done(&self) -> Moment {
        self.last_done
    }

    /// Statistics of all requests up to the last cut, which was at `now`; total rates over the time until `last`.
    #[must_use]
    pub fn statistics(&self, now: Moment, last: Moment) -> Statistics {
        self.whole.statistics(now, last)
    }

    /// How it goes at `now`, what was not cut yet included.
    #[must_use]
    pub fn so_far(&self, now: Moment) -> SoFar {
        let counts = self.whole.counts();
        let open = self.endpoints.iter().map(|endpoint| &endpoint.interval);
        let start =
            SoFar { completed: counts.completed(), failed: counts.failed, rate: self.whole.rates(now).requests };
        open.fold(start, |sum, interval| SoFar {
            completed: sum.completed + interval.completed(),
            failed: sum.failed + interval.failures(),
            ..sum
        })
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
    use crate::load::outcome::{Traffic, Turn};

    fn outcome(endpoint: usize, ending: Ending) -> Outcome {
        let at = Moment::from_nanos(1_000_000);
        let id = EndpointId(u32::try_from(endpoint).unwrap());
        Outcome::new(id, Turn::WhenSent, (at, at), Traffic::default(), ending)
    }

    #[test]
    fn sent_is_ok_and_failed_and_aborted() {
        let mut aggregate = Aggregate::new(2);
        for ending in [Ending::Ok, Ending::Failed(Failure::Timeout), Ending::Aborted, Ending::Ok] {
            aggregate.record(&outcome(1, ending));
        }
        let open = aggregate.so_far(Moment::START);
        assert_eq!((open.completed, open.failed), (3, 1), "what was not cut yet");
        assert_eq!(aggregate.cut().len(), 1);
        assert_eq!(aggregate.so_far(Moment::START), open, "the same after the cut");
        assert!(aggregate.cut().is_empty(), "each outcome is in one interval");
        let counts = aggregate.counts();
        assert_eq!((counts.ok, counts.failed, counts.aborted), (2, 1, 1));
        assert_eq!((counts.sent(), counts.completed()), (4, 3));
        let statistics = aggregate.statistics(Moment::START, Moment::START);
        assert_eq!((statistics.num_requests, statistics.num_failures), (3, 1));
    }

    #[test]
    fn endpoints_beyond_the_limit_are_counted_together_and_that_is_said() {
        let many = MOST_ENDPOINTS + 5;
        let mut aggregate = Aggregate::new(many);
        (0..many).chain(0..many).for_each(|id| aggregate.record(&outcome(id, Ending::Ok)));
        assert_eq!(aggregate.endpoints().len(), MOST_ENDPOINTS + 1);
        aggregate.cut();
        let other = aggregate.endpoints().last().unwrap();
        assert_eq!((other.place, other.tally.counts().ok), (Place::Other, 10));
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
