//! What a stream says of the plan, of each phase and of each endpoint.

use super::timeline::{Point, Timeline};
use super::traffic::PointTraffic;
use crate::plan::settings::differing_setting;
use crate::stats::histogram::Precision;
use crate::stats::packed::PackedTimes;
use crate::stats::tally::{Counts, Statistics};
use crate::stats::times::Times;
use crate::stats::timing_summary::TimingSummary;
use crate::stats::unfinished::{JudgedTimes, UnfinishedCounts};
use crate::telemetry::reader::facts::{SettingFact, TargetFact};
use crate::telemetry::reader::value::ShardValue;
use crate::vocabulary::{FailureClass, Phase};

/// Version, plan and environment of a run.
#[derive(Clone, Debug, Default)]
pub struct PlanSeen {
    /// Version of swarmline.
    pub version: String,
    /// SHA-256 of the plan.
    pub hash: String,
    /// The plan as resolved.
    pub settings: Vec<SettingFact>,
    /// Hosts that requests were sent to.
    pub targets: Vec<TargetFact>,
    /// CPUs that the generator could use.
    pub available_cpus: Option<f64>,
    /// Which shard of a run it is; `None` for a run on one host and for a merged one.
    pub shard: Option<ShardValue>,
    /// Start of the run by the wall clock, RFC 3339.
    pub started_at: Option<String>,
}

impl PlanSeen {
    /// The value of a setting.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
    }

    /// A setting of the plan that differs, with both values; `None` if the streams do not have it.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let [ours, theirs] = [self, other].map(|plan| {
            let pairs = plan.settings.iter().map(|setting| (setting.key.as_str(), setting.value.as_str()));
            pairs.collect::<Vec<_>>()
        });
        differing_setting(&ours, &theirs)
    }
}

/// All requests of a phase.
#[derive(Clone, Debug)]
pub struct PhaseSeen {
    /// The phase.
    pub phase: Phase,
    /// Its length in milliseconds.
    pub duration_ms: u64,
    /// Counts.
    pub counts: Counts,
    /// Service times: from sending to the last byte.
    pub service: Times,
    /// Response times: from the due time to the last byte.
    pub response: Times,
}

impl PhaseSeen {
    pub(super) fn new(phase: Phase) -> Self {
        let none = || Times::new(Precision::Fine);
        Self { phase, duration_ms: 0, counts: Counts::default(), service: none(), response: none() }
    }

    pub(super) fn add(&mut self, point: &Point) {
        self.duration_ms += point.end_ms.saturating_sub(point.start_ms);
        self.add_traffic(&point.traffic);
    }

    pub(super) fn add_traffic(&mut self, traffic: &PointTraffic) {
        let PointTraffic { ok, failed, aborted, redirects, reopened, .. } = *traffic;
        self.counts = self.counts.and(&Counts { ok, failed, aborted, redirects, reopened });
        self.service.add_packed(&traffic.service);
        self.response.add_packed(traffic.response());
    }
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSeen {
    /// Its method; empty for the endpoints beyond the maximum, taken together.
    pub method: String,
    /// Its name.
    pub name: String,
    /// Its requests over time.
    pub timeline: Timeline,
    /// Failures by class, those of the warm-up included.
    pub failed_by_class: Vec<(FailureClass, u64)>,
    /// Those of the warm-up.
    pub(super) warmup_failed_by_class: Vec<(FailureClass, u64)>,
    /// Bytes of response bodies in the warm-up, from the end of the stream.
    pub(super) warmup_content_bytes: u64,
    /// From the end of the stream; `None` if the stream was cut off before, or if no request completed.
    pub last: Option<Statistics>,
    /// Time to the first byte and where the time went, also from the end of the stream; `None` if it is of an earlier
    /// version.
    pub timing: Option<TimingSummary>,
}

impl EndpointSeen {
    /// Failures by class, without those of the warm-up.
    pub fn judged_failed_by_class(&self) -> impl Iterator<Item = (FailureClass, u64)> {
        let warmup = |class| self.warmup_failed_by_class.iter().find(|(known, _)| *known == class);
        let left = move |(class, count): &(FailureClass, u64)| {
            (*class, count.saturating_sub(warmup(*class).map_or(0, |(_, count)| *count)))
        };
        self.failed_by_class.iter().map(left).filter(|(_, count)| *count > 0)
    }

    /// Method and name as shown in reports.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.method, &self.name)
    }
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamWarning {
    /// Its time, RFC 3339.
    pub time: String,
    /// Its kind, for programs.
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

/// Unfinished requests of one endpoint that were due in one phase.
#[derive(Clone, Debug)]
pub struct UnfinishedSeen {
    pub(super) method: String,
    pub(super) name: String,
    pub(super) phase: Phase,
    pub(super) counts: UnfinishedCounts,
    /// From the due time to the cut.
    pub(super) response: PackedTimes,
    /// From sending to the cut.
    pub(super) service: PackedTimes,
    /// From sending to the cut, of those without a first byte.
    pub(super) first_byte: PackedTimes,
    /// The endpoint's times in all phases, with unfinished requests included.
    pub(super) judged: JudgedTimes,
    /// The same for times to the first byte; `None` if those of some completed requests are not known.
    pub(super) judged_first_byte: Option<JudgedTimes>,
}

impl UnfinishedSeen {
    pub(super) fn is_of(&self, endpoint: &EndpointSeen) -> bool {
        (&self.method, &self.name) == (&endpoint.method, &endpoint.name)
    }
}

/// Method and name of an endpoint as shown in reports.
pub(super) fn title(method: &str, name: &str) -> String {
    if method.is_empty() { name.to_owned() } else { format!("{method} {name}") }
}
