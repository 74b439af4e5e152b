//! The requests behind the tail: of each endpoint, between two ticks, the slowest, the slowest traced and the first failed
//! request.

use std::cmp::Reverse;
use std::time::Duration;

use crate::outcome::{Ending, Outcome};
use crate::vocabulary::SampleKind;

/// Maximum number of samples of a tick, over all endpoints.
pub const MAX_SAMPLES_PER_TICK: usize = 20;

/// A request that is shown as an example, and what of.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The request.
    pub outcome: Outcome,
    /// Never empty, and in the order of [`SampleKind::ALL`].
    pub kinds: Vec<SampleKind>,
}

/// The samples of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointSamples {
    slowest: Option<Outcome>,
    slowest_traced: Option<Outcome>,
    first_failed: Option<Outcome>,
}

impl EndpointSamples {
    /// Looks at one outcome. Requests that the end of the run cut off count with the time that they had taken: of a
    /// service that hangs there are no others.
    pub fn record(&mut self, outcome: &Outcome) {
        let time = outcome.response_time();
        let is_slower = |than: &Option<Outcome>| than.as_ref().is_none_or(|slowest| time > slowest.response_time());
        if is_slower(&self.slowest) {
            self.slowest = Some(*outcome);
        }
        if outcome.is_traced() && is_slower(&self.slowest_traced) {
            self.slowest_traced = Some(*outcome);
        }
        // Outcomes of several users arrive in the order of sending, not of completion.
        let is_first = || self.first_failed.as_ref().is_none_or(|first| outcome.done() < first.done());
        if matches!(outcome.ending(), Ending::Failed(_)) && is_first() {
            self.first_failed = Some(*outcome);
        }
    }

    /// The longest response time; zero if there was no request.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.slowest.as_ref().map_or(Duration::ZERO, Outcome::response_time)
    }

    /// The samples; a request that is one of several kinds is there once.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let found = [
            (SampleKind::FirstFailed, &self.first_failed),
            (SampleKind::Slowest, &self.slowest),
            (SampleKind::SlowestTraced, &self.slowest_traced),
        ];
        let mut samples: Vec<Sample> = Vec::new();
        for (kind, outcome) in found.into_iter().filter_map(|(kind, outcome)| Some((kind, outcome.as_ref()?))) {
            match samples.iter_mut().find(|sample| sample.outcome.id() == outcome.id()) {
                Some(sample) => sample.kinds.push(kind),
                None => samples.push(Sample { outcome: *outcome, kinds: vec![kind] }),
            }
        }
        samples.sort_by_key(|sample| Reverse(sample.outcome.response_time()));
        samples
    }
}

/// The samples of a tick out of those of its endpoints, each with its longest response time: the endpoints with the
/// slowest requests come first, until there are [`MAX_SAMPLES_PER_TICK`].
#[must_use]
pub fn choose<S>(mut endpoints: Vec<(Duration, Vec<S>)>) -> Vec<S> {
    endpoints.sort_by_key(|(longest, _)| Reverse(*longest));
    endpoints.into_iter().flat_map(|(_, samples)| samples).take(MAX_SAMPLES_PER_TICK).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{DueTime, Failure, Traffic};
    use crate::plan::endpoint::EndpointId;
    use crate::plan::trace::RequestId;

    fn outcome(number: u64, (sent_ms, took_ms): (u64, u64), ending: Ending, is_traced: bool) -> Outcome {
        let at = |ms| Moment::at(Duration::from_millis(ms));
        let times = (at(sent_ms), at(sent_ms + took_ms));
        let outcome = Outcome::new(EndpointId(0), DueTime::WhenSent, times, Traffic::default(), ending);
        outcome.of_request(RequestId::new(0, number), is_traced)
    }

    fn told(samples: &EndpointSamples) -> Vec<(u32, Vec<SampleKind>)> {
        samples.samples().into_iter().map(|sample| (sample.outcome.id().number(), sample.kinds)).collect()
    }

    #[test]
    fn the_slowest_the_slowest_traced_and_the_first_failed_request_are_kept() {
        use SampleKind::{FirstFailed, Slowest, SlowestTraced};
        let failed = Ending::Failed(Failure::Status(500));
        let mut samples = EndpointSamples::default();
        assert_eq!(told(&samples), []);
        for (number, times, ending, is_traced) in [
            (1, (0, 30), Ending::Ok, true),
            (2, (1, 90), failed, false),
            (3, (2, 20), failed, true),
            (4, (3, 70), Ending::Aborted, true),
            (5, (4, 10), Ending::Ok, true),
        ] {
            samples.record(&outcome(number, times, ending, is_traced));
        }
        assert_eq!(told(&samples), [(2, vec![Slowest]), (4, vec![SlowestTraced]), (3, vec![FirstFailed])]);
        assert_eq!(samples.longest(), Duration::from_millis(90));
    }

    #[test]
    fn a_request_that_is_all_of_them_is_told_of_once() {
        let mut samples = EndpointSamples::default();
        samples.record(&outcome(1, (0, 30), Ending::Failed(Failure::Reset), true));
        samples.record(&outcome(2, (0, 30), Ending::Ok, true));
        assert_eq!(told(&samples), [(1, SampleKind::ALL.to_vec())]);
    }

    #[test]
    fn the_endpoints_with_the_slowest_requests_come_first() {
        let endpoint = |n: u64| (Duration::from_millis(n), vec![n * 10, n * 10 + 1, n * 10 + 2]);
        let chosen = choose((1..=30).map(endpoint).collect());
        assert_eq!(chosen.len(), MAX_SAMPLES_PER_TICK);
        assert_eq!(chosen[..4], [300, 301, 302, 290]);
        assert_eq!(chosen[19], 241, "the last endpoint has room for two of its three");
        assert_eq!(choose(vec![endpoint(1)]), [10, 11, 12]);
    }
}
