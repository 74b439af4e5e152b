//! The process that a plan is made in.

use super::engine::Environment;

/// What the plan needs to know of the process it is made in.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'e> {
    /// Whether standard output is a terminal, where nobody wants JSON lines.
    pub stdout_is_terminal: bool,
    /// 64 random bits, for a run id.
    pub entropy: u64,
    /// Environment variables, in which an engine tells which shard this is.
    pub environment: &'e Environment,
}
