//! Service times of failed requests by class, which tell the times of failures and successes apart.

use super::histogram::{Precision, TimeHistogram};
use super::scale::Scale;
use crate::vocabulary::FailureClass;

/// Service times of failed requests by class, in the order of first occurrence.
#[derive(Clone, Debug, Default)]
pub struct FailedTimes(Vec<ClassTimes>);

/// Service times of the requests that failed in one way.
#[derive(Clone, Debug)]
pub struct ClassTimes {
    /// How they failed.
    pub class: FailureClass,
    /// Their exact sum in microseconds.
    pub sum_us: u128,
    /// Their distribution, with 2 significant digits.
    pub histogram: TimeHistogram,
}

impl FailedTimes {
    /// Counts one time in microseconds.
    pub fn record(&mut self, class: FailureClass, us: u64) {
        let times = self.of(class);
        times.sum_us += u128::from(us);
        times.histogram.record(us);
    }

    /// Adds the sum of times counted elsewhere; [`Self::add_recorded`] adds their distribution.
    pub fn add_sum(&mut self, class: FailureClass, sum_us: u64) {
        self.of(class).sum_us += u128::from(sum_us);
    }

    /// Adds times counted elsewhere to the distribution of a class, by slot of a scale, in ascending order.
    pub fn add_recorded(&mut self, class: FailureClass, scale: Scale, slots: &[(u64, u64)]) {
        self.of(class).histogram.add_recorded(scale, slots);
    }

    /// The times of each class, if they are those of all these failures. Streams of shards of an earlier version lack them.
    #[must_use]
    pub fn of_all(&self, failed: &[(FailureClass, u64)]) -> Option<&[ClassTimes]> {
        let count = |class| self.0.iter().find(|known| known.class == class).map_or(0, |known| known.histogram.count());
        failed.iter().all(|(class, failed)| count(*class) == *failed).then_some(&*self.0)
    }

    /// Clears everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn of(&mut self, class: FailureClass) -> &mut ClassTimes {
        let at = self.0.iter().position(|known| known.class == class).unwrap_or_else(|| {
            self.0.push(ClassTimes { class, sum_us: 0, histogram: TimeHistogram::new(Precision::Coarse) });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_some_failures_lack_are_not_those_of_all() {
        let mut times = FailedTimes::default();
        times.record(FailureClass::Timeout, 2_000_000);
        times.record(FailureClass::Reset, 300);
        let all = [(FailureClass::Timeout, 1), (FailureClass::Reset, 1)];
        assert_eq!(times.of_all(&all).unwrap().iter().map(|class| class.sum_us).sum::<u128>(), 2_000_300);
        assert!(times.of_all(&[(FailureClass::Timeout, 2), (FailureClass::Reset, 1)]).is_none());
        assert!(times.of_all(&[(FailureClass::Dns, 1)]).is_none());
    }
}
