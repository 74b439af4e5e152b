//! How a run ended: the lines about its checks, and the last one.

use super::ours::{CheckEvent, RunEnd};
use super::record::Body;
use super::text::{MOST_NAME, clipped};
use crate::clock::Moment;
use crate::load::stop::Reason;
use crate::stats::check::Ruling;
use crate::stats::tally::Counts;
use crate::stats::verdict::Judgement;

/// Most reasons in the last line; what the others are stands in the lines before.
const MOST_REASONS: usize = 4;

/// Most bytes of a check as written in JSON: a line less its envelope and the other keys.
const MOST_CHECK: usize = 2048;

/// How and when a run ended.
#[derive(Clone, Debug)]
pub struct RunEnding {
    /// When the last user had ended.
    pub at: Moment,
    /// When the stop began.
    pub stopped_at: Moment,
    /// Why it began.
    pub reason: Reason,
    /// Users when it began.
    pub users: u32,
    /// What the run comes to.
    pub judgement: Judgement,
    /// Exit code of the process.
    pub exit_code: u8,
}

impl RunEnding {
    /// A line for each check, and the last one.
    pub(super) fn bodies(&self, counts: Counts) -> impl Iterator<Item = Body> + use<> {
        last_lines(&self.judgement, self.exit_code, counts)
    }
}

/// A line for each check, and the last one.
pub fn last_lines(judgement: &Judgement, exit_code: u8, counts: Counts) -> impl Iterator<Item = Body> + use<> {
    let Judgement { verdict, reasons, rulings } = judgement;
    let met = rulings.iter().filter(|ruling| ruling.met).count();
    let end = RunEnd {
        // The writer counts; it alone knows.
        lines: 0,
        sent: counts.sent(),
        completed: counts.completed(),
        ok: counts.ok,
        failed: counts.failed,
        aborted: counts.aborted,
        redirects: counts.redirects,
        reopened: counts.reopened,
        checks_met: met,
        checks_missed: rulings.len() - met,
        verdict: verdict.as_str(),
        reasons: first_of(reasons),
        exit_code,
    };
    let checks: Vec<Body> = rulings.iter().map(|ruling| Body::Check(event(ruling))).collect();
    checks.into_iter().chain([Body::RunEnd(end)])
}

/// As many as there is room for, and how many more there are.
fn first_of(reasons: &[String]) -> Vec<String> {
    let clip = |reason: &String| clipped(reason, MOST_NAME).into_owned();
    if reasons.len() <= MOST_REASONS {
        return reasons.iter().map(clip).collect();
    }
    let (told, rest) = reasons.split_at(MOST_REASONS - 1);
    told.iter().map(clip).chain([format!("and {} more reasons", rest.len())]).collect()
}

/// What is said of each check.
pub fn events(judgement: &Judgement) -> impl Iterator<Item = CheckEvent> {
    judgement.rulings.iter().map(event)
}

fn event(ruling: &Ruling) -> CheckEvent {
    let (value, unit) = ruling.told();
    CheckEvent {
        check: clipped(ruling.check.text(), MOST_CHECK).into_owned(),
        met: ruling.met,
        has_data: ruling.value.is_some(),
        value,
        unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_do_not_fit_are_counted() {
        let reasons: Vec<String> = (1..=6).map(|number| format!("reason {number}")).collect();
        assert_eq!(first_of(&reasons[..4]), reasons[..4]);
        assert_eq!(first_of(&reasons), ["reason 1", "reason 2", "reason 3", "and 3 more reasons"]);
    }
}
