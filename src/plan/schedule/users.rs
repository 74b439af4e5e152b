//! The closed model: when users start and stop.

use std::time::Duration;

use super::Ramp;
use super::curve::{self, Curve, TRILLION};
use crate::plan::shard::Shard;
use crate::value::stages::Stages;
use crate::vocabulary::Phase;

/// The schedule of users: those of the whole run, or those of one shard, with the same numbers and times as
/// in the whole run.
#[derive(Clone, Debug)]
pub struct Users {
    shape: Shape,
    shard: Shard,
}

#[derive(Clone, Debug)]
enum Shape {
    Ramp(Ramp),
    Stages { curve: Curve, legs: Vec<Leg> },
}

/// The start or stop of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, since the start of the run.
    pub at: Duration,
    /// The user, numbered from 0.
    pub user: u32,
    /// Whether it starts or stops.
    pub kind: ChangeKind,
}

/// What a user should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Start, or start again.
    Start,
    /// Stop.
    Stop,
}

/// A target number of users has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetReached {
    /// When, since the start of the run.
    pub at: Duration,
    /// The number of users running then.
    pub users: u32,
}

impl Users {
    /// User k starts at k / spawn rate, and none stops.
    #[must_use]
    pub const fn ramp(ramp: Ramp) -> Self {
        Self { shape: Shape::Ramp(ramp), shard: Shard::WHOLE }
    }

    /// Goes from 0 users through the stages: user k runs while the value is at least k + 1.
    #[must_use]
    pub fn stages(stages: &Stages) -> Self {
        let curve = Curve::stages(0.0, stages);
        let legs = legs(&curve);
        Self { shape: Shape::Stages { curve, legs }, shard: Shard::WHOLE }
    }

    /// The users of one shard.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// All starts and stops in the order of time; at the same time in the order of execution: starts by
    /// ascending number, stops with the newest user first.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let (ramp, legs) = self.parts();
        let kind = ChangeKind::Start;
        let starts = move |ramp: Ramp| {
            (0..ramp.users()).filter_map(move |user| ramp.due(user).map(|at| Change { at, user, kind }))
        };
        let changes = ramp.into_iter().flat_map(starts).chain(legs.iter().flat_map(Leg::changes));
        changes.filter(|change| self.shard.owns(u64::from(change.user)))
    }

    /// The times at which a target number of users that differs from the previous one is reached, also when
    /// falling: at the end of the ramp, or of the change made by a stage or a jump. A shard has the same
    /// times as the whole run, with its own share of the users.
    pub fn reached(&self) -> impl Iterator<Item = TargetReached> + '_ {
        let (ramp, legs) = self.parts();
        let ramp = ramp.map(|ramp| TargetReached { at: ramp.end(), users: ramp.users() });
        let reached = ramp.into_iter().chain(legs.iter().filter_map(Leg::reached));
        reached.map(|reached| TargetReached { users: self.shard.share_of_users(reached.users), ..reached })
    }

    /// The number of users that should be running at `at`, after the changes at that time.
    #[must_use]
    pub fn wanted(&self, at: Duration) -> u32 {
        // Running users are always the first ones: users stop in the reverse order of their start.
        self.shard.share_of_users(match &self.shape {
            Shape::Ramp(ramp) => ramp.wanted(at),
            Shape::Stages { legs, .. } => {
                let begun = legs.partition_point(|leg| leg.start <= at.as_nanos());
                begun.checked_sub(1).and_then(|last| legs.get(last)).map_or(0, |leg| leg.wanted(at.as_nanos()))
            }
        })
    }

    /// The maximum number of concurrent users; 0 if stages never reach 1, or a shard has no users.
    #[must_use]
    pub fn max_users(&self) -> u32 {
        self.shard.share_of_users(match &self.shape {
            Shape::Ramp(ramp) => ramp.users(),
            Shape::Stages { legs, .. } => legs.iter().map(|leg| leg.after).max().unwrap_or(0),
        })
    }

    /// The end of the stages; `None` if the load has no end.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        match &self.shape {
            Shape::Ramp(_) => None,
            Shape::Stages { curve, .. } => curve.end(),
        }
    }

    /// The phase at a time.
    #[must_use]
    pub fn phase(&self, at: Duration) -> Phase {
        self.phase_of(at, at)
    }

    /// The phase that takes up most of the interval `[from, until)`; in a tie the first of ramp, down,
    /// steady. For an empty interval, the phase at `from`.
    #[must_use]
    pub fn phase_of(&self, from: Duration, until: Duration) -> Phase {
        match &self.shape {
            Shape::Ramp(ramp) if until <= from => {
                if from < ramp.end() {
                    Phase::Ramp
                } else {
                    Phase::Steady
                }
            }
            Shape::Ramp(ramp) => {
                let ramping = until.min(ramp.end()).saturating_sub(from);
                let steady = until.saturating_sub(from).saturating_sub(ramping);
                curve::longest(ramping.as_nanos(), 0, steady.as_nanos())
            }
            Shape::Stages { curve, .. } => curve.phase(from, until),
        }
    }

    fn parts(&self) -> (Option<Ramp>, &[Leg]) {
        match &self.shape {
            Shape::Ramp(ramp) => (Some(*ramp), &[]),
            Shape::Stages { legs, .. } => (None, legs),
        }
    }
}

