//! The warm-up of a run, and what is left without it.

use super::run_data::RunData;
use super::seen::PhaseSeen;
use super::traffic::PointTraffic;
use crate::stats::interval::AfterStop;
use crate::stats::judged_counts::JudgedCounts;
use crate::stats::tally::{Counts, Statistics};
use crate::stats::unfinished::UnfinishedCounts;
use crate::value::count::counted;
use crate::vocabulary::Phase;

/// What was left out as warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmupSeen {
    /// How long it lasted.
    pub seconds: f64,
    /// Requests that completed in it, and those that were due in it and had not ended when the run did.
    pub counts: Counts,
    /// Arrivals that were due in it and never sent.
    pub unsent: u64,
}

impl WarmupSeen {
    /// What was left out, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { seconds, counts, .. } = self;
        let failed = if counts.failed > 0 { format!(" ({} failed)", counts.failed) } else { String::new() };
        let seconds = (seconds * 10.0).round() / 10.0;
        let (requests, are) = (counted(counts.sent(), "request"), if counts.sent() == 1 { "is" } else { "are" });
        format!("Warm-up: {requests} in {seconds} s{failed} {are} left out of these figures.")
    }
}

impl RunData {
    fn warmup_phase(&self) -> Option<&PhaseSeen> {
        self.phases.iter().find(|seen| seen.phase == Phase::Warmup)
    }

    /// Whether some of the run was warm-up.
    pub(super) fn has_warmup(&self) -> bool {
        self.warmup_phase().is_some()
    }

    /// What was left out as warm-up; `None` in a run without one.
    #[must_use]
    pub fn warmup(&self) -> Option<WarmupSeen> {
        let phase = self.warmup_phase()?;
        let unfinished = self.unfinished_where(|phase| phase == Phase::Warmup);
        Some(WarmupSeen {
            seconds: phase.duration_ms as f64 / 1000.0,
            counts: Counts { aborted: unfinished.aborted, ..phase.counts },
            unsent: unfinished.unsent,
        })
    }

    /// Counts of the requests after the warm-up.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (all, warmup) = (self.all_counts(), self.warmup().map(|warmup| warmup.counts).unwrap_or_default());
        Counts {
            ok: all.ok.saturating_sub(warmup.ok),
            failed: all.failed.saturating_sub(warmup.failed),
            aborted: all.aborted.saturating_sub(warmup.aborted),
            redirects: all.redirects.saturating_sub(warmup.redirects),
            reopened: all.reopened.saturating_sub(warmup.reopened),
        }
    }

    /// Unfinished requests and arrivals that were due after the warm-up.
    #[must_use]
    pub fn unfinished(&self) -> UnfinishedCounts {
        self.unfinished_where(|phase| phase != Phase::Warmup)
    }

    /// All unfinished requests and arrivals.
    #[must_use]
    pub fn all_unfinished(&self) -> UnfinishedCounts {
        self.unfinished_where(|_| true)
    }

    fn unfinished_where(&self, is_meant: impl Fn(Phase) -> bool) -> UnfinishedCounts {
        let mut counts = UnfinishedCounts::default();
        self.unfinished.iter().filter(|part| is_meant(part.phase)).for_each(|part| counts.add(&part.counts));
        counts
    }

    /// What the run is judged by.
    pub(super) fn judged_counts(&self) -> JudgedCounts {
        JudgedCounts {
            counts: self.counts(),
            answered: self.answered(),
            unfinished: self.unfinished(),
            warmup: self.warmup().map_or(0, |warmup| warmup.counts.completed()),
        }
    }

    /// Statistics from intervals. Of a run with a warm-up, rates are those of the load after it; `told` is what the end of the
    /// stream says of all requests, and `warmup_bytes` how many bytes of response bodies there were in the warm-up: the
    /// intervals have neither recent rates nor the lengths of bodies.
    pub(super) fn computed(
        &self,
        traffic: &PointTraffic,
        told: Option<&Statistics>,
        warmup_content_bytes: u64,
    ) -> Statistics {
        let (times, completed) = (traffic.response(), traffic.completed());
        let load_seconds = self.end.as_ref().and_then(|end| end.load_seconds);
        let (seconds, after_stop) = match self.warmup_phase() {
            Some(warmup) => {
                let load = load_seconds.unwrap_or_else(|| self.seconds());
                (load - warmup.duration_ms as f64 / 1000.0, traffic.after_stop)
            }
            None => (self.seconds(), AfterStop::default()),
        };
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let millis = |us: u64| us as f64 / 1000.0;
        let percentile = |per_million| millis(times.percentile_us(per_million));
        let bytes = told.map_or(traffic.bytes_received as f64, |told| {
            (told.avg_content_length * told.num_requests as f64).round() - warmup_content_bytes as f64
        });
        Statistics {
            num_requests: completed,
            num_failures: traffic.failed,
            min_response_time: millis(times.sum.min_us()),
            max_response_time: millis(times.sum.max_us),
            current_rps: told.map_or(0.0, |told| told.current_rps),
            current_fail_per_sec: told.map_or(0.0, |told| told.current_fail_per_sec),
            avg_response_time: millis(times.sum.mean_us()),
            total_rps: rate(completed.saturating_sub(after_stop.completed)),
            total_fail_per_sec: rate(traffic.failed.saturating_sub(after_stop.failed)),
            avg_content_length: bytes.max(0.0) / completed.max(1) as f64,
            percentile_50: percentile(500_000),
            percentile_90: percentile(900_000),
            percentile_95: percentile(950_000),
            percentile_99: percentile(990_000),
            percentile_99_9: percentile(999_000),
        }
    }
}
