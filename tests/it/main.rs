//! Promises of swarmline, against real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod framing;
mod http;
mod load;
mod process;
mod server;
mod stopping;
mod swarm;
