//! All shards together are equivalent to the run of one host, at every time.

use std::time::Duration;

use super::*;
use crate::plan::random::Random;
use crate::plan::schedule::Ramp;
use crate::plan::schedule::arrivals::{Arrivals, Spacing};
use crate::plan::schedule::users::{Change, ChangeKind, Users};

fn shards(count: u32) -> impl Iterator<Item = Shard> {
    (0..count).map(move |index| Shard::new(index, count).unwrap())
}

/// Stages of up to five segments, including jumps and pauses.
fn stages(random: &mut Random, highest: usize) -> String {
    let piece = |random: &mut Random| {
        let target = [0.0, 0.5, 1.0][random.below(3)] + random.below(highest) as f64;
        format!("{}ms:{target}", [0, 1, 333, 1000, 2500][random.below(5)])
    };
    let count = 1 + random.below(5);
    let mut pieces: Vec<String> = (0..count).map(|_| piece(random)).collect();
    pieces.push(format!("{}ms:{}", 1 + random.below(3000), random.below(highest)));
    pieces.join(",")
}

/// Many ramps and stages of users.
fn plans_of_users() -> Vec<Users> {
    let mut random = Random::seeded(6);
    let ramps = [(1, 1.0), (2, 0.3), (7, 1000.0), (16, 7.0), (17, 3.3), (100, 1e9)];
    let ramps = ramps.map(|(users, rate)| Users::ramp(Ramp::new(users, rate)));
    let stages = (0..200).map(|_| Users::stages(&stages(&mut random, 40).parse().unwrap()));
    ramps.into_iter().chain(stages.collect::<Vec<_>>()).collect()
}

/// Many schedules of constant and Poisson arrivals, without end and through stages.
fn plans_of_arrivals() -> Vec<Arrivals> {
    let mut random = Random::seeded(7);
    let mut plans = Vec::new();
    for seed in 0..60 {
        for spacing in [Spacing::Constant, Spacing::Poisson { seed }] {
            let rate = [0.1, 1.0, 33.3, 1000.0][random.below(4)];
            plans.push(Arrivals::constant(rate, spacing));
            plans.push(Arrivals::stages(rate, &stages(&mut random, 60).parse().unwrap(), spacing));
        }
    }
    plans
}

fn in_order(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<Change> = changes.collect();
    // Two shards may do something at the same time; the changes of one user stay in their order.
    changes.sort_by_key(|change| (change.at, change.user, change.kind == ChangeKind::Stop));
    changes
}

#[test]
fn users_of_all_shards_together_are_those_of_one_host_time_by_time() {
    for whole in plans_of_users() {
        let expected = in_order(whole.changes());
        for count in 1..=16 {
            let parts: Vec<Users> = shards(count).map(|shard| whole.clone().of_shard(shard)).collect();
            assert_eq!(in_order(parts.iter().flat_map(Users::changes)), expected, "{count} shards of {whole:?}");
            let most: u32 = parts.iter().map(Users::max_users).sum();
            assert_eq!(most, whole.max_users(), "{count} shards of {whole:?}");
            for at in expected.iter().map(|change| change.at).chain([Duration::ZERO, Duration::from_secs(60)]) {
                let wanted: u32 = parts.iter().map(|part| part.wanted(at)).sum();
                assert_eq!(wanted, whole.wanted(at), "{count} shards of {whole:?} at {at:?}");
            }
            let reached: Vec<(Duration, u32)> = whole.reached().map(|plateau| (plateau.at, plateau.users)).collect();
            let of_parts = |place: usize| {
                let each = parts.iter().map(|part| part.reached().nth(place).unwrap());
                each.map(|plateau| (plateau.at, plateau.users)).reduce(|sum, one| (sum.0.max(one.0), sum.1 + one.1))
            };
            for (place, plateau) in reached.iter().enumerate() {
                assert_eq!(of_parts(place), Some(*plateau), "{count} shards of {whole:?}");
            }
        }
    }
}

