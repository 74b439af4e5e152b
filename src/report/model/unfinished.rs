//! Requests that were unfinished at the end of the run, and the statistics that include them.

use super::run_data::RunData;
use super::seen::{EndpointSeen, UnfinishedSeen, title};
use crate::stats::check::{TimesRef, UnfinishedInput};
use crate::stats::histogram::Precision;
use crate::stats::packed::PackedTimes;
use crate::stats::sum::Sum;
use crate::stats::tally::Statistics;
use crate::stats::times::Times;
use crate::stats::timing_summary::TimingSummary;
use crate::stats::unfinished::{Bounds, Judged, JudgedTimes, UnfinishedCounts, judged};
use crate::telemetry::hdr::packed;
use crate::telemetry::reader::StreamReader;
use crate::telemetry::reader::ending::UnfinishedFact;
use crate::telemetry::reader::facts::HistogramFact;
use crate::vocabulary::{HistogramKind, Phase};

/// The statistics of an endpoint or of all requests, as they are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Statistics of completed requests, but each time is the larger of theirs and that of completed and unfinished
    /// ones together.
    pub statistics: Statistics,
    /// Which times are lower bounds.
    pub bounds: Bounds,
    /// Unfinished requests.
    pub unfinished: UnfinishedCounts,
    /// Time to the first byte, judged in the same way, and where the time of completed requests went; `None` if the stream
    /// does not say, because it is of an earlier version.
    pub timing: Option<TimingSummary>,
}

impl RunData {
    /// Adds the line about an endpoint's unfinished requests.
    pub(super) fn add_unfinished(&mut self, line: &UnfinishedFact, reading: &mut StreamReader) {
        self.unfinished.push(UnfinishedSeen {
            method: line.method.clone(),
            name: line.name.clone(),
            phase: line.phase,
            counts: UnfinishedCounts {
                aborted: line.aborted,
                unsent: line.unsent,
                overdue: line.overdue,
                oldest_aborted_us: line.oldest_aborted_us,
                oldest_unsent_us: line.oldest_unsent_us,
            },
            response: times(line.response.counted(), line.response_histogram.as_deref(), reading),
            service: times(line.service.counted(), line.service_histogram.as_deref(), reading),
            first_byte: times(line.first_byte.counted(), line.first_byte_histogram.as_deref(), reading),
            judged: line.judged,
            judged_first_byte: line.judged_first_byte,
        });
    }

    /// Adds a part of a histogram that belongs to the line before it; returns whether it was one.
    pub(super) fn add_unfinished_piece(&mut self, piece: &HistogramFact, reading: &mut StreamReader) -> bool {
        let of: fn(&mut UnfinishedSeen) -> &mut PackedTimes = match piece.kind {
            HistogramKind::Service
            | HistogramKind::Response
            | HistogramKind::FirstByte
            | HistogramKind::FailedService => return false,
            HistogramKind::UnfinishedResponse => |part| &mut part.response,
            HistogramKind::UnfinishedService => |part| &mut part.service,
            HistogramKind::UnfinishedFirstByte => |part| &mut part.first_byte,
        };
        if let Some(part) = self.unfinished.last_mut() {
            match packed::histogram(&piece.histogram, reading.histograms()) {
                Ok(histogram) => of(part).histogram.add(&histogram),
                Err(why) => reading.complain(why),
            }
        }
        true
    }

    /// Assigns each part to an endpoint. New endpoints go after those that other lines mentioned, so the order is the
    /// same whether intervals were read or not.
    pub(super) fn place_unfinished(&mut self) {
        for at in 0..self.unfinished.len() {
            let UnfinishedSeen { method, name, .. } = self.unfinished[at].clone();
            let place = self.endpoint(&method, &name);
            let EndpointSeen { method, name, .. } = &self.endpoints[place];
            (self.unfinished[at].method, self.unfinished[at].name) = (method.clone(), name.clone());
        }
    }

    /// Passes the unfinished requests to the checks.
    pub(super) fn pass_unfinished_to_checks(&mut self) {
        for part in &self.unfinished {
            self.check_set.add_unfinished(&UnfinishedInput {
                endpoint: &title(&part.method, &part.name),
                phase: part.phase,
                service: TimesRef::Packed(&part.service),
                response: TimesRef::Packed(&part.response),
                first_byte: TimesRef::Packed(&part.first_byte),
            });
        }
    }

