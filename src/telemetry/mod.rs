//! The telemetry stream of JSON lines.

pub mod answer;
pub mod check_event;
pub mod config;
pub mod exports;
pub mod wire_times;
pub mod wire_warmup;
pub mod own_records;
pub mod shard_metric;
pub mod record;
pub mod line;
pub mod hdr;
pub mod claims;
pub mod failed_claims;
mod fitting;
pub mod intervals;
mod health;
pub mod exchanges;
pub mod ending;
pub mod tick;
pub mod recorder;
pub mod samples;
pub mod sink;
pub mod steps;
pub mod text;
pub mod troubles;
pub mod unfinished;
pub mod warnings;
pub mod writer;
pub mod interrupt;
pub mod reader;

/// The JSON Schema (2020-12) that describes every line of the stream.
pub const SCHEMA: &str = include_str!("../../schema/telemetry.schema.json");
