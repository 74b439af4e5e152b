//! The metrics of the plugin's own recorder for OpenTelemetry, as it sends them.

use super::message::{DataPoint, Metric, Period};
use crate::publish::cumulative::{Buckets, EndpointTotals, MIB, PluginTimes, plugin_labels, plugin_times};
use crate::report::model::ReportModel;
use crate::report::model::processes::ProcessSeen;
use crate::vocabulary::Direction;

pub(super) fn metrics(period: Period, model: &ReportModel, totals: &[EndpointTotals]) -> Vec<Metric> {
    let own_id = &model.identity.source_id;
    let by_name = plugin_times(totals);
    let times = |of: fn(&PluginTimes) -> &Buckets| {
        let point = |times: &PluginTimes| {
            period.explicit(&plugin_labels(model, own_id, &[("endpoint", &times.endpoint)]), of(times))
        };
        by_name.iter().map(point).collect::<Vec<_>>()
    };
    let own = plugin_labels(model, own_id, &[]);
    let users = model.run.last_tick.iter().map(|tick| period.number(&own, tick.gauges.users.into()));
    let gauge = |value: fn(&ProcessSeen) -> f64| {
        let point = |(source_id, process)| period.number(&plugin_labels(model, source_id, &[]), value(process));
        model.run.processes.iter().map(point).collect::<Vec<_>>()
    };
    vec![
        Metric::histogram("locust.tl.request.metric.success", "ms", &times(|times| &times.success)),
        Metric::histogram("locust.tl.request.metric.error", "ms", &times(|times| &times.error)),
        Metric::gauge("locust.tl.user.metric.count", "1", &users.collect::<Vec<_>>()),
        Metric::gauge("locust.tl.system.metric.cpu", "%", &gauge(|process| process.cpu_percent)),
        Metric::gauge("locust.tl.system.metric.mem", "By", &gauge(|process| (process.memory_mib * MIB).round())),
        Metric::gauge("locust.tl.system.metric.network", "By", &network(period, model)),
        Metric::sum("locust.tl.event.test.events", "1", &events(period, model)),
    ]
}

fn network(period: Period, model: &ReportModel) -> Vec<DataPoint> {
    let of_process = |(source_id, process): (&str, &ProcessSeen)| {
        [(Direction::Sent, process.network_sent), (Direction::Recv, process.network_received)]
            .map(|(way, bytes)| period.number(&plugin_labels(model, source_id, &[("direction", way.as_str())]), bytes))
    };
    model.run.processes.iter().flat_map(of_process).collect()
}

fn events(period: Period, model: &ReportModel) -> Vec<DataPoint> {
    let mut points = Vec::new();
    for (source_id, process) in model.run.processes.iter() {
        for (event, count) in &process.events {
            let attributes = plugin_labels(model, source_id, &[("event", event.as_str())]);
            points.push(period.count(&attributes, *count));
        }
    }
    points
}
