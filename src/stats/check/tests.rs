use super::*;

const STEADY: Phase = Phase::Steady;

fn check_set(checks: &[&str]) -> CheckSet {
    let checks: Vec<Check> = checks.iter().map(|text| Check::parse(text).unwrap()).collect();
    CheckSet::new(&checks)
}

/// Times of this many microseconds each.
fn times(each: impl IntoIterator<Item = u64>) -> Times {
    let mut times = Times::new(Precision::Fine);
    each.into_iter().for_each(|us| times.record(us));
    times
}

fn add(check_set: &mut CheckSet, endpoint: &str, phase: Phase, failed: u64, response: &Times) {
    let fixed = times([1]);
    let (service, response) = (TimesRef::Counted(&fixed), TimesRef::Counted(response));
    let first_byte = Some(TimesRef::Counted(&fixed));
    check_set.add(&CheckInput { endpoint, phase, failed, after_stop: 0, service, response, first_byte });
}

/// One request with this service time and time to the first byte; `None` where a stream does not have it.
fn add_with_first_byte(check_set: &mut CheckSet, service: u64, first_byte: Option<u64>) {
    let (service, first_byte) = (times([service]), first_byte.map(|us| times([us])));
    check_set.add(&CheckInput {
        endpoint: "GET /a",
        phase: STEADY,
        failed: 0,
        after_stop: 0,
        service: TimesRef::Counted(&service),
        response: TimesRef::Counted(&service),
        first_byte: first_byte.as_ref().map(TimesRef::Counted),
    });
}

fn said(check_set: &CheckSet, elapsed_s: u64) -> Vec<(bool, String)> {
    let check_results = check_set.results(Duration::from_secs(elapsed_s));
    check_results.iter().map(|result| (result.met, result.value_text().unwrap_or_default())).collect()
}

#[test]
fn each_metric_is_computed_from_the_requests() {
    // 1 ms to 100 ms, 7 of the 100 failed, in 8 s.
    let table = [
        ("p50 <= 50.02ms", true, "50.015ms"),
        ("p90 < 90ms", false, "90.047ms"),
        ("p95 < 300ms", true, "95.039ms"),
        ("p99 < 99ms", false, "99.007ms"),
        ("p99.9 == 100ms", true, "100ms"),
        ("min >= 1ms", true, "1ms"),
        ("avg == 50.5ms", true, "50.5ms"),
        ("max < 100ms", false, "100ms"),
        ("rps > 12", true, "12.5/s"),
        ("fail_ratio < 5%", false, "7%"),
        ("fail_ratio <= 0.07", true, "7%"),
        ("failures == 7", true, "7"),
        ("requests >= 100", true, "100"),
        ("service.max < 1ms", true, "0.001ms"),
    ];
    let mut check_set = check_set(&table.map(|(text, _, _)| text));
    for half in [1..=50, 51..=100] {
        add(&mut check_set, "GET /a", STEADY, if *half.end() == 50 { 3 } else { 4 }, &times(half.map(|ms| ms * 1000)));
    }
    for ((text, met, value), result) in table.iter().zip(said(&check_set, 8)) {
        assert_eq!(result, (*met, (*value).to_owned()), "{text}");
    }
}

#[test]
fn a_check_uses_only_requests_of_its_endpoint_and_phase() {
    let mut check_set = check_set(&[
        "requests > 0",
        "requests{GET /a} > 0",
        "requests@steady > 0",
        "requests{GET /a}@steady > 0",
        "rps@steady > 0",
        "failures{GET /b} < 2",
    ]);
    for (endpoint, phase, count) in
        [("GET /a", Phase::Ramp, 1), ("GET /b", Phase::Ramp, 20), ("GET /a", STEADY, 300), ("GET /b", STEADY, 4000)]
    {
        add(&mut check_set, endpoint, phase, u64::from(endpoint == "GET /b"), &times((0..count).map(|_| 5)));
    }
    check_set.add_phase_time(Phase::Ramp, Duration::from_secs(6));
    check_set.add_phase_time(STEADY, Duration::from_secs(10));
    let values: Vec<String> = said(&check_set, 16).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["4321", "301", "4300", "300", "430/s", "2"]);
}

