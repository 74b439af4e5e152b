//! The run as text for Prometheus.

use super::feed::LiveReport;

/// The run's metrics in Prometheus' text format, version 0.0.4; `None` is a run that has not begun.
#[must_use]
pub fn metrics(live: Option<&LiveReport>) -> String {
    live.map_or_else(String::new, |live| format!("swarmline_info{{run_id=\"{}\"}} 1\n", live.model.identity.run_id))
}
