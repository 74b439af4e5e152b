//! What every thread of a run borrows.

use super::roster::Roster;
use super::stop::Stop;
use crate::clock::Clock;
use crate::plan::Plan;

/// What every thread of a run borrows: each of the four lives as long as the run.
#[derive(Clone, Copy)]
pub struct RunContext<'run> {
    /// What is to be done.
    pub plan: &'run Plan,
    /// The time since the start.
    pub clock: &'run Clock,
    /// Ends the run, and reports that it ends.
    pub stop: &'run Stop,
    /// The users that run.
    pub roster: &'run Roster,
}
