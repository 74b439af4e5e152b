//! A line of a stream, as its readers take it: everything that some kind of line has in one struct, read in one pass and
//! borrowed from the line, as a gigabyte of them is read.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::value::{
    Connections, CountedTimesValue, Failures, ReasonValue, SettingValue, ShardPercentileValue, ShardValue, Target,
    Text, TimesValue, TimingsValue, Word,
};
use crate::clock::unix_time;
use crate::stats::unfinished::JudgedTimes;
use crate::telemetry::answer::AnswerEvent;
use crate::telemetry::claims::Contradiction;
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::{
    Direction, EndReason, FailureClass, HistogramKind, LineKind, Phase, RequestResult, SampleKind, SourceKind,
    StatsType, Status, Verdict,
};

/// A line.
#[derive(Debug, Deserialize)]
pub struct Line<'l> {
    /// When it was made: RFC 3339 with milliseconds.
    #[serde(borrow, default)]
    pub time: Text<'l>,
    #[serde(borrow, default)]
    level: Option<Text<'l>>,
    #[serde(borrow, default)]
    name: Option<Text<'l>>,
    #[serde(borrow, default)]
    message: Option<Text<'l>>,
    /// Its content.
    #[serde(borrow)]
    pub telemetry: Telemetry<'l>,
}

/// Why a record cannot be read.
#[derive(Debug)]
pub enum Unread {
    /// It is torn: not JSON, or not a text.
    Torn,
    /// It is JSON of something else.
    Foreign,
    /// A line of the Python plugin locust-telemetry, which does not number its lines.
    Plugin,
    /// A value in it is of another type; a sentence.
    Value(String),
}

impl<'l> Line<'l> {
    /// Reads a record.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(record: &'l [u8]) -> Result<(&'l str, Self), Unread> {
        let text = std::str::from_utf8(record).map_err(|_| Unread::Torn)?;
        match serde_json::from_str::<Line<'l>>(text) {
            Ok(line) if line.telemetry.has(Key::seq) => Ok((text, line)),
            Ok(line) if line.telemetry.has(Key::telemetry_name) => Err(Unread::Plugin),
            Ok(_) => Err(Unread::Foreign),
            Err(why) if why.is_data() => Err(unread(text, &why)),
            Err(_) => Err(Unread::Torn),
        }
    }

    /// When it was made, since the Unix epoch.
    #[must_use]
    pub fn unix(&self) -> std::time::Duration {
        unix_time(&self.time).unwrap_or_default()
    }

    /// Whether it has all keys that stand beside its telemetry.
    #[must_use]
    pub const fn has_envelope(&self) -> bool {
        self.level.is_some() && self.name.is_some() && self.message.is_some()
    }
}

/// What is wrong with a text that is JSON and not a line: whose it is, or which value.
fn unread(text: &str, why: &serde_json::Error) -> Unread {
    #[derive(Deserialize)]
    struct Outer {
        telemetry: Head,
    }
    #[derive(Deserialize)]
    struct Head {
        telemetry_name: String,
        seq: Option<IgnoredAny>,
    }
    match serde_json::from_str(text) {
        Ok(Outer { telemetry: Head { telemetry_name, seq: Some(_) } }) => {
            Unread::Value(format!("{telemetry_name} cannot be read: {why}"))
        }
        Ok(_) => Unread::Plugin,
        Err(_) => Unread::Foreign,
    }
}

/// Defines the keys that readers know, and the struct that has a field for each.
macro_rules! keys {
    ($($key:ident: $type:ty,)+) => {
        /// A key of a line's telemetry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(field_identifier)]
        #[allow(non_camel_case_types, missing_docs, reason = "the stream's own names")]
        pub enum Key {
            $($key,)+
            #[serde(other)]
            unknown,
        }

        impl Key {
            /// As in the stream.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$key => stringify!($key),)+
                    Self::unknown => "",
                }
            }

            pub(super) const fn missing(self) -> Contradiction {
                match self {
                    $(Self::$key => concat!("a line without its key ", stringify!($key)),)+
                    Self::unknown => "a line without a key",
                }
            }
        }

        /// What a line says; what its kind of line does not have is empty.
        #[derive(Debug, Default)]
        #[allow(missing_docs, reason = "the stream's own names, which its schema describes")]
        pub struct Telemetry<'l> {
            /// The keys that are there.
            seen: KeySet,
            $(pub $key: $type,)+
        }

        impl<'de: 'l, 'l> Visitor<'de> for Members<'l> {
            type Value = Telemetry<'l>;

            fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
                into.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
                let mut line = Telemetry::default();
                while let Some(key) = members.next_key::<Key>()? {
                    match key {
                        $(Key::$key => line.$key = members.next_value()?,)+
                        Key::unknown => {
                            members.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    }
                    if line.has(key) {
                        return Err(M::Error::duplicate_field(key.as_str()));
                    }
                    line.seen.insert(key);
                }
                Ok(line)
            }
        }
    };
}

