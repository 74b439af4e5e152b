//! What users do: user classes, their tasks, and the requests of each task, in order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::data::SourceId;
use super::endpoint::EndpointId;
use super::expect::Expect;
use super::extract::Extraction;
use super::random::Random;
use super::request::Request;
use super::shard::Shard;
use super::templated_request::TemplatedRequest;
use super::url::{Origin, Scheme};
use crate::error::Result;
use crate::value::Wait;
use crate::value::size::ByteSize;

/// A class of users: what they do when they start, repeatedly, and when they stop.
#[derive(Debug)]
pub struct UserClass {
    /// The name as written.
    pub name: String,
    /// Its share of the users, relative to the weights of the other classes.
    pub weight: u32,
    /// Think time between two tasks.
    pub wait: Wait,
    /// Steps before the first task, executed once.
    pub on_start: Box<[Step]>,
    /// Tasks, executed repeatedly, one at a time.
    pub tasks: Tasks,
    /// Steps at the end, executed once.
    pub on_stop: Box<[Step]>,
    /// Data sources used by `on_start` or `on_stop`: a user takes one row of each when it starts and keeps it
    /// for its lifetime.
    pub rows: Box<[SourceId]>,
}

/// A sequence of requests that a user executes.
#[derive(Debug)]
pub struct Task {
    /// The name as written.
    pub name: String,
    /// How often it is chosen, relative to the weights of the other tasks.
    pub weight: u32,
    /// The steps; at least one is or contains a request.
    pub steps: Box<[Step]>,
    /// Data sources that it uses and that are not the user's own: one row of each is taken every time the
    /// task begins.
    pub rows: Box<[SourceId]>,
}

/// One step of a journey.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "steps are stored in one slice and created once")]
pub enum Step {
    /// Sends a request.
    Request(RequestStep),
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

/// The tasks of a class: at least one, chosen by weight.
#[derive(Debug)]
pub struct Tasks {
    list: Box<[Task]>,
    /// The cumulative weights.
    cumulative_weights: Box<[usize]>,
}

impl Tasks {
    /// Creates the list from at least one task; all weights must be above 0.
    #[must_use]
    pub fn new(list: Vec<Task>) -> Self {
        assert!(
            list.iter().all(|task| task.weight > 0) && !list.is_empty(),
            "the reader refuses a class without tasks"
        );
        let until = list.iter().scan(0, |sum, task| {
            *sum += task.weight as usize;
            Some(*sum)
        });
        Self { cumulative_weights: until.collect(), list: list.into() }
    }

    /// Picks a task at random by weight. A single task is picked without using up a random number.
    #[must_use]
    pub fn pick(&self, random: &mut Random) -> &Task {
        let total = self.cumulative_weights[self.cumulative_weights.len() - 1];
        let at = if self.list.len() == 1 { 0 } else { random.below(total) };
        &self.list[self.cumulative_weights.partition_point(|until| *until <= at)]
    }

    /// The task of arrival `number` of the open model. It depends only on the run's seed and that number, so
    /// it is known even for an arrival that no user ever took, and it is the same on every shard.
    #[must_use]
    pub fn of_arrival(&self, seed: u64, number: u64) -> &Task {
        /// Keeps these choices independent of those that users make with the same seed.
        const SALT: u64 = 0x6172_7269_7661_6c73;
        // The generator's state advances by a constant per number, so arrivals use consecutive numbers of one
        // sequence.
        self.pick(&mut Random::seeded(seed ^ SALT).skip(number))
    }

    /// All tasks, in the order written.
    #[must_use]
    pub const fn as_slice(&self) -> &[Task] {
        &self.list
    }
}

impl UserClass {
    /// All requests that it may send, in the order written.
    pub fn requests(&self) -> impl Iterator<Item = &RequestStep> {
        let tasks = self.tasks.as_slice().iter().flat_map(|task| &task.steps);
        self.on_start.iter().chain(tasks).chain(&self.on_stop).map(|Step::Request(request)| request)
    }
}

impl Task {
    /// Its first request in the order written: the one that an arrival of the open model is counted under if no user
    /// ever took it.
    #[must_use]
    pub fn first_request(&self) -> &RequestStep {
        let Some(Step::Request(request)) = self.steps.first() else { unreachable!("the reader refuses such a task") };
        request
    }
}

/// The class of user or arrival k, identical on every host: smooth weighted round robin, so that even the
/// first few are mixed in proportion (weights 3 and 1 give A A B A).
#[derive(Debug)]
pub struct ClassOrder(Box<[u16]>);

/// Maximum period: a table of 200 kB. Weights such as 1 and 99,999 fit; finer ratios cannot be told from
/// random variation.
pub const MAX_PERIOD: usize = 100_000;

/// Maximum number of classes: building the table takes classes x period steps.
pub const MAX_CLASSES: usize = 1000;

impl ClassOrder {
    /// Creates the order for classes with these weights; there must be at least one, and none may be 0.
    ///
    /// # Errors
    /// The weights, divided by their common divisor, add up to more than 100,000.
    pub fn new(weights: &[u32]) -> std::result::Result<Self, String> {
        assert!(!weights.is_empty() && !weights.contains(&0), "the reader refuses such weights");
        let divisor = weights.iter().fold(0, |divisor, weight| gcd(divisor, *weight));
        let weights: Vec<i64> = weights.iter().map(|weight| i64::from(weight / divisor)).collect();
        let period: i64 = weights.iter().sum();
        let length = usize::try_from(period).ok().filter(|length| *length <= MAX_PERIOD);
        let length = length.ok_or_else(|| format!("the weights add up to {period}; the maximum is {MAX_PERIOD}"))?;
        let mut owed = vec![0_i64; weights.len()];
        let turns = (0..length).map(|_| {
            let mut best = 0;
            for (class, weight) in weights.iter().enumerate() {
                owed[class] += weight;
                if owed[class] > owed[best] {
                    best = class;
                }
            }
            owed[best] -= period;
            u16::try_from(best).unwrap_or(u16::MAX)
        });
        Ok(Self(turns.collect()))
    }

