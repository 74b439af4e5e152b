//! The message of a push, `ExportMetricsServiceRequest` of OTLP:
//! <https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/metrics/v1>.

use std::time::Duration;

use super::exponential::Exponential;
use super::proto::{Field, Message, fields};
use crate::publish::cumulative::{Buckets, Labels, PLUGIN_BOUNDS_MS};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;

/// Attributes whose values are integers.
const INTEGERS: [&str; 1] = ["server.port"];

/// The period that values are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// Start of the run, since the Unix epoch.
    pub(super) start: Duration,
    /// When the values were so.
    pub(super) now: Duration,
}

/// One value of a metric, or one histogram.
pub(super) struct DataPoint(Message);

/// A metric with all its values.
pub(super) struct Metric(Message);

impl Period {
    /// A value that is a number.
    pub(super) fn number(self, attributes: &Labels<'_>, value: f64) -> DataPoint {
        let point = self.times(Message::default(), 2).double(4, value);
        DataPoint(point.messages(7, &key_values(attributes)))
    }

    /// A count.
    pub(super) fn count(self, attributes: &Labels<'_>, value: u64) -> DataPoint {
        let point = self.times(Message::default(), 2).fixed(6, value);
        DataPoint(point.messages(7, &key_values(attributes)))
    }

    /// Times in exponential buckets, with their exact sum in seconds.
    pub(super) fn exponential(self, attributes: &Labels<'_>, sum_us: u128, times: &Exponential) -> DataPoint {
        let buckets = Message::default().sint(1, times.offset).packed_uints(2, &times.counts);
        let point = self
            .times(Message::default().messages(1, &key_values(attributes)), 2)
            .fixed(4, times.count())
            .double(5, sum_us as f64 / 1e6)
            .sint(6, times.scale)
            .fixed(7, 0)
            .message(8, &buckets);
        DataPoint(point)
    }

    /// Times in the plugin's buckets, with their exact sum in milliseconds.
    pub(super) fn explicit(self, attributes: &Labels<'_>, times: &Buckets) -> DataPoint {
        let ends = times.cumulative.iter().copied().chain([times.count]);
        let mut below = 0;
        let counts: Vec<u64> = ends.map(|end| end.saturating_sub(std::mem::replace(&mut below, end))).collect();
        let bounds = PLUGIN_BOUNDS_MS.map(|ms| (ms as f64).to_bits());
        let point = self
            .times(Message::default(), 2)
            .fixed(4, times.count)
            .double(5, times.sum_us as f64 / 1e3)
            .packed_fixed(6, counts)
            .packed_fixed(7, bounds)
            .messages(9, &key_values(attributes));
        DataPoint(point)
    }

    /// Adds start and time, which stand in two fields that follow one another.
    fn times(self, point: Message, first: u32) -> Message {
        point.fixed(first, nanos(self.start)).fixed(first + 1, nanos(self.now))
    }
}

impl Metric {
    /// Values that rise and fall.
    pub(super) fn gauge(name: &str, unit: &str, points: &[DataPoint]) -> Self {
        Self::new(name, unit, 5, &data(points))
    }

    /// Counts that only rise.
    pub(super) fn sum(name: &str, unit: &str, points: &[DataPoint]) -> Self {
        Self::new(name, unit, 7, &data(points).uint(2, CUMULATIVE).uint(3, 1))
    }

    /// Histograms with given bounds.
    pub(super) fn histogram(name: &str, unit: &str, points: &[DataPoint]) -> Self {
        Self::new(name, unit, 9, &data(points).uint(2, CUMULATIVE))
    }

    /// Exponential histograms.
    pub(super) fn exponential(name: &str, unit: &str, points: &[DataPoint]) -> Self {
        Self::new(name, unit, 10, &data(points).uint(2, CUMULATIVE))
    }

    fn new(name: &str, unit: &str, kind: u32, data: &Message) -> Self {
        Self(Message::default().string(1, name).string(3, unit).message(kind, data))
    }
}

fn data(points: &[DataPoint]) -> Message {
    points.iter().fold(Message::default(), |data, point| data.message(1, &point.0))
}

/// The message with all metrics of a process, which `resource` describes.
pub(super) fn request(resource: &[(String, String)], metrics: &[Metric]) -> Vec<u8> {
    let attributes: Vec<Message> = resource.iter().map(|(key, value)| key_value(key, value)).collect();
    let resource = Message::default().messages(1, &attributes);
    let scope = Message::default().string(1, env!("CARGO_PKG_NAME")).string(2, env!("CARGO_PKG_VERSION"));
    let scoped = metrics.iter().fold(Message::default().message(1, &scope), |into, metric| into.message(2, &metric.0));
    let of_resource = Message::default().message(1, &resource).message(2, &scoped);
    Message::default().message(1, &of_resource).finish()
}

/// Data points that a backend refused, and why: `ExportMetricsServiceResponse`.
pub(super) fn rejected(response: &[u8]) -> (u64, String) {
    let partial = fields(response).find_map(|(number, field)| match (number, field) {
        (1, Field::Bytes(partial)) => Some(partial),
        _ => None,
    });
    let mut rejected = (0, String::new());
    for (number, field) in fields(partial.unwrap_or_default()) {
        match (number, field) {
            // An int64 that no backend makes negative.
            (1, Field::Uint(points)) => rejected.0 = if points > i64::MAX.cast_unsigned() { 0 } else { points },
            (2, Field::Bytes(why)) => rejected.1 = String::from_utf8_lossy(why).into_owned(),
            _ => {}
        }
    }
    rejected
}

fn key_values(attributes: &Labels<'_>) -> Vec<Message> {
    attributes.iter().map(|(key, value)| key_value(key, value)).collect()
}

fn key_value(key: &str, value: &str) -> Message {
    let value = match value.parse() {
        Ok(number) if INTEGERS.contains(&key) => Message::default().uint(3, number),
        // An empty text is a value too, so its field is there.
        _ if value.is_empty() => Message::default().packed_uints(1, &[]),
        _ => Message::default().string(1, value),
    };
    Message::default().string(1, key).message(2, &value)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_backend_refused_is_read() {
        let partial = Message::default().uint(1, 12).string(2, "out of order");
        assert_eq!(rejected(&Message::default().message(1, &partial).finish()), (12, "out of order".to_owned()));
        for nothing in [&b""[..], b"<html>", &[0x0a, 0x00]] {
            assert_eq!(rejected(nothing), (0, String::new()), "{nothing:?}");
        }
    }
}
