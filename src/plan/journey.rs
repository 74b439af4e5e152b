//! What users do: user classes, their tasks, and the requests of each task, in order.

use std::collections::BTreeSet;

use super::class_order::{ClassOrder, ClassShare};
use super::data::SourceId;
use super::random::Random;
use super::shard::Shard;
use super::step;
pub use super::step::{ExchangeRules, Message, RequestStep, Step};
use super::url::Scheme;
use crate::error::{Error, Result};
use crate::value::Wait;

/// A class of users: what they do when they start, repeatedly, and when they stop.
#[derive(Debug)]
pub struct UserClass {
    /// The name as written.
    pub name: String,
    /// How many users are of this class.
    pub share: ClassShare,
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
    /// The steps; at least one is or contains a request, though it may depend on a condition.
    pub steps: Box<[Step]>,
    /// Data sources that it uses and that are not the user's own: one row of each is taken every time the
    /// task begins.
    pub rows: Box<[SourceId]>,
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
        let tasks = self.tasks.as_slice().iter().flat_map(|task| step::requests(&task.steps));
        step::requests(&self.on_start).into_iter().chain(tasks).chain(step::requests(&self.on_stop))
    }

    /// Returns whether each of its tasks sends a request, whatever the values of variables are.
    #[must_use]
    pub fn always_sends(&self) -> bool {
        self.tasks.as_slice().iter().all(|task| matches!(task.steps.first(), Some(Step::Request(_))))
    }

    /// Returns whether its users may end themselves.
    #[must_use]
    pub fn may_stop(&self) -> bool {
        let tasks = self.tasks.as_slice().iter().map(|task| &*task.steps);
        tasks.chain([&*self.on_start]).any(|steps| step::any(steps, &|step| matches!(step, Step::StopUser)))
    }
}

impl Task {
    /// Its first request in the order written: the one that an arrival of the open model is counted under if no user
    /// ever took it.
    #[must_use]
    pub fn first_request(&self) -> &RequestStep {
        let Some(request) = step::first_request(&self.steps) else { unreachable!("the reader refuses such a task") };
        request
    }
}

/// What is done once for the whole run, by no user.
#[derive(Debug, Default)]
pub struct OncePerRun {
    /// Before the first user starts.
    pub setup: Box<[Step]>,
    /// After the last user has ended.
    pub teardown: Box<[Step]>,
}

/// The journeys of the plan, from the command line or a scenario.
#[derive(Debug)]
pub(super) struct Journeys {
    pub(super) classes: Box<[UserClass]>,
    pub(super) order: ClassOrder,
    pub(super) once: OncePerRun,
}

impl Journeys {
    /// Orders the classes, of which there must be at least one.
    ///
    /// # Errors
    /// As [`ClassOrder::new`].
    pub(super) fn new(
        classes: Vec<UserClass>,
        once: OncePerRun,
        refused: impl FnOnce(String) -> Error,
    ) -> Result<Self> {
        let shares: Vec<ClassShare> = classes.iter().map(|class| class.share).collect();
        Ok(Self { order: ClassOrder::new(&shares).map_err(refused)?, classes: classes.into(), once })
    }

    /// All requests that may be sent, in the order written.
    pub(super) fn requests(&self) -> impl Iterator<Item = &RequestStep> {
        let of_users = self.classes.iter().flat_map(UserClass::requests);
        step::requests(&self.once.setup).into_iter().chain(of_users).chain(step::requests(&self.once.teardown))
    }

    /// The number of classes that a shard has arrivals of: not all of them if the number of shards and the period of
    /// the order have a common divisor.
    pub(super) fn classes_of(&self, shard: Shard) -> usize {
        let own = (0..self.order.period() as u64).map(|n| self.order.class_of(shard.global_number(n)));
        own.collect::<BTreeSet<_>>().len()
    }

    /// Checks that there is a class for each of a shard's users.
    ///
    /// # Errors
    /// Every class has a fixed number of users, and together they are fewer.
    pub(super) fn check_users(&self, users: u32, shard: Shard) -> Result<()> {
        let Some(most) = self.order.most_users() else { return Ok(()) };
        let last = u64::from(users).checked_sub(1).map(|last| shard.global_number(last));
        if last.is_none_or(|last| last < most) {
            return Ok(());
        }
        let why = format!(
            "are more than the \"fixed_count\" of all classes together, {most}; give one of them a \"weight\" instead"
        );
        Err(Error::usage("--users", why))
    }

    /// Returns whether any request uses `https`; redirects may also lead there.
    pub(super) fn use_tls(&self) -> bool {
        self.requests().any(|request| request.message.origin().scheme() == Scheme::Https)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