/// A period in which the number of users moves in one direction, or a jump.
#[derive(Clone, Debug)]
struct Leg {
    /// In nanoseconds.
    start: u128,
    /// In nanoseconds; 0 for a jump.
    length: u128,
    /// Value of the curve at the start, in trillionths.
    from: u128,
    /// Value of the curve at the end, in trillionths.
    to: u128,
    /// Users at the start.
    before: u32,
    /// Users at the end.
    after: u32,
}

/// The segments of the curve, with a jump between two that do not connect.
fn legs(curve: &Curve) -> Vec<Leg> {
    let (mut legs, mut users, mut end) = (Vec::new(), 0, 0);
    let jump = |start, before, value| {
        let after = whole_users(value);
        (before != after).then_some(Leg { start, length: 0, from: value, to: value, before, after })
    };
    for segment in curve.segments() {
        legs.extend(jump(segment.start, users, segment.from));
        let (start, length, from, to) = (segment.start, segment.length, segment.from, segment.to);
        let (before, after) = (whole_users(from), whole_users(to));
        legs.push(Leg { start, length, from, to, before, after });
        (users, end) = (after, segment.end());
    }
    legs.extend(jump(end, users, curve.last()));
    legs
}

fn whole_users(value: u128) -> u32 {
    u32::try_from(value / TRILLION).unwrap_or(u32::MAX)
}

impl Leg {
    fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let starts = (self.before..self.after).map(|user| (user, ChangeKind::Start));
        let stops = (self.after..self.before).rev().map(|user| (user, ChangeKind::Stop));
        starts.chain(stops).map(|(user, kind)| Change { at: self.crossing(user), user, kind })
    }

    fn reached(&self) -> Option<TargetReached> {
        let last = match self.before.cmp(&self.after) {
            std::cmp::Ordering::Less => self.after - 1,
            std::cmp::Ordering::Equal => return None,
            std::cmp::Ordering::Greater => self.after,
        };
        Some(TargetReached { at: self.crossing(last), users: self.after })
    }

    /// The first nanosecond at which the value has reached `user` + 1, from below or from above.
    fn crossing(&self, user: u32) -> Duration {
        let climb = self.from.abs_diff(self.to);
        let way = self.from.abs_diff((u128::from(user) + 1) * TRILLION);
        let time = if climb == 0 { 0 } else { (way * self.length).div_ceil(climb) };
        curve::nanoseconds(self.start + time)
    }

    /// The number of users at a time after its start, after the changes at that time.
    fn wanted(&self, at: u128) -> u32 {
        let time = at - self.start;
        if time >= self.length {
            return self.after;
        }
        let way = self.from.abs_diff(self.to) * time;
        let one = TRILLION * self.length;
        let users = if self.from <= self.to {
            (self.from * self.length + way) / one
        } else {
            // Going down, a user stops when the value equals its number plus 1.
            (self.from * self.length - way).div_ceil(one).saturating_sub(1)
        };
        u32::try_from(users).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
