//! The metrics of the plugin's own recorder for OpenTelemetry, under the names that Prometheus gives them, for its dashboards.

use super::text::{Kind, Text, decimal, millis};
use crate::publish::cumulative::{
    Buckets, EndpointTotals, MIB, PLUGIN_BOUNDS_MS, PluginTimes, plugin_labels, plugin_times,
};
use crate::report::model::ReportModel;
use crate::vocabulary::Direction;

pub(super) fn write(text: &mut Text, model: &ReportModel, totals: &[EndpointTotals]) {
    write_times(text, model, totals);
    let own = plugin_labels(model, &model.identity.source_id, &[]);
    if let Some(tick) = &model.run.last_tick {
        let family = "locust_tl_user_metric_count_ratio";
        text.family(family, Kind::Gauge, "Users running.");
        text.sample(family, &own, &tick.gauges.users.to_string());
    }
    let family = "locust_tl_system_metric_cpu_percent";
    text.family(family, Kind::Gauge, "CPU of a process, percent of one core.");
    for (source_id, process) in model.run.processes.iter() {
        text.sample(family, &plugin_labels(model, source_id, &[]), &decimal(process.cpu_percent));
    }
    let family = "locust_tl_system_metric_mem_bytes";
    text.family(family, Kind::Gauge, "Resident memory of a process.");
    for (source_id, process) in model.run.processes.iter() {
        text.sample(family, &plugin_labels(model, source_id, &[]), &decimal((process.memory_mib * MIB).round()));
    }
    let family = "locust_tl_system_metric_network_bytes";
    text.family(family, Kind::Gauge, "Bytes on all interfaces of a process's host, since boot.");
    for (source_id, process) in model.run.processes.iter() {
        for (direction, bytes) in [(Direction::Sent, process.network_sent), (Direction::Recv, process.network_received)]
        {
            let labels = plugin_labels(model, source_id, &[("direction", direction.as_str())]);
            text.sample(family, &labels, &decimal(bytes));
        }
    }
    let family = "locust_tl_event_test_events_total";
    text.family(family, Kind::Counter, "Events of the run by the name of their line in the stream.");
    for (source_id, process) in model.run.processes.iter() {
        for (event, count) in &process.events {
            let labels = plugin_labels(model, source_id, &[("event", event.as_str())]);
            text.sample(family, &labels, &count.to_string());
        }
    }
}

fn write_times(text: &mut Text, model: &ReportModel, totals: &[EndpointTotals]) {
    type Times = (&'static str, &'static str, fn(&PluginTimes) -> &Buckets);
    let kinds: [Times; 2] = [
        ("locust_tl_request_metric_success_milliseconds", "Service times of requests that succeeded.", |times| {
            &times.success
        }),
        ("locust_tl_request_metric_error_milliseconds", "Service times of requests that failed.", |times| &times.error),
    ];
    let by_name = plugin_times(totals);
    for (family, help, of) in kinds {
        text.family(family, Kind::Histogram, help);
        for times in &by_name {
            let labels = plugin_labels(model, &model.identity.source_id, &[("endpoint", &times.endpoint)]);
            let buckets = of(times);
            text.histogram(
                family,
                &labels,
                buckets,
                PLUGIN_BOUNDS_MS.map(|ms| ms.to_string()),
                &millis(buckets.sum_us),
            );
        }
    }
}
