//! x
pub mod cli;
pub mod clock;
pub mod error;
pub mod plan;