    /// The statistics of an endpoint as they are judged; `None` if it has neither completed nor unfinished requests.
    #[must_use]
    pub fn numbers(&self, endpoint: &EndpointSeen) -> Option<Numbers> {
        let parts = || self.judged_unfinished(Some(endpoint));
        let (statistics, timing) = (self.statistics(endpoint), self.timing(endpoint));
        let Some(part) = parts().next() else {
            return statistics.map(|statistics| Numbers { statistics, timing, ..Numbers::default() });
        };
        let mut unfinished = UnfinishedCounts::default();
        parts().for_each(|part| unfinished.add(&part.counts));
        let told = Judged { response: part.judged, first_byte: part.judged_first_byte };
        let times = if self.has_warmup() { self.judged_times(Some(endpoint)) } else { told };
        let (statistics, bounds) = judged(statistics.unwrap_or_default(), &times.response);
        let timing = times.first_byte.map(|judged| timing.unwrap_or_default().judged(&judged));
        Some(Numbers { statistics, bounds, unfinished, timing })
    }

    /// The statistics of all requests, in the same way.
    #[must_use]
    pub fn total_numbers(&self) -> Numbers {
        // Not known if the stream was cut off before its end.
        let end = self.end.as_ref();
        let told = Judged {
            response: end.and_then(|end| end.judged).unwrap_or_default(),
            first_byte: end.and_then(|end| end.judged_first_byte),
        };
        let times = if self.has_warmup() { self.judged_times(None) } else { told };
        let (statistics, bounds) = judged(self.total(), &times.response);
        let first_byte = times.first_byte.unwrap_or_default();
        let timing = self.total_timing().map(|timing| timing.judged(&first_byte));
        Numbers { statistics, bounds, unfinished: self.unfinished(), timing }
    }

    /// From the due time to the cut, of the unfinished requests of an endpoint, or of all, that were due in a phase.
    pub(super) fn unfinished_in(&self, endpoint: Option<&EndpointSeen>, phase: Phase) -> PackedTimes {
        let mut waiting = PackedTimes::default();
        let is_meant =
            |part: &&UnfinishedSeen| part.phase == phase && endpoint.is_none_or(|endpoint| part.is_of(endpoint));
        self.unfinished.iter().filter(is_meant).for_each(|part| waiting.add(&part.response));
        waiting
    }

    /// What was unfinished of an endpoint, or of all, and due after the warm-up.
    fn judged_unfinished(&self, endpoint: Option<&EndpointSeen>) -> impl Iterator<Item = &UnfinishedSeen> {
        let is_meant = move |part: &&UnfinishedSeen| endpoint.is_none_or(|endpoint| part.is_of(endpoint));
        self.unfinished.iter().filter(|part| part.phase != Phase::Warmup).filter(is_meant)
    }

    /// The judged times of an endpoint, or of all requests, without the warm-up: what the stream says of them includes it.
    fn judged_times(&self, endpoint: Option<&EndpointSeen>) -> Judged {
        let traffic = endpoint.map_or(&self.timeline, |endpoint| &endpoint.timeline).total();
        let counted = |times: &PackedTimes, precision| {
            let mut counted = Times::new(precision);
            counted.add_packed(times);
            counted
        };
        let judged = |completed: &PackedTimes, of: fn(&UnfinishedSeen) -> &PackedTimes, precision| {
            let waiting: Vec<Times> =
                self.judged_unfinished(endpoint).map(|part| counted(of(part), precision)).collect();
            JudgedTimes::of(&counted(completed, precision), &waiting)
        };
        Judged {
            response: judged(traffic.response(), |part| &part.response, Precision::Fine),
            first_byte: traffic.first_byte().map(|times| judged(times, |part| &part.first_byte, Precision::Coarse)),
        }
    }

    /// Response times of completed and unfinished requests together, for one endpoint or for all.
    #[must_use]
    pub fn together(&self, endpoint: Option<&EndpointSeen>) -> PackedTimes {
        let mut together = PackedTimes::default();
        self.judged_unfinished(endpoint).for_each(|part| together.add(&part.response));
        together.add(endpoint.map_or(&self.timeline, |endpoint| &endpoint.timeline).total().response());
        together
    }
}

fn times(sum: Sum, histogram: Option<&str>, reading: &mut StreamReader) -> PackedTimes {
    let histogram =
        histogram.map(|text| packed::histogram(text, reading.histograms())).transpose().unwrap_or_else(|why| {
            reading.complain(why);
            None
        });
    PackedTimes { sum, histogram: histogram.unwrap_or_default() }
}