#[test]
fn a_shard_changes_only_users_of_its_own_in_the_order_of_time() {
    for whole in plans_of_users() {
        for shard in shards(5) {
            let part = whole.clone().of_shard(shard);
            let changes: Vec<Change> = part.changes().collect();
            assert!(changes.iter().all(|change| shard.owns(u64::from(change.user))));
            assert!(changes.windows(2).all(|pair| pair[0].at <= pair[1].at));
            assert_eq!((part.end(), part.phase(Duration::ZERO)), (whole.end(), whole.phase(Duration::ZERO)));
        }
    }
}

#[test]
fn arrivals_of_all_shards_together_are_those_of_one_host_time_by_time() {
    const MOST: usize = 700;
    for whole in plans_of_arrivals() {
        let expected: Vec<Duration> = whole.due().take(MOST).collect();
        for count in 1..=16_u32 {
            let mut dealt = vec![None; expected.len()];
            for shard in shards(count) {
                let part = whole.clone().of_shard(shard);
                let own = usize::try_from(shard.share(expected.len() as u64)).unwrap();
                let due: Vec<Duration> = part.due().take(own).collect();
                assert_eq!(due.len(), own, "shard {shard} of {whole:?}");
                for (n, due) in due.into_iter().enumerate() {
                    dealt[usize::try_from(shard.global_number(n as u64)).unwrap()] = Some(due);
                }
                if expected.len() < MOST {
                    assert_eq!(part.due().nth(own), None, "shard {shard} of {whole:?} has too many arrivals");
                }
            }
            let dealt: Option<Vec<Duration>> = dealt.into_iter().collect();
            assert_eq!(dealt.as_ref(), Some(&expected), "{count} shards of {whole:?}");
        }
    }
}

#[test]
fn intended_arrivals_add_up() {
    for whole in plans_of_arrivals() {
        for count in [1, 3, 16] {
            for at in [0.0, 0.25, 1.0, 7.7].map(Duration::from_secs_f64) {
                let sum: f64 = shards(count).map(|shard| whole.clone().of_shard(shard).arrivals_due(at)).sum();
                assert!((sum - whole.arrivals_due(at)).abs() <= 1e-9 * sum.max(1.0), "{count} shards of {whole:?}");
            }
        }
    }
}

#[test]
fn skipping_arrivals_is_the_same_as_iterating_over_them() {
    for whole in plans_of_arrivals().into_iter().take(40) {
        let part = whole.of_shard(Shard::new(2, 3).unwrap());
        for skipped in [0, 1, 5] {
            assert_eq!(part.due().nth(skipped), part.due().take(skipped + 1).nth(skipped));
        }
    }
}

#[test]
fn all_requests_are_assigned_and_only_to_shards_with_a_user() {
    for count in 1..=16 {
        for users in [1, 2, 3, 15, 16, 17, 1000] {
            for total in (0..=40).chain([1_000_003]) {
                let each = shards(count).map(|shard| (shard, shard.share_of_requests(total, users)));
                let each: Vec<(Shard, u64)> = each.collect();
                assert_eq!(each.iter().map(|(_, share)| share).sum::<u64>(), total, "{total} among {count}");
                for (shard, share) in each {
                    assert!(share == 0 || shard.share_of_users(users) > 0, "{shard} has no user to make {share}");
                    let owned = (0..total).filter(|k| shard.owns(*k));
                    assert!(users < count || total > 40 || share == owned.count() as u64, "{shard} of {total}");
                }
            }
        }
    }
}

#[test]
fn a_shard_number_must_be_below_the_total() {
    assert_eq!(Shard::new(0, 1), Ok(Shard::WHOLE));
    assert_eq!(Shard::new(3, 16).unwrap().to_string(), "3/16");
    assert!(Shard::new(4, 4).unwrap_err().contains("from 0 to 3"));
    assert!(Shard::new(0, 0).is_err() && Shard::new(0, MAX_SHARDS + 1).is_err());
}
