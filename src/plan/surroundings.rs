//! The process that a plan is made in.

use super::engine::Environment;

/// Facts about the current process that the plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct ProcessContext<'e> {
    /// Whether standard output is a terminal, where JSON lines are not useful.
    pub stdout_is_terminal: bool,
    /// 64 random bits for a run id.
    pub entropy: u64,
    /// Environment variables, from which the shard may be detected.
    pub environment: &'e Environment,
}
