//! What had not ended of all shards, by endpoint and the phase in which it was due.

use super::join::Join;
use super::totals::precision;
use super::troubles::Kind as Trouble;
use super::wire::Telemetry;
use crate::plan::schedule::Phase;
use crate::stats::check::{Bench, Kept, UnfinishedShare};
use crate::stats::times::Times;
use crate::stats::unfinished::{JudgedTimes, Unfinished, UnfinishedCounts};
use crate::telemetry::intervals::Span;
use crate::telemetry::record::Body;
use crate::telemetry::sparse::Decoder;
use crate::telemetry::unfinished::lines;

/// The endpoint, and the phase in which they were due.
pub(super) type Key = (usize, Phase);

impl Join {
    /// Takes the line about what had not ended of an endpoint of a shard.
    pub(super) fn take_unfinished(&mut self, index: u32, line: &Telemetry<'_>) {
        let number = self.tools.endpoints.number(&line.method, &line.name);
        let phase = Phase::parse(line.phase).unwrap_or(Phase::Steady);
        // It has a place among the endpoints from now on, though none of its requests may have ended.
        self.totals.endpoint(number);
        self.shard(index).unfinished = Some((number, phase));
        let new = || Unfinished::new(phase, precision(number));
        let part = self.unfinished.entry((number, phase)).or_insert_with(new);
        part.counts.add(&line.unfinished());
        let mut found = Ok(());
        for (times, sum, text) in [
            (&mut part.response, line.response, line.response_histogram),
            (&mut part.service, line.service, line.service_histogram),
            (&mut part.first_byte, line.first_byte, line.first_byte_histogram),
        ] {
            times.add_sum(&sum.counted());
            if let Some(text) = text {
                found = found.and(add(times, text, &mut self.tools.decoder));
            }
        }
        self.note_unreadable(index, found);
    }

    /// Takes a piece of a histogram of the line before it.
    pub(super) fn take_unfinished_piece(&mut self, index: u32, kind: &str, text: &str) {
        let key = self.shard(index).unfinished;
        let Some(part) = key.and_then(|key| self.unfinished.get_mut(&key)) else { return };
        let times = match kind {
            "unfinished_response" => &mut part.response,
            "unfinished_service" => &mut part.service,
            "unfinished_first_byte" => &mut part.first_byte,
            _ => return,
        };
        let found = add(times, text, &mut self.tools.decoder);
        self.note_unreadable(index, found);
    }

    fn note_unreadable(&mut self, index: u32, found: Result<(), &'static str>) {
        if let Err(why) = found {
            self.once(Trouble::Wrong, format!("shard {index}: {why}"));
        }
    }

    /// What had not ended of all requests.
    pub(super) fn unfinished_counts(&self) -> UnfinishedCounts {
        let mut counts = UnfinishedCounts::default();
        self.unfinished.values().for_each(|part| counts.add(&part.counts));
        counts
    }

    /// Shows what had not ended to the checks.
    pub(super) fn show_unfinished(&self, bench: &mut Bench) {
        for ((number, phase), part) in &self.unfinished {
            bench.add_unfinished(&UnfinishedShare {
                endpoint: &self.tools.endpoints.name(*number).to_string(),
                phase: *phase,
                service: Kept::Counted(&part.service),
                response: Kept::Counted(&part.response),
            });
        }
    }

    /// The lines about what had not ended; `span` is the time of the load.
    pub(super) fn unfinished_lines(&self, span: &Span) -> Vec<Body> {
        let mut parts: Vec<_> = self.unfinished.iter().collect();
        parts.sort_by_key(|((number, phase), _)| (self.totals.place(*number), *phase));
        let judged = |of: usize| {
            let parts = self.unfinished.iter().filter(|((number, _), _)| *number == of).map(|(_, part)| part);
            let endpoint = self.totals.endpoints().iter().find(|endpoint| endpoint.number == of);
            endpoint.map(|endpoint| JudgedTimes::of(endpoint.tally.response(), parts)).unwrap_or_default()
        };
        let of_part = |((number, _), part): (&Key, &Unfinished)| {
            lines(span, self.tools.endpoints.name(*number), part, judged(*number))
        };
        parts.into_iter().flat_map(of_part).collect()
    }
}

fn add(times: &mut Times, text: &str, decoder: &mut Decoder) -> Result<(), &'static str> {
    let recorded = decoder.read(text)?;
    times.add_recorded(recorded.scale, recorded.slots);
    Ok(())
}
