//! A record as a line of the stream: envelope, record, tick, number.

use serde::Serialize;

use super::record::{Record, RecordBody};
use super::text::{MAX_TESTPLAN, clipped};
use crate::clock::{Clock, rfc3339};
use crate::vocabulary::SourceKind;

/// Maximum length of a line in bytes, with its newline. Measured: with 8 processes on one pipe and a slow reader, lines
/// of up to 4096 bytes (`PIPE_BUF`, pipe(7)) are never torn.
pub const MAX_LINE: usize = 4096;

/// Maximum count in a line: up to here JSON's integers are exact (RFC 8259 section 6), and sums do not overflow.
pub const MAX_COUNT: u64 = 1 << 53;

/// The writer of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamSource {
    /// A run on its own.
    Local,
    /// One shard of many, by its number.
    Worker(u32),
    /// All shards together.
    Master,
}

impl StreamSource {
    const fn kind(self) -> SourceKind {
        match self {
            Self::Local => SourceKind::Local,
            Self::Worker(_) => SourceKind::Worker,
            Self::Master => SourceKind::Master,
        }
    }

    fn id(self) -> String {
        match self {
            Self::Local => "local".to_owned(),
            Self::Worker(index) => format!("worker-{index}"),
            Self::Master => "master".to_owned(),
        }
    }
}

/// The fields that all lines of a stream have in common.
#[derive(Clone, Debug)]
pub struct Envelope {
    source: StreamSource,
    source_id: String,
    run_id: String,
    testplan: String,
    clock: Clock,
}

#[derive(Serialize)]
struct WireLine<'l> {
    time: String,
    level: &'static str,
    name: &'static str,
    message: String,
    telemetry: TelemetryFields<'l>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the wire's own names")]
struct TelemetryFields<'l> {
    telemetry_type: &'static str,
    telemetry_name: &'static str,
    source: &'static str,
    source_id: &'l str,
    run_id: &'l str,
    testplan: &'l str,
    #[serde(flatten)]
    body: &'l RecordBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick: Option<u64>,
    seq: u64,
}

impl Envelope {
    /// An envelope for the lines of one stream.
    #[must_use]
    pub fn new(source: StreamSource, run_id: &str, testplan: &str, clock: Clock) -> Self {
        let testplan = clipped(testplan, MAX_TESTPLAN).into_owned();
        Self { source, source_id: source.id(), run_id: run_id.to_owned(), testplan, clock }
    }

    /// Writes line number `seq`, newline included, into `line`, after clearing it.
    pub fn write(&self, record: &Record, seq: u64, line: &mut Vec<u8>) {
        line.clear();
        let kind = record.body.kind();
        let name = kind.as_str();
        let content = WireLine {
            time: rfc3339(self.clock.unix(record.at)),
            level: if kind.is_warning() { "WARNING" } else { "INFO" },
            // Pipelines made for the plugin filter by its logger's name.
            name: if kind.is_contract() { "locust_telemetry.recorders.json.handlers" } else { "swarmline" },
            message: format!("Recording telemetry {}: {name}", if kind.is_event() { "event" } else { "metrics" }),
            telemetry: TelemetryFields {
                telemetry_type: if kind.is_event() { "event" } else { "metrics" },
                telemetry_name: name,
                source: self.source.kind().as_str(),
                source_id: &self.source_id,
                run_id: &self.run_id,
                testplan: &self.testplan,
                body: &record.body,
                tick: record.tick,
                seq,
            },
        };
        let written = serde_json::to_writer(&mut *line, &content);
        assert!(written.is_ok(), "records have string keys and finite numbers only");
        line.push(b'\n');
        assert!(line.len() <= MAX_LINE, "a record's texts are cut so that its line fits: {name}");
    }
}
