//! What a shard's line claims, held against itself, before anything of it is counted.

use super::wire::{Line, Telemetry};
use crate::stats::interval::Kind;
use crate::stats::scale::Scale;
use crate::telemetry::claims::{self, Contradiction, Distribution, IntervalClaim, MOST_COUNT, is_amount, is_time};
use crate::telemetry::sparse::Decoder;
use crate::vocabulary::{HistogramKind, LineKind};

/// A gauge of one shard, so that a sum over all is a number that streams can say.
const MOST_OF_SHARD: u64 = MOST_COUNT >> 17;

/// The same of a rate or an amount.
fn is_share(number: f64) -> bool {
    (0.0..=1e10).contains(&number)
}

/// Numbers of lines, beyond any stream's.
const MOST_LINES: u64 = 1 << 40;

/// Times by slots, as they are added: the scale's own slots in ascending order, and the count of each.
pub(super) type Slots = (Kind, Scale, Vec<(u64, u64)>);

/// The same of one kind of times.
pub(super) type Recordings = Vec<(Scale, Vec<(u64, u64)>)>;

/// Kinds of pieces of the histograms of what had not ended.
const UNFINISHED: [HistogramKind; 3] =
    [HistogramKind::UnfinishedResponse, HistogramKind::UnfinishedService, HistogramKind::UnfinishedFirstByte];

impl Line<'_> {
    /// Holds it against itself.
    ///
    /// # Errors
    /// What contradicts what.
    pub(super) fn check(&self) -> Result<(), Contradiction> {
        let line = &self.telemetry;
        claims::identity(line.run_id, &line.testplan)?;
        if !is_time(self.time) {
            return Err("a line without its time");
        }
        if line.seq == 0 || line.seq > MOST_LINES {
            return Err("a line without its number");
        }
        let Some(kind) = line.kind() else { return Ok(()) };
        match kind {
            LineKind::Interval => line.check_interval(),
            LineKind::Histogram => claims::endpoint(&line.method, &line.name),
            LineKind::Unfinished => line.check_unfinished(),
            LineKind::Health => line.check_health(),
            LineKind::Stats => line.check_stats(),
            LineKind::Cpu | LineKind::Mem | LineKind::Network | LineKind::CpuWarning => {
                let is_reasonable = line.value.is_some_and(is_amount) && is_amount(line.available_cpus);
                if is_reasonable { Ok(()) } else { Err("a value that is none") }
            }
            LineKind::Warning if line.detail.is_none() => Err("a warning that says nothing"),
            LineKind::Config => line.check_config(),
            LineKind::SpawnComplete if line.user_count > claims::MOST_USERS => Err("users beyond all reason"),
            LineKind::TestStop if !is_time(line.stopped_at) => Err("a stop without its time"),
            LineKind::RunEnd => line.check_end(),
            _ => Ok(()),
        }
    }
}

