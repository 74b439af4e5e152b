//! The run so far as cumulative values, which metrics systems take: they never fall while it goes on.

use crate::report::model::traffic::PointTraffic;
use crate::report::model::{EndpointSeen, ReportModel, RunData};
use crate::stats::aggregate::MAX_FINE_ENDPOINTS;
use crate::stats::packed::{PackedHistogram, PackedTimes};
use crate::stats::scale::Scale;
use crate::vocabulary::{FailureClass, SourceKind};

/// The endpoint that the others beyond [`MAX_FINE_ENDPOINTS`] are counted as, as in the stream.
const OTHER: &str = "other";

/// Upper bounds of the buckets of the plugin's histograms, in milliseconds: the default of OpenTelemetry's SDKs.
pub(super) const PLUGIN_BOUNDS_MS: [u64; 15] =
    [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/// Bytes of a mebibyte.
pub(super) const MIB: f64 = 1_048_576.0;

/// All that happened at an endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointTotals {
    /// Its method; empty for several endpoints together.
    pub(super) method: String,
    /// Its name.
    pub(super) name: String,
    /// Requests and their times.
    pub(super) traffic: PointTraffic,
    /// Failures by class.
    pub(super) failed_by_class: Vec<(FailureClass, u64)>,
}

impl EndpointTotals {
    fn add(&mut self, endpoint: &EndpointSeen) {
        self.traffic.add(&endpoint.timeline.whole());
        for (class, count) in &endpoint.failed_by_class {
            match self.failed_by_class.iter_mut().find(|(known, _)| known == class) {
                Some((_, sum)) => *sum += count,
                None => self.failed_by_class.push((*class, *count)),
            }
        }
    }
}

/// The endpoints that have histograms of their own, in the order of first use, then all others as one.
pub(super) fn endpoints(run: &RunData) -> Vec<EndpointTotals> {
    let mut totals: Vec<EndpointTotals> = Vec::new();
    for endpoint in &run.endpoints {
        let is_other = totals.len() >= MAX_FINE_ENDPOINTS;
        let (method, name) = if is_other { ("", OTHER) } else { (endpoint.method.as_str(), endpoint.name.as_str()) };
        let known = totals.iter().position(|known| known.method == method && known.name == name);
        let at = known.unwrap_or_else(|| {
            let (method, name) = (method.to_owned(), name.to_owned());
            totals.push(EndpointTotals { method, name, ..EndpointTotals::default() });
            totals.len() - 1
        });
        totals[at].add(endpoint);
    }
    totals
}

/// Times in buckets: exact count and sum, and for each bound how many times are at most that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// Number of times.
    pub(super) count: u64,
    /// Their sum in microseconds.
    pub(super) sum_us: u128,
    /// How many are at most each bound.
    pub(super) cumulative: Vec<u64>,
}

impl Buckets {
    /// Puts times into buckets with these upper bounds, ascending, in microseconds. The times of a slot of `scale` count where
    /// the slot's lowest value is at most the bound.
    pub(super) fn of(times: &PackedTimes, scale: Scale, bounds_us: impl IntoIterator<Item = u64>) -> Self {
        let cumulative = cumulative(&times.histogram, scale, bounds_us);
        Self { count: times.sum.count, sum_us: times.sum.sum_us, cumulative }
    }

    /// Takes away a part of these times.
    pub(super) fn without(mut self, part: &Self) -> Self {
        self.count = self.count.saturating_sub(part.count);
        self.sum_us = self.sum_us.saturating_sub(part.sum_us);
        for (all, part) in self.cumulative.iter_mut().zip(&part.cumulative) {
            *all = all.saturating_sub(*part);
        }
        self
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum_us += other.sum_us;
        self.cumulative.resize(other.cumulative.len(), 0);
        self.cumulative.iter_mut().zip(&other.cumulative).for_each(|(all, more)| *all += more);
    }
}

