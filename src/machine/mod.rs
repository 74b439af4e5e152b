//! The machine: the limits of this process, and the resource usage of process and host.

mod cgroup;
pub mod limits;
pub mod memory;
pub mod sampler;
pub mod thread_switches;
pub mod usage;
