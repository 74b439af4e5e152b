//! The input of a tick: a sample of machine and swarm, and the counts since the previous tick.

use std::time::Duration;

use super::exports::ExportCounts;
use crate::clock::Moment;
use crate::event::Flight;
use crate::machine::sampler::Sample;
use crate::stats::aggregate::EndpointInterval;
use crate::stats::send_lateness::SendLateness;
use crate::stats::stalls::SamplerReport;

/// The previous sample, and what belongs to it.
#[derive(Debug)]
pub(super) struct PreviousSample {
    pub(super) sample: TickSample,
    pub(super) aggregator_cpu: Duration,
}

/// A sample of machine and swarm for one tick.
#[derive(Clone, Copy, Debug)]
pub struct TickSample {
    /// Number of the tick on the grid.
    pub tick: u64,
    /// When it was due, a little before the sample was taken; of the last sample of a run, the moment itself.
    pub due: Moment,
    /// Users running at that moment.
    pub users: u32,
    /// Requests at that moment.
    pub flight: Flight,
    /// When the stop began, once it has.
    pub stopped: Option<Moment>,
    /// The machine.
    pub machine: Sample,
    /// CPU time of the writer thread so far.
    pub writer_cpu: Duration,
    /// Maximum open files of the process.
    pub open_files_limit: u64,
    /// Whether the sampler slept longer than intended since the previous sample.
    pub overslept: SamplerReport,
    /// How pushing metrics goes; `None` where nothing is pushed.
    pub exports: Option<ExportCounts>,
}

impl TickSample {
    /// Whether the stop has begun.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        self.stopped.is_some()
    }
}

/// The aggregator's counts for a tick.
#[derive(Debug)]
pub struct TickCounts {
    /// What happened since the previous tick, by endpoint.
    pub cuts: Vec<EndpointInterval>,
    /// How late requests were sent since then.
    pub sends: SendLateness,
    /// Outcomes waiting to be counted.
    pub queue: usize,
    /// Ticks merged into this one because the writer was behind.
    pub joined: u64,
    /// CPU time of the aggregator thread so far.
    pub aggregator_cpu: Duration,
}
