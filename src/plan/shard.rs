//! One run on many hosts: which part of the plan a shard does.
//!
//! Everything that is counted from 0 over the whole run is dealt like cards: shard i of N has user k, arrival k,
//! request k and data row k where k mod N = i, each at the time that it has on one host. All shards together are then
//! the run of one host, and no two do the same.

use std::fmt;

/// One of the processes that make a run together: its number, from 0, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// More processes than an engine starts for one run. A limit, so that a mistyped total is not waited for.
pub const MOST_SHARDS: u32 = 100_000;

impl Shard {
    /// The whole run in one process.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Shard `index`, from 0, of `count`.
    ///
    /// # Errors
    /// A sentence, where there is no such shard.
    pub fn new(index: u32, count: u32) -> Result<Self, String> {
        if count == 0 || count > MOST_SHARDS {
            return Err(format!("{count} shards; there may be 1 to {MOST_SHARDS}"));
        }
        if index >= count {
            return Err(format!("there is no shard {index} of {count}: they count from 0 to {}", count - 1));
        }
        Ok(Self { index, count })
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether number `k` of the whole run is its own.
    #[must_use]
    pub fn owns(self, k: u64) -> bool {
        k % u64::from(self.count) == u64::from(self.index)
    }

    /// How many of the first `total` of the whole run are its own: ⌈(total − index) / count⌉.
    #[must_use]
    pub fn share(self, total: u64) -> u64 {
        total.saturating_sub(u64::from(self.index)).div_ceil(u64::from(self.count))
    }

    /// [`share`](Self::share) of a number of users.
    #[must_use]
    pub fn share_of_users(self, total: u32) -> u32 {
        total.saturating_sub(self.index).div_ceil(self.count)
    }

    /// The number in the whole run of its own number `n`, from 0; saturates.
    #[must_use]
    pub fn place(self, n: u64) -> u64 {
        n.saturating_mul(u64::from(self.count)).saturating_add(u64::from(self.index))
    }

    /// Requests of `total` that it makes where the run has `users` users: its [`share`](Self::share) among the shards
    /// that have a user at all, as the others could make none.
    #[must_use]
    pub fn share_of_requests(self, total: u64, users: u32) -> u64 {
        let workers = self.count.min(users.max(1));
        if self.index < workers { Self { index: self.index, count: workers }.share(total) } else { 0 }
    }
}

impl fmt::Display for Shard {
    /// As the flag is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests;
