//! Looking at the machine.

pub mod limits;
pub mod sampler;
