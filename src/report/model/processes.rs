//! The processes that a stream is about: their own load and events, as of their last lines.

use std::collections::BTreeMap;

use super::timeline::PointGauges;
use crate::telemetry::reader::facts::Fact;
use crate::vocabulary::{Direction, LineKind, Phase};

/// Maximum processes; lines about further ones are left out.
const MAX_PROCESSES: usize = 1000;

/// The last values of each process, by its `source_id`.
#[derive(Clone, Debug, Default)]
pub struct ProcessesSeen(BTreeMap<String, ProcessSeen>);

/// The last values of one process; 0 before its first line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessSeen {
    /// CPU, percent of one core.
    pub cpu_percent: f64,
    /// Resident memory in MiB.
    pub memory_mib: f64,
    /// Bytes that its host sent since boot.
    pub network_sent: f64,
    /// Bytes that its host received since boot.
    pub network_received: f64,
    /// How often each of its events occurred, in the order of first occurrence.
    pub events: Vec<(LineKind, u64)>,
}

/// State of the swarm at the last complete tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LastTick {
    /// The phase.
    pub phase: Phase,
    /// Users, requests in flight and lateness.
    pub gauges: PointGauges,
}

impl ProcessesSeen {
    /// Each process and its `source_id`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ProcessSeen)> {
        self.0.iter().map(|(source_id, process)| (source_id.as_str(), process))
    }

    /// Takes what a line says of its process.
    pub(super) fn add(&mut self, source_id: &str, fact: &Fact) {
        match fact {
            Fact::Cpu(gauge) => self.change(source_id, |process| process.cpu_percent = gauge.value),
            Fact::Mem(gauge) => self.change(source_id, |process| process.memory_mib = gauge.value),
            Fact::Network(direction, gauge) => self.change(source_id, |process| match direction {
                Direction::Sent => process.network_sent = gauge.value,
                Direction::Recv => process.network_received = gauge.value,
            }),
            Fact::TestStart => self.count(source_id, LineKind::TestStart),
            Fact::SpawnComplete(_) => self.count(source_id, LineKind::SpawnComplete),
            Fact::CpuWarning(_) => self.count(source_id, LineKind::CpuWarning),
            Fact::TestStop(_) => self.count(source_id, LineKind::TestStop),
            _ => {}
        }
    }

    fn count(&mut self, source_id: &str, event: LineKind) {
        self.change(source_id, |process| match process.events.iter_mut().find(|(known, _)| *known == event) {
            Some((_, count)) => *count += 1,
            None => process.events.push((event, 1)),
        });
    }

    fn change(&mut self, source_id: &str, change: impl FnOnce(&mut ProcessSeen)) {
        if let Some(known) = self.0.get_mut(source_id) {
            change(known);
        } else if self.0.len() < MAX_PROCESSES {
            change(self.0.entry(source_id.to_owned()).or_default());
        }
    }
}
