//! The users of a run together: starting and ending them, what they share, and what they report.

pub mod start;
pub mod stop;
pub mod roster;
pub mod await_host;
pub mod context;
pub(super) mod start_gate;
pub(super) mod arrival_queues;
pub(super) mod request_quota;
pub mod outcome_sender;
pub mod notices;
pub(super) mod readiness;
pub mod once;
mod around;
mod left_over;
pub mod steps;
pub(super) mod transcripts;
pub mod trial;
