//! Where the time of completed requests goes: name lookup, connecting, TLS, the first byte, the body.

use std::time::Duration;

use super::histogram::Precision;
use super::sum::Sum;
use super::times::{Times, micros};
use crate::clock::Elapsed;
use crate::outcome::Outcome;

/// Times to the first byte of completed requests, and how much of them was spent on opening connections.
///
/// Streams of earlier versions lack them. Where such a stream was added, there are fewer of these times than completed
/// requests, and nothing may be concluded from them: [`FirstByteTimes::of_all`].
#[derive(Clone, Debug)]
pub struct FirstByteTimes {
    times: Times,
    connecting: ConnectingSums,
}

/// Time that completed requests spent on opening connections, failed attempts included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectingSums {
    /// Requests that opened a connection, or tried to.
    pub requests: u64,
    /// Name lookups, in microseconds.
    pub dns_us: u128,
    /// TCP handshakes and conversations with a proxy, in microseconds.
    pub connect_us: u128,
    /// TLS handshakes, in microseconds.
    pub tls_us: u128,
}

/// Time of completed requests by phase, in microseconds: together their service time, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Opening connections; zero for requests over kept ones.
    pub connecting: ConnectingSums,
    /// From the end of connecting to the first byte of the last response, or to the end of a request without one.
    /// Redirects are part of it, apart from their connections.
    pub first_byte_us: u128,
    /// From the first byte of the last response to the end.
    pub body_us: u128,
}

impl Default for FirstByteTimes {
    fn default() -> Self {
        Self { times: Times::new(Precision::Coarse), connecting: ConnectingSums::default() }
    }
}

impl FirstByteTimes {
    /// Counts a completed request.
    pub fn record(&mut self, outcome: &Outcome) {
        self.times.record(micros(outcome.time_to_first_byte()));
        self.connecting.record(outcome);
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.times.add(&other.times);
        self.connecting.add(&other.connecting);
    }

    /// Adds times counted elsewhere, without their distribution.
    pub fn add_sums(&mut self, times: &Sum, connecting: &ConnectingSums) {
        self.times.add_sum(times);
        self.connecting.add(connecting);
    }

    /// The times, to add the distribution of those counted elsewhere.
    pub const fn times_mut(&mut self) -> &mut Times {
        &mut self.times
    }

    /// Clears everything and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.times.clear();
        self.connecting = ConnectingSums::default();
    }

    /// The times, if they are those of all `completed` requests.
    #[must_use]
    pub fn of_all(&self, completed: u64) -> Option<&Times> {
        (self.times.sum().count == completed).then_some(&self.times)
    }

    /// Where the time went, if that is known of all requests that these service times are of.
    #[must_use]
    pub fn timings(&self, service: &Sum) -> Option<Timings> {
        let first_byte_us = self.of_all(service.count)?.sum().sum_us;
        Some(Timings::of(self.connecting, first_byte_us, service.sum_us))
    }
}

impl ConnectingSums {
    fn record(&mut self, outcome: &Outcome) {
        let made = &outcome.traffic().connecting;
        let times = [made.dns, made.connect, made.tls].map(Elapsed::duration);
        if made.connections == 0 && times.iter().all(Duration::is_zero) {
            return;
        }
        // Cut to microseconds, as the time to the first byte is, so that they are not longer together.
        let [dns_us, connect_us, tls_us] = times.map(|time| time.as_micros());
        self.add(&Self { requests: 1, dns_us, connect_us, tls_us });
    }

    /// Adds all of `other`.
    pub const fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.dns_us += other.dns_us;
        self.connect_us += other.connect_us;
        self.tls_us += other.tls_us;
    }

    /// All of it, in microseconds.
    #[must_use]
    pub const fn total_us(&self) -> u128 {
        self.dns_us + self.connect_us + self.tls_us
    }
}

impl Timings {
    /// The timings of requests whose times to the first byte and service times add up to this.
    #[must_use]
    pub const fn of(connecting: ConnectingSums, first_byte_us: u128, service_us: u128) -> Self {
        Self {
            connecting,
            first_byte_us: first_byte_us.saturating_sub(connecting.total_us()),
            body_us: service_us.saturating_sub(first_byte_us),
        }
    }

