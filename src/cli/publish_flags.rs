//! Flags of what is published of a run while it goes on; their doc comments are the help page.

use std::time::Duration;

use clap::Args;

use crate::value;

/// What is published of a run while it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct PublishFlags {
    /// Serve the report on this port as a web page that updates during the run; 0 picks a free port
    ///
    /// Only this machine can open the page, unless --web-host names another address. GET /metrics there is for Prometheus.
    #[arg(long, env = "LOCUST_WEB_PORT", value_name = "N", help_heading = "Live page")]
    pub web_port: Option<u16>,
    /// Address or name of this machine that the page is served on; * is all addresses [default: 127.0.0.1]
    ///
    /// Only on a loopback address, such as the default, does the page have a button that stops the run.
    #[arg(long, env = "LOCUST_WEB_HOST", value_name = "ADDR", help_heading = "Live page")]
    pub web_host: Option<String>,
    /// Keep serving the page for this time after the end; a signal ends that [default: 0]
    #[arg(long, value_name = "TIME", value_parser = value::duration, help_heading = "Live page")]
    pub web_linger: Option<Duration>,
    /// Push the metrics to this backend while the run goes on: OTLP over HTTP, in protobuf
    ///
    /// /v1/metrics is added to the URL. Without the flag OTEL_EXPORTER_OTLP_ENDPOINT applies; headers, timeout and
    /// attributes come from OpenTelemetry's variables.
    #[allow(clippy::doc_markdown, reason = "shown as it is on the help page")]
    #[arg(long, value_name = "URL", help_heading = "Metrics")]
    pub otlp: Option<String>,
}