// Those of intervals first, as most lines are; there may be 192.
keys! {
    telemetry_name: Word<LineKind>,
    source: Word<SourceKind>,
    source_id: Text<'l>,
    run_id: Text<'l>,
    testplan: Text<'l>,
    interval_start: Text<'l>,
    interval_end: Text<'l>,
    phase: Word<Phase>,
    method: Text<'l>,
    name: Text<'l>,
    ok: u64,
    failed: u64,
    failed_by_class: Failures,
    aborted: u64,
    completed_after_stop: u64,
    failed_after_stop: u64,
    redirects: u64,
    reopened: u64,
    bytes_sent: u64,
    bytes_received: u64,
    service: TimesValue,
    response: TimesValue,
    first_byte: CountedTimesValue,
    timings: Option<TimingsValue>,
    failed_service_us: Failures,
    connections: Connections,
    service_histogram: Option<Text<'l>>,
    response_histogram: Option<Text<'l>>,
    first_byte_histogram: Option<Text<'l>>,
    response_is_service: bool,
    histogram_lines: usize,
    tick: Option<u64>,
    seq: u64,

    stats_type: Word<StatsType>,
    status: Word<Status>,
    user_count: u32,
    num_requests: u64,
    num_failures: u64,
    min_response_time: f64,
    max_response_time: f64,
    current_rps: f64,
    current_fail_per_sec: f64,
    avg_response_time: f64,
    total_rps: f64,
    total_fail_per_sec: f64,
    avg_content_length: f64,
    percentile_50: f64,
    percentile_90: f64,
    percentile_95: f64,
    percentile_99: f64,
    percentile_99_9: f64,
    error: Text<'l>,
    occurrences: u64,
    warmup_occurrences: u64,
    warmup_content_bytes: u64,
    first_seen: f64,
    last_seen: f64,

    histogram: Text<'l>,
    kind: Text<'l>,
    class: Word<FailureClass>,
    direction: Word<Direction>,
    detail: Text<'l>,
    value: Option<f64>,
    unit: Text<'l>,

    late_sends: u64,
    lateness_p50_us: u64,
    lateness_p90_us: u64,
    lateness_p99_us: u64,
    lateness_max_us: u64,
    intended_rate: Option<f64>,
    achieved_rate: f64,
    sent: u64,
    in_flight: u64,
    oldest_in_flight_ms: f64,
    users: u32,
    users_wanted: u32,
    outcome_queue: usize,
    ticks_joined: u64,
    aggregator_cpu_percent: f64,
    writer_cpu_percent: f64,
    throttled_ms: f64,
    open_files: u64,
    open_files_limit: u64,
    otlp_failed: Option<u64>,
    otlp_rejected: Option<u64>,

    schema_version: u32,
    version: Text<'l>,
    plan_hash: Text<'l>,
    settings: Vec<SettingValue<'l>>,
    shard: Option<ShardValue>,
    targets: Vec<Target<'l>>,
    available_cpus: f64,
    started_at: Text<'l>,
    started_monotonic: f64,

    stopped_at: Text<'l>,
    reason: Word<EndReason>,

    unsent: u64,
    overdue: u64,
    oldest_aborted_us: u64,
    oldest_unsent_us: u64,
    judged: Option<JudgedTimes>,
    judged_first_byte: Option<JudgedTimes>,

    exchange: u32,
    part: usize,
    parts: usize,
    text: Text<'l>,

    kinds: Vec<Word<SampleKind>>,
    due_ms: f64,
    sent_ms: f64,
    first_byte_ms: Option<f64>,
    done_ms: f64,
    result: Word<RequestResult>,
    status_code: Option<u16>,
    trace_id: Text<'l>,

    ticks: u64,
    percentiles: Vec<ShardPercentileValue>,

    check: Text<'l>,
    met: bool,
    has_data: bool,
    is_bound: bool,

    lines: u64,
    due: Option<u64>,
    completed: u64,
    load_seconds: Option<f64>,
    verdict: Word<Verdict>,
    reasons: Vec<ReasonValue<'l>>,
    exit_code: u8,

    step: Option<Box<StepEvent>>,
    capacity: Option<AnswerEvent>,
}

/// A set of keys.
#[derive(Clone, Copy, Debug, Default)]
struct KeySet([u64; 3]);

impl KeySet {
    const BITS: usize = u64::BITS as usize;

    const fn contains(self, key: Key) -> bool {
        let key = key as usize;
        self.0[key / Self::BITS] & (1 << (key % Self::BITS)) != 0
    }

    const fn insert(&mut self, key: Key) {
        let key = key as usize;
        self.0[key / Self::BITS] |= 1 << (key % Self::BITS);
    }
}

const _: () = assert!((Key::unknown as usize) < 3 * KeySet::BITS, "a bit for each key");

struct Members<'l>(PhantomData<&'l ()>);

impl<'de: 'l, 'l> Deserialize<'de> for Telemetry<'l> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData))
    }
}

impl Telemetry<'_> {
    /// Whether it has a key.
    #[must_use]
    pub const fn has(&self, key: Key) -> bool {
        self.seen.contains(key)
    }

    /// Which kind of line it is; `None` for one of a later version.
    #[must_use]
    pub const fn kind(&self) -> Option<LineKind> {
        self.telemetry_name.0
    }

    /// Which times a piece of a histogram has.
    #[must_use]
    pub fn histogram_kind(&self) -> Option<HistogramKind> {
        HistogramKind::parse(&self.kind)
    }

    /// The class of failed requests whose times a piece of a histogram has; one of a later version is among the others.
    #[must_use]
    pub fn failure_class(&self) -> Option<FailureClass> {
        let is_of_failures = self.histogram_kind() == Some(HistogramKind::FailedService);
        is_of_failures.then(|| self.class.0.unwrap_or(FailureClass::Other))
    }

    /// The phase that it belongs to, if the line states one.
    #[must_use]
    pub const fn stated_phase(&self) -> Option<Phase> {
        self.phase.0
    }

    /// The phase that it belongs to.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase.0.unwrap_or_default()
    }
}
