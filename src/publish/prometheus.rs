//! The run as text for Prometheus: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>, version
//! 0.0.4.

mod plugin;
mod text;

use super::cumulative::{Buckets, EndpointTotals, endpoints};
use super::feed::{FeedState, LiveReport};
use crate::clock::unix_time;
use crate::report::model::traffic::PointTraffic;
use crate::report::model::{ReportModel, RunData};
use crate::stats::packed::PackedTimes;
use crate::stats::scale::Scale;
use crate::vocabulary::Direction;
use text::{Kind, Text, decimal, micros};

/// The content type of [`metrics`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the buckets of our histograms, in microseconds: half a millisecond to a minute.
const BOUNDS_US: [u64; 16] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000, 60_000_000,
];

/// Name and help of a family, and the count that it has of each endpoint.
type CountFamily = (&'static str, &'static str, fn(&PointTraffic) -> u64);

/// Name and help of a family, the resolution of its times, and those that it has of each endpoint.
type TimesFamily = (&'static str, &'static str, Scale, fn(&PointTraffic) -> Option<&PackedTimes>);

/// The metrics of a run; empty before its first line. Counters and histograms are cumulative and never fall while it goes on.
#[must_use]
pub fn metrics(live: Option<&LiveReport>) -> String {
    let Some(live) = live else { return String::new() };
    let (model, totals) = (&live.model, endpoints(&live.model.run));
    let mut text = Text::default();
    write_run(&mut text, model, live.state);
    write_counts(&mut text, &totals);
    write_times(&mut text, &totals);
    write_swarm(&mut text, &model.run);
    write_checks(&mut text, &model.run);
    plugin::write(&mut text, model, &totals);
    text.finish()
}

/// Whose numbers these are.
fn write_run(text: &mut Text, model: &ReportModel, state: FeedState) {
    let (identity, run) = (&model.identity, &model.run);
    text.family(
        "swarmline_info",
        Kind::Gauge,
        "Always 1; which run, of which test plan, by which version of swarmline.",
    );
    let labels = [("run_id", &*identity.run_id), ("testplan", &*identity.testplan), ("version", &*run.plan.version)];
    text.sample("swarmline_info", &labels, "1");
    if let Some(start) = run.plan.started_at.as_deref().and_then(unix_time) {
        text.family("swarmline_run_start_time_seconds", Kind::Gauge, "Start of the run, since the Unix epoch.");
        text.sample("swarmline_run_start_time_seconds", &[], &micros(start.as_micros()));
    }
    text.family("swarmline_run_finished", Kind::Gauge, "1 when the run is over and these values are final.");
    text.sample("swarmline_run_finished", &[], if state == FeedState::Over { "1" } else { "0" });
    if let Some(end) = &run.end {
        text.family("swarmline_verdict", Kind::Gauge, "Always 1; the verdict, once the run is over.");
        text.sample("swarmline_verdict", &[("verdict", end.verdict.as_str())], "1");
    }
    let warnings = run.warnings.len() as u64 + run.more_warnings;
    text.family("swarmline_warnings_total", Kind::Counter, "Warnings in the stream.");
    text.sample("swarmline_warnings_total", &[], &warnings.to_string());
}

/// What is counted of each endpoint.
fn write_counts(text: &mut Text, totals: &[EndpointTotals]) {
    text.family("swarmline_requests_total", Kind::Counter, "Completed requests by result: ok or failed.");
    for EndpointTotals { method, name, traffic, .. } in totals {
        for (result, count) in [("ok", traffic.ok), ("failed", traffic.failed)] {
            let labels = [("method", &**method), ("name", &**name), ("result", result)];
            text.sample("swarmline_requests_total", &labels, &count.to_string());
        }
    }
    text.family("swarmline_failures_total", Kind::Counter, "Failed requests by class.");
    for EndpointTotals { method, name, failed_by_class, .. } in totals {
        for (class, count) in failed_by_class {
            let labels = [("method", &**method), ("name", &**name), ("class", class.as_str())];
            text.sample("swarmline_failures_total", &labels, &count.to_string());
        }
    }
    let counts: [CountFamily; 4] = [
        ("swarmline_requests_aborted_total", "Requests ended by the end of the run.", |traffic| traffic.aborted),
        ("swarmline_redirects_total", "Redirects followed.", |traffic| traffic.redirects),
        ("swarmline_connections_total", "New connections.", |traffic| traffic.connections),
        (
            "swarmline_connections_reopened_total",
            "Connections reopened because the server had closed them while idle.",
            |traffic| traffic.reopened,
        ),
    ];
    for (family, help, count) in counts {
        text.family(family, Kind::Counter, help);
        for EndpointTotals { method, name, traffic, .. } in totals {
            text.sample(family, &[("method", method), ("name", name)], &count(traffic).to_string());
        }
    }
    text.family("swarmline_body_bytes_total", Kind::Counter, "Bytes of bodies, sent and received (recv).");
    for EndpointTotals { method, name, traffic, .. } in totals {
        for (direction, bytes) in [(Direction::Sent, traffic.bytes_sent), (Direction::Recv, traffic.bytes_received)] {
            let labels = [("method", &**method), ("name", &**name), ("direction", direction.as_str())];
            text.sample("swarmline_body_bytes_total", &labels, &bytes.to_string());
        }
    }
}

