//! Builds the points of the timeline from the lines of each tick.

use std::sync::Arc;
use std::time::Duration;

use super::failed::{FailedTimesSeen, PendingFailures};
use super::pending::{OpenTick, Pending};
use super::processes::LastTick;
use super::run_data::{MAX_ENDPOINTS, RunData};
use super::seen::{EndpointSeen, PhaseSeen, title};
use super::timeline::{Point, millis};
use super::traffic::PointTraffic;
use crate::stats::check::{CheckInput, TimesRef};
use crate::stats::interval::AfterStop;
use crate::stats::packed::PackedTimes;
use crate::stats::sum::Sum;
use crate::stats::tally::Statistics;
use crate::stats::timing_summary::TimingSummary;
use crate::telemetry::claims::Distribution;
use crate::telemetry::hdr::packed;
use crate::telemetry::reader::StreamReader;
use crate::telemetry::reader::facts::{HealthFact, HistogramFact, IntervalFact, TestStopFact};
use crate::telemetry::reader::failures::ErrorRow;
use crate::vocabulary::{EndReason, FailureClass, HistogramKind, Phase};

impl RunData {
    /// Adds the line about an endpoint's interval.
    pub(super) fn add_interval(&mut self, tick: u64, interval: &IntervalFact, reading: &mut StreamReader) {
        self.add_pending();
        let claims = [interval.service.claim(), interval.response.claim(), interval.first_byte.claim()];
        let mut claims = claims.map(|claim| (claim, Distribution::default()));
        let completed = interval.ok + interval.failed;
        let mut times = |at: usize, sum: Sum, histogram: &Option<String>| {
            let histogram =
                histogram.as_deref().map(|text| packed::distribution(text, reading.histograms(), &mut claims[at].1));
            let histogram = histogram.transpose().unwrap_or_else(|why| {
                reading.complain(why);
                None
            });
            PackedTimes { sum, histogram: histogram.unwrap_or_default() }
        };
        let service = times(0, interval.service.of(completed), &interval.service_histogram);
        let response = (!interval.response_is_service)
            .then(|| times(1, interval.response.of(completed), &interval.response_histogram));
        // Without the phases the times to the first byte are those of an earlier version, which has no histogram of them.
        let timing = interval.timings.map(|timings| {
            let first_byte = times(2, interval.first_byte.counted(), &interval.first_byte_histogram);
            (first_byte, timings.connecting)
        });
        let (first_byte, connecting) = timing.unwrap_or_default();
        let traffic = PointTraffic {
            ok: interval.ok,
            failed: interval.failed,
            aborted: interval.aborted,
            after_stop: AfterStop { completed: interval.completed_after_stop, failed: interval.failed_after_stop },
            redirects: interval.redirects,
            reopened: interval.reopened,
            bytes_sent: interval.bytes_sent,
            bytes_received: interval.bytes_received,
            connections: interval.connections,
            service,
            response,
            first_byte,
            connecting,
            failed_times: FailedTimesSeen::default(),
        };
        let endpoint = self.endpoint(&interval.method, &interval.name);
        let (phase, seen) = (interval.phase, &mut self.endpoints[endpoint]);
        add_failures(&mut seen.failed_by_class, &interval.failed_by_class);
        if phase == Phase::Warmup {
            add_failures(&mut seen.warmup_failed_by_class, &interval.failed_by_class);
        }
        let (start_ms, end_ms) = span(&interval.interval_start, &interval.interval_end);
        let point = Point { start_ms, end_ms, phase, traffic, ..Point::default() };
        let (lines, number) = (interval.histogram_lines, reading.lines());
        let failures = PendingFailures::new(interval, interval.service.claim());
        self.pending = Some(Pending { tick, endpoint, point, lines, number, claims, failures });
        self.add_complete_pending(reading);
    }

    /// Adds a part of a histogram, which belongs to the interval before it.
    pub(super) fn add_piece(&mut self, piece: &HistogramFact, reading: &mut StreamReader) {
        if self.add_unfinished_piece(piece, reading) {
            return;
        }
        let Some(pending) = &mut self.pending else { return };
        let endpoint = &self.endpoints[pending.endpoint];
        if (&endpoint.method, &endpoint.name) != (&piece.method, &piece.name) {
            return;
        }
        pending.lines = pending.lines.saturating_sub(1);
        let traffic = &mut pending.point.traffic;
        let [of_service, of_response, of_first_byte] = &mut pending.claims;
        let (into, all) = match piece.kind {
            HistogramKind::Service => (Some(&mut traffic.service), &mut of_service.1),
            HistogramKind::FirstByte => (Some(&mut traffic.first_byte), &mut of_first_byte.1),
            HistogramKind::FailedService => {
                if let Err(why) = pending.failures.add(piece, reading.histograms()) {
                    reading.complain(why);
                }
                return self.add_complete_pending(reading);
            }
            _ => (traffic.response.as_mut(), &mut of_response.1),
        };
        match (into, packed::distribution(&piece.histogram, reading.histograms(), all)) {
            (Some(times), Ok(histogram)) => times.histogram.add(&histogram),
            (_, Err(why)) => reading.complain(why),
            (None, _) => {}
        }
        self.add_complete_pending(reading);
    }

