//! One user: what it does, what it knows, and the data that it takes.

pub(super) mod journey;
pub(super) mod session;
pub(super) mod steps;
pub(super) mod data_cursor;
pub(super) mod shared;
pub(super) mod trial;
mod tracing;
