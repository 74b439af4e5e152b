//! Promises of swarmline, against real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

mod cli;
mod framing;
mod golden;
mod schema;
mod stream;
mod tidy;
