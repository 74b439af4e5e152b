//! Making snapshots of a run for its observers: by the aggregator, as far as any of them wants it, and no more.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::endpoints::endpoint;
use super::search::progress::SearchProgress;
use crate::clock::{Clock, Moment};
use crate::event::Flight;
use crate::load::swarm::roster::Roster;
use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::publish::observer::Wants;
use crate::publish::snapshot::{EndpointSoFar, Snapshot, TickSnapshot};
use crate::publish::threads::Observers;
use crate::stats::aggregate::{Aggregate, EndpointTally};
use crate::stats::check::CheckSet;
use crate::telemetry::ending::RunEnding;
use crate::telemetry::record::{Record, RecordBody};
use crate::telemetry::tick::{TickCounts, TickSample};
use crate::vocabulary::Phase;

/// Time from one snapshot to the next, between two ticks.
const PULSE: Duration = Duration::from_millis(500);

/// Makes snapshots and hands them over.
pub(super) struct Snapshots<'p> {
    plan: &'p Plan,
    roster: &'p Roster,
    clock: Clock,
    observers: &'p Observers,
    search: Option<&'p SearchProgress>,
    /// What each observer wants, and when it was given a snapshot.
    wants: Vec<(Wants, Moment)>,
    /// The last tick that an observer wanted.
    tick: Arc<TickSnapshot>,
    /// Names of the endpoints in the order of first use, as far as an observer wanted them.
    endpoints: Vec<Arc<Endpoint>>,
}

impl<'p> Snapshots<'p> {
    pub(super) fn new(plan: &'p Plan, roster: &'p Roster, clock: Clock, observers: &'p Observers) -> Self {
        let wants = observers.wants().map(|wants| (wants, Moment::START)).collect();
        let (tick, endpoints) = (Arc::default(), Vec::new());
        Self { plan, roster, clock, observers, search: None, wants, tick, endpoints }
    }

    /// The same for a search for capacity.
    pub(super) fn with_search(self, search: Option<&'p SearchProgress>) -> Self {
        Self { search, ..self }
    }

    /// Gives a tick to the observers for which it is time; its lines are `records`.
    pub(super) fn tick(
        &mut self,
        (sample, phase): (TickSample, Phase),
        (aggregate, check_set): (&Aggregate, &CheckSet),
        count: &TickCounts,
        records: &[Record],
    ) {
        let at = sample.machine.at;
        let is_due = |(wants, given): &(Wants, Moment)| at.since(*given) >= wants.pause;
        let Some(wants) = together(self.wants.iter().filter(|known| is_due(known)).map(|(wants, _)| wants)) else {
            return;
        };
        let is_hot = records.iter().any(|record| matches!(record.body, RecordBody::CpuWarning(_)));
        let load_end = aggregate.load_end(at);
        let checks = if wants.checks { check_set.results(load_end.since_start()) } else { Vec::new() };
        let tick = TickSnapshot {
            number: sample.tick,
            phase,
            users: sample.users,
            flight: sample.flight,
            is_bottleneck: is_hot || count.sends.is_too_late(),
            checks,
            ..self.sums(wants, aggregate, (at, load_end))
        };
        self.tick = Arc::new(tick);
        let snapshot = Arc::new(self.snapshot(at, aggregate, sample.is_draining()));
        for (place, (_, given)) in self.wants.iter_mut().enumerate().filter(|(_, known)| is_due(known)) {
            self.observers.give(place, &snapshot);
            *given = at;
        }
    }

    /// Gives a snapshot between two ticks to the observers that want one, where it is time.
    pub(super) fn pulse<A: Deref<Target = Aggregate>>(
        &mut self,
        now: Moment,
        aggregate: impl FnOnce() -> A,
        is_stopping: bool,
    ) {
        let is_due = |(wants, given): &(Wants, Moment)| wants.between_ticks && now.since(*given) >= PULSE;
        if !self.wants.iter().any(is_due) {
            return;
        }
        let snapshot = Arc::new(self.snapshot(now, &aggregate(), is_stopping));
        for (place, (_, given)) in self.wants.iter_mut().enumerate().filter(|(_, known)| is_due(known)) {
            self.observers.give(place, &snapshot);
            *given = now;
        }
    }

    /// The snapshot of the end, with the numbers of the stream's last lines. `tick` and `phase` are those of the last tick,
    /// where there was one.
    pub(super) fn last(&mut self, ending: &RunEnding, aggregate: &Aggregate, tick: Option<(u64, Phase)>) -> Snapshot {
        let wants = together(self.wants.iter().map(|(wants, _)| wants)).unwrap_or_default();
        let (number, phase) = tick.unwrap_or((self.tick.number, self.tick.phase));
        self.tick = Arc::new(TickSnapshot {
            number,
            phase,
            users: ending.users,
            flight: Flight { sent: aggregate.counts().sent(), ..Flight::default() },
            is_bottleneck: self.tick.is_bottleneck,
            checks: ending.assessment.check_results.clone(),
            ..self.sums(wants, aggregate, (ending.at, ending.load_end))
        });
        Snapshot { users: ending.users, ..self.snapshot(ending.at, aggregate, true) }
    }

    fn snapshot(&self, at: Moment, aggregate: &Aggregate, is_stopping: bool) -> Snapshot {
        let so_far = aggregate.progress(at);
        Snapshot {
            at,
            unix: self.clock.unix(at),
            users: self.roster.users(),
            completed: so_far.completed,
            failed: so_far.failed,
            rate: so_far.rate,
            is_stopping,
            search: self.search.and_then(SearchProgress::read),
            tick: Arc::clone(&self.tick),
        }
    }

    /// What was counted up to a tick; the rest of it is left out.
    fn sums(&mut self, wants: Wants, aggregate: &Aggregate, (at, load_end): (Moment, Moment)) -> TickSnapshot {
        let all = aggregate.endpoints();
        let shown = &all[..all.len().min(wants.endpoints.most())];
        for tally in shown.iter().skip(self.endpoints.len()) {
            self.endpoints.push(Arc::new(endpoint(self.plan, tally.key)));
        }
        let so_far = |(EndpointTally { tally, .. }, endpoint): (&EndpointTally, &Arc<Endpoint>)| EndpointSoFar {
            endpoint: Arc::clone(endpoint),
            counts: tally.counts(),
            statistics: tally.statistics(at, load_end),
            response: *tally.response().sum(),
        };
        TickSnapshot {
            at,
            counts: aggregate.counts(),
            statistics: aggregate.total().statistics(at, load_end),
            endpoints: shown.iter().zip(&self.endpoints).map(so_far).collect(),
            further_endpoints: all.len() - shown.len(),
            ..TickSnapshot::default()
        }
    }
}

/// What a snapshot must hold for several observers; `None` where there are none.
fn together<'w>(wants: impl Iterator<Item = &'w Wants>) -> Option<Wants> {
    wants.copied().reduce(|all, one| Wants {
        endpoints: all.endpoints.max(one.endpoints),
        checks: all.checks || one.checks,
        ..all
    })
}

#[cfg(test)]
mod tests;