#[test]
fn a_check_without_data_is_not_met_and_reports_it() {
    let mut check_set = check_set(&["failures == 0", "p95@drain < 1s", "requests{GET /b} == 0"]);
    add(&mut check_set, "GET /a", STEADY, 0, &times([10]));
    let check_results = check_set.results(Duration::from_secs(1));
    assert_eq!(check_results.iter().map(|result| result.met).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(check_results[0].reason(), None);
    assert_eq!(check_results[1].reason().unwrap(), "check without data: p95@drain < 1s");
    let missed = self::check_set(&["requests > 1"]);
    assert_eq!(missed.results(Duration::ZERO)[0].value, None);
}

#[test]
fn the_reason_names_the_check_and_the_value_reached() {
    let mut check_set = check_set(&["p95{GET /a} < 1ms", "avg < 2s", "fail_ratio < 1%"]);
    add(&mut check_set, "GET /a", STEADY, 1, &times([2_345_678, 2_345_678, 2_345_678]));
    let reasons: Vec<String> = check_set.results(Duration::ZERO).iter().filter_map(CheckResult::reason).collect();
    assert_eq!(
        reasons,
        [
            "check not met: p95{GET /a} < 1ms, it is 2.345678s",
            "check not met: avg < 2s, it is 2.345678s",
            "check not met: fail_ratio < 1%, it is 33.333%"
        ]
    );
}

#[test]
fn a_percentile_stops_the_run_when_it_is_missed_twice_with_enough_requests() {
    let elapsed = Duration::from_secs(1);
    let mut slow = check_set(&["p95 < 10ms", "p95 < 10ms abort"]);
    add(&mut slow, "GET /a", STEADY, 0, &times((0..99).map(|_| 20_000)));
    assert!(!slow.should_abort(elapsed) && !slow.should_abort(elapsed), "too few requests");
    add(&mut slow, "GET /a", STEADY, 0, &times([20_000]));
    assert!(!slow.should_abort(elapsed), "missed once");
    assert!(slow.should_abort(elapsed), "missed twice");
    // Results that arrive while the run stops do not save it.
    add(&mut slow, "GET /a", STEADY, 0, &times((0..10_000).map(|_| 10)));
    assert_eq!(said(&slow, 1), [(true, "0.01ms".to_owned()), (false, "20ms".to_owned())]);

    let mut recovers = check_set(&["p95 < 10ms abort"]);
    add(&mut recovers, "GET /a", STEADY, 0, &times((0..100).map(|_| 20_000)));
    assert!(!recovers.should_abort(elapsed));
    add(&mut recovers, "GET /a", STEADY, 0, &times((0..9_900).map(|_| 10)));
    assert!(!recovers.should_abort(elapsed), "met again");
    assert!(said(&recovers, 1)[0].0);
}

#[test]
fn a_check_that_can_no_longer_be_met_stops_the_run_at_once() {
    for text in ["max < 10ms abort", "failures == 0 abort", "fail_ratio == 0 abort", "requests < 3 abort"] {
        let mut check_set = check_set(&[text]);
        assert!(!check_set.should_abort(Duration::ZERO), "{text}: nothing happened yet");
        add(&mut check_set, "GET /a", STEADY, 0, &times([5]));
        assert!(!check_set.should_abort(Duration::ZERO), "{text}: not missed yet");
        add(&mut check_set, "GET /a", STEADY, 1, &times([5, 10_000]));
        assert!(check_set.should_abort(Duration::ZERO), "{text}");
    }
    let mut grows = check_set(&["failures == 2 abort"]);
    add(&mut grows, "GET /a", STEADY, 1, &times([5]));
    assert!(!grows.should_abort(Duration::ZERO), "1 may become 2");
}

#[test]
fn a_check_on_failures_decides_whether_they_matter() {
    let failures = [("GET /a", 2), ("GET /b", 40)];
    for (checks, left) in [
        (&[][..], 42),
        (&["p95 < 1s"], 42),
        (&["fail_ratio < 1%"], 0),
        (&["failures@steady < 1"], 0),
        (&["failures{GET /a} < 10"], 40),
        (&["failures{GET /a} < 10", "fail_ratio{GET /b} < 1%"], 0),
    ] {
        let checks: Vec<Check> = checks.iter().map(|text| Check::parse(text).unwrap()).collect();
        assert_eq!(unchecked_failures(&checks, failures.into_iter()), left, "{checks:?}");
    }
}

#[test]
fn time_to_the_first_byte_is_judged_with_requests_that_had_none_when_they_were_cut_off() {
    let mut check_set = check_set(&["ttfb.max < 3ms", "ttfb.avg == 2ms", "ttfb.min == 2ms", "service.max > 8ms"]);
    add_with_first_byte(&mut check_set, 9_000, Some(2_000));
    let good = |value: &str| (true, value.to_owned());
    assert_eq!(said(&check_set, 1), [good("2ms"), good("2ms"), good("2ms"), good("9ms")]);
    let (cut, none) = (times([4_000]), Times::new(Precision::Coarse));
    for first_byte in [&none, &cut] {
        check_set.add_unfinished(&UnfinishedInput {
            endpoint: "GET /a",
            phase: STEADY,
            service: TimesRef::Counted(&cut),
            response: TimesRef::Counted(&cut),
            first_byte: TimesRef::Counted(first_byte),
        });
    }
    let bound = |value: &str| (false, value.to_owned());
    assert_eq!(said(&check_set, 1), [bound("≥ 4ms"), bound("≥ 3ms"), good("2ms"), good("9ms")]);
}

#[test]
fn time_to_the_first_byte_has_no_value_where_it_is_not_known_of_all_requests() {
    let mut check_set = check_set(&["ttfb.p50 < 1s", "p50 < 1s"]);
    add_with_first_byte(&mut check_set, 9_000, Some(2_000));
    add_with_first_byte(&mut check_set, 9_000, None);
    let rulings = check_set.results(Duration::from_secs(1));
    assert_eq!((rulings[0].value, rulings[0].met), (None, false));
    assert!(rulings[1].met);
}
