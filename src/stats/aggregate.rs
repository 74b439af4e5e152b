//! The run so far: every outcome is recorded once, per endpoint and in the total.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::histogram::{MAX_TIME_US, Precision};
use super::interval::Interval;
use super::samples::EndpointSamples;
use super::send_lateness::SendLateness;
use super::tally::{Counts, Statistics, Tally};
use super::unfinished::{CutOff, PhaseSpans, Unfinished};
use crate::clock::Moment;
use crate::outcome::{Ending, Failure, Outcome};
use crate::plan::endpoint::EndpointId;
use crate::vocabulary::Phase;

/// Maximum number of endpoints with percentiles to 0.1 %: a histogram of 184 KiB each.
pub const MAX_FINE_ENDPOINTS: usize = 200;

/// Maximum number of endpoints with their own statistics; those beyond [`MAX_FINE_ENDPOINTS`] have percentiles to
/// 1 %. Any further endpoints are counted together.
pub const MAX_ENDPOINTS: usize = 1000;

/// Maximum number of distinct errors per endpoint; further ones are counted together.
pub const MAX_ERRORS_PER_ENDPOINT: usize = 100;

/// Longer response times count as this value in percentiles.
const MAX_RESPONSE_TIME: Duration = Duration::from_micros(MAX_TIME_US);

/// The endpoint that a line describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointKey {
    /// This endpoint.
    Endpoint(EndpointId),
    /// All endpoints beyond [`MAX_ENDPOINTS`], counted together.
    Other,
}

/// The error that an error line describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// This failure.
    Failure(Failure),
    /// All errors beyond [`MAX_ERRORS_PER_ENDPOINT`], counted together.
    Other,
}

/// How often an error occurred, and when.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCount {
    /// Which error.
    pub kind: ErrorKind,
    /// How often.
    pub occurrences: u64,
    /// How often in the warm-up.
    pub warmup: u64,
    /// How often since the last cut.
    open: u64,
    /// End of the first such request.
    pub first_seen: Moment,
    /// End of the last such request.
    pub last_seen: Moment,
}

/// A caveat that readers of the numbers need to know; reported once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateWarning {
    /// A response time was over an hour and counts as one hour in percentiles.
    OverAnHour,
    /// More endpoints than [`MAX_FINE_ENDPOINTS`] are in use.
    CoarseEndpoints,
    /// More endpoints than [`MAX_ENDPOINTS`] are in use.
    OtherEndpoints,
    /// An endpoint has more distinct errors than [`MAX_ERRORS_PER_ENDPOINT`].
    OtherErrors,
    /// This machine ran out of ports or descriptors: the run is invalid.
    OwnLimit(Failure),
}

/// One endpoint: the open interval, the totals up to the last cut, and its errors.
#[derive(Debug)]
pub struct EndpointTally {
    /// The endpoint.
    pub key: EndpointKey,
    /// Everything up to the last cut.
    pub tally: Tally,
    /// Its errors in the order of first occurrence.
    pub errors: Vec<ErrorCount>,
    interval: Interval,
    samples: EndpointSamples,
}

/// One endpoint's closed interval: everything between two cuts.
#[derive(Debug)]
pub struct EndpointInterval {
    /// Which endpoint.
    pub key: EndpointKey,
    /// The interval's counts and times.
    pub interval: Interval,
    /// Examples of its requests.
    pub samples: EndpointSamples,
}

/// Progress of a run, including the interval that is still open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunProgress {
    /// Requests that completed: answered or failed.
    pub completed: u64,
    /// Completed requests that failed.
    pub failed: u64,
    /// Requests per second over the last complete seconds.
    pub rate: f64,
}

/// All statistics of the run: each outcome is recorded once, in its endpoint's interval. Everything else is a
/// sum of intervals, updated when they are cut.
#[derive(Debug)]
pub struct Aggregate {
    total: Tally,
    recent_sends: SendLateness,
    sends: SendLateness,
    /// In the order of first use.
    endpoints: Vec<EndpointTally>,
    /// Index into `endpoints` by endpoint id.
    index: Vec<Option<usize>>,
    last_done: Moment,
    /// The end of the load, once it is known: requests that end later are left out of all rates.
    load_end: Option<Moment>,
    /// Requests that were cut off, each with the index of its endpoint; at most two per user.
    cut_off: Vec<(usize, CutOff)>,
    warnings: Vec<AggregateWarning>,
    warned: HashSet<AggregateWarning>,
}

