//! Results of one endpoint between two ticks. The run is the sum of these, count by count.

use std::time::Duration;

use super::failed_times::FailedTimes;
use super::histogram::Precision;
use super::scale::Scale;
use super::sum::Sum;
use super::times::{Times, micros};
use super::timings::{ConnectingSums, FirstByteTimes};
use crate::outcome::{Ending, Failure, Outcome};
use crate::vocabulary::FailureClass;

/// Results of one endpoint between two ticks.
#[derive(Clone, Debug)]
pub struct Interval {
    /// Completed as expected.
    pub ok: u64,
    /// Failed, by class, in the order of first occurrence.
    pub failed: Vec<(FailureClass, u64)>,
    /// Aborted by the end of the run.
    pub aborted: u64,
    /// Completed after the load had ended: counted, but left out of rates.
    pub after_stop: AfterStop,
    /// Reads the maximum number of redirects.
    pub redirects: u64,
    /// Connections reopened because the server had closed them while idle.
    pub reopened: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received, including those of redirects.
    pub bytes_received: u64,
    /// Body bytes of the final responses, without those of redirects.
    pub content_bytes: u128,
    /// New connections and the time spent on them.
    pub connections: ConnectionTimes,
    /// From sending to the first byte of the final response.
    pub first_byte: FirstByteTimes,
    /// Service times of failed requests.
    pub failed_times: FailedTimes,
    service: Times,
    /// `None` as long as every response time equals the service time.
    response: Option<Times>,
    precision: Precision,
}

/// Requests that completed after the load had ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AfterStop {
    /// Requests that succeeded or failed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

impl AfterStop {
    /// Counts one request.
    pub const fn record(&mut self, failed: bool) {
        self.completed += 1;
        self.failed += failed as u64;
    }

    /// Adds all of `other`.
    pub const fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
    }
}

/// New connections and the time spent on them, including failed attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionTimes {
    /// Number of connections opened.
    pub count: u64,
    /// Name lookups.
    pub dns: Sum,
    /// TCP handshakes.
    pub connect: Sum,
    /// TLS handshakes.
    pub tls: Sum,
}

impl ConnectionTimes {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.dns.add(&other.dns);
        self.connect.add(&other.connect);
        self.tls.add(&other.tls);
    }
}

/// Counts of another process for one endpoint between two ticks, without the distributions of its times.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each is the field of the same name of Interval")]
pub struct IntervalCounts {
    pub ok: u64,
    pub failed: Vec<(FailureClass, u64)>,
    pub aborted: u64,
    pub after_stop: AfterStop,
    pub redirects: u64,
    pub reopened: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub connections: ConnectionTimes,
    /// `None` in a stream of an earlier version.
    pub first_byte: Option<(Sum, ConnectingSums)>,
    pub service: Sum,
    /// `None` if every response time equals the service time.
    pub response: Option<Sum>,
    /// Sums of the service times of failed requests; empty in a stream of an earlier version.
    pub failed_service_us: Vec<(FailureClass, u64)>,
}

/// Selects which times a histogram belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimesKind {
    /// From sending to the last byte.
    Service,
    /// From when it was due to the last byte.
    Response,
    /// Both, if they are identical.
    Both,
    /// From sending to the first byte of the final response.
    FirstByte,
    /// Service times of requests that failed in this way.
    Failed(FailureClass),
}

