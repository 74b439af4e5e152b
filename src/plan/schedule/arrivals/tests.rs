use super::*;

fn constant(rate: f64, stages: &str) -> Arrivals {
    Arrivals::stages(rate, &stages.parse().unwrap(), Spacing::Constant)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Rates as floats and as exact fractions.
const RATES: [(f64, u128, u128); 8] = [
    (0.1, 1, 10),
    (0.3, 3, 10),
    (1.0, 1, 1),
    (7.0, 7, 1),
    (99.9, 999, 10),
    (1000.0, 1000, 1),
    (1000.001, 1_000_001, 1000),
    (1e6, 1_000_000, 1),
];

#[test]
fn constant_arrivals_are_exact_in_number_and_time() {
    for (rate, numerator, denominator) in RATES {
        for time_ms in [1, 7, 100, 999, 1000, 1001, 10_000, 30_000, 33_333] {
            let count = (numerator * time_ms).div_ceil(denominator * 1000);
            if count > 50_000 {
                continue;
            }
            let mut n = 0;
            for due in constant(rate, &format!("{time_ms}ms:{rate}")).due() {
                assert_eq!(due.as_nanos(), n * denominator * 1_000_000_000 / numerator, "{n} at {rate}/s");
                n += 1;
            }
            assert_eq!(n, count, "{rate}/s for {time_ms} ms");
        }
    }
    let due: Vec<Duration> = constant(100.0, "10s:100").due().collect();
    assert_eq!((due.len(), due.last()), (1000, Some(&seconds(9.99))));
}

#[test]
fn an_endless_rate_is_still_exact_after_a_long_time() {
    for (rate, numerator, denominator) in RATES {
        let arrivals = Arrivals::constant(rate, Spacing::Constant);
        for n in [0, 1, 2, 3, 1_000_000, 999_999_999] {
            let exact = n as u128 * denominator * 1_000_000_000 / numerator;
            assert_eq!(arrivals.due().nth(n).map(|due| due.as_nanos()), Some(exact), "{n} at {rate}/s");
        }
        assert_eq!((arrivals.end(), arrivals.plateau()), (None, Some(Duration::ZERO)));
        assert_eq!(arrivals.phase(Duration::ZERO), Phase::Steady);
        assert!((arrivals.rate(Duration::MAX) - rate).abs() < 1e-9);
    }
}

#[test]
fn a_rate_that_grows_from_nothing_has_its_arrivals_at_the_root() {
    // The integral of t is t^2 / 2.
    for (n, due) in constant(0.0, "10s:10").due().enumerate() {
        assert!((due.as_secs_f64() - (2.0 * n as f64).sqrt()).abs() < 2e-9, "{n} at {due:?}");
    }
    assert_eq!(constant(0.0, "10s:10").due().count(), 50);
    assert_eq!(constant(10.0, "10s:0").due().count(), 50);
}

#[test]
fn stages_have_exactly_the_arrivals_of_their_integral() {
    let rates = [0, 1, 3, 10, 70];
    let times = [0, 3, 10, 31];
    let stage = || times.into_iter().flat_map(|time| rates.map(|rate| (time, rate)));
    let all = rates.into_iter().flat_map(|rate| stage().flat_map(move |one| stage().map(move |two| (rate, one, two))));
    for (v0, (d1, v1), (d2, v2)) in all.filter(|(_, one, two)| one.0 + two.0 > 0) {
        // Tenths of seconds and of arrivals per second: twice the integral in hundredths is whole.
        let before = (v0 + v1) * d1;
        let count = (before + (v1 + v2) * d2 + 199) / 200;
        let tenth = |tenths: i128| tenths as f64 / 10.0;
        let text = format!("{}s:{},{}s:{}", tenth(d1), tenth(v1), tenth(d2), tenth(v2));
        let arrivals = constant(tenth(v0), &text);
        let due: Vec<Duration> = arrivals.due().collect();
        assert_eq!(due.len() as i128, count, "from {v0} {text}");
        let end = d1 + d2;
        for (n, at) in due.iter().enumerate() {
            assert!(n == 0 || due[n - 1] <= *at, "from {v0} {text}: {n}");
            // Twice the integral times the length of the segment, compared with 2n, both in 1e-10 of an
            // arrival.
            let excess = |ns: i128| {
                let first = ns < d1 * 100_000_000;
                let (from, to, length, begin, before) =
                    if first { (v0, v1, d1, 0, 0) } else { (v1, v2, d2, d1 * 100_000_000, before) };
                let (length, time) = (length * 100_000_000, ns - begin);
                let amount = before * 100_000_000 * length + 2 * from * time * length + (to - from) * time * time;
                amount - 20_000_000_000 * n as i128 * length
            };
            let at = at.as_nanos().cast_signed();
            assert!(at < end * 100_000_000, "from {v0} {text}: {n}");
            assert!(excess(at) <= 0, "from {v0} {text}: {n} at {at} is too late");
            assert!(at + 1 == end * 100_000_000 || excess(at + 1) > 0, "from {v0} {text}: {n} at {at} is too early");
        }
        for at in (0..=end).map(|tenths| seconds(tenth(tenths))) {
            let before = due.iter().filter(|due| **due < at).count();
            assert!((arrivals.arrivals_due(at).ceil() - before as f64).abs() < 0.5, "from {v0} {text} at {at:?}");
        }
    }
}

#[test]
fn poisson_gaps_have_the_mean_and_variance_of_the_exponential() {
    const COUNT: usize = 100_000;
    for seed in 0..5 {
        let arrivals = Arrivals::constant(1000.0, Spacing::Poisson { seed });
        let due: Vec<f64> = arrivals.due().take(COUNT + 1).map(|due| due.as_secs_f64() * 1000.0).collect();
        let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / COUNT as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / COUNT as f64;
        assert!(gaps.iter().all(|gap| *gap >= 0.0));
        // In milliseconds both are 1; 4 sigma, with the fourth moment 9 for the variance.
        assert!((mean - 1.0).abs() < 4.0 / (COUNT as f64).sqrt(), "seed {seed}: mean {mean}");
        assert!((variance - 1.0).abs() < 4.0 * (8.0 / COUNT as f64).sqrt(), "seed {seed}: variance {variance}");
    }
}

#[test]
fn poisson_arrivals_follow_the_stages_and_the_seed() {
    let stages = "10s:1000,5s:1000,0s:0,5s:0,10s:500".parse().unwrap();
    let of = |seed| Arrivals::stages(0.0, &stages, Spacing::Poisson { seed }).due().collect::<Vec<_>>();
    for seed in 0..20 {
        let due = of(seed);
        assert!(due.windows(2).all(|pair| pair[0] <= pair[1]));
        for (from, until, mean) in [
            (0.0, 5.0, 1250.0),
            (5.0, 10.0, 3750.0),
            (10.0, 15.0, 5000.0),
            (15.0, 20.0, 0.0),
            (20.0, 30.0, 2500.0),
            (30.0, 1e9, 0.0),
        ] {
            let count = due.iter().filter(|due| (seconds(from)..seconds(until)).contains(due)).count() as f64;
            assert!((count - mean).abs() <= 4.0 * f64::sqrt(mean), "seed {seed}, [{from}, {until}): {count}");
        }
    }
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}

#[test]
fn the_rate_determines_the_phase_and_the_plateau() {
    let arrivals = constant(10.0, "30s:100,2m:100,30s:0");
    assert_eq!((arrivals.end(), arrivals.plateau()), (Some(seconds(180.0)), Some(seconds(30.0))));
    for (at, phase) in [(0.0, Phase::Ramp), (29.9, Phase::Ramp), (30.0, Phase::Steady), (150.0, Phase::Down)] {
        assert_eq!(arrivals.phase(seconds(at)), phase, "at {at} s");
    }
    assert_eq!(arrivals.phase_of(seconds(149.0), seconds(151.0)), Phase::Down);
    assert!((arrivals.arrivals_due(seconds(180.0)) - (1650.0 + 12_000.0 + 1500.0)).abs() < 1e-9);
}

#[test]
fn no_rate_that_a_flag_accepts_causes_a_panic() {
    let times = [Duration::ZERO, Duration::from_nanos(1), seconds(1e7), Duration::MAX];
    for spacing in [Spacing::Constant, Spacing::Poisson { seed: 1 }] {
        for rate in [f64::MIN_POSITIVE, 1e-300, 1e-12, 0.1, 1e9, f64::MAX] {
            let all = ["8784h:1e9", "8784h:0", "1ms:1e9,8783h:0.000000000001", "0s:1e9,1h:1e9", "1ms:0"]
                .map(|stages| Arrivals::stages(rate, &stages.parse().unwrap(), spacing));
            for arrivals in all.into_iter().chain([Arrivals::constant(rate, spacing)]) {
                let due: Vec<Duration> = arrivals.due().skip(1000).take(100).collect();
                assert!(due.windows(2).all(|pair| pair[0] <= pair[1]));
                for at in times {
                    assert!(arrivals.rate(at) >= 0.0 && arrivals.arrivals_due(at) >= 0.0);
                    assert!(arrivals.phase_of(at, Duration::MAX) <= Phase::Steady);
                }
            }
        }
    }
    let arrivals = Arrivals::constant(1.0, Spacing::Constant);
    assert!(arrivals.due().nth(usize::MAX).is_some(), "never due, but no panic");
}
