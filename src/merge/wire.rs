//! A line as `merge` takes it: everything that some kind of line says in one struct, read in one pass and borrowed from
//! the line, as a gigabyte of them is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::unix_time;
use crate::stats::interval::{AfterStop, Connections, Counted};
use crate::stats::sum::Sum;
use crate::stats::unfinished::UnfinishedCounts;
use crate::telemetry::claims::TimesClaim;
use crate::vocabulary::{EndReason, FailureClass, LineKind, Phase, ReasonKind, StatsType, Status, Verdict};

/// A line.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'l> {
    #[serde(borrow)]
    pub(super) time: &'l str,
    /// What a line that is passed on has besides: read only to know that it is text.
    #[serde(borrow, rename = "level")]
    _level: Cow<'l, str>,
    #[serde(borrow, rename = "name")]
    _name: Cow<'l, str>,
    #[serde(borrow, rename = "message")]
    _message: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) telemetry: Telemetry<'l>,
}

impl Line<'_> {
    /// When it was made, since the Unix epoch.
    pub(super) fn unix(&self) -> std::time::Duration {
        unix_time(self.time).unwrap_or_default()
    }
}

/// What it says; what another kind of line says is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_field_names, reason = "the wire's own names")]
pub(super) struct Telemetry<'l> {
    pub(super) telemetry_name: &'l str,
    pub(super) source: &'l str,
    pub(super) source_id: &'l str,
    pub(super) run_id: &'l str,
    #[serde(borrow)]
    pub(super) testplan: Cow<'l, str>,
    pub(super) seq: u64,
    pub(super) tick: Option<u64>,

    pub(super) stats_type: &'l str,
    pub(super) status: &'l str,
    pub(super) user_count: u32,
    #[serde(borrow)]
    pub(super) method: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) error: Cow<'l, str>,
    pub(super) num_requests: u64,
    pub(super) num_failures: u64,
    pub(super) current_rps: f64,
    pub(super) current_fail_per_sec: f64,
    pub(super) total_rps: f64,
    pub(super) avg_content_length: f64,
    pub(super) occurrences: u64,
    pub(super) first_seen: f64,
    pub(super) last_seen: f64,

    pub(super) interval_start: &'l str,
    pub(super) interval_end: &'l str,
    pub(super) phase: &'l str,
    pub(super) ok: u64,
    pub(super) failed: u64,
    #[serde(borrow)]
    pub(super) failed_by_class: BTreeMap<&'l str, u64>,
    pub(super) aborted: u64,
    pub(super) completed_after_stop: u64,
    pub(super) failed_after_stop: u64,
    pub(super) unsent: u64,
    pub(super) overdue: u64,
    pub(super) oldest_aborted_us: u64,
    pub(super) oldest_unsent_us: u64,
    pub(super) redirects: u64,
    pub(super) reopened: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) service: Times,
    pub(super) response: Times,
    pub(super) first_byte: Times,
    pub(super) connections: WireConnections,
    pub(super) service_histogram: Option<&'l str>,
    pub(super) response_histogram: Option<&'l str>,
    pub(super) first_byte_histogram: Option<&'l str>,
    pub(super) response_is_service: bool,
    pub(super) histogram_lines: usize,
    pub(super) kind: &'l str,
    pub(super) histogram: &'l str,

    pub(super) value: Option<f64>,
    #[serde(borrow)]
    pub(super) detail: Option<Cow<'l, str>>,

    pub(super) late_sends: u64,
    pub(super) lateness_p50_us: u64,
    pub(super) lateness_p90_us: u64,
    pub(super) lateness_p99_us: u64,
    pub(super) lateness_max_us: u64,
    pub(super) intended_rate: Option<f64>,
    pub(super) achieved_rate: f64,
    pub(super) sent: u64,
    pub(super) in_flight: u64,
    pub(super) oldest_in_flight_ms: f64,
    pub(super) users: u32,
    pub(super) users_wanted: u32,
    pub(super) outcome_queue: usize,
    pub(super) ticks_joined: u64,
    pub(super) aggregator_cpu_percent: f64,
    pub(super) writer_cpu_percent: f64,
    pub(super) throttled_ms: f64,
    pub(super) open_files: u64,

    pub(super) schema_version: u32,
    pub(super) plan_hash: &'l str,
    #[serde(borrow)]
    pub(super) settings: Vec<Setting<'l>>,
    pub(super) shard: Option<Shard>,
    #[serde(borrow)]
    pub(super) targets: Vec<Target<'l>>,
    pub(super) available_cpus: f64,
    pub(super) open_files_limit: u64,
    pub(super) started_at: &'l str,
    pub(super) started_monotonic: f64,

    pub(super) stopped_at: &'l str,
    pub(super) reason: &'l str,
    pub(super) load_seconds: Option<f64>,
    pub(super) completed: u64,
    pub(super) due: Option<u64>,
    pub(super) lines: u64,
    pub(super) verdict: &'l str,
    #[serde(borrow)]
    pub(super) reasons: Vec<Reason<'l>>,
}

