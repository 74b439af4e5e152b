use super::flags::over_all;
use super::*;
use crate::cli::SettingSource;
use crate::plan::endpoint::Endpoint;

fn parsed(text: &str) -> Check {
    Check::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn a_check_is_metric_scope_relation_and_bound() {
    use Latency::{FirstByte, Response, Service};
    use Metric::{Avg, FailRatio, Failures, Max, Min, Percentile, Requests, Rps};
    use Relation::{Above, AtLeast, AtMost, Below, Equal, Unequal};
    for (text, latency, metric, relation, bound) in [
        ("p50 < 300ms", Response, Percentile(500), Below, 300_000.0),
        ("p90<=0.3s", Response, Percentile(900), AtMost, 300_000.0),
        ("  p95  >  1 s  ", Response, Percentile(950), Above, 1_000_000.0),
        ("service.p99 >= 250us", Service, Percentile(990), AtLeast, 250.0),
        ("p99.9 == 1.5ms", Response, Percentile(999), Equal, 1_500.0),
        ("min != 0us", Response, Min, Unequal, 0.0),
        ("service.avg < 10ms", Service, Avg, Below, 10_000.0),
        ("ttfb.p99.9 <= 2s", FirstByte, Percentile(999), AtMost, 2_000_000.0),
        ("ttfb.min >= 1ms", FirstByte, Min, AtLeast, 1_000.0),
        ("max < 1s", Response, Max, Below, 1_000_000.0),
        ("rps > 100.5", Response, Rps, Above, 100.5),
        ("fail_ratio < 1%", Response, FailRatio, Below, 0.01),
        ("fail_ratio <= 0.015", Response, FailRatio, AtMost, 0.015),
        ("failures == 0", Response, Failures, Equal, 0.0),
        ("requests >= 1000", Response, Requests, AtLeast, 1000.0),
    ] {
        let check = parsed(text);
        assert_eq!(check.text(), text.trim());
        assert_eq!((check.scope.latency, check.metric, check.relation), (latency, metric, relation), "{text}");
        assert_eq!(check.bound.total_cmp(&bound), std::cmp::Ordering::Equal, "{text}: {}", check.bound);
        assert_eq!((&check.scope.endpoint, check.scope.phase, check.abort()), (&None, None, None), "{text}");
    }
}

#[test]
fn endpoint_and_phase_come_in_either_order_and_a_name_may_contain_anything() {
    for (text, endpoint, phase) in [
        ("p99{GET /items} < 200ms", Some("GET /items"), None),
        ("p99@steady < 200ms", None, Some(Phase::Steady)),
        ("p99@drain{GET /a}<2s", Some("GET /a"), Some(Phase::Drain)),
        ("p99 {GET /a} @ramp < 2s", Some("GET /a"), Some(Phase::Ramp)),
        ("p99{GET /a/${id}/{x}}@down < 2s", Some("GET /a/${id}/{x}"), Some(Phase::Down)),
        ("p99{ GET /a b@steady < 3ms } < 2s", Some("GET /a b@steady < 3ms"), None),
        ("failures{GET /ü}==0 abort", Some("GET /ü"), None),
    ] {
        let check = parsed(text);
        assert_eq!((check.scope.endpoint.as_deref(), check.scope.phase), (endpoint, phase), "{text}");
    }
}

#[test]
fn an_error_gives_the_position_and_what_is_expected() {
    for (text, why) in [
        ("", "character 1: expected one of p50, p90"),
        ("p96 < 1s", "character 1: expected one of p50, p90"),
        ("service.rps > 1", "service. needs a time"),
        ("ttfb.requests > 1", "ttfb. needs a time"),
        ("p95", "character 4: expected <, <=, >, >=, == or !=, found the end"),
        ("p95 = 1s", "character 5: expected <, <=, >, >=, == or !=, found '='"),
        ("p95 < fast", "character 7: expected a number, found 'fast'"),
        ("p95 < -1s", "character 7: expected a number, found '-1s'"),
        ("p95 < 1.2.3s", "character 7: expected a number"),
        ("p95 < 300", "character 10: expected a unit of time: us, ms or s, found the end"),
        ("p95 < 300m", "character 10: expected a unit of time: us, ms or s, found 'm'"),
        ("p95 < 3s now", "character 10: expected abort or the end, found 'now'"),
        ("p95 < 3s abort now", "character 16: expected the end, found 'now'"),
        ("rps > 3s", "character 8: expected abort or the end, found 's'"),
        ("fail_ratio < 5", "character 15: a share is at most 1, which is 100%"),
        ("fail_ratio < 101%", "a share is at most 1"),
        ("p95@peak < 1s", "character 5: expected a phase: warmup, ramp, steady, down or drain, found 'peak'"),
        ("p95@steady@steady < 1s", "character 11: expected <"),
        ("p95{GET /ü < 1s", "character 4: no } closes this {"),
        ("p95{ } < 1s", "character 5: expected an endpoint"),
        ("p95{ü} << 1s", "character 9: expected a number, found '<'"),
    ] {
        let said = Check::parse(text).expect_err(text);
        assert!(said.contains(why), "{text}: {said}");
    }
    assert!(Check::parse(&"x".repeat(1025)).is_err_and(|why| why.contains("1024")));
}

#[test]
fn a_check_may_stop_the_run_if_it_can_be_certain_that_it_is_missed() {
    for (text, abort) in [
        ("p95 < 300ms abort", Some(Abort::Twice)),
        ("service.avg{GET /a}@steady <= 1s abort", Some(Abort::Twice)),
        ("fail_ratio < 1% abort", Some(Abort::Twice)),
        ("fail_ratio == 0 abort", Some(Abort::AtOnce)),
        ("fail_ratio <= 0% abort", Some(Abort::AtOnce)),
        ("failures == 0 abort", Some(Abort::AtOnce)),
        ("failures < 10abort", Some(Abort::AtOnce)),
        ("max < 1s abort", Some(Abort::AtOnce)),
        ("min > 1ms abort", Some(Abort::AtOnce)),
        ("rps@steady > 100 abort", Some(Abort::Twice)),
        ("rps < 100 abort", Some(Abort::Twice)),
    ] {
        assert_eq!(parsed(text).abort(), abort, "{text}");
    }
    for (text, why) in [
        ("requests > 10 abort", "character 15: abort cannot be combined with a lower bound"),
        ("failures > 10 abort", "lower bound"),
        ("max > 1s abort", "lower bound"),
        ("min < 1s abort", "upper bound on min"),
        ("p95 != 1s abort", "cannot be combined with !="),
        ("p95 == 1s abort", "cannot be combined with =="),
        ("fail_ratio == 1% abort", "cannot be combined with =="),
        ("rps > 10 abort", "needs a phase"),
    ] {
        let said = Check::parse(text).expect_err(text);
        assert!(said.contains(why), "{text}: {said}");
    }
    let five = parsed("failures == 5 abort");
    assert!(!five.is_met_by(4.0) && !five.is_definitely_missed_by(4.0) && five.is_definitely_missed_by(6.0));
}

#[test]
fn a_value_equal_to_the_bound_is_met_depending_on_the_operator() {
    for (sign, below, equal, above) in [
        ("<", true, false, false),
        ("<=", true, true, false),
        (">", false, false, true),
        (">=", false, true, true),
        ("==", false, true, false),
        ("!=", true, false, true),
    ] {
        let check = parsed(&format!("p95 {sign} 300ms"));
        let met = [299_999.0, 300_000.0, 300_001.0].map(|value| check.is_met_by(value));
        assert_eq!(met, [below, equal, above], "{sign}");
    }
    // 3 of 100, as a ratio and in percent.
    assert!(parsed("fail_ratio <= 3%").is_met_by(3.0 / 100.0));
    assert!(!parsed("fail_ratio < 0.03").is_met_by(3.0 / 100.0));
}

#[test]
fn the_three_checks_of_locust_plugins_are_ordinary_checks() {
    for (check, like) in [
        (over_all(Metric::Rps, Relation::AtLeast, 100.0), "rps >= 100"),
        (over_all(Metric::FailRatio, Relation::AtMost, 0.01), "fail_ratio <= 0.01"),
        (over_all(Metric::Avg, Relation::AtMost, 250.5), "avg <= 250.5ms"),
    ] {
        assert_eq!(check, parsed(like));
    }
}

#[test]
fn a_check_must_name_an_endpoint_of_the_plan() {
    let endpoints = [Endpoint { method: "GET".to_owned(), name: "/items".to_owned() }];
    let held = |text: &str| require_known_endpoints(&[(parsed(text), SettingSource::Flag)], &endpoints);
    assert!(held("p95{GET /items} < 1s").is_ok() && held("p95 < 1s").is_ok());
    let said = held("p95{/items} < 1s").expect_err("no method").to_string();
    assert_eq!(said, "--check 'p95{/items} < 1s': no endpoint '/items'; did you mean 'GET /items'?");
}
