//! Counting what happened: pure, no clock, no input or output.

pub mod histogram;
pub mod times;
pub mod packed;
pub mod interval;
pub mod sends;
pub mod recent;
pub mod tally;
pub mod aggregate;
pub mod check;
pub mod verdict;
