//! What templates are filled with.

use super::counter::Counter;
use super::variable::Variable;
use crate::plan::data::{DataSource, RowId};
use crate::plan::random::Random;

/// The values for placeholders.
#[derive(Debug)]
pub struct Values<'v> {
    /// The user's variables, by slot.
    pub variables: &'v [Option<Variable>],
    /// Current rows, by source.
    pub rows: &'v [Option<RowId>],
    /// The data sources.
    pub sources: &'v [DataSource],
    /// The user's number, from 0.
    pub user: u32,
    /// Number of tasks that the user started before this one.
    pub iteration: u64,
    /// Status of the user's last response; 0 without one.
    pub status: u16,
    /// The counter of all users.
    pub counter: &'v Counter,
    /// Milliseconds since the Unix epoch.
    pub now_unix_ms: u64,
    /// The user's own random number generator.
    pub random: &'v mut Random,
}
