//! Standstills of the generator itself: times in which the whole process did nothing, as under SIGSTOP or on a machine
//! that is starved, and requests that ran through them and so took longer than the server made them.
//!
//! Two clocks must agree. The sampler notices that it slept for longer than it meant to; that alone also happens where
//! thousands of threads are ready and take turns. Whoever counts outcomes notices that none was taken for a while; that
//! alone also happens where a server is slow. What both missed is a standstill.

use std::time::Duration;

use crate::clock::Moment;
use crate::outcome::Outcome;

/// A larger share of requests that ran through a standstill makes a run not valid.
pub const MOST_STALLED: f64 = 0.05;

/// Pauses between outcomes that are remembered until the sampler says what it saw then.
const MOST_PAUSES: usize = 64;

/// A time from one moment to another; of a suspended machine both are the same, as its clock stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it began.
    pub from: Moment,
    /// When it ended.
    pub until: Moment,
}

impl Gap {
    /// How long it was.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    fn and(&self, other: &Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }
}

/// What the sampler saw between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overslept {
    /// The longest time for which it slept though it was to wake.
    pub gap: Option<Gap>,
    /// How long the machine was suspended, and when it woke.
    pub suspended: Option<(Duration, Moment)>,
}

/// A pause in which no outcome was taken, and the requests that ran through it.
#[derive(Clone, Copy, Debug)]
struct Pause {
    gap: Gap,
    requests: u64,
}

/// Standstills so far.
#[derive(Clone, Debug)]
pub struct Stalls {
    /// A shorter one is none.
    shortest: Duration,
    last_taken: Moment,
    pauses: Vec<Pause>,
    /// Standstills that may still gain requests: the last few.
    confirmed: Vec<Gap>,
    stalled: u64,
    seen: u64,
    total: Duration,
}

/// Shortest standstill whatever the tick: a thread of a busy machine may wait for as long as this to be run.
const SHORTEST: Duration = Duration::from_millis(500);

/// Longest standstill that passes for none.
const LONGEST: Duration = Duration::from_secs(1);

