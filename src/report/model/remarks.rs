//! What the verdict alone does not say of a run: that it is one shard of several, that shards of it are
//! missing, or that a signal ended it, so that it may be shorter than planned.

use super::run_data::RunData;
use super::seen::StreamWarning;
use crate::telemetry::reader::value::ShardValue;
use crate::value::count::counted;
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
    /// Requests that it had sent.
    pub requests: u64,
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
        let requests = self.planned_requests.map(|planned| counted(planned, "request"));
        let (seconds, sent) = (rounded(self.seconds), self.requests);
        match (time, requests) {
            (None, None) => format!("Stopped by a signal after {seconds} s; no end was planned."),
            (Some(time), None) => format!("Stopped early, by a signal, after {seconds} s of the planned {time}."),
            (None, Some(requests)) => {
                format!("Stopped early, by a signal, after {sent} of the planned {requests} ({seconds} s).")
            }
            (Some(time), Some(requests)) => {
                let sent = counted(sent, "request");
                format!(
                    "Stopped early, by a signal, after {seconds} s and {sent}, of the planned {time} or {requests}."
                )
            }
        }
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
            requests: self.counts().sent(),
            planned_seconds: planned.map(|planned| planned.as_secs_f64()),
            planned_requests: self.plan.setting("requests").and_then(|count| count.parse().ok()),
        })
    }

    /// How many requests a signal cut off after the last one was sent; `None` if there are none. A run waits for the responses
    /// to all of `--requests`, unless a signal ends that. A merged stream does not tell: its reason is that of one shard.
    fn cut_off_by_signal(&self) -> Option<u64> {
        let is_wait =
            self.stop.as_ref().is_some_and(|stop| stop.reason == EndReason::Requests) && self.shards.is_empty();
        Some(self.counts().aborted).filter(|aborted| is_wait && *aborted > 0)
    }

    /// What the verdict does not say: a name, and a sentence.
    #[must_use]
    pub fn remarks(&self) -> Vec<(&'static str, String)> {
        let shard = self.plan.shard.map(|shard| ("shard", shard_sentence(shard)));
        let stopped = self.stopped_by_signal().map(|stopped| ("stopped_by_signal", stopped.sentence()));
        let cut_off = self.cut_off_by_signal().map(|aborted| {
            let (requests, were) = (counted(aborted, "request"), if aborted == 1 { "was" } else { "were" });
            ("cut_off_by_signal", format!("A signal ended the wait for the last responses: {requests} {were} cut off."))
        });
        shard.into_iter().chain(stopped).chain(cut_off).chain(self.remarks_on_shards()).collect()
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
        let stopped =
            StoppedBySignal { seconds: 3.26, requests: 8, planned_seconds: Some(90.0), planned_requests: Some(500) };
        let early = |stopped: StoppedBySignal| {
            stopped.sentence().strip_prefix("Stopped early, by a signal, after ").map(str::to_owned).unwrap()
        };
        assert_eq!(early(stopped), "3.3 s and 8 requests, of the planned 90 s or 500 requests.");
        assert_eq!(
            early(StoppedBySignal { planned_seconds: None, ..stopped }),
            "8 of the planned 500 requests (3.3 s)."
        );
        assert_eq!(early(StoppedBySignal { planned_requests: None, ..stopped }), "3.3 s of the planned 90 s.");
        let endless = StoppedBySignal { planned_seconds: None, planned_requests: None, ..stopped };
        assert_eq!(endless.sentence(), "Stopped by a signal after 3.3 s; no end was planned.");
    }
}
