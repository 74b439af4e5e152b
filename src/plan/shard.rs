//! Running one plan on many hosts: which part a shard executes.
//!
//! Everything numbered from 0 over the whole run is distributed round robin: shard i of N has user k, arrival
//! k, request k and data row k if k mod N = i, at the same time as on one host. All shards together are then
//! equivalent to a run on one host, and no two shards do the same thing.

use std::fmt;
use std::path::{Path, PathBuf};

/// One of the processes of a run: its number, from 0, and the number of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// Maximum number of shards: more than an engine starts for one run. Without a limit, a mistyped total would
/// be waited for.
pub const MAX_SHARDS: u32 = 100_000;

impl Shard {
    /// The whole run in one process.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Shard `index`, from 0, of `count`.
    ///
    /// # Errors
    /// A sentence, if there is no such shard.
    pub fn new(index: u32, count: u32) -> Result<Self, String> {
        if count == 0 || count > MAX_SHARDS {
            return Err(format!("{count} shards; must be from 1 to {MAX_SHARDS}"));
        }
        if index >= count {
            return Err(format!("there is no shard {index} of {count}: shards are numbered from 0 to {}", count - 1));
        }
        Ok(Self { index, count })
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The number of shards.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Returns whether number `k` of the whole run belongs to this shard.
    #[must_use]
    pub fn owns(self, k: u64) -> bool {
        k % u64::from(self.count) == u64::from(self.index)
    }

    /// How many of the first `total` numbers of the whole run belong to this shard: ⌈(total − index) /
    /// count⌉.
    #[must_use]
    pub fn share(self, total: u64) -> u64 {
        total.saturating_sub(u64::from(self.index)).div_ceil(u64::from(self.count))
    }

    /// [`share`](Self::share) for a number of users.
    #[must_use]
    pub fn share_of_users(self, total: u32) -> u32 {
        total.saturating_sub(self.index).div_ceil(self.count)
    }

    /// Converts this shard's own number `n`, from 0, to the number in the whole run; saturates.
    #[must_use]
    pub fn global_number(self, n: u64) -> u64 {
        n.saturating_mul(u64::from(self.count)).saturating_add(u64::from(self.index))
    }

    /// The number of requests of `total` that it makes if the run has `users` users: its
    /// [`share`](Self::share) among the shards that have at least one user, because the others cannot make
    /// any.
    #[must_use]
    pub fn share_of_requests(self, total: u64, users: u32) -> u64 {
        let workers = self.count.min(users.max(1));
        if self.index < workers { Self { index: self.index, count: workers }.share(total) } else { 0 }
    }
}

impl fmt::Display for Shard {
    /// In the format of the flag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Replaces `%s` in the path by the number of the shard, so that one command line works for all shards.
pub(super) fn path_of_shard(path: &Path, shard: Option<Shard>) -> PathBuf {
    match (path.to_str(), shard) {
        (Some(text), Some(shard)) => text.replace("%s", &shard.index().to_string()).into(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests;
