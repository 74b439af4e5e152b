//! What users do: classes of users, their tasks, and the requests of each, in order.

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
use super::templated::TemplatedRequest;
use super::url::{Origin, Scheme};
use crate::error::Result;
use crate::value::Wait;
use crate::value::size::ByteSize;

/// A kind of user: what it does when it starts, again and again, and when it stops.
#[derive(Debug)]
pub struct UserClass {
    /// As written.
    pub name: String,
    /// Its share of the users: that of all classes together is the whole.
    pub weight: u32,
    /// Think time between two tasks.
    pub wait: Wait,
    /// Done once, before the first task.
    pub on_start: Box<[Step]>,
    /// Done again and again, one at a time.
    pub tasks: Tasks,
    /// Done once, at the end.
    pub on_stop: Box<[Step]>,
    /// Data sources that `on_start` or `on_stop` mention: a user takes one row of each when it starts and keeps it for
    /// its life.
    pub rows: Box<[SourceId]>,
}

/// One thing that a user does: requests in order.
#[derive(Debug)]
pub struct Task {
    /// As written.
    pub name: String,
    /// How often it is chosen, beside the weights of the others.
    pub weight: u32,
    /// The requests, never none.
    pub steps: Box<[Step]>,
    /// Data sources that it mentions and that are not the user's own: one row of each is taken each time it begins.
    pub rows: Box<[SourceId]>,
}

/// One request of a journey, and what becomes of its answer.
#[derive(Debug)]
pub struct Step {
    /// What is sent.
    pub message: Message,
    /// How it is exchanged, and which answer is wanted.
    pub rules: Rules,
    /// What later requests take from the answer.
    pub extract: Box<[Extraction]>,
}

/// What is sent.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "steps stand in one slice, and are made once")]
pub enum Message {
    /// The same bytes each time, prepared.
    Fixed(Request),
    /// Made anew each time.
    Templated(TemplatedRequest),
}

impl Message {
    /// Where it is counted.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        match self {
            Self::Fixed(request) => request.endpoint(),
            Self::Templated(request) => request.endpoint(),
        }
    }

    /// Where a connection for it goes.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        match self {
            Self::Fixed(request) => request.origin(),
            Self::Templated(request) => request.origin(),
        }
    }
}

/// How a request and its answer are exchanged, and which answer is wanted.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Time for the whole, redirects included.
    pub timeout: Duration,
    /// Redirects followed; with 0 a redirect is the answer.
    pub max_redirects: u16,
    /// Longest body that is kept to be looked at as a whole.
    pub max_body: ByteSize,
    /// Answers that are ok.
    pub expect: Expect,
}

/// The tasks of a class: at least one, chosen by weight.
#[derive(Debug)]
pub struct Tasks {
    list: Box<[Task]>,
    /// The sum of the weights up to and with each task.
    until: Box<[usize]>,
}

impl Tasks {
    /// These tasks, at least one, each with a weight above 0.
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
        Self { until: until.collect(), list: list.into() }
    }

    /// One of them, at random by weight. Where there is no choice, no chance is used up.
    #[must_use]
    pub fn pick(&self, random: &mut Random) -> &Task {
        let total = self.until[self.until.len() - 1];
        let at = if self.list.len() == 1 { 0 } else { random.below(total) };
        &self.list[self.until.partition_point(|until| *until <= at)]
    }

    /// The task of arrival `number` of the open model: it follows from the run's seed and that number alone, so that it
    /// is known of an arrival that no user ever took, and is the same on every shard.
    #[must_use]
    pub fn of_arrival(&self, seed: u64, number: u64) -> &Task {
        /// Keeps these choices apart from those that users make with the same seed.
        const SALT: u64 = 0x6172_7269_7661_6c73;
        // The generator's state grows by its step with each number, so arrivals have consecutive numbers of one sequence.
        self.pick(&mut Random::seeded(seed ^ SALT).skip(number))
    }

    /// All of them, in the order written.
    #[must_use]
    pub const fn as_slice(&self) -> &[Task] {
        &self.list
    }
}

impl UserClass {
    /// All requests that it may send, in the order written.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let tasks = self.tasks.as_slice().iter().flat_map(|task| &task.steps);
        self.on_start.iter().chain(tasks).chain(&self.on_stop)
    }
}

/// Which class user or arrival k is of, the same on every host: smooth weighted round robin, so that the first few are
/// mixed as the whole is (weights 3 and 1 give A A B A).
#[derive(Debug)]
pub struct ClassOrder(Box<[u16]>);

/// The longest period: a table of 200 kB. Weights such as 1 and 99,999 fit, and more cannot be told from chance.
pub const LONGEST_PERIOD: usize = 100_000;

/// Classes that there may be: the table is made in classes x period steps.
pub const MOST_CLASSES: usize = 1000;

impl ClassOrder {
    /// The order for classes of these weights, at least one of them and none 0.
    ///
    /// # Errors
    /// The weights, less their common divisor, add up to more than 100,000.
    pub fn new(weights: &[u32]) -> std::result::Result<Self, String> {
        assert!(!weights.is_empty() && !weights.contains(&0), "the reader refuses such weights");
        let divisor = weights.iter().fold(0, |divisor, weight| gcd(divisor, *weight));
        let weights: Vec<i64> = weights.iter().map(|weight| i64::from(weight / divisor)).collect();
        let period: i64 = weights.iter().sum();
        let length = usize::try_from(period).ok().filter(|length| *length <= LONGEST_PERIOD);
        let length = length.ok_or_else(|| format!("the weights add up to {period}; at most {LONGEST_PERIOD} do"))?;
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

    /// The class of number `k`, an index.
    #[must_use]
    pub fn class_of(&self, k: u64) -> usize {
        let at = usize::try_from(k % self.0.len() as u64).unwrap_or(0);
        usize::from(self.0[at])
    }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What the plan takes out of the command line or a scenario.
#[derive(Debug)]
pub(super) struct Journeys {
    pub(super) classes: Box<[UserClass]>,
    pub(super) order: ClassOrder,
}

impl Journeys {
    /// Orders these classes, at least one.
    ///
    /// # Errors
    /// As [`ClassOrder::new`].
    pub(super) fn new(classes: Vec<UserClass>, refused: impl FnOnce(String) -> crate::error::Error) -> Result<Self> {
        let weights: Vec<u32> = classes.iter().map(|class| class.weight).collect();
        Ok(Self { order: ClassOrder::new(&weights).map_err(refused)?, classes: classes.into() })
    }

    /// How many classes a shard has users or arrivals of: where its number of shards and the period of the order have a
    /// common divisor, not of all.
    pub(super) fn classes_of(&self, shard: Shard) -> usize {
        let own = (0..self.order.0.len() as u64).map(|n| self.order.class_of(shard.place(n)));
        own.collect::<BTreeSet<_>>().len()
    }

    /// Whether a request goes by `https`; redirects may lead there besides.
    pub(super) fn use_tls(&self) -> bool {
        let mut steps = self.classes.iter().flat_map(UserClass::steps);
        steps.any(|step| step.message.origin().scheme() == Scheme::Https)
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
    fn a_single_task_uses_up_no_chance() {
        let (mut used, mut fresh) = (Random::seeded(3), Random::seeded(3));
        assert_eq!(Tasks::new(vec![task(9)]).pick(&mut used).weight, 9);
        assert_eq!(used.bits(), fresh.bits());
    }
}
