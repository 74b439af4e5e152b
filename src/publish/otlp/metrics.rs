//! Which metrics of a run are pushed, under which names.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exponential::Exponential;
use super::message::{Metric, Period, request};
use super::plugin;
use crate::clock::unix_time;
use crate::publish::cumulative::{EndpointTotals, Labels, endpoints};
use crate::report::model::failed::FailedTimesSeen;
use crate::report::model::traffic::PointTraffic;
use crate::report::model::{ReportModel, RunData};
use crate::stats::packed::{PackedHistogram, PackedTimes};
use crate::stats::scale::Scale;
use crate::telemetry::reader::ending::CheckSeen;
use crate::vocabulary::Direction;

/// Methods that the semantic conventions know by name.
const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];

/// The value of an attribute for what has no name of its own.
const OTHER: &str = "_OTHER";

/// The message with all metrics of a run, as of `now` since the Unix epoch. `given` are attributes of the resource that replace
/// ours.
pub(super) fn message(model: &ReportModel, given: &[(String, String)], now: Duration) -> Vec<u8> {
    let totals = endpoints(&model.run);
    let first_ms = model.run.timeline.points().next().map(|point| Duration::from_millis(point.start_ms));
    let start = model.run.plan.started_at.as_deref().and_then(unix_time).or(first_ms).unwrap_or(now);
    let period = Period { start, now: now.max(start) };
    let mut metrics = times(period, &model.run, &totals);
    metrics.extend(counts(period, &totals));
    metrics.extend(swarm(period, &model.run));
    metrics.extend(plugin::metrics(period, model, &totals));
    request(&resource(model, given), &metrics)
}

/// Attributes of the process: of several with one key, the last counts.
fn resource(model: &ReportModel, given: &[(String, String)]) -> Vec<(String, String)> {
    let identity = &model.identity;
    let own = [
        ("service.name", env!("CARGO_PKG_NAME").to_owned()),
        ("service.version", model.run.plan.version.clone()),
        ("service.instance.id", format!("{}/{}", identity.run_id, identity.source_id)),
        ("swarmline.run_id", identity.run_id.clone()),
        ("swarmline.testplan", identity.testplan.clone()),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    let all: BTreeMap<String, String> = own.chain(given.iter().cloned()).collect();
    all.into_iter().collect()
}

/// Exponential histograms of each endpoint.
fn times(period: Period, run: &RunData, totals: &[EndpointTotals]) -> Vec<Metric> {
    let server = server(run);
    let (mut client, mut response, mut first_byte) = (Vec::new(), Vec::new(), Vec::new());
    for total in totals.iter().filter(|total| total.traffic.completed() > 0) {
        let attributes: Labels<'_> = endpoint(total).into_iter().chain(server.clone()).collect();
        for (class, sum_us, times) in by_result(&total.traffic) {
            let error = class.map(|class| ("error.type", class));
            let attributes = attributes.iter().copied().chain(error).collect();
            client.push(period.exponential(&attributes, sum_us, &times));
        }
        let of = |times: &PackedTimes| {
            period.exponential(&attributes, times.sum.sum_us, &Exponential::of_micros(times.histogram.iter()))
        };
        response.push(of(total.traffic.response()));
        first_byte.extend(total.traffic.first_byte().map(of));
    }
    vec![
        Metric::exponential("http.client.request.duration", "s", &client),
        Metric::exponential("swarmline.response.duration", "s", &response),
        Metric::exponential("swarmline.first_byte.duration", "s", &first_byte),
    ]
}

/// Service times of successes and of each class of failures: exact sum, and buckets. Where the times of failures are not known,
/// all requests together.
fn by_result(traffic: &PointTraffic) -> Vec<(Option<&'static str>, u128, Exponential)> {
    // Those of failures are coarse: with one scale for both, the difference is exact and never falls.
    let mut ok = coarse(&traffic.service.histogram);
    let mut ok_us = traffic.service.sum.sum_us;
    let mut all = Vec::new();
    for (class, times) in traffic.failed_times().into_iter().flat_map(FailedTimesSeen::iter) {
        let failed = coarse(&times.histogram);
        for (us, count) in &failed {
            let known = ok.entry(*us).or_default();
            *known = known.saturating_sub(*count);
        }
        ok_us = ok_us.saturating_sub(times.sum.sum_us);
        all.push((Some(class.as_str()), times.sum.sum_us, Exponential::of_micros(failed)));
    }
    all.insert(0, (None, ok_us, Exponential::of_micros(ok)));
    all.retain(|(_, _, times)| times.count() > 0);
    all
}

/// Times by the highest value of their slot of 2 significant digits.
fn coarse(histogram: &PackedHistogram) -> BTreeMap<u64, u64> {
    let mut times = BTreeMap::new();
    for (us, count) in histogram.iter() {
        *times.entry(Scale::COARSE.highest(Scale::COARSE.slot(us))).or_insert(0) += count;
    }
    times
}

/// Attributes of an endpoint.
fn endpoint(total: &EndpointTotals) -> Labels<'_> {
    let method = total.method.as_str();
    let mut attributes = if METHODS.contains(&method) {
        vec![("http.request.method", method)]
    } else {
        vec![("http.request.method", OTHER), ("http.request.method_original", method)]
    };
    attributes.push(("url.template", &total.name));
    attributes
}

