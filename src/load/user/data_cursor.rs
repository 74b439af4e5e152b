//! Rows of data and numbers for users: one counter per source, and `${counter}`, shared by all users.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::Plan;
use crate::plan::data::{OnEnd, Pick, RowId, SourceId};
use crate::plan::journey::UserClass;
use crate::plan::random::Random;
use crate::plan::template::Counter;

/// The position in each data source: how many rows were requested.
#[derive(Debug)]
pub(in crate::load) struct DataCursor<'p> {
    plan: &'p Plan,
    taken: Box<[AtomicU64]>,
    /// Arrivals that were not sent because the data for their task was used up.
    without_data: AtomicU64,
    /// `${counter}`.
    counter: Counter,
}

/// Error: all rows of a source are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) struct DataUsedUp {
    pub(in crate::load) source: SourceId,
    /// Whether that makes the run invalid.
    pub(super) fails: bool,
}

impl<'p> DataCursor<'p> {
    /// Starts at the first row of each of the plan's sources.
    pub(in crate::load) fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            taken: plan.sources().iter().map(|_| AtomicU64::new(0)).collect(),
            without_data: AtomicU64::new(0),
            counter: Counter::new(plan.load().shard),
        }
    }

    /// The counter of all users.
    pub(super) const fn counter(&self) -> &Counter {
        &self.counter
    }

    /// Takes a row of a source.
    pub(in crate::load) fn take(&self, source: SourceId, random: &mut Random) -> Result<RowId, DataUsedUp> {
        let at = source.0 as usize;
        let data = &self.plan.sources()[at];
        let number = self.taken[at].fetch_add(1, Ordering::Relaxed);
        // A shard gets every Nth row, just as it has every Nth user.
        let row = data.row(self.plan.load().shard.global_number(number), random);
        row.ok_or(DataUsedUp { source, fails: data.pick() == Pick::Unique(OnEnd::Fail) })
    }

    /// Whether no class has data for another user, or for another task.
    pub(in crate::load) fn is_used_up(&self) -> bool {
        self.plan.classes().iter().all(|class| self.is_used_up_for(class))
    }

    /// Counts an arrival that is not sent because the data for its task is used up.
    pub(super) fn count_without_data(&self) {
        self.without_data.fetch_add(1, Ordering::Relaxed);
    }

    /// Arrivals that were not sent for lack of data.
    pub(in crate::load) fn without_data(&self) -> u64 {
        self.without_data.load(Ordering::Relaxed)
    }

    /// Whether the class has no data for another user, or for another task of any kind.
    pub(super) fn is_used_up_for(&self, class: &UserClass) -> bool {
        let none_left = |rows: &[SourceId]| rows.iter().any(|source| self.left(*source) == 0);
        none_left(&class.rows) || class.tasks.as_slice().iter().all(|task| none_left(&task.rows))
    }

    /// Rows not taken yet; `u64::MAX` if rows are reused.
    fn left(&self, source: SourceId) -> u64 {
        let at = source.0 as usize;
        let data = &self.plan.sources()[at];
        match data.pick() {
            Pick::Unique(OnEnd::Stop | OnEnd::Fail) => {
                let own = self.plan.load().shard.share(u64::from(data.len()));
                own.saturating_sub(self.taken[at].load(Ordering::Relaxed))
            }
            _ => u64::MAX,
        }
    }
}
