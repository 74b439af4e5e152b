//! What a tick sees: the machine and the swarm, and what was counted since the tick before.

use std::time::Duration;

use crate::clock::Moment;
use crate::event::Flight;
use crate::machine::sampler::Sample;
use crate::stats::aggregate::Cut;
use crate::stats::sends::Sends;
use crate::stats::stalls::Overslept;

/// The look before, and what went with it.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) look: Look,
    pub(super) aggregator_cpu: Duration,
}

/// A look at the machine and the swarm, made for one tick.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Number of the tick on the grid.
    pub tick: u64,
    /// Users at that moment.
    pub users: u32,
    /// Requests at that moment.
    pub flight: Flight,
    /// When the stop began, once it has.
    pub stopped: Option<Moment>,
    /// The machine.
    pub sample: Sample,
    /// CPU time of the writer thread so far.
    pub writer_cpu: Duration,
    /// Most open files that the process may have.
    pub open_files_limit: u64,
    /// Whether the sampler slept for longer than it meant to since the look before.
    pub overslept: Overslept,
}

impl Look {
    /// Whether the stop has begun.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        self.stopped.is_some()
    }
}

/// What the aggregator adds to a look.
#[derive(Debug)]
pub struct Count {
    /// What happened since the tick before, by endpoint.
    pub cuts: Vec<Cut>,
    /// How late requests were sent since then.
    pub sends: Sends,
    /// Outcomes not taken yet.
    pub queue: usize,
    /// Ticks joined to this one, as the writer was behind.
    pub joined: u64,
    /// CPU time of the aggregator thread so far.
    pub aggregator_cpu: Duration,
}