impl Aggregate {
    /// Creates an aggregate for endpoint ids below `endpoints`.
    #[must_use]
    pub fn new(endpoints: usize) -> Self {
        Self {
            total: Tally::new(Precision::Fine),
            recent_sends: SendLateness::default(),
            sends: SendLateness::default(),
            endpoints: Vec::new(),
            index: vec![None; endpoints],
            last_done: Moment::START,
            load_end: None,
            cut_off: Vec::new(),
            warnings: Vec::new(),
            warned: HashSet::new(),
        }
    }

    /// Counts one outcome.
    pub fn record(&mut self, outcome: &Outcome) {
        self.record_at(outcome, outcome.done());
    }

    /// Counts an outcome of before the start, as if it had ended at the start: its duration is its own.
    pub fn record_before_start(&mut self, outcome: &Outcome) {
        self.record_at(outcome, Moment::START);
    }

    fn record_at(&mut self, outcome: &Outcome, done: Moment) {
        self.recent_sends.record(outcome);
        let at = self.index_of(outcome.endpoint());
        let place = &mut self.endpoints[at];
        place.interval.record(outcome);
        place.samples.record(outcome);
        let failure = match outcome.ending() {
            Ending::Aborted => {
                self.cut_off.push((at, CutOff::of(outcome)));
                return;
            }
            Ending::Ok => None,
            Ending::Failed(failure) => Some(failure),
        };
        if self.load_end.is_some_and(|end| done > end) {
            place.interval.after_stop.record(failure.is_some());
        }
        place.tally.record_end(done, failure.is_some());
        self.total.record_end(done, failure.is_some());
        self.last_done = self.last_done.max(done);
        if let Some(failure) = failure {
            self.record_error(at, failure, done);
        }
        if outcome.response_time() > MAX_RESPONSE_TIME {
            self.warn_once(AggregateWarning::OverAnHour);
        }
    }

    /// Sets the end of the load: requests that end later are counted but left out of all rates.
    pub const fn end_load(&mut self, at: Moment) {
        self.load_end = Some(at);
    }

    /// Returns the unfinished requests by endpoint and by the phase in which they were due. `unsent` are the
    /// arrivals that were due and never sent: the endpoint of each arrival's first request, when it was due,
    /// and how long it waited.
    #[must_use]
    pub fn unfinished(
        &mut self,
        phases: &PhaseSpans,
        unsent: impl Iterator<Item = (EndpointId, Moment, Duration)>,
    ) -> Vec<(EndpointKey, Unfinished)> {
        let mut parts = UnfinishedParts::default();
        for (at, cut_off) in std::mem::take(&mut self.cut_off) {
            let EndpointTally { key: place, tally, .. } = &self.endpoints[at];
            parts.entry(at, *place, phases.at(cut_off.due)).record_aborted(&cut_off, tally.longest_service());
        }
        for (endpoint, due, waited) in unsent {
            let at = self.index_of(endpoint);
            parts.entry(at, self.endpoints[at].key, phases.at(due)).record_unsent(waited);
        }
        parts.parts
    }

    /// Closes the open interval, which was in this phase: returns it by endpoint and adds it to the totals.
    pub fn close_interval(&mut self, phase: Phase) -> Vec<EndpointInterval> {
        let mut cuts = Vec::new();
        for endpoint in self.endpoints.iter_mut().filter(|endpoint| endpoint.interval.has_outcomes()) {
            let interval = endpoint.interval.take();
            endpoint.tally.add(&interval, phase);
            self.total.add(&interval, phase);
            for error in &mut endpoint.errors {
                let open = std::mem::take(&mut error.open);
                error.warmup += if phase == Phase::Warmup { open } else { 0 };
            }
            let samples = std::mem::take(&mut endpoint.samples);
            cuts.push(EndpointInterval { key: endpoint.key, interval, samples });
        }
        cuts
    }

    /// Returns how late requests were sent since the last call.
    pub fn take_sends(&mut self) -> SendLateness {
        let sends = std::mem::take(&mut self.recent_sends);
        self.sends.add(&sends);
        sends
    }

    /// How late requests were sent, up to the last [`Aggregate::take_sends`].
    #[must_use]
    pub const fn sends(&self) -> &SendLateness {
        &self.sends
    }

