//! The requests behind the tail over all shards: of each endpoint the same as in a run on its own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::stats::samples::choose;
use crate::telemetry::samples::SampleEvent;
use crate::vocabulary::SampleKind;

/// A request that a shard tells of.
#[derive(Clone, Debug)]
pub(super) struct ShardSample {
    pub(super) shard: u32,
    /// When the shard started, since the Unix epoch: its times count from then.
    pub(super) started: Duration,
    pub(super) event: SampleEvent,
}

impl ShardSample {
    /// Response time in microseconds, which are exact.
    fn response_us(&self) -> u64 {
        micros(self.event.done_ms).saturating_sub(micros(self.event.due_ms))
    }

    /// When it was over, since the Unix epoch.
    fn done(&self) -> Duration {
        self.started + Duration::from_micros(micros(self.event.done_ms))
    }

    /// The line about it, its times counted from `start`, since the Unix epoch.
    fn event(&self, start: Duration, kinds: Vec<SampleKind>) -> SampleEvent {
        let later = self.started.saturating_sub(start);
        let shifted = |ms: f64| {
            let us = u64::try_from(later.as_micros()).unwrap_or(u64::MAX).saturating_add(micros(ms));
            us as f64 / 1000.0
        };
        let event = self.event.clone();
        SampleEvent {
            kinds,
            due_ms: shifted(event.due_ms),
            sent_ms: shifted(event.sent_ms),
            first_byte_ms: event.first_byte_ms.map(shifted),
            done_ms: shifted(event.done_ms),
            ..event
        }
    }
}

/// The samples of one endpoint, by their kinds.
#[derive(Debug, Default)]
struct EndpointSamples(BTreeMap<SampleKind, ShardSample>);

/// The samples of a tick, at most three of an endpoint.
#[derive(Debug, Default)]
pub(super) struct TickSamples(BTreeMap<usize, EndpointSamples>);

impl TickSamples {
    /// Adds a request of an endpoint, given by its number.
    pub(super) fn add(&mut self, endpoint: usize, sample: &ShardSample) {
        let EndpointSamples(known) = self.0.entry(endpoint).or_default();
        for kind in &sample.event.kinds {
            let is_better = known.get(kind).is_none_or(|known| match kind {
                SampleKind::FirstFailed => (sample.done(), sample.shard) < (known.done(), known.shard),
                // Of two that took the same time that of the lower shard, whichever was read first.
                SampleKind::Slowest | SampleKind::SlowestTraced => {
                    (known.response_us(), sample.shard) < (sample.response_us(), known.shard)
                }
            });
            if is_better {
                known.insert(*kind, sample.clone());
            }
        }
    }

    /// The lines of the tick, of a run that started at `start`, since the Unix epoch.
    pub(super) fn events(&self, start: Duration) -> Vec<SampleEvent> {
        choose(self.0.values().map(|endpoint| endpoint.events(start)).collect())
    }
}

impl EndpointSamples {
    /// The longest response time, and the lines, the slowest first; a request that is one of several kinds is there once.
    fn events(&self, start: Duration) -> (Duration, Vec<SampleEvent>) {
        let mut found: Vec<(&ShardSample, Vec<SampleKind>)> = Vec::new();
        for (kind, sample) in &self.0 {
            match found.iter_mut().find(|(known, _)| known.shard == sample.shard && known.event == sample.event) {
                Some((_, kinds)) => kinds.push(*kind),
                None => found.push((sample, vec![*kind])),
            }
        }
        found.sort_by_key(|(sample, _)| std::cmp::Reverse(sample.response_us()));
        let longest = found.first().map_or(0, |(sample, _)| sample.response_us());
        let events = found.into_iter().map(|(sample, kinds)| sample.event(start, kinds)).collect();
        (Duration::from_micros(longest), events)
    }
}

/// Whole microseconds of milliseconds that were written with three digits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be amounts, of at most 1e15")]
fn micros(ms: f64) -> u64 {
    (ms * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::RequestResult;

    fn event(kinds: &[SampleKind], due_ms: f64, done_ms: f64) -> SampleEvent {
        SampleEvent {
            kinds: kinds.to_vec(),
            method: "GET".to_owned(),
            name: "/".to_owned(),
            due_ms,
            sent_ms: due_ms,
            first_byte_ms: None,
            done_ms,
            result: RequestResult::Failed,
            status_code: None,
            error: Some("reset: connection reset".to_owned()),
            trace_id: None,
        }
    }

    #[test]
    fn over_all_shards_the_slowest_and_the_first_failed_are_kept_whichever_came_first() {
        use SampleKind::{FirstFailed, Slowest};
        let at = Duration::from_millis;
        // The second shard started 500 ms later, so its failure at 1000 ms is the later one.
        let one = ShardSample { shard: 0, started: at(5000), event: event(&[FirstFailed, Slowest], 1000.0, 1200.25) };
        let two = ShardSample { shard: 1, started: at(5500), event: event(&[FirstFailed], 990.0, 1000.0) };
        let three = ShardSample { shard: 1, started: at(5500), event: event(&[Slowest], 0.125, 900.0) };
        for order in [[&one, &two, &three], [&three, &two, &one], [&two, &one, &three]] {
            let mut samples = TickSamples::default();
            for sample in order {
                samples.add(0, sample);
            }
            let events = samples.events(at(5000));
            let told = events.iter().map(|event| (event.kinds.clone(), event.due_ms, event.done_ms));
            let expected = [(vec![Slowest], 500.125, 1400.0), (vec![FirstFailed], 1000.0, 1200.25)];
            assert_eq!(told.collect::<Vec<_>>(), expected);
        }
    }
}