/// The histograms of each endpoint.
fn write_times(text: &mut Text, totals: &[EndpointTotals]) {
    let kinds: [TimesFamily; 3] = [
        (
            "swarmline_response_time_seconds",
            "From when a request was due to the last byte, failed requests included.",
            Scale::FINE,
            |traffic| Some(traffic.response()),
        ),
        (
            "swarmline_service_time_seconds",
            "From sending a request to the last byte, failed requests included.",
            Scale::FINE,
            |traffic| Some(&traffic.service),
        ),
        (
            "swarmline_first_byte_time_seconds",
            "From sending a request to the first byte or, without one, to the end.",
            Scale::COARSE,
            PointTraffic::first_byte,
        ),
    ];
    for (family, help, scale, of) in kinds {
        text.family(family, Kind::Histogram, help);
        for EndpointTotals { method, name, traffic, .. } in totals {
            if let Some(times) = of(traffic) {
                let buckets = Buckets::of(times, scale, BOUNDS_US);
                let labels = [("method", &**method), ("name", &**name)];
                text.histogram(family, &labels, &buckets, BOUNDS_US.map(micros), &micros(buckets.sum_us));
            }
        }
    }
}

/// Gauges of the swarm, as of the last complete tick.
fn write_swarm(text: &mut Text, run: &RunData) {
    if let Some(tick) = &run.last_tick {
        let gauges = &tick.gauges;
        let values = [
            ("swarmline_users", "Users running.", u64::from(gauges.users)),
            ("swarmline_users_wanted", "Users that should be running.", u64::from(gauges.users_wanted)),
            ("swarmline_requests_in_flight", "Requests sent and not yet completed.", gauges.in_flight),
        ];
        for (family, help, value) in values {
            text.family(family, Kind::Gauge, help);
            text.sample(family, &[], &value.to_string());
        }
        let family = "swarmline_send_lateness_seconds";
        text.family(family, Kind::Gauge, "How long after their due times requests were sent, in the last interval.");
        for (percentile, us) in
            [("50", gauges.lateness_p50_us), ("99", gauges.lateness_p99_us), ("100", gauges.lateness_max_us)]
        {
            text.sample(family, &[("percentile", percentile)], &micros(us));
        }
        text.family("swarmline_phase", Kind::Gauge, "Always 1; the phase of the load in the last interval.");
        text.sample("swarmline_phase", &[("phase", tick.phase.as_str())], "1");
    }
    let throttled: f64 = run.timeline.points().map(|point| point.throttled_ms).sum();
    let family = "swarmline_throttled_seconds_total";
    text.family(family, Kind::Counter, "Time for which the cgroup's quota held back the generator.");
    text.sample(family, &[], &(throttled / 1000.0).to_string());
    if run.end.is_some() {
        let unfinished = run.all_unfinished();
        let family = "swarmline_unfinished_requests";
        text.family(family, Kind::Gauge, "Requests that were due and had not completed at the end of the run.");
        for (state, count) in
            [("aborted", unfinished.aborted), ("unsent", unfinished.unsent), ("overdue", unfinished.overdue)]
        {
            text.sample(family, &[("state", state)], &count.to_string());
        }
    }
}

/// The checks by now.
fn write_checks(text: &mut Text, run: &RunData) {
    let checks = run.checks_so_far();
    let truth = |is: bool| if is { "1" } else { "0" };
    text.family("swarmline_check_met", Kind::Gauge, "1 where a check is met so far.");
    for check in checks.iter().filter(|check| check.has_data) {
        text.sample("swarmline_check_met", &[("check", &check.check)], truth(check.met));
    }
    text.family("swarmline_check_has_data", Kind::Gauge, "1 where there are data to evaluate a check.");
    for check in &checks {
        text.sample("swarmline_check_has_data", &[("check", &check.check)], truth(check.has_data));
    }
    text.family("swarmline_check_value", Kind::Gauge, "The value that a check compares, in its unit.");
    for check in checks.iter().filter(|check| check.has_data) {
        text.sample("swarmline_check_value", &[("check", &check.check), ("unit", &check.unit)], &decimal(check.value));
    }
}

#[cfg(test)]
mod tests;
