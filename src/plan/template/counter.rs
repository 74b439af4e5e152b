//! Numbers that no two requests of a run get.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::shard::Shard;

/// A counter shared by all users. On shard i of N it gives i, i + N, i + 2N, …, so that the numbers of all shards together
/// are those of one host, each once.
#[derive(Debug)]
pub struct Counter {
    next: AtomicU64,
    shard: Shard,
}

impl Counter {
    /// A counter of this shard that has given nothing yet.
    #[must_use]
    pub const fn new(shard: Shard) -> Self {
        Self { next: AtomicU64::new(0), shard }
    }

    /// The next number. A request that is rendered and then not sent leaves a gap.
    pub fn take(&self) -> u64 {
        self.shard.global_number(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_give_the_numbers_of_one_host_each_once() {
        let mut all: Vec<u64> = (0..3)
            .flat_map(|index| {
                let counter = Counter::new(Shard::new(index, 3).unwrap());
                (0..5).map(move |_| counter.take()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(all[..5], [0, 3, 6, 9, 12]);
        all.sort_unstable();
        assert_eq!(all, (0..15).collect::<Vec<_>>());
    }
}