    /// The service time of all requests, in microseconds.
    #[must_use]
    pub const fn total_us(&self) -> u128 {
        self.connecting.total_us() + self.first_byte_us + self.body_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::outcome::{Connecting, DueTime, Ending, Failure, TimedOut, TimeoutPhase, Traffic};
    use crate::plan::endpoint::EndpointId;

    const MS: u64 = 1_000_000;

    /// A request sent after 1 s, with these times in nanoseconds.
    fn outcome(connecting: [u64; 3], first_byte: Option<u64>, service: u64, ending: Ending) -> Outcome {
        let at = |ns: u64| Moment::from_nanos(1000 * MS + ns);
        let mut made = Connecting { connections: u16::from(connecting[1] > 0), ..Connecting::default() };
        made.dns += Duration::from_nanos(connecting[0]);
        made.connect += Duration::from_nanos(connecting[1]);
        made.tls += Duration::from_nanos(connecting[2]);
        let traffic = Traffic { first_byte: first_byte.map(at), connecting: made, ..Traffic::default() };
        Outcome::new(EndpointId(0), DueTime::WhenSent, (at(0), at(service)), traffic, ending)
    }

    fn counted(outcomes: &[Outcome]) -> (FirstByteTimes, Sum) {
        let (mut first_byte, mut service) = (FirstByteTimes::default(), Sum::default());
        for outcome in outcomes {
            first_byte.record(outcome);
            service.record(micros(outcome.service_time()));
        }
        (first_byte, service)
    }

    #[test]
    fn each_phase_has_its_time_and_they_add_up_to_the_service_time() {
        let timeout = Ending::Failed(Failure::Timeout(TimedOut::new(TimeoutPhase::FirstByte, Duration::from_secs(1))));
        let (first_byte, service) = counted(&[
            outcome([MS, 2 * MS, 3 * MS], Some(10 * MS), 15 * MS, Ending::Ok),
            outcome([0, 0, 0], Some(8 * MS), 8 * MS, Ending::Ok),
            // Neither connected nor answered: it waited.
            outcome([0, 0, 0], None, 1000 * MS, timeout),
        ]);
        let connecting = ConnectingSums { requests: 1, dns_us: 1000, connect_us: 2000, tls_us: 3000 };
        let timings = first_byte.timings(&service).unwrap();
        assert_eq!(timings, Timings { connecting, first_byte_us: 4_000 + 8_000 + 1_000_000, body_us: 5_000 });
        assert_eq!(timings.total_us(), service.sum_us);
        let times = first_byte.of_all(3).unwrap();
        assert_eq!((times.sum().min_us(), times.sum().max_us, times.sum().sum_us), (8_000, 1_000_000, 1_018_000));
    }

    #[test]
    fn they_add_up_to_the_microsecond_whatever_is_lost_in_rounding() {
        let mut random = crate::plan::random::Random::seeded(5);
        let mut below = |limit: u64| random.bits() % limit;
        let outcomes: Vec<Outcome> = (0..2000)
            .map(|_| {
                let connecting = [below(3000), below(5000), below(2) * below(90_000)];
                let first_byte = connecting.iter().sum::<u64>() + below(4000);
                let service = first_byte + below(3000);
                outcome(connecting, (below(9) > 0).then_some(first_byte), service, Ending::Ok)
            })
            .collect();
        let (first_byte, service) = counted(&outcomes);
        assert_eq!(first_byte.timings(&service).unwrap().total_us(), service.sum_us);
    }

    #[test]
    fn nothing_is_concluded_where_some_requests_have_no_times() {
        let (mut first_byte, mut service) = counted(&[outcome([0, 0, 0], Some(MS), 2 * MS, Ending::Ok)]);
        service.record(1);
        assert_eq!(first_byte.timings(&service), None);
        assert!(first_byte.of_all(2).is_none());
        first_byte.clear();
        assert_eq!(first_byte.timings(&Sum::default()), Some(Timings::default()));
    }
}
