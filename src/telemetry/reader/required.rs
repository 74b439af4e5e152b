//! The keys without which a line of its kind says nothing, in every version of the format. What version 1 does not have is
//! not among them, nor what no reader needs.

use super::line::{Key, Telemetry};
use crate::telemetry::claims::Contradiction;
use crate::vocabulary::{LineKind, StatsType, Status};

/// Statistics of all requests, or of an endpoint.
const STATISTICS: &[Key] = &[
    Key::method,
    Key::name,
    Key::num_requests,
    Key::num_failures,
    Key::min_response_time,
    Key::max_response_time,
    Key::current_rps,
    Key::current_fail_per_sec,
    Key::avg_response_time,
    Key::total_rps,
    Key::total_fail_per_sec,
    Key::avg_content_length,
    Key::percentile_50,
    Key::percentile_90,
    Key::percentile_95,
    Key::percentile_99,
    Key::percentile_99_9,
];

const ERROR: &[Key] = &[Key::method, Key::name, Key::error, Key::occurrences, Key::first_seen, Key::last_seen];

const CONFIG: &[Key] = &[Key::schema_version, Key::version, Key::plan_hash, Key::settings];

const INTERVAL: &[Key] = &[
    Key::tick,
    Key::interval_start,
    Key::interval_end,
    Key::phase,
    Key::method,
    Key::name,
    Key::ok,
    Key::failed,
    Key::failed_by_class,
    Key::aborted,
    Key::redirects,
    Key::reopened,
    Key::bytes_sent,
    Key::bytes_received,
    Key::service,
    Key::response,
    Key::connections,
    Key::response_is_service,
    Key::histogram_lines,
];

const HISTOGRAM: &[Key] = &[Key::method, Key::name, Key::kind, Key::histogram];

const HEALTH: &[Key] = &[
    Key::tick,
    Key::interval_start,
    Key::interval_end,
    Key::late_sends,
    Key::lateness_p50_us,
    Key::lateness_p90_us,
    Key::lateness_p99_us,
    Key::lateness_max_us,
    Key::achieved_rate,
    Key::sent,
    Key::in_flight,
    Key::oldest_in_flight_ms,
    Key::users,
    Key::users_wanted,
    Key::outcome_queue,
    Key::ticks_joined,
    Key::aggregator_cpu_percent,
    Key::writer_cpu_percent,
    Key::throttled_ms,
    Key::open_files,
    Key::open_files_limit,
];

const SAMPLE: &[Key] =
    &[Key::kinds, Key::method, Key::name, Key::due_ms, Key::sent_ms, Key::done_ms, Key::result, Key::tick];

const UNFINISHED: &[Key] = &[
    Key::phase,
    Key::method,
    Key::name,
    Key::aborted,
    Key::unsent,
    Key::overdue,
    Key::oldest_aborted_us,
    Key::oldest_unsent_us,
    Key::response,
    Key::service,
    Key::first_byte,
    Key::judged,
    Key::histogram_lines,
];

const EXCHANGE: &[Key] = &[Key::method, Key::name, Key::error, Key::exchange, Key::part, Key::parts, Key::text];

const SHARD: &[Key] = &[Key::shard, Key::ok, Key::failed, Key::aborted, Key::ticks, Key::percentiles];

const CHECK: &[Key] = &[Key::check, Key::met, Key::has_data, Key::value, Key::unit];

const RUN_END: &[Key] = &[
    Key::lines,
    Key::sent,
    Key::completed,
    Key::ok,
    Key::failed,
    Key::aborted,
    Key::redirects,
    Key::reopened,
    Key::verdict,
    Key::reasons,
    Key::exit_code,
];

/// Those of a kind of line, beside the ones of every line.
#[must_use]
pub const fn keys(kind: LineKind, stats_type: Option<StatsType>, status: Option<Status>) -> &'static [Key] {
    match kind {
        LineKind::TestStart => &[],
        LineKind::SpawnComplete => &[Key::user_count],
        LineKind::TestStop => &[Key::stopped_at, Key::reason],
        LineKind::CpuWarning | LineKind::Cpu | LineKind::Mem | LineKind::Network => &[Key::value],
        LineKind::Stats => match (stats_type, status) {
            (Some(StatsType::Endpoint), Some(Status::Error)) => ERROR,
            (Some(_), _) => STATISTICS,
            (None, _) => &[Key::stats_type],
        },
        LineKind::Config => CONFIG,
        LineKind::Interval => INTERVAL,
        LineKind::Histogram => HISTOGRAM,
        LineKind::Health => HEALTH,
        LineKind::Warning => &[Key::kind, Key::detail],
        LineKind::Sample => SAMPLE,
        LineKind::Unfinished => UNFINISHED,
        LineKind::Shard => SHARD,
        LineKind::Exchange => EXCHANGE,
        LineKind::Step => &[Key::step],
        LineKind::Check => CHECK,
        LineKind::RunEnd => RUN_END,
    }
}

impl Telemetry<'_> {
    /// Demands them.
    ///
    /// # Errors
    /// Which is missing.
    pub(super) fn demand_keys(&self) -> Result<(), Contradiction> {
        let Some(kind) = self.kind() else { return Ok(()) };
        let required = keys(kind, self.stats_type.0, self.status.0);
        required.iter().find(|key| !self.has(**key)).map_or(Ok(()), |key| Err(key.missing()))
    }
}