    /// The index of the class of number `k`.
    #[must_use]
    pub fn class_of(&self, k: u64) -> usize {
        let at = usize::try_from(k % self.0.len() as u64).unwrap_or(0);
        usize::from(self.0[at])
    }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The journeys of the plan, from the command line or a scenario.
#[derive(Debug)]
pub(super) struct Journeys {
    pub(super) classes: Box<[UserClass]>,
    pub(super) order: ClassOrder,
}

impl Journeys {
    /// Orders the classes, of which there must be at least one.
    ///
    /// # Errors
    /// As [`ClassOrder::new`].
    pub(super) fn new(classes: Vec<UserClass>, refused: impl FnOnce(String) -> crate::error::Error) -> Result<Self> {
        let weights: Vec<u32> = classes.iter().map(|class| class.weight).collect();
        Ok(Self { order: ClassOrder::new(&weights).map_err(refused)?, classes: classes.into() })
    }

    /// The number of classes that a shard has users or arrivals of: not all of them if the number of shards
    /// and the period of the order have a common divisor.
    pub(super) fn classes_of(&self, shard: Shard) -> usize {
        let own = (0..self.order.0.len() as u64).map(|n| self.order.class_of(shard.global_number(n)));
        own.collect::<BTreeSet<_>>().len()
    }

    /// Returns whether any request uses `https`; redirects may also lead there.
    pub(super) fn use_tls(&self) -> bool {
        let mut requests = self.classes.iter().flat_map(UserClass::requests);
        requests.any(|request| request.message.origin().scheme() == Scheme::Https)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(weights: &[u32], count: u64) -> Vec<usize> {
        let order = ClassOrder::new(weights).unwrap();
        (0..count).map(|k| order.class_of(k)).collect()
    }

    #[test]
    fn users_are_mixed_from_the_first_few_on() {
        assert_eq!(order(&[3, 1], 8), [0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(order(&[1, 1, 1], 6), [0, 1, 2, 0, 1, 2]);
        assert_eq!(order(&[7], 3), [0, 0, 0]);
        // nginx's own example of smooth weighted round robin.
        assert_eq!(order(&[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn each_period_has_exactly_the_weights() {
        for weights in [&[2, 3, 5][..], &[400, 200, 100], &[1, 99_999], &[99, 1, 1]] {
            let divisor = weights.iter().fold(0, |divisor, weight| gcd(divisor, *weight));
            let period = u64::from(weights.iter().sum::<u32>() / divisor);
            let classes = order(weights, period * 2);
            for (class, weight) in weights.iter().enumerate() {
                let count = classes.iter().filter(|c| **c == class).count();
                assert_eq!(count, (weight / divisor * 2) as usize, "{weights:?}");
            }
        }
        assert!(ClassOrder::new(&[1, 100_000]).unwrap_err().contains("100001"));
        assert!(ClassOrder::new(&[u32::MAX, 1, u32::MAX]).is_err());
    }

    fn task(weight: u32) -> Task {
        Task { name: String::new(), weight, steps: Box::default(), rows: Box::default() }
    }

    #[test]
    fn tasks_are_chosen_by_weight() {
        let tasks = Tasks::new(vec![task(1), task(5), task(2)]);
        let mut random = Random::seeded(3);
        let mut counts = [0_u32; 6];
        (0..80_000).for_each(|_| counts[tasks.pick(&mut random).weight as usize] += 1);
        // Within 4 sigma: at most sqrt(80000 / 4) = 141 each.
        assert!(counts[1].abs_diff(10_000) < 566 && counts[5].abs_diff(50_000) < 566, "{counts:?}");
    }

    #[test]
    fn a_single_task_uses_up_no_random_number() {
        let (mut used, mut fresh) = (Random::seeded(3), Random::seeded(3));
        assert_eq!(Tasks::new(vec![task(9)]).pick(&mut used).weight, 9);
        assert_eq!(used.bits(), fresh.bits());
    }
}
