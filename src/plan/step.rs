//! The steps of a journey: requests, and what decides which of them are sent, how often and when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::condition::Condition;
use super::endpoint::EndpointId;
use super::expect::Expect;
use super::extract::Extraction;
use super::random::Random;
use super::request::Request;
use super::template::{SlotId, Template};
use super::templated_request::TemplatedRequest;
use super::url::Origin;
use crate::value::size::ByteSize;

/// How deep steps may be nested: a user runs them on a small stack.
pub const MAX_DEPTH: usize = 16;

/// Maximum number of rounds of a loop.
pub const MAX_ROUNDS: u32 = 1_000_000;

/// One step of a journey.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "steps are stored in one slice and created once")]
pub enum Step {
    /// Sends a request.
    Request(RequestStep),
    /// Waits, as a person who thinks.
    Pause(Pause),
    /// Does its steps a number of times.
    Repeat(Box<Repeat>),
    /// Does its steps for each item of a list.
    ForEach(Box<ForEach>),
    /// Does one of two lists of steps.
    When(Box<When>),
    /// Does its steps until a condition is met.
    Until(Box<Until>),
    /// Ends the innermost loop.
    LeaveLoop,
    /// Ends the task, or `on_start`, `on_stop`, `setup` or `teardown`.
    LeaveTask,
    /// Ends the user.
    StopUser,
    /// Sets or unsets variables.
    Set(Box<[Assignment]>),
    /// Appends items to lists.
    Append(Box<[Addition]>),
}

/// A pause, drawn evenly from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The shortest.
    pub low: Duration,
    /// The longest.
    pub high: Duration,
}

impl Pause {
    /// The length of one pause. A constant one uses up no random number.
    #[must_use]
    pub fn draw(self, random: &mut Random) -> Duration {
        let spread = self.high.saturating_sub(self.low);
        if spread.is_zero() { self.low } else { self.low + spread.mul_f64(random.unit()) }
    }
}

impl fmt::Display for Pause {
    /// As it is written in a scenario.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.low.as_secs_f64())?;
        if self.high > self.low { write!(f, "..{}s", self.high.as_secs_f64()) } else { Ok(()) }
    }
}

/// A number of rounds, drawn evenly from a range, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// The fewest.
    pub low: u32,
    /// The most.
    pub high: u32,
}

impl Rounds {
    /// One number of rounds. A fixed one uses up no random number.
    #[must_use]
    pub fn draw(self, random: &mut Random) -> u32 {
        let spread = (self.high - self.low) as usize;
        if spread == 0 { self.low } else { self.low + u32::try_from(random.below(spread + 1)).unwrap_or(0) }
    }
}

impl fmt::Display for Rounds {
    /// As it is written in a scenario.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.low)?;
        if self.high > self.low { write!(f, "..{}", self.high) } else { Ok(()) }
    }
}

/// Steps that are done a number of times.
#[derive(Debug)]
pub struct Repeat {
    /// How many times.
    pub times: Rounds,
    /// The variable that has the number of the round, from 0.
    pub counter: Option<SlotId>,
    /// What is done in each round.
    pub steps: Box<[Step]>,
}

/// Steps that are done for each item of a list, as it is when the loop begins.
#[derive(Debug)]
pub struct ForEach {
    /// The list; one that was never filled has no items.
    pub list: SlotId,
    /// The variable that has the item.
    pub item: SlotId,
    /// What is done for each item.
    pub steps: Box<[Step]>,
}

/// Steps that depend on a condition.
#[derive(Debug)]
pub struct When {
    /// The condition.
    pub condition: Condition,
    /// What is done if it is met.
    pub steps: Box<[Step]>,
    /// What is done otherwise.
    pub otherwise: Box<[Step]>,
}

/// Steps that are repeated until a condition is met: it is tested after each round.
#[derive(Debug)]
pub struct Until {
    /// The condition that ends the loop.
    pub condition: Condition,
    /// The pause between two rounds.
    pub every: Duration,
    /// Maximum number of rounds.
    pub at_most: u32,
    /// What is done in each round.
    pub steps: Box<[Step]>,
}

/// A new value of a variable.
#[derive(Debug)]
pub struct Assignment {
    /// The variable.
    pub slot: SlotId,
    /// Its value; `None` unsets it.
    pub value: Option<Template>,
}

/// A new item of a list.
#[derive(Debug)]
pub struct Addition {
    /// The list.
    pub list: SlotId,
    /// The item.
    pub item: Template,
}

impl Step {
    /// The steps within it, in the order written.
    fn blocks(&self) -> [&[Self]; 2] {
        match self {
            Self::Repeat(repeat) => [&repeat.steps, &[]],
            Self::ForEach(each) => [&each.steps, &[]],
            Self::When(when) => [&when.steps, &when.otherwise],
            Self::Until(until) => [&until.steps, &[]],
            Self::Request(_)
            | Self::Pause(_)
            | Self::LeaveLoop
            | Self::LeaveTask
            | Self::StopUser
            | Self::Set(_)
            | Self::Append(_) => [&[], &[]],
        }
    }
}

/// All requests among these steps and within them, in the order written.
#[must_use]
pub fn requests(steps: &[Step]) -> Vec<&RequestStep> {
    fn collect<'s>(steps: &'s [Step], found: &mut Vec<&'s RequestStep>) {
        for step in steps {
            if let Step::Request(request) = step {
                found.push(request);
            }
            step.blocks().into_iter().for_each(|block| collect(block, found));
        }
    }
    let mut found = Vec::new();
    collect(steps, &mut found);
    found
}

/// The first request among these steps or within them, in the order written.
#[must_use]
pub fn first_request(steps: &[Step]) -> Option<&RequestStep> {
    steps.iter().find_map(|step| match step {
        Step::Request(request) => Some(request),
        _ => step.blocks().into_iter().find_map(first_request),
    })
}

/// Returns whether any of these steps, or a step within them, is meant.
pub fn any(steps: &[Step], is_meant: &dyn Fn(&Step) -> bool) -> bool {
    steps.iter().any(|step| is_meant(step) || step.blocks().into_iter().any(|block| any(block, is_meant)))
}

/// One request of a journey, and how its response is handled.
#[derive(Debug)]
pub struct RequestStep {
    /// A request, prepared or templated.
    pub message: Message,
    /// How it is exchanged, and which responses are accepted.
    pub rules: ExchangeRules,
    /// Values extracted from the response for later requests.
    pub extract: Box<[Extraction]>,
}

/// A request, prepared or templated.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "steps are stored in one slice and created once")]
pub enum Message {
    /// The same prepared bytes each time.
    Fixed(Request),
    /// Rendered for each request.
    Templated(TemplatedRequest),
}

impl Message {
    /// The endpoint that it is counted under.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        match self {
            Self::Fixed(request) => request.endpoint(),
            Self::Templated(request) => request.endpoint(),
        }
    }

    /// The origin that its connection goes to.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        match self {
            Self::Fixed(request) => request.origin(),
            Self::Templated(request) => request.origin(),
        }
    }
}

/// How a request and its response are exchanged, and which responses are accepted.
#[derive(Clone, Debug)]
pub struct ExchangeRules {
    /// Time limit for the whole exchange, including redirects.
    pub timeout: Duration,
    /// Maximum number of redirects; with 0 a redirect is the final response.
    pub max_redirects: u16,
    /// Maximum size of a body that is kept for examination.
    pub max_body: ByteSize,
    /// Conditions for a response to be ok.
    pub expect: Expect,
}
