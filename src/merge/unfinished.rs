//! What had not ended of all shards, by endpoint and the phase in which it was due.

use super::join::{EndpointPhase, Join};
use super::slots::Recordings;
use super::totals::precision;
use crate::stats::check::{CheckSet, TimesRef, UnfinishedInput};
use crate::stats::unfinished::{Judged, Unfinished, UnfinishedCounts};
use crate::telemetry::intervals::Span;
use crate::telemetry::reader::line::Telemetry;
use crate::telemetry::record::RecordBody;
use crate::telemetry::unfinished::lines;
use crate::vocabulary::Phase;

impl Join {
    /// Counts what had not ended of an endpoint of a shard, and takes what its histograms recorded, in the order of
    /// [`UNFINISHED`].
    pub(super) fn count_unfinished(&mut self, line: &Telemetry<'_>, slots: &[Recordings; 3]) {
        let number = self.tools.endpoints.number(&line.method, &line.name);
        let phase = line.phase();
        // It has a place among the endpoints from now on, though none of its requests may have ended.
        self.totals.endpoint(number);
        let new = || Unfinished::new(phase, precision(number));
        let part = self.unfinished.entry((number, phase)).or_insert_with(new);
        part.counts.add(&line.unfinished());
        for ((times, sum), recorded) in [
            (&mut part.response, line.response.counted()),
            (&mut part.service, line.service.counted()),
            (&mut part.first_byte, line.first_byte.counted()),
        ]
        .into_iter()
        .zip(slots)
        {
            times.add_sum(&sum);
            for (scale, slots) in recorded {
                times.add_recorded(*scale, slots);
            }
        }
    }

    /// All unfinished requests.
    pub(super) fn unfinished_counts(&self) -> UnfinishedCounts {
        let mut counts = UnfinishedCounts::default();
        self.unfinished.values().for_each(|part| counts.add(&part.counts));
        counts
    }

    /// Numbers of unfinished requests by the phase in which they were due.
    pub(super) fn unfinished_by_phase(&self) -> impl Iterator<Item = (Phase, &UnfinishedCounts)> {
        self.unfinished.iter().map(|((_, phase), part)| (*phase, &part.counts))
    }

    /// Passes the unfinished requests to the checks.
    pub(super) fn show_unfinished(&self, check_set: &mut CheckSet) {
        for ((number, phase), part) in &self.unfinished {
            check_set.add_unfinished(&UnfinishedInput {
                endpoint: &self.tools.endpoints.name(*number).to_string(),
                phase: *phase,
                service: TimesRef::Counted(&part.service),
                response: TimesRef::Counted(&part.response),
                first_byte: TimesRef::Counted(&part.first_byte),
            });
        }
    }

    /// The lines about what had not ended; `span` is the time of the load.
    pub(super) fn unfinished_lines(&self, span: &Span) -> Vec<RecordBody> {
        let mut parts: Vec<_> = self.unfinished.iter().collect();
        parts.sort_by_key(|((number, phase), _)| (self.totals.place(*number), *phase));
        let judged = |of: usize| {
            let parts = self.unfinished.iter().filter(|((number, _), _)| *number == of).map(|(_, part)| part);
            let endpoint = self.totals.endpoints().iter().find(|endpoint| endpoint.number == of);
            endpoint.map(|endpoint| Judged::of(&endpoint.tally, parts)).unwrap_or_default()
        };
        let of_part = |((number, _), part): (&EndpointPhase, &Unfinished)| {
            lines(span, self.tools.endpoints.name(*number), part, judged(*number))
        };
        parts.into_iter().flat_map(of_part).collect()
    }
}
