//! Times as lines have them, in microseconds.

use serde::Serialize;

use crate::stats::interval::ConnectionTimes;
use crate::stats::sum::Sum;
use crate::stats::times::Times;
use crate::stats::timings::Timings;

/// Times of one kind, in microseconds.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each says what it is")]
pub struct WireTimes {
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p99_9_us: u64,
}

/// Times of one kind, in microseconds, and how many they are.
#[derive(Clone, Debug, Serialize)]
pub struct WireCountedTimes {
    /// Number of times.
    pub count: u64,
    /// The times.
    #[serde(flatten)]
    pub times: WireTimes,
}

/// Count, sum, minimum and maximum of times in microseconds; all 0 if there are none.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each says what it is")]
pub struct WireSum {
    pub count: u64,
    pub sum_us: u64,
    pub min_us: u64,
    pub max_us: u64,
}

/// New connections and the time they took.
#[derive(Clone, Debug, Serialize)]
pub struct WireConnections {
    /// Number of connections made.
    pub count: u64,
    /// Name lookups, failed ones included.
    pub dns: WireSum,
    /// TCP handshakes and the conversation with a proxy, failed ones included.
    pub connect: WireSum,
    /// TLS handshakes, failed ones included.
    pub tls: WireSum,
}

/// Where the time of completed requests went, in microseconds: the sum of their service times, by phase.
#[derive(Clone, Debug, Serialize)]
pub struct WireTimings {
    /// Requests that opened a connection, or tried to.
    pub connected: u64,
    /// Name lookups.
    pub dns_us: u64,
    /// TCP handshakes and conversations with a proxy.
    pub connect_us: u64,
    /// TLS handshakes.
    pub tls_us: u64,
    /// From then to the first byte of the last response or, without one, to the end.
    pub first_byte_us: u64,
    /// From then to the end.
    pub body_us: u64,
}

impl From<&Times> for WireTimes {
    fn from(times: &Times) -> Self {
        let sum = times.sum();
        let [p50_us, p90_us, p95_us, p99_us, p99_9_us] = times.percentiles_us([500, 900, 950, 990, 999]);
        Self {
            sum_us: whole(sum.sum_us),
            min_us: sum.min_us(),
            max_us: sum.max_us,
            p50_us,
            p90_us,
            p95_us,
            p99_us,
            p99_9_us,
        }
    }
}

impl From<&Times> for WireCountedTimes {
    fn from(times: &Times) -> Self {
        Self { count: times.sum().count, times: times.into() }
    }
}

impl From<&Sum> for WireSum {
    fn from(sum: &Sum) -> Self {
        Self { count: sum.count, sum_us: whole(sum.sum_us), min_us: sum.min_us(), max_us: sum.max_us }
    }
}

impl From<&ConnectionTimes> for WireConnections {
    fn from(made: &ConnectionTimes) -> Self {
        Self { count: made.count, dns: (&made.dns).into(), connect: (&made.connect).into(), tls: (&made.tls).into() }
    }
}

impl From<Timings> for WireTimings {
    fn from(timings: Timings) -> Self {
        Self {
            connected: timings.connecting.requests,
            dns_us: whole(timings.connecting.dns_us),
            connect_us: whole(timings.connecting.connect_us),
            tls_us: whole(timings.connecting.tls_us),
            first_byte_us: whole(timings.first_byte_us),
            body_us: whole(timings.body_us),
        }
    }
}

/// Enough for 584,000 years of microseconds.
fn whole(us: u128) -> u64 {
    u64::try_from(us).unwrap_or(u64::MAX)
}
