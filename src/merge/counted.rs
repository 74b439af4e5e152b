//! What a shard's line counted, as it is added.

use crate::stats::interval::{AfterStop, ConnectionTimes, IntervalCounts};
use crate::stats::unfinished::UnfinishedCounts;
use crate::telemetry::reader::line::Telemetry;

impl Telemetry<'_> {
    /// What an interval's line counted.
    pub(super) fn counted(&self) -> IntervalCounts {
        let completed = self.ok + self.failed;
        IntervalCounts {
            ok: self.ok,
            failed: self.failed_by_class.to_vec(),
            aborted: self.aborted,
            after_stop: AfterStop { completed: self.completed_after_stop, failed: self.failed_after_stop },
            redirects: self.redirects,
            reopened: self.reopened,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            connections: ConnectionTimes {
                count: self.connections.count,
                dns: self.connections.dns.counted(),
                connect: self.connections.connect.counted(),
                tls: self.connections.tls.counted(),
            },
            first_byte: self.timings.map(|timings| (self.first_byte.counted(), timings.timings().connecting)),
            service: self.service.of(completed),
            failed_service_us: self.failed_service_us.to_vec(),
            response: (!self.response_is_service).then(|| self.response.of(completed)),
        }
    }

    /// What a line about unfinished requests counted.
    pub(super) fn unfinished(&self) -> UnfinishedCounts {
        UnfinishedCounts {
            aborted: self.aborted,
            unsent: self.unsent,
            overdue: self.overdue,
            oldest_aborted_us: self.oldest_aborted_us,
            oldest_unsent_us: self.oldest_unsent_us,
        }
    }

    /// Body bytes of all answers that the mean is of: whole, so rounding finds them again below 2^50.
    pub(super) fn content_bytes(&self) -> f64 {
        (self.avg_content_length * self.num_requests as f64).round()
    }
}
