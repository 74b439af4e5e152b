use super::*;

fn users(stages: &str) -> Users {
    Users::stages(&stages.parse().unwrap())
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Formats the changes as `+k@ms` and `-k@ms`.
fn told(users: &Users) -> String {
    let word = |change: Change| {
        let sign = if change.kind == ChangeKind::Start { '+' } else { '-' };
        format!("{sign}{}@{}", change.user, change.at.as_secs_f64() * 1000.0)
    };
    users.changes().map(word).collect::<Vec<_>>().join(" ")
}

fn reached(users: &Users) -> Vec<(f64, u32)> {
    users.reached().map(|reached| (reached.at.as_secs_f64(), reached.users)).collect()
}

#[test]
fn a_ramp_starts_each_user_once_and_never_ends() {
    let users = Users::ramp(Ramp::new(4, 2.0));
    assert_eq!(told(&users), "+0@0 +1@500 +2@1000 +3@1500");
    assert_eq!(reached(&users), [(1.5, 4)]);
    assert_eq!((users.max_users(), users.end()), (4, None));
    for (from, until, phase) in [
        (0.0, 1.0, Phase::Ramp),
        (0.0, 3.0, Phase::Ramp),
        (0.0, 3.1, Phase::Steady),
        (1.4, 9.0, Phase::Steady),
        (1.4, 1.4, Phase::Ramp),
        (1.5, 1.5, Phase::Steady),
    ] {
        assert_eq!(users.phase_of(seconds(from), seconds(until)), phase);
    }
    assert_eq!(Users::ramp(Ramp::new(1, 1.0)).phase(Duration::ZERO), Phase::Steady);
}

#[test]
fn two_ticks_at_full_users_have_one_that_is_steady() {
    let millis = Duration::from_millis;
    for (users, rate) in [(1, 1.0), (3, 1.0), (5, 10.0), (20, 10.0), (50, 7.0), (100, 1000.0)] {
        let ramp = Ramp::new(users, rate);
        let (end, users) = (ramp.end(), Users::ramp(ramp));
        // Ticks of the grid begin at 0, or at any part of a tick before it for a shard.
        for (tick, before) in [(3000, 0), (3000, 1), (3000, 2999), (1000, 500), (200, 77), (37, 13)] {
            let stop = end + 2 * millis(tick);
            let at = |number: u64| millis((number * tick).saturating_sub(before)).min(stop);
            let last = u64::try_from((stop + millis(before)).as_millis().div_ceil(tick.into())).unwrap();
            let steady = (0..last).filter(|number| users.phase_of(at(*number), at(number + 1)) == Phase::Steady);
            assert!(steady.count() >= 1, "{users:?}, ticks of {tick} ms after {before} ms");
        }
    }
}

#[test]
fn stages_start_and_stop_users_where_their_value_crosses() {
    for (stages, changes) in [
        ("3s:3,1s:3,3s:0", "+0@1000 +1@2000 +2@3000 -2@4000 -1@5000 -0@6000"),
        ("2s:2,2s:0,2s:2", "+0@1000 +1@2000 -1@2000 -0@3000 +0@5000 +1@6000"),
        ("0s:2,1s:2,0s:1,1s:1,0s:3,1s:0", "+0@0 +1@0 -1@1000 +1@2000 +2@2000 -2@2000 -1@2333.333334 -0@2666.666667"),
        ("0s:9,0s:1,1s:1,0s:0", "+0@0 -0@1000"),
        ("1s:0.9,1s:0.9", ""),
        ("3s:1.5,3s:0", "+0@2000 -0@4000"),
    ] {
        assert_eq!(told(&users(stages)), changes, "{stages}");
    }
}

#[test]
fn each_new_target_is_reached_once_up_and_down() {
    for (stages, expected, most) in [
        ("30s:100,2m:100,30s:0", vec![(30.0, 100), (179.7, 0)], 100),
        ("10s:10,10s:20,10s:20,10s:10", vec![(10.0, 10), (20.0, 20), (39.0, 10)], 20),
        ("0s:50,60s:50", vec![(0.0, 50)], 50),
        ("0s:50,10s:100", vec![(0.0, 50), (10.0, 100)], 100),
        ("10s:10,0s:4,5s:4", vec![(10.0, 10), (10.0, 4)], 10),
        ("10s:0.5,10s:0", vec![], 0),
        ("21s:10.5,10s:10.9", vec![(20.0, 10)], 10),
    ] {
        assert_eq!(reached(&users(stages)), expected, "{stages}");
        assert_eq!(users(stages).max_users(), most, "{stages}");
    }
    assert_eq!(users("30s:100,2m:100,30s:0").end(), Some(seconds(180.0)));
}

/// All pairs of stages from a small grid, in tenths of seconds and of users.
fn grid() -> impl Iterator<Item = [(i64, i64); 3]> {
    let targets = [0, 3, 10, 25, 30];
    let times = [0, 5, 10, 33];
    let stage = move || times.into_iter().flat_map(move |time| targets.map(|target| (time, target)));
    let pairs = stage().flat_map(move |first| stage().map(move |second| [(0, 0), first, second]));
    pairs.filter(|[_, first, second]| first.0 + second.0 > 0)
}

#[test]
fn changes_add_up_to_the_wanted_users_and_match_the_value() {
    for grid in grid() {
        let [_, (d1, v1), (d2, v2)] = grid;
        let text = format!("{}s:{},{}s:{}", d1 as f64 / 10.0, v1 as f64 / 10.0, d2 as f64 / 10.0, v2 as f64 / 10.0);
        let users = users(&text);
        let changes: Vec<Change> = users.changes().collect();
        let mut running = 0;
        for (place, change) in changes.iter().enumerate() {
            assert!(place == 0 || changes[place - 1].at <= change.at, "{text}");
            match change.kind {
                ChangeKind::Start => assert_eq!(change.user, running, "{text}"),
                ChangeKind::Stop => assert_eq!(change.user + 1, running, "{text}"),
            }
            running = if change.kind == ChangeKind::Start { running + 1 } else { running - 1 };
        }
        for hundredth in 0..(d1 + d2) * 10 {
            let at = Duration::from_millis(hundredth.cast_unsigned() * 10);
            let done = changes.iter().take_while(|change| change.at <= at);
            let count = done.fold(0, |n, change| if change.kind == ChangeKind::Start { n + 1 } else { n - 1 });
            assert_eq!(i64::from(users.wanted(at)), count, "{text} at {at:?}");
            let (from, to, length, time) =
                if hundredth < d1 * 10 { (0, v1, d1, hundredth) } else { (v1, v2, d2, hundredth - d1 * 10) };
            // Ten times the length times ten users, so that everything is whole.
            let (value, one) = (from * length * 10 + (to - from) * time, length * 100);
            let expected = if to < from { (value - 1).div_euclid(one) } else { value / one };
            assert_eq!(count, expected.max(0), "{text} at {at:?}");
        }
    }
}

#[test]
fn the_longest_and_highest_stages_cause_no_panic() {
    for stages in ["8784h:1e9", "0s:1e9,8784h:0", "1ms:1e9,8783h:0.000000000001", "1ms:0"] {
        let users = users(stages);
        assert!(users.changes().take(100).count() <= 100);
        users.reached().for_each(drop);
        for at in [Duration::ZERO, Duration::from_nanos(1), seconds(1e7), Duration::MAX] {
            assert!(users.wanted(at) <= users.max_users());
            assert!(users.phase_of(at, Duration::MAX) <= Phase::Steady && users.phase(at) <= Phase::Steady);
        }
    }
}
