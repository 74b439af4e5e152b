//! The users of a run together: starting and ending them, what they share, and what they report.

pub mod start;
pub mod stop;
pub mod roster;
pub mod context;
pub(super) mod gate;
pub(super) mod lanes;
pub(super) mod budget;
pub mod outlet;
pub mod notices;
