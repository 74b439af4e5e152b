//! Notices from users to the person who runs the test, each kind once, and explanations of failures, once a tick: load
//! threads themselves print nothing.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::clock::Moment;
use crate::event::{Explanation, Notice, SwarmEvent, SwarmEventKind};
use crate::outcome::Failure;
use crate::plan::Plan;
use crate::plan::endpoint::EndpointId;
use crate::plan::expect::ExpectationFailure;

/// The kinds reported so far.
#[derive(Debug, Default)]
pub(in crate::load) struct Notices([AtomicBool; Notice::KINDS]);

impl Notices {
    /// Reports the first notice of each kind.
    pub(in crate::load) fn report(&self, notice: Notice, at: Moment, events: &Sender<SwarmEvent>) {
        if !self.0[notice.kind()].swap(true, Ordering::Relaxed) {
            // Cannot fail: the aggregator receives events as long as there are users.
            let _ = events.send(SwarmEvent { at, kind: SwarmEventKind::Notice(notice) });
        }
    }
}

/// Endpoints that are told apart; the further ones share.
const MAX_ENDPOINTS: usize = 1000;

/// Kinds of failures that are explained.
const KINDS: usize = 10;

/// The tick in which each kind of failure of an endpoint was explained last.
#[derive(Debug)]
pub(in crate::load) struct Explanations {
    interval: Duration,
    /// One more than the number of the tick; 0 for none.
    explained: Box<[AtomicU32]>,
}

impl Explanations {
    /// Nothing was explained yet.
    pub(in crate::load) fn new(plan: &Plan) -> Self {
        let endpoints = plan.endpoints().len().min(MAX_ENDPOINTS);
        let explained = (0..endpoints * KINDS).map(|_| AtomicU32::new(0)).collect();
        Self { interval: plan.stream().interval, explained }
    }

    /// Whether a failure at this moment is the first of its endpoint and kind in a tick, and is to be explained.
    pub(in crate::load) fn is_due(&self, endpoint: EndpointId, failure: Failure, at: Moment) -> bool {
        let Some(kind) = kind(failure) else { return false };
        let tick = at.since_start().as_nanos() / self.interval.as_nanos().max(1) + 1;
        let tick = u32::try_from(tick).unwrap_or(u32::MAX);
        let place = (endpoint.0 as usize).min(MAX_ENDPOINTS - 1) * KINDS + kind;
        // The later of both: around the end of a tick, moments of the two ticks come in any order.
        self.explained.get(place).is_some_and(|last| last.fetch_max(tick, Ordering::Relaxed) < tick)
    }

    /// Reports an explanation, unless the aggregator is too busy to take it at once: the load does not wait for it.
    pub(in crate::load) fn report(explanation: Explanation, at: Moment, events: &Sender<SwarmEvent>) {
        let _ = events.try_send(SwarmEvent { at, kind: SwarmEventKind::Explanation(Box::new(explanation)) });
    }
}

/// The number of a kind of failure, below [`KINDS`]; `None` for those that words add nothing to.
const fn kind(failure: Failure) -> Option<usize> {
    Some(match failure {
        Failure::Status(_) | Failure::Expectation(ExpectationFailure::Status) => 0,
        Failure::Expectation(ExpectationFailure::Header) => 1,
        Failure::Expectation(ExpectationFailure::BodyContains) => 2,
        Failure::Expectation(ExpectationFailure::BodyContainsNot) => 3,
        Failure::Expectation(ExpectationFailure::Json) => 4,
        Failure::Expectation(ExpectationFailure::Within) => 5,
        Failure::Expectation(ExpectationFailure::Size) => 6,
        Failure::Expectation(ExpectationFailure::Body(_)) => 7,
        Failure::Expectation(ExpectationFailure::Unset) => 8,
        Failure::Extract(_) => 9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_failure_of_the_tick_before_does_not_make_this_tick_explain_again() {
        let explanations = Explanations {
            interval: Duration::from_secs(1),
            explained: (0..KINDS).map(|_| AtomicU32::new(0)).collect(),
        };
        let failure = Failure::Expectation(ExpectationFailure::Json);
        let is_due = |millis| explanations.is_due(EndpointId(0), failure, Moment::at(Duration::from_millis(millis)));
        let due = [500, 999, 1001, 998, 1002, 2500].map(is_due);
        assert_eq!(due, [true, false, true, false, false, true]);
    }
}