/// The host that requests were sent to, where there is only one.
fn server(run: &RunData) -> Labels<'_> {
    let [target] = run.plan.targets.as_slice() else { return Vec::new() };
    let port = |(_, port): &(&str, &str)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match target.host.rsplit_once(':').filter(port) {
        Some((host, port)) => vec![("server.address", host), ("server.port", port)],
        None => vec![("server.address", &target.host)],
    }
}

/// What is counted of each endpoint, besides its times.
fn counts(period: Period, totals: &[EndpointTotals]) -> Vec<Metric> {
    let mut completed = Vec::new();
    let (mut failed, mut aborted, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for total in totals {
        let with = |key, value| endpoint(total).into_iter().chain([(key, value)]).collect::<Labels<'_>>();
        let traffic = &total.traffic;
        for (result, count) in [("ok", traffic.ok), ("failed", traffic.failed)] {
            completed.push(period.count(&with("swarmline.result", result), count));
        }
        for (class, count) in &total.failed_by_class {
            failed.push(period.count(&with("error.type", class.as_str()), *count));
        }
        aborted.push(period.count(&endpoint(total), traffic.aborted));
        for (direction, count) in [(Direction::Sent, traffic.bytes_sent), (Direction::Recv, traffic.bytes_received)] {
            bytes.push(period.count(&with("direction", direction.as_str()), count));
        }
    }
    vec![
        Metric::sum("swarmline.requests", "{request}", &completed),
        Metric::sum("swarmline.failures", "{request}", &failed),
        Metric::sum("swarmline.requests.aborted", "{request}", &aborted),
        Metric::sum("swarmline.body.size", "By", &bytes),
    ]
}

/// Gauges of the swarm, and the checks.
fn swarm(period: Period, run: &RunData) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let none = Vec::new();
    if let Some(tick) = &run.last_tick {
        let gauges = &tick.gauges;
        let one = |value: u64| vec![period.number(&none, value as f64)];
        metrics.push(Metric::gauge("swarmline.users", "{user}", &one(gauges.users.into())));
        metrics.push(Metric::gauge("swarmline.users.wanted", "{user}", &one(gauges.users_wanted.into())));
        metrics.push(Metric::gauge("swarmline.requests.in_flight", "{request}", &one(gauges.in_flight)));
        let late = [("50", gauges.lateness_p50_us), ("99", gauges.lateness_p99_us), ("100", gauges.lateness_max_us)];
        let late = late.map(|(percentile, us)| period.number(&vec![("percentile", percentile)], us as f64 / 1e6));
        metrics.push(Metric::gauge("swarmline.send.lateness", "s", &late));
    }
    let checks = run.checks_so_far();
    let with_data = || checks.iter().filter(|check| check.has_data);
    let met = with_data().map(|check| period.number(&vec![("check", &check.check)], f64::from(u8::from(check.met))));
    metrics.push(Metric::gauge("swarmline.check.met", "1", &met.collect::<Vec<_>>()));
    let value = |check: &CheckSeen| period.number(&vec![("check", &check.check), ("unit", &check.unit)], check.value);
    metrics.push(Metric::gauge("swarmline.check.value", "1", &with_data().map(value).collect::<Vec<_>>()));
    metrics
}
