//! Locust's table of requests from time to time, where there is no terminal or none that can draw a line.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::line::step;
use super::observer::{Context, EndpointSelection, Observer, Wants};
use super::snapshot::{EndpointSoFar, Snapshot, TickSnapshot};
use crate::clock::Moment;
use crate::error::Result;
use crate::report::model::Numbers;
use crate::report::requests::{Rate, TableRow, requests};
use crate::report::screen::{ProgressKind, SharedPen, lock};
use crate::telemetry::answer::bounds_text;

/// Minimum time between tables, whatever the interval, so that a log stays readable. One second, minus a margin for a
/// tick that follows a late one.
const TABLE_PAUSE: Duration = Duration::from_millis(900);

/// Endpoints that a table has rows of.
const MAX_ROWS: usize = 50;

/// Writes the tables.
struct Tables(SharedPen);

/// The tables, where people are shown how the run goes and not by a line.
#[allow(clippy::unnecessary_wraps, reason = "one signature for all observers")]
pub(super) fn make(context: &Context<'_>) -> Result<Option<Box<dyn Observer>>> {
    let progress = context.screen.progress().filter(|progress| progress.kind == ProgressKind::Tables);
    Ok(progress.map(|progress| Box::new(Tables(progress.pen)) as Box<dyn Observer>))
}

impl Observer for Tables {
    fn name(&self) -> &'static str {
        "tables"
    }

    fn wants(&self) -> Wants {
        Wants { endpoints: EndpointSelection::First(MAX_ROWS), pause: TABLE_PAUSE, ..Wants::default() }
    }

    fn observe(&mut self, snapshot: &Arc<Snapshot>, _: Moment) {
        // The summary follows soon.
        if !snapshot.is_stopping {
            let search = snapshot.search.as_ref().map_or_else(String::new, |search| {
                format!("{}; {}\n", step(search), bounds_text(search.passed, search.failed))
            });
            lock(&self.0).write(&(search + &statistics(&snapshot.tick)));
        }
    }
}

/// The table that Locust prints every few seconds.
fn statistics(tick: &TickSnapshot) -> String {
    let row = |method: &str, name: &str, statistics| TableRow {
        method: method.to_owned(),
        name: name.to_owned(),
        // Of completed requests: what is under way has not ended yet.
        numbers: Numbers { statistics, ..Numbers::default() },
    };
    let shown = tick.endpoints.iter().take(MAX_ROWS);
    let rows =
        shown.map(|EndpointSoFar { endpoint, statistics, .. }| row(&endpoint.method, &endpoint.name, *statistics));
    let rows: Vec<TableRow> = rows.chain([row("", "Aggregated", tick.statistics)]).collect();
    let mut text = requests(&rows, Rate::Now, None);
    let further = tick.further_endpoints + tick.endpoints.len().saturating_sub(MAX_ROWS);
    if further > 0 {
        let _ = writeln!(text, "and {further} further endpoints");
    }
    if tick.is_bottleneck {
        text.push_str("the generator is the bottleneck: this machine holds the load back\n");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::endpoint::Endpoint;
    use crate::stats::sum::Sum;
    use crate::stats::tally::{Counts, Statistics};

    #[test]
    fn the_table_for_a_log_equals_that_of_locust() {
        let statistics = Statistics {
            num_requests: 200,
            num_failures: 3,
            min_response_time: 0.25,
            max_response_time: 1200.0,
            avg_response_time: 12.5,
            percentile_50: 3.0,
            current_rps: 40.0,
            ..Statistics::default()
        };
        let endpoint = Arc::new(Endpoint { method: "GET".to_owned(), name: "/a\u{1b}[2J".to_owned() });
        let (counts, response) = (Counts::default(), Sum::default());
        let endpoints = vec![EndpointSoFar { endpoint, counts, statistics, response }];
        let text =
            super::statistics(&TickSnapshot { statistics, endpoints, further_endpoints: 2, ..TickSnapshot::default() });
        let wanted = "\
Type Name        # reqs  # fails  Avg  Min  Max  Med req/s failures/s
----|-----------|------|--------|----|----|----|----|-----|----------
GET  /a\\u{1b}[2J    200 3(1.50%) 12.5 0.25 1200 3.00  40.0       0.00
----|-----------|------|--------|----|----|----|----|-----|----------
     Aggregated     200 3(1.50%) 12.5 0.25 1200 3.00  40.0       0.00
and 2 further endpoints

";
        assert_eq!(text, wanted);
    }
}