/// Why a shard comes to what it does; version 1 of the format has no kinds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reason<'l> {
    #[serde(borrow)]
    Bare(Cow<'l, str>),
    OfKind {
        kind: Cow<'l, str>,
        #[serde(borrow)]
        text: Cow<'l, str>,
    },
}

impl Reason<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::OfKind { text, .. } => text,
        }
    }

    pub(super) fn kind(&self) -> Option<ReasonKind> {
        match self {
            Self::Bare(_) => None,
            Self::OfKind { kind, .. } => ReasonKind::parse(kind),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Setting<'l> {
    pub(super) key: &'l str,
    #[serde(borrow)]
    pub(super) value: Cow<'l, str>,
    pub(super) origin: &'l str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Shard {
    pub(super) index: u32,
    pub(super) count: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target<'l> {
    #[serde(borrow)]
    pub(super) host: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) addresses: Vec<Cow<'l, str>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_field_names, reason = "the wire's own names")]
pub(super) struct Times {
    count: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

impl Times {
    /// Of a line that says how many they are.
    pub(super) fn counted(self) -> Sum {
        self.sum(self.count)
    }

    /// Sum and ends, to be held against each other.
    pub(super) const fn claim(self) -> TimesClaim {
        TimesClaim { sum_us: self.sum_us, min_us: self.min_us, max_us: self.max_us }
    }

    /// How many, where the line has a count.
    pub(super) const fn count(self) -> u64 {
        self.count
    }

    fn sum(self, count: u64) -> Sum {
        Sum::of(count, u128::from(self.sum_us), self.min_us, self.max_us)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireConnections {
    pub(super) count: u64,
    pub(super) dns: Times,
    pub(super) connect: Times,
    pub(super) tls: Times,
}

impl Telemetry<'_> {
    /// Which kind of line it is; `None` for one of a later version.
    pub(super) fn kind(&self) -> Option<LineKind> {
        LineKind::parse(self.telemetry_name)
    }

    /// Whose statistics these are.
    pub(super) fn stats(&self) -> (Option<StatsType>, Option<Status>) {
        (StatsType::parse(self.stats_type), Status::parse(self.status))
    }

    /// The phase that it belongs to.
    pub(super) fn phase(&self) -> Phase {
        Phase::parse(self.phase).unwrap_or_default()
    }

    /// Why its load ended.
    pub(super) fn end_reason(&self) -> EndReason {
        EndReason::parse(self.reason).unwrap_or(EndReason::Signal)
    }

    /// What its run comes to.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        Verdict::parse(self.verdict)
    }

    /// What an interval's line counted.
    pub(super) fn counted(&self) -> Counted {
        let completed = self.ok + self.failed;
        Counted {
            ok: self.ok,
            failed: self.failed().collect(),
            aborted: self.aborted,
            after_stop: AfterStop { completed: self.completed_after_stop, failed: self.failed_after_stop },
            redirects: self.redirects,
            reopened: self.reopened,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            connections: Connections {
                count: self.connections.count,
                dns: self.connections.dns.counted(),
                connect: self.connections.connect.counted(),
                tls: self.connections.tls.counted(),
            },
            first_byte: self.first_byte.counted(),
            service: self.service.sum(completed),
            response: (!self.response_is_service).then(|| self.response.sum(completed)),
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

    /// Failures by class.
    pub(super) fn failed(&self) -> impl Iterator<Item = (FailureClass, u64)> {
        let class = |word: &str| FailureClass::parse(word).unwrap_or(FailureClass::Other);
        self.failed_by_class.iter().map(move |(word, count)| (class(word), *count))
    }

    /// Body bytes of all answers that the mean is of: whole, so rounding finds them again below 2^50.
    pub(super) fn content_bytes(&self) -> f64 {
        (self.avg_content_length * self.num_requests as f64).round()
    }
}
