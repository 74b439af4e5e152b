//! The part of a set of times that can be added up exactly.

/// Count, exact sum, minimum and maximum of times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Number of times.
    pub count: u64,
    /// Their sum.
    pub sum_us: u128,
    /// The minimum; `u64::MAX` if empty.
    min_us: u64,
    /// The maximum; 0 if empty.
    pub max_us: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { count: 0, sum_us: 0, min_us: u64::MAX, max_us: 0 }
    }
}

impl Sum {
    /// A sum of `count` times with known total, minimum and maximum.
    #[must_use]
    pub const fn of(count: u64, sum_us: u128, min_us: u64, max_us: u64) -> Self {
        Self { count, sum_us, min_us: if count == 0 { u64::MAX } else { min_us }, max_us }
    }

    /// Counts one time.
    pub fn record(&mut self, us: u64) {
        self.count += 1;
        self.sum_us += u128::from(us);
        self.min_us = self.min_us.min(us);
        self.max_us = self.max_us.max(us);
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum_us += other.sum_us;
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The minimum; 0 if empty.
    #[must_use]
    pub const fn min_us(&self) -> u64 {
        if self.count == 0 { 0 } else { self.min_us }
    }

    /// The mean, rounded to a microsecond; 0 if empty.
    #[must_use]
    pub fn mean_us(&self) -> u64 {
        let count = u128::from(self.count.max(1));
        u64::try_from((self.sum_us + count / 2) / count).unwrap_or(u64::MAX)
    }
}
