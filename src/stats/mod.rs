//! Counting what happened: pure, no clock, no input or output.

pub mod aggregate;
pub mod histogram;
pub mod recent;
pub mod tally;
pub mod verdict;
