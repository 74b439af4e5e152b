//! Counts of one step of a search for capacity: the requests due in its measured part, whenever they end.

use std::time::Duration;

use super::aggregate::{Aggregate, EndpointInterval, EndpointKey};
use super::unfinished::{PhaseSpans, Unfinished};
use crate::clock::Moment;
use crate::outcome::{DueTime, Outcome};
use crate::plan::endpoint::EndpointId;
use crate::vocabulary::Phase;

/// An arrival that was due and never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Endpoint of its first request.
    pub endpoint: EndpointId,
    /// When it was due.
    pub due: Moment,
    /// When it was given up.
    pub at: Moment,
}

impl Withdrawn {
    /// How long it had waited.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.at.since(self.due)
    }
}

/// Counts outcomes, each step anew.
#[derive(Debug)]
pub struct StepCounts {
    endpoints: usize,
    /// The measured part of the current step.
    measured: (Moment, Moment),
    aggregate: Aggregate,
    busy: u64,
    backlog_at_start: u64,
    backlog_at_end: u64,
    received: u64,
}

/// The requests of a step.
#[derive(Debug)]
pub struct StepRequests {
    /// Those that were sent.
    pub aggregate: Aggregate,
    /// The same by endpoint.
    pub intervals: Vec<EndpointInterval>,
    /// Those that were not, or were cut off.
    pub unfinished: Vec<(EndpointKey, Unfinished)>,
    /// Sent late because every user was busy and no further one was allowed.
    pub busy: u64,
    /// Due but not completed when the measured part began, those of the settling time included.
    pub backlog_at_start: u64,
    /// Due but not completed when it ended.
    pub backlog_at_end: u64,
}

impl StepCounts {
    /// For a plan with so many endpoints.
    #[must_use]
    pub fn new(endpoints: usize) -> Self {
        Self {
            endpoints,
            measured: (Moment::START, Moment::START),
            aggregate: Aggregate::new(endpoints),
            busy: 0,
            backlog_at_start: 0,
            backlog_at_end: 0,
            received: 0,
        }
    }

    /// Begins a step that is measured from `start` until `end`.
    pub fn begin(&mut self, start: Moment, end: Moment) {
        *self = Self { measured: (start, end), received: self.received, ..Self::new(self.endpoints) };
    }

    /// Counts an outcome, if it belongs to the step.
    pub fn record(&mut self, outcome: &Outcome) {
        self.received += 1;
        let (start, end) = self.measured;
        let (due, done) = (outcome.due(), outcome.done());
        self.backlog_at_start += u64::from(due < start && start < done);
        self.backlog_at_end += u64::from(due < end && end < done);
        if start <= due && due < end {
            self.busy += u64::from(matches!(outcome.turn(), DueTime::Busy(_)));
            self.aggregate.record(outcome);
        }
    }

    /// Outcomes counted since the start of the run.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Ends the step; `withdrawn` are arrivals that were not sent.
    #[must_use]
    pub fn finish(&mut self, withdrawn: &[Withdrawn]) -> StepRequests {
        let (start, end) = self.measured;
        let mut aggregate = std::mem::replace(&mut self.aggregate, Aggregate::new(self.endpoints));
        let intervals = aggregate.close_interval(Phase::Steady);
        let _ = aggregate.take_sends();
        let due_before = |moment: Moment| withdrawn.iter().filter(|arrival| arrival.due < moment).count() as u64;
        let own = withdrawn.iter().filter(|arrival| start <= arrival.due && arrival.due < end);
        let unsent = own.map(|arrival| (arrival.endpoint, arrival.due, arrival.waited()));
        let unfinished = aggregate.unfinished(&PhaseSpans::default(), unsent);
        let requests = StepRequests {
            aggregate,
            intervals,
            unfinished,
            busy: self.busy,
            backlog_at_start: self.backlog_at_start + due_before(start),
            backlog_at_end: self.backlog_at_end + due_before(end),
        };
        self.begin(end, end);
        requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Ending, Traffic};
    use crate::stats::unfinished::UnfinishedCounts;

    fn at(seconds: u64) -> Moment {
        Moment::at(Duration::from_secs(seconds))
    }

    fn outcome(turn: DueTime, done: u64) -> Outcome {
        let due = match turn {
            DueTime::Free(due) | DueTime::Busy(due) => due,
            DueTime::WhenSent => at(done),
        };
        Outcome::new(EndpointId(0), turn, (due, at(done)), Traffic::default(), Ending::Ok)
    }

    #[test]
    fn a_step_has_the_requests_due_in_its_measured_part_whenever_they_end() {
        let mut counts = StepCounts::new(1);
        counts.begin(at(10), at(20));
        for (due, done) in [(8, 9), (9, 11), (10, 11), (19, 30), (20, 21), (15, 20), (16, 18)] {
            counts.record(&outcome(DueTime::Free(at(due)), done));
        }
        counts.record(&outcome(DueTime::Busy(at(12)), 13));
        let requests = counts.finish(&[]);
        assert_eq!(requests.aggregate.counts().ok, 5);
        assert_eq!((requests.backlog_at_start, requests.backlog_at_end, requests.busy), (1, 1, 1));
        assert_eq!(counts.received(), 8);
        assert_eq!(counts.finish(&[]).aggregate.counts().ok, 0, "the next step begins without them");
    }

    #[test]
    fn arrivals_that_were_never_sent_belong_to_the_step_with_the_time_that_they_waited() {
        let mut counts = StepCounts::new(1);
        counts.begin(at(10), at(20));
        let arrival = |due| Withdrawn { endpoint: EndpointId(0), due: at(due), at: at(25) };
        let requests = counts.finish(&[arrival(9), arrival(11), arrival(19)]);
        let [(_, part)] = &*requests.unfinished else { panic!("one endpoint") };
        let wanted =
            UnfinishedCounts { unsent: 2, overdue: 2, oldest_unsent_us: 14_000_000, ..UnfinishedCounts::default() };
        assert_eq!(part.counts, wanted);
        assert_eq!((requests.backlog_at_start, requests.backlog_at_end), (1, 3));
    }
}