    fn index_of(&mut self, endpoint: EndpointId) -> usize {
        let id = endpoint.0 as usize;
        if let Some(at) = self.index[id] {
            return at;
        }
        let used = self.endpoints.len();
        let at = if used < MAX_ENDPOINTS {
            if used >= MAX_FINE_ENDPOINTS {
                self.warn_once(AggregateWarning::CoarseEndpoints);
            }
            self.add_endpoint(EndpointKey::Endpoint(endpoint))
        } else {
            self.warn_once(AggregateWarning::OtherEndpoints);
            if used == MAX_ENDPOINTS { self.add_endpoint(EndpointKey::Other) } else { MAX_ENDPOINTS }
        };
        self.index[id] = Some(at);
        at
    }

    fn add_endpoint(&mut self, place: EndpointKey) -> usize {
        let at = self.endpoints.len();
        let precision = precision(at);
        let (tally, interval) = (Tally::new(precision), Interval::new(precision));
        let (errors, samples) = (Vec::new(), EndpointSamples::default());
        self.endpoints.push(EndpointTally { key: place, tally, errors, interval, samples });
        at
    }

    fn record_error(&mut self, at: usize, failure: Failure, done: Moment) {
        if failure.is_own_limit() {
            self.warn_once(AggregateWarning::OwnLimit(failure));
        }
        let errors = &mut self.endpoints[at].errors;
        let is_new = !errors.iter().any(|error| error.kind == ErrorKind::Failure(failure));
        let is_full = is_new && errors.len() >= MAX_ERRORS_PER_ENDPOINT;
        let kind = if is_full { ErrorKind::Other } else { ErrorKind::Failure(failure) };
        match errors.iter_mut().find(|error| error.kind == kind) {
            Some(error) => {
                error.occurrences += 1;
                error.open += 1;
                // Outcomes of several users arrive in the order of sending, not of completion.
                error.first_seen = error.first_seen.min(done);
                error.last_seen = error.last_seen.max(done);
            }
            None => {
                errors.push(ErrorCount { kind, occurrences: 1, warmup: 0, open: 1, first_seen: done, last_seen: done });
            }
        }
        if is_full {
            self.warn_once(AggregateWarning::OtherErrors);
        }
    }

    fn warn_once(&mut self, remark: AggregateWarning) {
        if self.warned.insert(remark) {
            self.warnings.push(remark);
        }
    }

    /// Returns the remarks made since the last call.
    pub fn take_warnings(&mut self) -> Vec<AggregateWarning> {
        std::mem::take(&mut self.warnings)
    }

    /// Totals of all requests up to the last cut.
    #[must_use]
    pub const fn total(&self) -> &Tally {
        &self.total
    }

    /// Counts up to the last cut.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.total.counts()
    }

    /// End of the last request that completed.
    #[must_use]
    pub const fn last_done(&self) -> Moment {
        self.last_done
    }

    /// Statistics of all requests up to the last cut, which was at `now`; total rates are over the time of
    /// the load.
    #[must_use]
    pub fn statistics(&self, now: Moment) -> Statistics {
        self.total.statistics(now, self.load_end(now))
    }

    /// The end of the load, or `now` while it is still going on.
    #[must_use]
    pub fn load_end(&self, now: Moment) -> Moment {
        self.load_end.map_or(now, |end| end.min(now))
    }

    /// Progress at `now`, including the interval that is still open.
    #[must_use]
    pub fn progress(&self, now: Moment) -> RunProgress {
        let counts = self.total.counts();
        let open = self.endpoints.iter().map(|endpoint| &endpoint.interval);
        let start =
            RunProgress { completed: counts.completed(), failed: counts.failed, rate: self.total.rates(now).requests };
        open.fold(start, |sum, interval| RunProgress {
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

/// Unfinished requests by endpoint and phase, in the order of first use.
#[derive(Default)]
struct UnfinishedParts {
    parts: Vec<(EndpointKey, Unfinished)>,
    index: HashMap<(usize, Phase), usize>,
}

impl UnfinishedParts {
    fn entry(&mut self, endpoint: usize, place: EndpointKey, phase: Phase) -> &mut Unfinished {
        let at = *self.index.entry((endpoint, phase)).or_insert_with(|| {
            self.parts.push((place, Unfinished::new(phase, precision(endpoint))));
            self.parts.len() - 1
        });
        &mut self.parts[at].1
    }
}

/// Precision of the histogram of an endpoint; `at` is its index in the order of first use.
#[must_use]
pub const fn precision(at: usize) -> Precision {
    if at < MAX_FINE_ENDPOINTS { Precision::Fine } else { Precision::Coarse }
}

#[cfg(test)]
mod tests;
