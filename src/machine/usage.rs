//! CPU use out of samples; pure.

use std::time::Duration;

use crate::machine::sampler::Sample;

/// Above this share of the CPUs that the process may use, percent, its own numbers are in doubt: threads wait for a
/// CPU, and that wait looks like the server's. Locust warns at the same value.
pub const CPU_WARNING_PERCENT: f64 = 90.0;

/// CPU used between two samples, percent of one core (over 100 possible, as psutil); 0 when no time lies between them.
#[must_use]
pub fn cpu_percent(before: &Sample, now: &Sample) -> f64 {
    percent(now.cpu_time.saturating_sub(before.cpu_time), now.at.since(before.at))
}

/// CPU used from the start of the process to the first sample, percent of one core.
///
/// The first sample has none before it, and waiting for one would delay the run.
#[must_use]
pub fn first_cpu_percent(first: &Sample, process_age: Duration) -> f64 {
    percent(first.cpu_time, process_age)
}

/// The use as percent of the CPUs that the process may use, when that is over [`CPU_WARNING_PERCENT`].
///
/// It may pass 100: a quota is settled over longer than a short interval.
#[must_use]
pub fn cpu_warning(percent_of_core: f64, available_cpus: f64) -> Option<f64> {
    let percent = percent_of_core / available_cpus;
    (percent.is_finite() && percent > CPU_WARNING_PERCENT).then_some(percent)
}

/// `used` in percent of `elapsed`; 0 when no time passed, as the wire takes no infinity.
fn percent(used: Duration, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { used.as_secs_f64() / elapsed.as_secs_f64() * 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn sample(at_ms: u64, cpu_ms: u64) -> Sample {
        Sample {
            at: Moment::at(Duration::from_millis(at_ms)),
            cpu_time: Duration::from_millis(cpu_ms),
            rss_bytes: 0,
            network_sent: 0,
            network_received: 0,
            throttled: Duration::ZERO,
            open_files: 0,
        }
    }

    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
    }

    #[test]
    fn cpu_is_the_difference_of_cpu_time_over_our_own_clock() {
        assert_close(cpu_percent(&sample(0, 40), &sample(3_000, 1_540)), 50.0);
    }

    #[test]
    fn several_cores_give_more_than_100_percent() {
        assert_close(cpu_percent(&sample(1_000, 0), &sample(2_000, 3_500)), 350.0);
    }

    #[test]
    fn two_samples_of_one_moment_give_0_and_not_infinity() {
        assert_close(cpu_percent(&sample(1_000, 0), &sample(1_000, 5)), 0.0);
        assert_close(first_cpu_percent(&sample(0, 5), Duration::ZERO), 0.0);
    }

    #[test]
    fn samples_in_the_wrong_order_give_0() {
        assert_close(cpu_percent(&sample(2_000, 10), &sample(1_000, 5)), 0.0);
    }

    #[test]
    fn the_first_use_is_over_the_age_of_the_process() {
        assert_close(first_cpu_percent(&sample(0, 20), Duration::from_millis(200)), 10.0);
    }

    #[test]
    fn a_warning_depends_on_the_cpus_that_the_process_may_use() {
        assert_eq!(cpu_warning(180.0, 4.0), None);
        assert_close(cpu_warning(190.0, 2.0).unwrap(), 95.0);
        assert_close(cpu_warning(49.0, 0.5).unwrap(), 98.0);
    }

    #[test]
    fn exactly_90_percent_gives_no_warning() {
        assert_eq!(cpu_warning(90.0, 1.0), None);
    }

    #[test]
    fn no_cpus_give_no_warning() {
        assert_eq!(cpu_warning(90.0, 0.0), None);
        assert_eq!(cpu_warning(0.0, 0.0), None);
    }
}
