//! What the verdict alone does not say of a run: that it is one shard of several, that shards of it are
//! missing, or that a signal ended it, so that it may be shorter than planned.

use super::run_data::RunData;
use super::seen::StreamWarning;
use crate::telemetry::reader::value::ShardValue;
use crate::value::duration;
use crate::value::stages::Stages;
use crate::vocabulary::{EndReason, Verdict};

/// The kind of warning in a merged stream about shards that a signal stopped while others went on.
const SHARD_STOPPED: &str = "shard_stopped";

/// The kind of warning in a merged stream about shards of which nothing came.
const SHARD_MISSING: &str = "shard_missing";

/// The kind of warning in a merged stream about shards that were cut off: the reason of its end may then be a guess.
const SHARD_CUT_OFF: &str = "shard_cut_off";

/// How far a run had come when a signal stopped it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppedBySignal {
    /// Seconds from its start to the signal.
    pub seconds: f64,
    /// Seconds that it was to take; `None` without a planned time.
    pub planned_seconds: Option<f64>,
    /// Requests that it was to make; `None` without a limit.
    pub planned_requests: Option<u64>,
}

impl StoppedBySignal {
    /// How far the run had come, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let rounded = |seconds: f64| (seconds * 10.0).round() / 10.0;
        let time = self.planned_seconds.map(|planned| format!("{} s", rounded(planned)));
        let requests = self.planned_requests.map(|planned| format!("{planned} requests"));
        let planned: Vec<String> = time.into_iter().chain(requests).collect();
        let (seconds, planned) = (rounded(self.seconds), planned.join(" or "));
        if planned.is_empty() {
            return format!("Stopped by a signal after {seconds} s; no end was planned.");
        }
        format!("Stopped early, by a signal, after {seconds} s of the planned {planned}.")
    }
}

impl RunData {
    /// How far the run had come when a signal stopped it; `None` if something else ended it, or nothing yet, and for a search
    /// for capacity, whose answer says it.
    #[must_use]
    pub fn stopped_by_signal(&self) -> Option<StoppedBySignal> {
        let is_cut_off = self.warnings.iter().any(|warning| warning.kind == SHARD_CUT_OFF);
        self.stop.as_ref().filter(|stop| stop.reason == EndReason::Signal && !is_cut_off && !self.is_search())?;
        let run_time = self.plan.setting("run-time").and_then(|text| duration(text).ok());
        let stages = self.plan.setting("stages").and_then(|text| text.parse::<Stages>().ok());
        let planned = [run_time, stages.map(|stages| stages.duration())].into_iter().flatten().min();
        Some(StoppedBySignal {
            seconds: self.end.as_ref().and_then(|end| end.load_seconds).unwrap_or_else(|| self.seconds()),
            planned_seconds: planned.map(|planned| planned.as_secs_f64()),
            planned_requests: self.plan.setting("requests").and_then(|count| count.parse().ok()),
        })
    }

    /// What the verdict does not say: a name, and a sentence.
    #[must_use]
    pub fn remarks(&self) -> Vec<(&'static str, String)> {
        let shard = self.plan.shard.map(|shard| ("shard", shard_sentence(shard)));
        let stopped = self.stopped_by_signal().map(|stopped| ("stopped_by_signal", stopped.sentence()));
        shard.into_iter().chain(stopped).chain(self.remarks_on_shards()).collect()
    }

    /// Which shards of a merged run are not there to its end: a name, and a sentence.
    fn remarks_on_shards(&self) -> impl Iterator<Item = (&'static str, String)> {
        let remarks = self.warnings.iter().filter_map(|warning| Some((self.remark_kind(warning)?, warning)));
        remarks.map(|(kind, warning)| (kind, warning.detail.clone()))
    }

    /// The name of a warning that is a remark; shards whose absence is a reason for the verdict are told there.
    fn remark_kind(&self, warning: &StreamWarning) -> Option<&'static str> {
        let is_reason = || self.end.iter().any(|end| end.texts().contains(&warning.detail.as_str()));
        match warning.kind.as_str() {
            SHARD_STOPPED => Some(SHARD_STOPPED),
            SHARD_MISSING if !is_reason() => Some(SHARD_MISSING),
            _ => None,
        }
    }

    /// Why its figures may not be those of a whole run, for a comparison in which it is called `title`.
    #[must_use]
    pub(super) fn doubts(&self, title: &str) -> Vec<String> {
        let invalid = self.end.as_ref().filter(|end| end.verdict == Verdict::Invalid);
        let invalid = invalid.map(|end| format!("{title} is not valid: {}", end.texts().join("; ")));
        // Without a planned end, a signal is how a run ends.
        let is_planned =
            |stopped: &StoppedBySignal| stopped.planned_seconds.is_some() || stopped.planned_requests.is_some();
        let stopped = self.stopped_by_signal().filter(is_planned);
        let stopped = stopped.map(|_| format!("{title} was stopped early by a signal"));
        let shard = self
            .plan
            .shard
            .map(|ShardValue { index, count }| format!("{title} is shard {index} of {count}, a part of the load"));
        let of_shards = self.remarks_on_shards().map(|(_, sentence)| format!("{title}: {sentence}"));
        invalid.into_iter().chain(stopped).chain(shard).chain(of_shards).collect()
    }

    /// The warnings that are not among the [`remarks`](Self::remarks).
    pub fn other_warnings(&self) -> impl Iterator<Item = &StreamWarning> {
        self.warnings.iter().filter(|warning| self.remark_kind(warning).is_none())
    }
}

/// Which part of a run the stream is.
fn shard_sentence(ShardValue { index, count }: ShardValue) -> String {
    format!("Shard {index} of {count} (counted from 0): a part of the load; swarmline merge puts the parts together.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_stopped_is_told_with_every_end_that_was_planned() {
        let stopped = StoppedBySignal { seconds: 3.26, planned_seconds: Some(90.0), planned_requests: Some(500) };
        assert_eq!(stopped.sentence(), "Stopped early, by a signal, after 3.3 s of the planned 90 s or 500 requests.");
        let endless = StoppedBySignal { planned_seconds: None, planned_requests: None, ..stopped };
        assert_eq!(endless.sentence(), "Stopped by a signal after 3.3 s; no end was planned.");
    }
}