impl Telemetry<'_> {
    /// What it says of an interval.
    pub(super) fn claim(&self) -> IntervalClaim<'_> {
        let response = if self.response_is_service { self.service } else { self.response };
        IntervalClaim {
            interval_start: self.interval_start,
            interval_end: self.interval_end,
            method: &self.method,
            name: &self.name,
            ok: self.ok,
            failed: self.failed,
            classes: self.failed_by_class.values().fold(0, |sum: u64, count| sum.saturating_add(*count)),
            completed_after_stop: self.completed_after_stop,
            failed_after_stop: self.failed_after_stop,
            aborted: self.aborted,
            redirects: self.redirects,
            reopened: self.reopened,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            service: self.service.claim(),
            response: response.claim(),
        }
    }

    fn check_interval(&self) -> Result<(), Contradiction> {
        if self.tick.is_none() {
            return Err("an interval without its tick");
        }
        self.claim().check()?;
        let made = &self.connections;
        for times in [&self.first_byte, &made.dns, &made.connect, &made.tls] {
            if times.count() > MOST_COUNT {
                return Err("a count beyond all reason");
            }
            times.claim().check(times.count())?;
        }
        if made.count > MOST_COUNT { Err("a count beyond all reason") } else { Ok(()) }
    }

    fn check_unfinished(&self) -> Result<(), Contradiction> {
        claims::endpoint(&self.method, &self.name)?;
        if [self.aborted, self.unsent, self.overdue].iter().any(|count| *count > MOST_COUNT) {
            return Err("a count beyond all reason");
        }
        let all = self.aborted + self.unsent;
        if self.overdue > all || (self.response.count(), self.service.count()) != (all, self.aborted) {
            return Err("unfinished requests that do not add up");
        }
        if self.first_byte.count() > self.aborted {
            return Err("more requests without a first byte than were cut off");
        }
        [self.response, self.service, self.first_byte].iter().try_for_each(|times| times.claim().check(times.count()))
    }

    fn check_health(&self) -> Result<(), Contradiction> {
        let amounts = [
            self.intended_rate.unwrap_or_default(),
            self.achieved_rate,
            self.oldest_in_flight_ms,
            self.aggregator_cpu_percent,
            self.writer_cpu_percent,
            self.throttled_ms,
        ];
        let counts = [self.late_sends, self.sent, self.in_flight, self.ticks_joined];
        if self.tick.is_none() || !is_time(self.interval_start) || !is_time(self.interval_end) {
            return Err("an interval without its times");
        }
        if self.users.max(self.users_wanted) > claims::MOST_USERS {
            return Err("users beyond all reason");
        }
        let is_reasonable = amounts.into_iter().all(is_share) && counts.iter().all(|count| *count <= MOST_OF_SHARD);
        if is_reasonable { Ok(()) } else { Err("a number beyond all reason") }
    }

    fn check_stats(&self) -> Result<(), Contradiction> {
        claims::endpoint(&self.method, &self.name)?;
        if self.num_failures > self.num_requests {
            return Err("more failures than requests");
        }
        let rates = [self.current_rps, self.current_fail_per_sec, self.total_rps];
        let amounts = [self.avg_content_length, self.first_seen, self.last_seen];
        let counts = [self.num_requests, self.occurrences];
        if self.user_count > claims::MOST_USERS {
            return Err("users beyond all reason");
        }
        let is_reasonable = amounts.into_iter().all(is_amount)
            && rates.into_iter().all(is_share)
            && counts.iter().all(|count| *count <= MOST_COUNT);
        if is_reasonable { Ok(()) } else { Err("a number beyond all reason") }
    }

    fn check_config(&self) -> Result<(), Contradiction> {
        /// Bytes of a setting's key and origin, of a plan's hash, and of the addresses.
        const MOST: (usize, usize, usize) = (64, 64, 1000);
        let is_word = |text: &str, most: usize| crate::telemetry::text::is_within(text, most);
        if !is_word(self.plan_hash, MOST.1) {
            return Err("a plan's hash that is none");
        }
        if self.settings.iter().any(|setting| !(is_word(setting.key, MOST.0) && is_word(setting.origin, MOST.0))) {
            return Err("a setting whose name is longer than any");
        }
        if let Some(shard) = self.shard {
            if shard.count == 0 || shard.count > claims::MOST_SHARDS {
                return Err("a number of shards that no run has; at most 100,000");
            }
            if self.source_id.strip_prefix("worker-").and_then(|index| index.parse().ok()) != Some(shard.index) {
                return Err("a shard that is another than its source");
            }
            if shard.index >= shard.count {
                return Err("a shard beyond the number of shards");
            }
            if !is_time(self.started_at) || !is_share(self.available_cpus) || !is_amount(self.started_monotonic) {
                return Err("a start without its time");
            }
        }
        let text = |text: &str| serde_json::to_string(text).map_or(MOST.2, |text| text.len() + 4);
        let targets = self.targets.iter().map(|target| {
            24 + text(&target.host) + target.addresses.iter().map(|address| text(address)).sum::<usize>()
        });
        if targets.sum::<usize>() > MOST.2 + 100 { Err("more addresses than a line has room for") } else { Ok(()) }
    }

    fn check_end(&self) -> Result<(), Contradiction> {
        let counts = [self.ok, self.failed, self.aborted, self.redirects, self.reopened, self.sent, self.completed];
        if counts.iter().any(|count| *count > MOST_COUNT) {
            return Err("a count beyond all reason");
        }
        if self.completed != self.ok + self.failed || self.sent != self.completed + self.aborted {
            return Err("sent is not the sum of ok, failed and aborted");
        }
        if self.due.is_some_and(|due| Some(due) != self.sent.checked_add(self.unsent)) {
            return Err("due is not the sum of sent and unsent");
        }
        if self.load_seconds.is_some_and(|seconds| !is_amount(seconds)) {
            return Err("a load without its time");
        }
        if self.lines == self.seq { Ok(()) } else { Err("the last line counts other lines than there are") }
    }

    /// The histograms of an interval and of the pieces that follow it, which must be those of its times.
    ///
    /// # Errors
    /// What is wrong with one, or what contradicts what.
    pub(super) fn slots(&self, pieces: &[Piece], decoder: &mut Decoder) -> Result<Vec<Slots>, Contradiction> {
        let service = if self.response_is_service { Kind::Both } else { Kind::Service };
        let own = [(service, self.service_histogram), (Kind::Response, self.response_histogram)];
        let own = own.into_iter().filter_map(|(kind, text)| Some((kind, text?)));
        let pieces = pieces.iter().map(|piece| {
            let kind = if piece.kind == Some(HistogramKind::Response) { Kind::Response } else { service };
            (kind, &*piece.histogram)
        });
        let (mut found, mut all) = (Vec::new(), [Distribution::default(); 2]);
        for (kind, text) in own.chain(pieces) {
            let recorded = decoder.read(text)?;
            all[usize::from(kind == Kind::Response)].add(&recorded);
            found.push((kind, recorded.scale, recorded.slots.to_vec()));
        }
        let claim = self.claim();
        all[0].belongs_to(claim.completed(), claim.service)?;
        if !self.response_is_service {
            all[1].belongs_to(claim.completed(), claim.response)?;
        }
        Ok(found)
    }
}

impl Telemetry<'_> {
    /// The histograms of what had not ended and of the pieces that follow, which must be those of its times.
    ///
    /// # Errors
    /// What is wrong with one, or what contradicts what.
    pub(super) fn unfinished_slots(
        &self,
        pieces: &[Piece],
        decoder: &mut Decoder,
    ) -> Result<[Recordings; 3], Contradiction> {
        let own = [
            (self.response, self.response_histogram),
            (self.service, self.service_histogram),
            (self.first_byte, self.first_byte_histogram),
        ];
        let mut found = [const { Vec::new() }; 3];
        for ((recordings, kind), (times, text)) in found.iter_mut().zip(UNFINISHED).zip(own) {
            let mut all = Distribution::default();
            let of_kind = pieces.iter().filter(|piece| piece.kind == Some(kind)).map(|piece| &*piece.histogram);
            for text in text.into_iter().chain(of_kind) {
                let recorded = decoder.read(text)?;
                all.add(&recorded);
                recordings.push((recorded.scale, recorded.slots.to_vec()));
            }
            all.belongs_to(times.count(), times.claim())?;
        }
        Ok(found)
    }
}

/// A piece of a histogram that waits for the others.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) kind: Option<HistogramKind>,
    pub(super) histogram: Box<str>,
}
