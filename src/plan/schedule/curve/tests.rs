use super::*;

fn curve(initial: f64, stages: &str) -> Curve {
    Curve::stages(initial, &stages.parse().unwrap())
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn values_are_exactly_the_decimals_given() {
    for (value, exact) in [
        (0.0, 0),
        (0.1, 100_000_000_000),
        (0.3, 300_000_000_000),
        (1.0 / 3.0, 333_333_333_333),
        (7.0, 7 * TRILLION),
        (1_000_000.1, 1_000_000_100_000_000_000),
        (1e9, 1_000_000_000 * TRILLION),
        (1e300, 1_000_000_000 * TRILLION),
        (f64::INFINITY, 1_000_000_000 * TRILLION),
        (1e-300, 1),
        (f64::NAN, 0),
    ] {
        assert_eq!(trillionths(value), exact, "{value}");
    }
}

#[test]
fn the_value_is_linear_within_stages_and_may_jump_between_them() {
    let curve = curve(10.0, "10s:20,0s:5,10s:5,10s:0,0s:3");
    for (at, value) in [(0.0, 10.0), (5.0, 15.0), (10.0, 5.0), (19.0, 5.0), (25.0, 2.5), (30.0, 3.0), (1e9, 3.0)] {
        assert!((curve.value(seconds(at)) - value).abs() < 1e-9, "at {at} s");
    }
    assert_eq!(curve.end(), Some(seconds(30.0)));
    assert_eq!(curve.amount(seconds(30.0)), 225 * ONE);
    assert_eq!(curve.amount(Duration::MAX), 225 * ONE);
}

#[test]
fn an_amount_at_a_border_belongs_to_the_next_piece_that_has_any() {
    let curve = curve(2.0, "1s:2,0s:0,1s:0,0s:2,1s:2,1s:0,1s:0");
    for (amount, at) in [
        (0, Some(0.0)),
        (1, Some(0.5)),
        (2, Some(2.0)),
        (3, Some(2.5)),
        (4, Some(3.0)),
        (5, None),
        (u128::MAX / ONE, None),
    ] {
        assert_eq!(curve.reached(amount * ONE), at.map(seconds), "{amount}");
    }
}

#[test]
fn the_inverse_is_the_last_nanosecond_that_does_not_exceed_the_amount() {
    let ends = [0.0, 0.1, 0.3, 1.0, 7.0, 1000.0, 1e6, 1e9];
    for (from, to) in ends.iter().flat_map(|from| ends.map(|to| (*from, to))) {
        for length in ["1ms", "1s", "90s", "8784h"] {
            let curve = curve(from, &format!("{length}:{to}"));
            let [segment] = curve.segments() else { panic!("one stage, one piece") };
            let all = segment.amount(segment.length);
            assert_eq!(all, segment.until(), "{from} to {to} in {length}");
            let parts = (0..50).map(|part| all / 50 * part).chain([1, 2, 3, all.saturating_sub(1)]);
            for amount in parts.filter(|amount| *amount < all) {
                let time = segment.reached(amount);
                assert!(time < segment.length, "{from} to {to} in {length}, {amount}");
                assert!(segment.amount(time) <= amount, "{from} to {to} in {length}, {amount}");
                assert!(segment.amount(time + 1) > amount, "{from} to {to} in {length}, {amount}");
            }
        }
    }
}

#[test]
fn an_amount_that_is_not_whole_is_rounded_up() {
    let ends = (0..7_i128).flat_map(|from| (0..7_i128).map(move |to| (from, to)));
    for (length, (from, to)) in (1..9_i128).flat_map(|length| ends.clone().map(move |ends| (length, ends))) {
        let segment = Segment {
            start: 0,
            length: length.cast_unsigned(),
            from: from.cast_unsigned(),
            to: to.cast_unsigned(),
            before: 0,
        };
        for time in 0..=length {
            // 2 from t + (to - from) t^2 / length, over the length.
            let exact = (2 * from * time * length + (to - from) * time * time).cast_unsigned();
            let expected = exact.div_ceil(length.cast_unsigned());
            assert_eq!(segment.amount(time.cast_unsigned()), expected, "{from} to {to} in {length}, {time}");
        }
    }
}

#[test]
fn a_constant_value_without_end_reaches_every_amount_or_never() {
    for (value, amount, at) in [(4.0, 0, 0.0), (4.0, 3, 0.75), (0.1, 3, 30.0), (1e6, 3, 0.000_003)] {
        assert_eq!(Curve::constant(value).reached(amount * ONE), Some(seconds(at)));
    }
    for value in [0.0, 1e-300, 1.0] {
        assert_eq!(Curve::constant(value).reached(u128::MAX), Some(Duration::from_nanos(NEVER)));
    }
    assert_eq!(Curve::constant(1.0).end(), None);
}

#[test]
fn an_interval_has_the_phase_that_covers_most_of_it() {
    let curve = curve(0.0, "10s:5,10s:5,10s:2,0s:4,10s:4,0s:1,10s:1");
    for (from, until, phase) in [
        (0.0, 10.0, Phase::Ramp),
        (9.0, 12.0, Phase::Steady),
        (9.0, 11.0, Phase::Ramp),
        (8.9, 11.0, Phase::Ramp),
        (10.0, 20.0, Phase::Steady),
        (19.0, 21.0, Phase::Down),
        (19.0, 20.9, Phase::Steady),
        (20.0, 30.0, Phase::Down),
        (5.0, 25.0, Phase::Steady),
        (29.0, 30.1, Phase::Down),
        (30.0, 30.0, Phase::Ramp),
        (29.9, 31.0, Phase::Steady),
        (39.0, 41.0, Phase::Steady),
        (40.0, 40.0, Phase::Down),
        (40.1, 60.0, Phase::Steady),
        (50.0, 1e9, Phase::Steady),
    ] {
        assert_eq!(curve.phase(seconds(from), seconds(until)), phase, "[{from}, {until})");
    }
    assert_eq!(Curve::constant(3.0).phase(Duration::ZERO, Duration::MAX), Phase::Steady);
}

#[test]
fn a_plateau_is_the_first_constant_piece() {
    for (stages, begin) in [
        ("30s:100,2m:100,30s:0", Some(30.0)),
        ("1s:100,1s:200,1s:200", Some(2.0)),
        ("0s:100,1s:100", Some(0.0)),
        ("1s:10", Some(0.0)),
        ("1s:20,1s:10", None),
    ] {
        assert_eq!(curve(10.0, stages).plateau(), begin.map(seconds), "{stages}");
    }
    assert_eq!(Curve::constant(3.0).plateau(), Some(Duration::ZERO));
}
