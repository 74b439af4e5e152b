//! What is not complete yet: an interval until all its histograms have come, a tick until the next one begins.

use std::sync::Arc;

use super::failed::{FailedTimesSeen, PendingFailures};
use super::timeline::Point;
use crate::telemetry::claims::{Contradiction, Distribution, TimesClaim};

/// An interval whose histograms follow in lines of their own.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) tick: u64,
    pub(super) endpoint: usize,
    pub(super) point: Point,
    pub(super) lines: usize,
    /// The number of its line.
    pub(super) number: u64,
    /// For service times, response times and times to the first byte: what the interval's line claims, and what its
    /// histograms contain.
    pub(super) claims: [(TimesClaim, Distribution); 3],
    pub(super) failures: PendingFailures,
}

/// The current tick.
#[derive(Clone, Debug)]
pub(super) struct OpenTick {
    pub(super) tick: u64,
    /// The point of all requests, without their traffic.
    pub(super) point: Point,
    /// The points of the endpoints, whose traffic it will have.
    pub(super) parts: Vec<Arc<Point>>,
}

impl Pending {
    /// Checks that the histograms agree with the line; returns the times of failed requests.
    pub(super) fn check(&self) -> Result<FailedTimesSeen, Contradiction> {
        let traffic = &self.point.traffic;
        let [service, response, first_byte] = self.claims;
        service.1.check_against(traffic.completed(), service.0)?;
        first_byte.1.check_against(traffic.first_byte.sum.count, first_byte.0)?;
        if traffic.response.is_some() {
            response.1.check_against(traffic.completed(), response.0)?;
        }
        self.failures.finish()
    }
}