fn cumulative(histogram: &PackedHistogram, scale: Scale, bounds_us: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut times = histogram.iter().peekable();
    let mut below = 0;
    let mut up_to = |bound_us| {
        while let Some((_, count)) = times.next_if(|(us, _)| scale.slot(*us) <= scale.slot(bound_us)) {
            below += count;
        }
        below
    };
    bounds_us.into_iter().map(&mut up_to).collect()
}

/// What the plugin counts: the service times of all requests of one name, whatever their method, apart for successes and
/// failures.
#[derive(Clone, Debug, Default)]
pub(super) struct PluginTimes {
    /// The name.
    pub(super) endpoint: String,
    /// Succeeded.
    pub(super) success: Buckets,
    /// Failed.
    pub(super) error: Buckets,
}

/// The times by name. Names are left out of which they are not known: streams of an earlier version have no times of failed
/// requests.
pub(super) fn plugin_times(totals: &[EndpointTotals]) -> Vec<PluginTimes> {
    let unknown = |name: &str| totals.iter().any(|other| other.name == name && other.traffic.failed_times().is_none());
    let mut by_name: Vec<PluginTimes> = Vec::new();
    for total in totals.iter().filter(|total| total.traffic.completed() > 0 && !unknown(&total.name)) {
        let bounds = || PLUGIN_BOUNDS_MS.map(|ms| ms * 1000);
        // Those of failures are coarse: with one scale for both, the difference is exact.
        let all = Buckets::of(&total.traffic.service, Scale::COARSE, bounds());
        let error = Buckets::of(&total.traffic.failed_times.total(), Scale::COARSE, bounds());
        let at = by_name.iter().position(|known| known.endpoint == total.name).unwrap_or_else(|| {
            by_name.push(PluginTimes { endpoint: total.name.clone(), ..PluginTimes::default() });
            by_name.len() - 1
        });
        by_name[at].success.add(&all.without(&error));
        by_name[at].error.add(&error);
    }
    by_name
}

/// What tells the values of a metric apart, by name: labels in Prometheus, attributes in OpenTelemetry.
pub(super) type Labels<'m> = Vec<(&'static str, &'m str)>;

/// The labels that the plugin puts on every value of a process, and `further` ones.
pub(super) fn plugin_labels<'m>(
    model: &'m ReportModel,
    source_id: &'m str,
    further: &[(&'static str, &'m str)],
) -> Labels<'m> {
    let identity = &model.identity;
    let own = identity.source.filter(|_| identity.source_id == source_id);
    let source = own.unwrap_or(SourceKind::Worker).as_str();
    let mut labels = vec![
        ("source", source),
        ("source_id", source_id),
        ("run_id", &identity.run_id),
        ("testplan", &identity.testplan),
    ];
    labels.extend(further);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sum::Sum;

    fn times(us: &[u64]) -> PackedTimes {
        let mut sum = Sum::default();
        for us in us {
            sum.record(*us);
        }
        PackedTimes { sum, histogram: PackedHistogram::of(us.iter().map(|us| (*us, 1))) }
    }

    #[test]
    fn a_slot_counts_where_its_lowest_value_is_at_most_the_bound() {
        // Slots are 8 µs wide there: 10,000 to 10,007 is one.
        let buckets = Buckets::of(&times(&[400, 9_999, 10_000, 10_007, 10_008]), Scale::FINE, [500, 10_000, 60_000]);
        assert_eq!(buckets.cumulative, [1, 4, 5]);
        assert_eq!((buckets.count, buckets.sum_us), (5, 40_414));
    }

    #[test]
    fn what_remains_without_the_failures_is_never_negative() {
        let all = times(&[900, 4_990, 5_001, 5_010, 70_000]);
        let failed = times(&[4_990, 5_010]);
        let of = |times| Buckets::of(times, Scale::COARSE, PLUGIN_BOUNDS_MS.map(|ms| ms * 1000));
        let rest = of(&all).without(&of(&failed));
        assert_eq!((rest.count, rest.sum_us), (3, 75_901));
        assert!(rest.cumulative.is_sorted());
    }
}
