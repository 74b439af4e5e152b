//! Pushing the run so far to a backend: OTLP over HTTP, in protobuf.

mod exponential;
mod message;
mod metrics;
mod plugin;
mod proto;