    /// Adds the pending interval if its histograms are complete and agree with it.
    fn add_complete_pending(&mut self, reading: &mut StreamReader) {
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.lines == 0) else { return };
        match pending.check() {
            Ok(failed_times) => pending.point.traffic.failed_times = failed_times,
            Err(why) => {
                reading.contradict(pending.number, why);
                self.pending = None;
            }
        }
        self.add_pending();
    }

    /// Adds the last line of a tick.
    pub(super) fn add_health(&mut self, tick: u64, health: &HealthFact) {
        self.add_pending();
        let (start_ms, end_ms) = span(&health.interval_start, &health.interval_end);
        let seconds = end_ms.saturating_sub(start_ms) as f64 / 1000.0;
        if let Some(phase) = health.phase {
            self.split_tick(tick, phase);
        }
        let point = self.open_at(tick);
        (point.start_ms, point.end_ms) = (start_ms, end_ms);
        point.arrivals = health.intended_rate.map(|rate| rate * seconds);
        point.throttled_ms = health.throttled_ms;
        point.has_health = true;
        point.phase = health.phase.unwrap_or(point.phase);
        let gauges = &mut point.gauges;
        gauges.users_wanted = health.users_wanted;
        gauges.in_flight = health.in_flight;
        gauges.lateness_p50_us = health.lateness_p50_us;
        gauges.lateness_p99_us = health.lateness_p99_us;
        gauges.lateness_max_us = health.lateness_max_us;
    }

    /// The point of the current tick.
    pub(super) fn open_at(&mut self, tick: u64) -> &mut Point {
        &mut self.open_tick(tick).point
    }

    /// The current tick.
    fn open_tick(&mut self, tick: u64) -> &mut OpenTick {
        if self.open.as_ref().is_some_and(|open| open.tick != tick) {
            self.close_tick();
        }
        let point = Point { phase: self.phase, ..Point::default() };
        self.open.get_or_insert_with(|| OpenTick { tick, point, parts: Vec::new() })
    }

    /// Adds the traffic of the endpoints to that of the current tick.
    fn add_parts(&mut self) {
        for part in self.open.iter_mut().flat_map(|open| open.parts.drain(..)) {
            self.sum.add(&part.traffic);
        }
    }

    /// Adds what there is of the current tick, if what comes next of it is in the warm-up and that is not, or the other way
    /// round: the shards of a merged stream leave their warm-up in different ticks.
    fn split_tick(&mut self, tick: u64, phase: Phase) {
        let is_split = |open: &OpenTick| {
            let is_other = (open.point.phase == Phase::Warmup) != (phase == Phase::Warmup);
            open.tick == tick && is_other && !open.parts.is_empty()
        };
        if !self.open.as_ref().is_some_and(is_split) {
            return;
        }
        self.add_parts();
        let traffic = self.sum.take();
        let Some(OpenTick { point, .. }) = &mut self.open else { return };
        let rest = Point { phase, ..point.clone() };
        let part = Point { traffic, ..std::mem::replace(point, rest) };
        self.phase_seen(part.phase).add_traffic(&part.traffic);
        self.timeline.add(tick, Arc::new(part));
    }

    /// Closes the current tick.
    pub(super) fn close_tick(&mut self) {
        self.add_pending();
        self.add_parts();
        let Some(OpenTick { tick, mut point, .. }) = self.open.take() else { return };
        point.traffic = self.sum.take();
        if point.has_health {
            self.last_tick = Some(LastTick { phase: point.phase, gauges: point.gauges });
        }
        // The observation at the start is of a moment, or lasts until the last shard has started: no point of the timeline,
        // but time of its phase. A tick of which only some lines are there may have no time.
        let is_first = !std::mem::replace(&mut self.is_begun, true) && point.traffic == PointTraffic::default();
        if point.end_ms == 0 || (is_first && point.end_ms <= point.start_ms) {
            return;
        }
        self.phase = point.phase;
        if point.phase != Phase::Drain {
            self.last_of_load = Some((point.phase, point.end_ms));
        }
        self.check_set.add_phase_time(point.phase, Duration::from_millis(point.end_ms.saturating_sub(point.start_ms)));
        self.phase_seen(point.phase).add(&point);
        if !is_first {
            self.timeline.add(tick, Arc::new(point));
        }
    }

    /// Records the end of the load, which may be within its last tick: rates are computed over the time until then,
    /// except with `-n`, where all requests complete by themselves.
    pub(super) fn end_load(&mut self, stop: &TestStopFact) {
        self.close_tick();
        if stop.reason == EndReason::Requests {
            return;
        }
        if let (Some((phase, end_ms)), Some(stopped)) = (self.last_of_load, millis(&stop.stopped_at)) {
            self.check_set.subtract_phase_time(phase, Duration::from_millis(end_ms.saturating_sub(stopped)));
        }
    }

    /// Adds the pending interval.
    fn add_pending(&mut self) {
        let Some(Pending { tick, endpoint, point, .. }) = self.pending.take() else { return };
        let point = Arc::new(point);
        self.endpoints[endpoint].timeline.add(tick, Arc::clone(&point));
        if !self.check_set.is_empty() {
            let (service, response) =
                (TimesRef::Packed(&point.traffic.service), TimesRef::Packed(point.traffic.response()));
            let (phase, failed) = (point.phase, point.traffic.failed);
            let after_stop = point.traffic.after_stop.completed;
            let first_byte = point.traffic.first_byte().map(TimesRef::Packed);
            let endpoint = &self.endpoints[endpoint].title();
            self.check_set.add(&CheckInput { endpoint, phase, failed, after_stop, service, response, first_byte });
        }
        self.split_tick(tick, point.phase);
        let OpenTick { point: open, parts, .. } = self.open_tick(tick);
        (open.start_ms, open.end_ms, open.phase) = (point.start_ms, point.end_ms, point.phase);
        parts.push(point);
        if parts.len() > MAX_ENDPOINTS {
            // More lines than a tick has.
            self.add_parts();
        }
    }

    fn phase_seen(&mut self, phase: Phase) -> &mut PhaseSeen {
        let place = self.phases.iter().position(|seen| seen.phase == phase).unwrap_or_else(|| {
            self.phases.push(PhaseSeen::new(phase));
            self.phases.len() - 1
        });
        &mut self.phases[place]
    }

    /// Statistics of an endpoint: from the end of the stream or, if that is missing, computed from its intervals.
    /// `None` if no request completed.
    #[must_use]
    pub fn statistics(&self, endpoint: &EndpointSeen) -> Option<Statistics> {
        let computed = || {
            let traffic = Some(endpoint.timeline.total()).filter(|traffic| traffic.completed() > 0)?;
            Some(self.computed(&traffic, endpoint.last.as_ref(), endpoint.warmup_content_bytes))
        };
        if self.has_warmup() {
            return computed();
        }
        endpoint.last.or_else(|| if self.last.is_some() { None } else { computed() })
    }

    /// Statistics of all requests, from the same source.
    #[must_use]
    pub fn total(&self) -> Statistics {
        let told = self.last.as_ref();
        match told.filter(|_| !self.has_warmup()) {
            Some(row) => row.statistics,
            None => self.computed(
                &self.timeline.total(),
                told.map(|row| &row.statistics),
                told.map_or(0, |row| row.warmup_content_bytes),
            ),
        }
    }

    /// How often each error occurred, where, and what explains it: from the end of the stream or, if that is missing, by
    /// class from the intervals.
    #[must_use]
    pub fn failures(&self) -> Vec<(u64, String, Option<&str>)> {
        if self.last.is_some() {
            let line = |row: &'_ ErrorRow| {
                let what = format!("{}: {}", title(&row.method, &row.name), row.error);
                (row.occurrences, what, self.causes.explanation(&row.method, &row.name, &row.error))
            };
            return self.errors.iter().map(line).collect();
        }
        let classes = |endpoint: &EndpointSeen| {
            let name = endpoint.title();
            let classes = endpoint.judged_failed_by_class();
            classes.map(|(class, count)| (count, format!("{name}: {}", class.as_str()), None)).collect::<Vec<_>>()
        };
        self.endpoints.iter().flat_map(classes).collect()
    }

    /// Time to the first byte and where the time went at an endpoint, from the same source; `None` if that is not known of
    /// all requests, or if none completed.
    pub(super) fn timing(&self, endpoint: &EndpointSeen) -> Option<TimingSummary> {
        let computed = || endpoint.timeline.total().timing();
        let timing = match (self.has_warmup(), self.last.is_some()) {
            (true, _) => computed(),
            (false, true) => endpoint.timing,
            (false, false) => endpoint.timing.or_else(computed),
        };
        timing.filter(|timing| timing.requests > 0)
    }

    /// The same of all requests.
    pub(super) fn total_timing(&self) -> Option<TimingSummary> {
        let computed = || self.timeline.total().timing();
        self.last.as_ref().filter(|_| !self.has_warmup()).map_or_else(computed, |row| row.timing)
    }
}

fn add_failures(sums: &mut Vec<(FailureClass, u64)>, more: &[(FailureClass, u64)]) {
    for (class, count) in more {
        match sums.iter_mut().find(|(known, _)| known == class) {
            Some((_, sum)) => *sum += count,
            None => sums.push((*class, *count)),
        }
    }
}

fn span(start: &str, end: &str) -> (u64, u64) {
    (millis(start).unwrap_or(0), millis(end).unwrap_or(0))
}
