//! The search itself: which rate is tried next, and when the answer is known.
//!
//! The rate doubles until a step fails, or halves until one passes; then the interval between the two is halved, on a
//! logarithmic scale, until its width is half the precision. Near the limit a short step passes or fails by chance, so both
//! ends are tried again in steps three times as long: the best rate is confirmed, if need be a little lower, and the rate
//! above it that failed is rechecked; if it passes, the search goes on above it. `benches/STUDY.md` has what that gains.

use super::step::{FailReason, StepResult, VoidReason};

/// The search does not go below this rate, unless it starts there.
const LOWEST: f64 = 1.0;

/// The highest rate that a schedule can have.
const HIGHEST: f64 = 1e9;

/// How often a rate is confirmed, each time half a precision lower, before the service is called unstable.
const MAX_CONFIRMATIONS: u8 = 5;

/// How often a rate that failed is tried again.
const MAX_RECHECKS: u8 = 3;

/// How many times as long as the others a step is that confirms or rechecks.
const LONG_STEP: u32 = 3;

/// What a search is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// Rate of the first step, per second; no more than `to`.
    pub from: f64,
    /// Rate at which the search ends if it passes.
    pub to: Option<f64>,
    /// Relative error that the answer may have, such as 0.05. Half of it is the width of the last interval, the other half
    /// is left for chance.
    pub precision: f64,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// To narrow the interval.
    Search,
    /// To confirm the best rate; attempts are counted from 1.
    Confirm(u8),
    /// To try the lowest rate that failed again.
    Recheck,
}

/// A step to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Arrivals per second.
    pub rate: f64,
    /// What it is for.
    pub kind: StepKind,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Run this step, and record its result.
    Step(Step),
    /// The search is over.
    Done(Answer),
}

/// What is known of the highest rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The highest rate that passed, below all that failed.
    pub passed: Option<f64>,
    /// The lowest rate that failed.
    pub failed: Option<f64>,
}

/// What a search has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// This rate was confirmed; one a little higher failed.
    Found(f64),
    /// `to` was confirmed; the limit was not looked for.
    ReachedTo(f64),
    /// This rate passed; a higher one could not be measured.
    AtLeast(f64, VoidReason),
    /// A step could not be measured before any had passed.
    NothingMeasured(VoidReason),
    /// The lowest rate that is tried failed: this one.
    NoRate(f64),
    /// This rate passed once, but neither it nor slightly lower ones could be confirmed.
    NotStable(f64),
    /// It was ended before the answer was known; the bounds hold.
    Interrupted,
}

/// A rate that failed.
#[derive(Clone, Copy, Debug)]
struct FailedRate {
    rate: f64,
    /// Whether it failed when it was rechecked.
    is_sure: bool,
}

/// A search for the highest rate that passes.
#[derive(Clone, Debug)]
pub struct Search {
    settings: SearchSettings,
    next: Next,
    /// Rates that passed, in their order.
    passed: Vec<f64>,
    /// Rates that failed, without those that passed when they were tried again.
    failed: Vec<FailedRate>,
    /// The highest rate that passed a long step.
    confirmed: Option<f64>,
    /// The rate whose confirmation was tried first.
    best: f64,
    rechecks: u8,
    /// Whether the step is done a second time because the generator was late.
    is_repeat: bool,
}

impl StepKind {
    /// How many times as long as an ordinary step its measured part is.
    #[must_use]
    pub const fn length(self) -> u32 {
        match self {
            Self::Search => 1,
            Self::Confirm(_) | Self::Recheck => LONG_STEP,
        }
    }
}

