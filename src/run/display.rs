//! Progress of a run for people: made by the aggregator, shown by a thread that no other thread waits for.

use std::ops::Deref;
use std::time::Duration;

use super::endpoint;
use crate::clock::Moment;
use crate::load::swarm::roster::Roster;
use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::report::model::Numbers;
use crate::report::progress::{Row, Snapshot};
use crate::report::screen::{Kind, Show};
use crate::stats::aggregate::Aggregate;
use crate::stats::tally::Statistics;
use crate::telemetry::look::{Count, Look};
use crate::telemetry::record::{Body, Record};

/// A changing line shows that the run is alive.
const PULSE: Duration = Duration::from_millis(500);

/// Minimum time between tables, whatever the interval, so that a log stays readable. One second, minus a margin for a
/// tick that follows a late one.
const TABLE_PAUSE: Duration = Duration::from_millis(900);

/// Maximum rows of a table: the percentiles of each row are computed every time.
const MOST_ROWS: usize = 50;

/// Progress of a run for people.
pub(super) struct Display<'p> {
    plan: &'p Plan,
    roster: &'p Roster,
    show: Option<Show>,
    last: Moment,
    /// Values known only at a tick.
    p95: Option<f64>,
    is_bottleneck: bool,
}

impl<'p> Display<'p> {
    pub(super) const fn new(plan: &'p Plan, roster: &'p Roster, show: Option<Show>) -> Self {
        Self { plan, roster, show, last: Moment::START, p95: None, is_bottleneck: false }
    }

    /// Shows a tick with its `records`.
    pub(super) fn tick(&mut self, look: Look, aggregate: &Aggregate, count: &Count, records: &[Record]) {
        let Some(show) = &self.show else { return };
        let at = look.sample.at;
        let total = aggregate.statistics(at);
        self.p95 = (total.num_requests > 0).then_some(total.percentile_95);
        let is_hot = records.iter().any(|record| matches!(record.body, Body::CpuWarning(_)));
        self.is_bottleneck = is_hot || count.sends.is_too_late();
        let mut snapshot = self.snapshot(at, aggregate, look.is_draining());
        match show.kind() {
            Kind::Line => {}
            Kind::Tables if look.is_draining() || at.since(self.last) < TABLE_PAUSE => return,
            Kind::Tables => {
                let endpoints = aggregate.endpoints();
                let rows = endpoints.iter().take(MOST_ROWS).map(|tally| {
                    let Endpoint { method, name } = endpoint(self.plan, tally.place);
                    row(method, name, tally.tally.statistics(at, aggregate.load_end(at)))
                });
                let all = row(String::new(), "Aggregated".to_owned(), total);
                snapshot.rows = rows.chain([all]).collect();
                snapshot.further = endpoints.len().saturating_sub(MOST_ROWS);
            }
        }
        show.show(snapshot);
        self.last = at;
    }

    /// Shows the progress between two ticks, if there is a terminal line.
    pub(super) fn pulse<A: Deref<Target = Aggregate>>(
        &mut self,
        now: Moment,
        aggregate: impl FnOnce() -> A,
        is_stopping: bool,
    ) {
        let Some(show) = self.show.as_ref().filter(|show| show.kind() == Kind::Line) else { return };
        if now.since(self.last) >= PULSE {
            show.show(self.snapshot(now, &aggregate(), is_stopping));
            self.last = now;
        }
    }

    fn snapshot(&self, at: Moment, aggregate: &Aggregate, is_stopping: bool) -> Snapshot {
        let so_far = aggregate.so_far(at);
        Snapshot {
            at,
            users: self.roster.users(),
            completed: so_far.completed,
            failed: so_far.failed,
            rate: so_far.rate,
            p95: self.p95,
            is_bottleneck: self.is_bottleneck,
            is_stopping,
            ..Snapshot::default()
        }
    }
}

/// A row of completed requests: those in flight have no times yet.
fn row(method: String, name: String, statistics: Statistics) -> Row {
    Row { method, name, numbers: Numbers { statistics, ..Numbers::default() } }
}
