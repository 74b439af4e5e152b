//! Looking at the machine: what this process may use, and what it and its host do.

mod cgroup;
pub mod limits;
pub mod memory;
pub mod sampler;
pub mod usage;