impl Stalls {
    /// None yet, in a run with ticks of this interval.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self {
            shortest: (interval / 2).clamp(SHORTEST, LONGEST),
            last_taken: Moment::START,
            pauses: Vec::new(),
            confirmed: Vec::new(),
            stalled: 0,
            seen: 0,
            total: Duration::ZERO,
        }
    }

    /// The shortest time that counts as a standstill.
    #[must_use]
    pub const fn shortest(&self) -> Duration {
        self.shortest
    }

    /// Outcomes are taken at `now`.
    pub fn take(&mut self, now: Moment) {
        let gap = Gap { from: self.last_taken, until: now };
        if gap.length() >= self.shortest {
            if self.pauses.len() == MOST_PAUSES {
                self.pauses.remove(0);
            }
            self.pauses.push(Pause { gap, requests: 0 });
        }
        self.last_taken = now;
    }

    /// Looks whether a request ran through a standstill, or through a pause that may turn out to be one.
    pub fn record(&mut self, outcome: &Outcome) {
        self.seen += 1;
        if self.pauses.is_empty() && self.confirmed.is_empty() {
            return;
        }
        let ran_through = |gap: &Gap| outcome.due() <= gap.until && outcome.done() >= gap.from;
        if self.confirmed.iter().any(ran_through) {
            self.stalled += 1;
        }
        for pause in self.pauses.iter_mut().filter(|pause| ran_through(&pause.gap)) {
            pause.requests += 1;
        }
    }

    /// Takes what the sampler saw by `now`; returns the length of a standstill, if there was one.
    pub fn look(&mut self, seen: Overslept, now: Moment) -> Option<Duration> {
        let open = Pause { gap: Gap { from: self.last_taken, until: now }, requests: 0 };
        let pauses: Vec<Pause> = std::mem::take(&mut self.pauses).into_iter().chain([open]).collect();
        self.confirmed.clear();
        if let Some((length, woke)) = seen.suspended.filter(|(length, _)| *length >= self.shortest) {
            self.confirmed.push(Gap { from: woke, until: woke });
            self.total += length;
            return Some(length);
        }
        let slept = seen.gap?;
        let common = pauses.iter().map(|pause| (pause.gap.and(&slept), pause.requests));
        let (gap, requests) = common.max_by_key(|(gap, _)| gap.length())?;
        if gap.length() < self.shortest {
            return None;
        }
        self.stalled += requests;
        self.total += gap.length();
        // Outcomes of it may still wait to be taken.
        self.confirmed.push(gap);
        Some(gap.length())
    }

    /// Whether too many requests ran through standstills for the numbers to be the server's.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.stalled as f64 > self.seen as f64 * MOST_STALLED
    }

    /// Requests that ran through standstills, all requests, and how long the standstills were together.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64, Duration) {
        (self.stalled, self.seen, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Ending, Traffic, Turn};
    use crate::plan::endpoint::EndpointId;

    fn at(seconds: f64) -> Moment {
        Moment::at(Duration::from_secs_f64(seconds))
    }

    fn request(sent: f64, done: f64) -> Outcome {
        Outcome::new(EndpointId(0), Turn::WhenSent, (at(sent), at(done)), Traffic::default(), Ending::Ok)
    }

    fn slept(from: f64, until: f64) -> Overslept {
        Overslept { gap: Some(Gap { from: at(from), until: at(until) }), suspended: None }
    }

    fn stalls() -> Stalls {
        let mut stalls = Stalls::new(Duration::from_secs(3));
        for tenth in 1..=50 {
            stalls.take(at(f64::from(tenth) / 10.0));
            stalls.record(&request(f64::from(tenth) / 10.0 - 0.05, f64::from(tenth) / 10.0));
        }
        stalls
    }

    #[test]
    fn what_sampler_and_aggregator_both_missed_is_a_standstill() {
        let mut stalls = stalls();
        // Stopped from 5.0 to 8.0: three requests were under way, and are taken at once afterwards.
        stalls.take(at(8.01));
        (0..3).for_each(|_| stalls.record(&request(4.9, 8.0)));
        let length = stalls.look(slept(5.02, 8.02), at(8.02)).unwrap();
        assert_eq!(length, Duration::from_millis(2990));
        assert!(stalls.is_too_much());
        stalls.record(&request(4.9, 8.3));
        assert_eq!(stalls.counts(), (4, 54, length), "one that comes later counts too");
        assert_eq!(stalls.look(Overslept::default(), at(9.0)), None);
        stalls.record(&request(8.5, 9.0));
        assert_eq!(stalls.counts().0, 4);
    }

    #[test]
    fn outcomes_that_nobody_has_taken_yet_belong_to_it() {
        let mut stalls = stalls();
        assert!(stalls.look(slept(5.0, 8.0), at(8.0)).is_some(), "the sampler woke first");
        stalls.take(at(8.001));
        stalls.record(&request(4.95, 8.0));
        assert_eq!(stalls.counts().0, 1);
    }

    #[test]
    fn a_sampler_that_is_starved_while_outcomes_come_is_no_standstill() {
        let mut stalls = stalls();
        assert_eq!(stalls.look(slept(1.0, 4.9), at(5.0)), None);
    }

    #[test]
    fn a_server_that_is_silent_is_no_standstill() {
        let mut stalls = stalls();
        stalls.take(at(9.0));
        stalls.record(&request(4.0, 9.0));
        assert_eq!(stalls.look(slept(8.9, 9.05), at(9.1)), None);
        assert_eq!(stalls.counts().0, 0);
    }

    #[test]
    fn a_machine_that_was_suspended_stood_still_though_its_clock_says_nothing() {
        let mut stalls = stalls();
        let suspended = Some((Duration::from_secs(60), at(5.5)));
        assert_eq!(stalls.look(Overslept { gap: None, suspended }, at(6.0)), Some(Duration::from_secs(60)));
        stalls.record(&request(5.4, 6.0));
        stalls.record(&request(5.6, 6.0));
        assert_eq!(stalls.counts().0, 1);
    }
}
