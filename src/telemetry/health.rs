//! The line about the generator's health: whether its numbers can be trusted.

use std::time::Duration;

use super::intervals::Span;
use super::own_records::Health;
use super::record::RecordBody;
use super::tick::{PreviousSample, TickCounts, TickSample};
use crate::clock::Moment;

/// The intended load.
pub(super) struct Intent {
    /// Users at the end of the interval.
    pub(super) users: u32,
    /// Arrivals due in the interval; `None` in the closed model.
    pub(super) arrivals: Option<f64>,
}

/// The line about the interval that begins with sample `before`, or at the start, and ends with `sample`.
pub(super) fn line(
    span: &Span,
    (before, sample): (Option<&PreviousSample>, &TickSample),
    count: &TickCounts,
    intent: &Intent,
) -> RecordBody {
    let seconds =
        sample.machine.at.since(before.map_or(Moment::START, |before| before.sample.machine.at)).as_secs_f64();
    let rate = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
    let cpu = |now: Duration, then: Duration| rate(now.saturating_sub(then).as_secs_f64() * 100.0);
    let lateness = |permille| {
        // A histogram cannot record 0 and has 1 us instead.
        let us = count.sends.lateness().percentile_us(permille);
        if us <= 1 { 0 } else { us }
    };
    let throttled = before
        .map_or(Duration::ZERO, |before| sample.machine.throttled.saturating_sub(before.sample.machine.throttled));
    RecordBody::Health(Box::new(Health {
        interval_start: span.start.clone(),
        interval_end: span.end.clone(),
        phase: Some(span.phase),
        late_sends: count.sends.late(),
        lateness_p50_us: lateness(500),
        lateness_p90_us: lateness(900),
        lateness_p99_us: lateness(990),
        lateness_max_us: lateness(1000),
        // Rounded to a thousandth of a request per second, which removes the noise of the division.
        intended_rate: intent.arrivals.map(|arrivals| (rate(arrivals) * 1e3).round() / 1e3),
        // Requests actually sent in the interval; outcomes exist only when requests end, those of the cut all at once.
        achieved_rate: rate(
            sample.flight.sent.saturating_sub(before.map_or(0, |before| before.sample.flight.sent)) as f64
        ),
        sent: sample.flight.sent,
        in_flight: sample.flight.in_flight,
        oldest_in_flight_ms: (sample.flight.oldest.as_micros() as f64) / 1000.0,
        users: sample.users,
        users_wanted: intent.users,
        outcome_queue: count.queue,
        ticks_joined: count.joined,
        // The aggregator has no thread of its own yet at the first tick.
        aggregator_cpu_percent: before.map_or(0.0, |before| cpu(count.aggregator_cpu, before.aggregator_cpu)),
        writer_cpu_percent: before.map_or(0.0, |before| cpu(sample.writer_cpu, before.sample.writer_cpu)),
        throttled_ms: throttled.as_secs_f64() * 1000.0,
        open_files: sample.machine.open_files,
        open_files_limit: sample.open_files_limit,
        otlp_failed: sample.exports.map(|exports| exports.failed),
        otlp_rejected: sample.exports.map(|exports| exports.rejected),
    }))
}
