use super::*;

fn runs(values: &[f64]) -> Vec<RunFigure> {
    values.iter().map(|value| RunFigure { log: value.ln(), within: None }).collect()
}

fn within(value: f64, error: f64, freedom: f64) -> RunFigure {
    let log = value.ln();
    RunFigure { log, within: Some(Estimate { log, error, freedom }) }
}

#[test]
fn the_test_between_runs_is_the_t_test_with_pooled_variance() {
    let (baseline, other) = (runs(&[10.0, 10.3, 9.9]), runs(&[11.0, 11.4, 10.9]));
    let difference = Difference::between(&baseline, &other).unwrap();
    // scipy.stats.ttest_ind(log(other), log(baseline), alternative="greater"), SciPy 1.17.1.
    assert!((difference.p_worse(WorseWhen::Higher, 0.0) - P_GREATER).abs() < 1e-12, "{difference:?}");
    assert!((difference.p_better(WorseWhen::Higher, 0.0) - (1.0 - P_GREATER)).abs() < 1e-12);
    assert!((difference.p_worse(WorseWhen::Lower, 0.0) - (1.0 - P_GREATER)).abs() < 1e-12, "a higher rate is better");
    // The same with log(baseline) + log(1.05).
    assert!((difference.p_worse(WorseWhen::Higher, 0.05) - P_GREATER_THAN_5).abs() < 1e-12);
}

#[test]
fn the_larger_of_both_standard_errors_counts() {
    let baseline = [within(10.0, 0.05, 7.0), within(10.0, 0.05, 7.0)];
    let equal_runs = Difference::between(&baseline, &baseline).unwrap();
    assert!((equal_runs.error - 0.05).abs() < 1e-12, "that runs are equal by chance does not make them certain");
    assert!((equal_runs.freedom - 2.0).abs() < 1e-12);
    let alone = Difference::between(&baseline[..1], &baseline[..1]).unwrap();
    assert!((alone.error - 0.05 * 2.0_f64.sqrt()).abs() < 1e-12);
    assert!((alone.freedom - 14.0).abs() < 1e-12);
    assert_eq!(Difference::between(&runs(&[1.0]), &runs(&[2.0])), None, "one run a side, and too few ticks");
    assert_eq!(Difference::between(&[], &baseline), None);
}

#[test]
fn the_same_means_that_both_one_sided_tests_reject_a_larger_difference() {
    let difference = Difference { log_ratio: 0.01, error: 0.01, freedom: 8.0 };
    assert!(difference.is_same(0.05), "1 % and 1.86 standard errors are less than 5 %");
    assert!(!difference.is_same(0.02));
    assert!(!difference.is_same(0.0), "nothing is known to be exactly the same");
    assert!((difference.margin() - 0.0233).abs() < 1e-4);
}

#[test]
fn failures_are_compared_exactly() {
    let of = |failed, completed| Failures { failed, completed };
    // scipy.stats.poisson_means_test is another; this is binom.sf(7, 8, 0.5).
    assert!((of(8, 1000).p_more_than(of(0, 1000), 0.0) - 0.5_f64.powi(8)).abs() < 1e-12);
    assert!(of(3, 1000).p_more_than(of(0, 1000), 0.0) > 0.1, "three may be chance");
    assert!((of(0, 1000).p_more_than(of(5, 1000), 0.0) - 1.0).abs() < 1e-12);
    assert!((of(0, 0).p_more_than(of(0, 0), 0.0) - 1.0).abs() < 1e-12, "no requests");
    let (few, more) = (of(10, 100_000).p_more_than(of(5, 50_000), 0.0), of(10, 50_000).p_more_than(of(5, 50_000), 0.5));
    assert!(few > 0.4 && more < 0.5);
}

#[test]
fn holm_equals_statsmodels() {
    // statsmodels.stats.multitest.multipletests(p, 0.05, method="holm").
    assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
    assert_eq!(holm(&[0.013, 0.5, 0.012, 0.6], 0.05), [true, false, true, false]);
    assert_eq!(holm(&[0.2], 0.05), [false]);
    assert!(holm(&[], 0.05).is_empty());
}

const P_GREATER: f64 = 0.002_868_670_551_134_074;
const P_GREATER_THAN_5: f64 = 0.027_144_676_638_041_126;
