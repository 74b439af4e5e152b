//! Promises of swarmline, against real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;
mod process;
mod server;

mod await_host;
mod capacity;
mod capacity_search;
mod checks;
mod cli;
mod comparison;
mod debug_failures;
mod docs;
mod files;
mod framing;
mod fuzz;
mod golden;
mod http;
mod import;
mod limits;
mod locustfiles;
mod journeys;
mod live;
mod load;
mod merge;
mod open;
mod otlp;
mod outputs;
mod phases;
mod report;
mod request_log;
mod samples;
mod scenario;
mod schema;
mod screen;
mod secrets;
mod shards;
mod stopping;
mod stream;
mod swarm;
mod tidy;
mod transports;
mod try_out;
mod unfinished;
mod vocabulary;
mod warmup;