impl Search {
    /// A search that has tried nothing.
    #[must_use]
    pub fn new(settings: SearchSettings) -> Self {
        let rate = settings.from.min(settings.to.unwrap_or(HIGHEST));
        let next = Next::Step(Step { rate, kind: StepKind::Search });
        Self {
            settings,
            next,
            passed: Vec::new(),
            failed: Vec::new(),
            confirmed: None,
            best: rate,
            rechecks: 0,
            is_repeat: false,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn next(&self) -> Next {
        self.next
    }

    /// Takes the result of the step that [`Search::next`] asked for. After the end it changes nothing. A step in which the
    /// generator was late is done once more before it ends the search.
    pub fn record(&mut self, result: &StepResult) {
        let Next::Step(step) = self.next else { return };
        // A machine may stall for a moment; where the generator is too slow it is late again.
        let is_repeat = *result == StepResult::Void(VoidReason::GeneratorLate) && !self.is_repeat;
        self.is_repeat = is_repeat;
        if is_repeat {
            return;
        }
        self.next = match result {
            StepResult::Passed => self.after_pass(step),
            StepResult::Failed(why) => {
                let is_unanswered = why.iter().any(|reason| matches!(reason, FailReason::NoAnswer { .. }));
                self.after_failure(step, is_unanswered)
            }
            StepResult::Void(why) => Next::Done(self.after_void(*why)),
        };
    }

    /// Ends the search if it still goes on.
    pub fn interrupt(&mut self) {
        if matches!(self.next, Next::Step(_)) {
            self.next = Next::Done(Answer::Interrupted);
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let failed = self.lowest_failed().map(|failed| failed.rate);
        let is_below = |rate: &f64| failed.is_none_or(|failed| *rate < failed);
        Bounds { passed: self.passed.iter().copied().filter(is_below).reduce(f64::max), failed }
    }

    /// Number of steps still to come if the best rate is confirmed at once and the rate above it fails again; `None` as
    /// long as either bound is unknown.
    #[must_use]
    pub fn steps_expected(&self) -> Option<u32> {
        let Next::Step(step) = self.next else { return Some(0) };
        let recheck = u32::from(self.recheck().is_some());
        match (step.kind, self.bounds()) {
            (StepKind::Recheck, _) => Some(1),
            (StepKind::Confirm(_), _) => Some(1 + recheck),
            (StepKind::Search, Bounds { passed: Some(passed), failed: Some(failed) }) => {
                Some(self.halvings(failed / passed) + 1 + recheck)
            }
            (StepKind::Search, _) => None,
        }
    }

    /// How often an interval of this ratio is halved until it is narrow enough.
    fn halvings(&self, ratio: f64) -> u32 {
        let mut ratio = ratio;
        let mut halvings = 0;
        while !self.is_narrow(ratio) {
            ratio = ratio.sqrt();
            halvings += 1;
        }
        halvings
    }

    /// Half the precision: the width of the last interval, and how much lower the next confirmation is tried.
    fn width(&self) -> f64 {
        self.settings.precision / 2.0
    }

    fn is_narrow(&self, ratio: f64) -> bool {
        // Rates are rounded.
        ratio <= (1.0 + self.width()) * (1.0 + 1e-4)
    }

    /// The lowest rate that failed.
    fn lowest_failed(&self) -> Option<FailedRate> {
        self.failed.iter().copied().reduce(|lowest, next| if next.rate < lowest.rate { next } else { lowest })
    }

    fn highest(&self) -> f64 {
        self.settings.to.unwrap_or(HIGHEST)
    }

    fn after_pass(&mut self, Step { rate, kind }: Step) -> Next {
        self.passed.push(rate);
        self.failed.retain(|failed| failed.rate > rate);
        if kind == StepKind::Search {
            return self.narrow();
        }
        self.confirmed = Some(rate);
        if rate >= self.highest() {
            return Next::Done(Answer::ReachedTo(rate));
        }
        match kind {
            StepKind::Recheck => self.narrow(),
            StepKind::Search | StepKind::Confirm(_) => self.after_confirmation(rate),
        }
    }

    /// A service that answered at this rate and then answers nothing is gone, so that lower rates are not tried.
    fn after_failure(&mut self, Step { rate, kind }: Step, is_unanswered: bool) -> Next {
        self.failed.retain(|failed| failed.rate.total_cmp(&rate).is_ne());
        self.failed.push(FailedRate { rate, is_sure: kind == StepKind::Recheck });
        match (kind, self.confirmed) {
            (StepKind::Search, _) => self.narrow(),
            (StepKind::Confirm(attempt), confirmed) => {
                let lower = rounded(rate / (1.0 + self.width()));
                match confirmed.filter(|confirmed| *confirmed >= lower) {
                    Some(confirmed) => Next::Done(Answer::Found(confirmed)),
                    None if is_unanswered || attempt >= MAX_CONFIRMATIONS => Next::Done(Answer::NotStable(self.best)),
                    None => Next::Step(Step { rate: lower, kind: StepKind::Confirm(attempt + 1) }),
                }
            }
            (StepKind::Recheck, confirmed) => Next::Done(confirmed.map_or(Answer::NotStable(self.best), Answer::Found)),
        }
    }

    /// A rate that was confirmed is the answer if the bound above it is known already, and near.
    fn after_void(&self, why: VoidReason) -> Answer {
        match (self.confirmed, self.bounds()) {
            (Some(rate), Bounds { failed: Some(failed), .. }) if self.is_narrow(failed / rate) => Answer::Found(rate),
            (_, Bounds { passed: Some(passed), .. }) => Answer::AtLeast(passed, why),
            (_, Bounds { passed: None, .. }) => Answer::NothingMeasured(why),
        }
    }

    /// The next step while the interval is too wide, or none of its ends is known.
    fn narrow(&mut self) -> Next {
        let search = |rate| Next::Step(Step { rate, kind: StepKind::Search });
        match self.bounds() {
            Bounds { passed: None, failed: None } => search(self.settings.from),
            Bounds { passed: Some(passed), failed: None } if passed >= self.highest() => self.confirm(passed),
            Bounds { passed: Some(passed), failed: None } => search((2.0 * passed).min(self.highest())),
            Bounds { passed: None, failed: Some(failed) } if failed <= LOWEST => Next::Done(Answer::NoRate(failed)),
            Bounds { passed: None, failed: Some(failed) } => search((failed / 2.0).max(LOWEST)),
            Bounds { passed: Some(passed), failed: Some(failed) } if !self.is_narrow(failed / passed) => {
                let middle = (passed * failed).sqrt();
                let readable = rounded(middle);
                search(if passed < readable && readable < failed { readable } else { middle })
            }
            Bounds { passed: Some(passed), .. } if self.confirmed == Some(passed) => self.after_confirmation(passed),
            Bounds { passed: Some(passed), .. } => self.confirm(passed),
        }
    }

    const fn confirm(&mut self, rate: f64) -> Next {
        self.best = rate;
        Next::Step(Step { rate, kind: StepKind::Confirm(1) })
    }

    /// The rate to recheck: the lowest that failed, unless it failed a recheck before.
    fn recheck(&self) -> Option<f64> {
        self.lowest_failed().filter(|failed| !failed.is_sure && self.rechecks < MAX_RECHECKS).map(|failed| failed.rate)
    }

    fn after_confirmation(&mut self, confirmed: f64) -> Next {
        let Some(rate) = self.recheck() else { return Next::Done(Answer::Found(confirmed)) };
        self.rechecks += 1;
        Next::Step(Step { rate, kind: StepKind::Recheck })
    }
}

/// The rate with four significant digits, so that people can read it and type it again.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.log10().floor() - 3.0);
    // A division by a power of ten, so that 118.9 is the float of that name.
    if unit < 1.0 { (rate / unit).round() / (1.0 / unit).round() } else { (rate / unit).round() * unit.round() }
}

#[cfg(test)]
mod tests;
