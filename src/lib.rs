//! HTTP load with Locust-style users on plain OS threads, and telemetry that can be trusted and merged.
//!
//! # The map
//! Data travels one way, and the modules stand in that order: each uses only those above it.
//!
//! ```text
//! argv, env ─► Plan ───────────────────── borrowed by every thread ─────────────────────┐
//!                                                                                       ▼
//! schedule ─► user thread × n ─► Outcome ─► Aggregate ─► Statistics ─┐
//!               │ Exchange over Connection     ▲ tick                ├─► Record ─► writer ─► stream, collector ─► reports
//!               └─ roster ─► sampler ─► Sample ┘                    ─┴─► Snapshot ─► observers: live line, tables
//! run over, signal, stream broken ─► Stop ─► everyone who sleeps or waits               (an arrow that points back)
//! step of a search for capacity ─► StepRequests ─► Search ─► schedule           (the other, of `capacity` alone)
//! ```
//!
//! # What always holds
//! * sent = ok + failed + aborted, in every line that says so; an outcome is never dropped.
//! * A request that failed or timed out is in the percentiles, with the time that it took.
//! * The load never waits for a reader of the stream; no line is dropped, and a line leaves in one write.
//! * An observer gets the latest snapshot on a thread of its own; a slow one skips some, and the load never waits for it.
//! * The end comes within the stop timeout and a second, whatever the server, a name server or a reader does.

pub mod secret;
pub mod error;
pub mod vocabulary;
pub mod files;
pub mod bounded;
pub mod clock;
pub mod value;
pub mod cli;
pub mod plan;
pub mod outcome;
pub mod transcript;
pub mod event;
pub mod load;
pub mod stats;
pub mod capacity;
pub mod machine;
pub mod telemetry;
pub mod report;
pub mod merge;
pub mod import;
pub mod server;
pub mod publish;
pub mod request_log;
pub mod run;
pub mod command;
