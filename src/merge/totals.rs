//! The sums over all shards: endpoints in the order of first use, and the whole.

use std::collections::HashMap;

use crate::plan::endpoint::Endpoint;
use crate::stats::aggregate::{MAX_ENDPOINTS, MAX_ERRORS_PER_ENDPOINT, MAX_FINE_ENDPOINTS};
use crate::stats::histogram::Precision;
use crate::stats::interval::Interval;
use crate::stats::tally::{Counts, Statistics, Tally};
use crate::stats::warmup::WarmupCounts;
use crate::telemetry::reader::line::Telemetry;
use crate::vocabulary::Phase;

/// Names of endpoints, each with a number in the order of arrival.
#[derive(Default)]
pub(super) struct EndpointIndex {
    numbers: HashMap<String, usize>,
    names: Vec<Endpoint>,
    /// Method and name of the endpoint last asked for, and its key in `numbers`: kept to be made without allocating.
    key: String,
}

impl EndpointIndex {
    /// The number of the endpoint that a line is about; beyond [`MOST_ENDPOINTS`] that of all others together.
    pub(super) fn number(&mut self, method: &str, name: &str) -> usize {
        self.key.clear();
        self.key.extend([method, "\n", name]);
        if let Some(number) = self.numbers.get(&self.key) {
            return *number;
        }
        let other = Endpoint { method: String::new(), name: "other".to_owned() };
        let number = self.names.len();
        if number > MAX_ENDPOINTS {
            return MAX_ENDPOINTS;
        }
        let is_last = number == MAX_ENDPOINTS;
        self.numbers.insert(if is_last { "\nother".to_owned() } else { self.key.clone() }, number);
        self.names.push(if is_last { other } else { Endpoint { method: method.to_owned(), name: name.to_owned() } });
        number
    }

    /// Method and name.
    pub(super) fn name(&self, number: usize) -> &Endpoint {
        &self.names[number]
    }
}

/// How finely the times of an endpoint are told apart.
pub(super) const fn precision(number: usize) -> Precision {
    if number < MAX_FINE_ENDPOINTS { Precision::Fine } else { Precision::Coarse }
}

/// What intervals do not tell: rates of the last seconds and body bytes, as shards say them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extra {
    pub(super) rps: f64,
    pub(super) fail_per_sec: f64,
    pub(super) content_bytes: f64,
    /// Requests that the bytes are of.
    pub(super) requests: u64,
    /// Those of the bytes that were in the warm-up.
    pub(super) warmup_bytes: u64,
}

impl Extra {
    /// What a line of statistics says.
    pub(super) fn of(line: &Telemetry<'_>) -> Self {
        Self {
            rps: line.current_rps,
            fail_per_sec: line.current_fail_per_sec,
            content_bytes: line.content_bytes(),
            requests: line.num_requests,
            warmup_bytes: line.warmup_content_bytes,
        }
    }

    /// Adds another shard's.
    pub(super) fn add(&mut self, other: &Self) {
        self.rps += other.rps;
        self.fail_per_sec += other.fail_per_sec;
        self.content_bytes += other.content_bytes;
        self.requests += other.requests;
        self.warmup_bytes = self.warmup_bytes.saturating_add(other.warmup_bytes);
    }

    /// The requests that an endpoint, or the run, had in the warm-up.
    pub(super) fn warmup_of(&self, tally: &Tally) -> Option<WarmupCounts> {
        let counts = tally.warmup()?;
        Some(WarmupCounts { content_bytes: self.warmup_bytes.into(), ..*counts })
    }

    /// The statistics with what the sums cannot tell.
    pub(super) fn added_to(&self, statistics: Statistics) -> Statistics {
        if statistics.num_requests == 0 {
            return statistics;
        }
        let content = if self.requests == 0 { 0.0 } else { self.content_bytes / self.requests as f64 };
        Statistics {
            current_rps: self.rps,
            current_fail_per_sec: self.fail_per_sec,
            avg_content_length: content,
            ..statistics
        }
    }
}

/// One endpoint over the run.
pub(super) struct EndpointTotal {
    pub(super) number: usize,
    pub(super) tally: Tally,
    pub(super) extra: Extra,
    pub(super) errors: Vec<ErrorTotal>,
}

/// One error of an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ErrorTotal {
    pub(super) text: String,
    pub(super) occurrences: u64,
    /// How often of these in the warm-up.
    pub(super) warmup: u64,
    pub(super) first_seen: f64,
    pub(super) last_seen: f64,
}

/// The run so far.
pub(super) struct MergeTotals {
    whole: Tally,
    /// In the order of first use.
    endpoints: Vec<EndpointTotal>,
    places: HashMap<usize, usize>,
}

impl Default for MergeTotals {
    fn default() -> Self {
        Self { whole: Tally::new(Precision::Fine), endpoints: Vec::new(), places: HashMap::new() }
    }
}

impl MergeTotals {
    /// Adds an interval of an endpoint, which was in this phase.
    pub(super) fn add(&mut self, number: usize, interval: &Interval, phase: Phase) {
        self.whole.add(interval, phase);
        self.endpoint(number).tally.add(interval, phase);
    }

    /// The endpoint with this number, from now on one that was used.
    pub(super) fn endpoint(&mut self, number: usize) -> &mut EndpointTotal {
        let place = *self.places.entry(number).or_insert_with(|| {
            let tally = Tally::new(precision(number));
            self.endpoints.push(EndpointTotal { number, tally, extra: Extra::default(), errors: Vec::new() });
            self.endpoints.len() - 1
        });
        &mut self.endpoints[place]
    }

    /// Where an endpoint stands in the order of first use.
    pub(super) fn place(&self, number: usize) -> usize {
        self.places.get(&number).copied().unwrap_or(usize::MAX)
    }

    /// All requests.
    pub(super) const fn whole(&self) -> &Tally {
        &self.whole
    }

    /// Counts of all requests.
    pub(super) const fn counts(&self) -> Counts {
        self.whole.counts()
    }

    /// In the order of first use.
    pub(super) fn endpoints(&self) -> &[EndpointTotal] {
        &self.endpoints
    }
}

impl EndpointTotal {
    /// Adds an error that a shard tells of.
    pub(super) fn add_error(&mut self, error: &ErrorTotal) {
        let is_new = !self.errors.iter().any(|known| known.text == error.text);
        let text = if is_new && self.errors.len() >= MAX_ERRORS_PER_ENDPOINT { "other errors" } else { &error.text };
        match self.errors.iter_mut().find(|known| known.text == text) {
            Some(known) => {
                known.occurrences += error.occurrences;
                known.warmup += error.warmup;
                known.first_seen = known.first_seen.min(error.first_seen);
                known.last_seen = known.last_seen.max(error.last_seen);
            }
            None => self.errors.push(ErrorTotal { text: text.to_owned(), ..error.clone() }),
        }
    }

    /// Its errors in the order of first occurrence.
    pub(super) fn errors(&self) -> Vec<&ErrorTotal> {
        let mut errors: Vec<&ErrorTotal> = self.errors.iter().collect();
        errors.sort_by(|one, two| one.first_seen.total_cmp(&two.first_seen).then_with(|| one.text.cmp(&two.text)));
        errors
    }
}