impl Interval {
    /// An empty interval.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self {
            ok: 0,
            failed: Vec::new(),
            aborted: 0,
            after_stop: AfterStop::default(),
            redirects: 0,
            reopened: 0,
            bytes_sent: 0,
            bytes_received: 0,
            content_bytes: 0,
            connections: ConnectionTimes::default(),
            first_byte: FirstByteTimes::default(),
            failed_times: FailedTimes::default(),
            service: Times::new(precision),
            response: None,
            precision,
        }
    }

    /// Counts one outcome.
    pub fn record(&mut self, outcome: &Outcome) {
        let traffic = outcome.traffic();
        self.redirects += u64::from(traffic.redirects);
        self.reopened += u64::from(traffic.reopened);
        self.bytes_sent += traffic.bytes_out;
        self.bytes_received += traffic.bytes_in;
        self.record_connecting(outcome);
        match outcome.ending() {
            // Left out of averages and percentiles.
            Ending::Aborted => {
                self.aborted += 1;
                return;
            }
            Ending::Ok => self.ok += 1,
            Ending::Failed(failure) => self.record_failure(failure, micros(outcome.service_time())),
        }
        self.content_bytes += u128::from(traffic.content_length);
        self.first_byte.record(outcome);
        self.record_times(micros(outcome.service_time()), micros(outcome.response_time()));
    }

    fn record_connecting(&mut self, outcome: &Outcome) {
        let made = &outcome.traffic().connecting;
        self.connections.count += u64::from(made.connections);
        for (sum, took) in [
            (&mut self.connections.dns, made.dns),
            (&mut self.connections.connect, made.connect),
            (&mut self.connections.tls, made.tls),
        ] {
            if took.duration() > Duration::ZERO {
                sum.record(micros(took.duration()));
            }
        }
    }

    fn record_failure(&mut self, failure: Failure, service_us: u64) {
        let class = failure.class();
        self.failed_times.record(class, service_us);
        match self.failed.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => self.failed.push((class, 1)),
        }
    }

    fn record_times(&mut self, service_us: u64, response_us: u64) {
        if service_us != response_us && self.response.is_none() {
            self.response = Some(self.service.clone());
        }
        self.service.record(service_us);
        if let Some(response) = &mut self.response {
            response.record(response_us);
        }
    }

    /// Adds counts of another process for the same endpoint; [`Self::add_recorded`] adds the distributions.
    pub fn add(&mut self, counted: &IntervalCounts) {
        self.ok += counted.ok;
        self.aborted += counted.aborted;
        self.after_stop.add(&counted.after_stop);
        self.redirects += counted.redirects;
        self.reopened += counted.reopened;
        self.bytes_sent += counted.bytes_sent;
        self.bytes_received += counted.bytes_received;
        self.connections.add(&counted.connections);
        if let Some((times, connecting)) = &counted.first_byte {
            self.first_byte.add_sums(times, connecting);
        }
        for (class, count) in &counted.failed {
            match self.failed.iter_mut().find(|(known, _)| known == class) {
                Some((_, known)) => *known += count,
                None => self.failed.push((*class, *count)),
            }
        }
        for (class, sum_us) in &counted.failed_service_us {
            self.failed_times.add_sum(*class, *sum_us);
        }
        if counted.response.is_some() && self.response.is_none() {
            self.response = Some(self.service.clone());
        }
        self.service.add_sum(&counted.service);
        if let Some(response) = &mut self.response {
            response.add_sum(counted.response.as_ref().unwrap_or(&counted.service));
        }
    }

    /// Adds times counted by another process, by slot of a scale, in ascending order.
    pub fn add_recorded(&mut self, kind: TimesKind, scale: Scale, slots: &[(u64, u64)]) {
        match kind {
            TimesKind::Service | TimesKind::Both => self.service.add_recorded(scale, slots),
            TimesKind::FirstByte => self.first_byte.times_mut().add_recorded(scale, slots),
            TimesKind::Failed(class) => self.failed_times.add_recorded(class, scale, slots),
            TimesKind::Response => {}
        }
        if matches!(kind, TimesKind::Response | TimesKind::Both)
            && let Some(response) = &mut self.response
        {
            response.add_recorded(scale, slots);
        }
    }

    /// Requests that completed: answered or failed.
    #[must_use]
    pub const fn completed(&self) -> u64 {
        self.service.sum().count
    }

    /// Completed requests that failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.completed() - self.ok
    }

    /// Failed without a response from the server.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.failed.iter().filter(|(class, _)| !class.is_response_class()).map(|(_, count)| count).sum()
    }

    /// Returns whether anything was recorded.
    #[must_use]
    pub const fn has_outcomes(&self) -> bool {
        self.completed() + self.aborted > 0
    }

    /// From sending to the last byte.
    #[must_use]
    pub const fn service(&self) -> &Times {
        &self.service
    }

    /// From when it was due to the last byte.
    #[must_use]
    pub fn response(&self) -> &Times {
        self.response.as_ref().unwrap_or(&self.service)
    }

    /// Returns whether every response time equals the service time.
    #[must_use]
    pub const fn response_is_service(&self) -> bool {
        self.response.is_none()
    }

    /// Clears everything and keeps the allocated memory.
    pub fn clear(&mut self) {
        (self.ok, self.aborted, self.redirects, self.reopened) = (0, 0, 0, 0);
        (self.bytes_sent, self.bytes_received, self.content_bytes) = (0, 0, 0);
        self.after_stop = AfterStop::default();
        self.failed.clear();
        self.failed_times.clear();
        self.connections = ConnectionTimes::default();
        self.first_byte.clear();
        self.service.clear();
        self.response = None;
    }

    /// Returns the interval and starts a new one.
    #[must_use]
    pub fn take(&mut self) -> Self {
        // The next interval is likely to need as much memory as this one did.
        let (mut service, mut first_byte) = (self.service.clone(), self.first_byte.clone());
        service.clear();
        first_byte.clear();
        let next = Self { first_byte, service, ..Self::new(self.precision) };
        std::mem::replace(self, next)
    }
}
