//! Stalls of the generator itself: times in which the whole process did nothing, for example under SIGSTOP or
//! on a starved machine, and the requests that overlapped them and therefore took longer than the server did.
//!
//! A stall needs two independent signals. The sampler notices that it slept longer than it should; that alone
//! also happens when thousands of ready threads take turns. The aggregator notices that no outcome was
//! received for a while; that alone also happens when the server is slow. Where the two overlap, the process
//! stalled.

use std::time::Duration;

use crate::clock::Moment;
use crate::outcome::Outcome;

/// Maximum share of requests that overlap a stall in a valid run.
pub const MAX_STALLED_SHARE: f64 = 0.05;

/// Maximum number of pauses between outcomes that are remembered until the sampler reports.
const MAX_PAUSES: usize = 64;

/// A span of time; for a suspended machine both ends are equal, because its clock was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// Start of the span.
    pub from: Moment,
    /// End of the span.
    pub until: Moment,
}

impl TimeSpan {
    /// Length of the span.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    fn intersection(&self, other: &Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }
}

/// The sampler's observations since its previous report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SamplerReport {
    /// The longest span for which it slept beyond its wake-up time.
    pub gap: Option<TimeSpan>,
    /// How long the machine was suspended, and when it resumed.
    pub suspended: Option<(Duration, Moment)>,
}

/// A pause in which no outcome was received, and the requests that overlap it.
#[derive(Clone, Copy, Debug)]
struct OutcomePause {
    gap: TimeSpan,
    requests: u64,
}

/// The stalls so far.
#[derive(Clone, Debug)]
pub struct Stalls {
    /// Anything shorter is not a stall.
    shortest: Duration,
    last_received: Moment,
    pauses: Vec<OutcomePause>,
    /// Recent stalls that may still gain requests.
    confirmed: Vec<TimeSpan>,
    stalled: u64,
    seen: u64,
    total: Duration,
}

/// Lower limit of the stall threshold, whatever the tick: on a busy machine a thread may wait this long to be
/// scheduled.
const MIN_THRESHOLD: Duration = Duration::from_millis(500);

/// Upper limit of the stall threshold.
const MAX_THRESHOLD: Duration = Duration::from_secs(1);

impl Stalls {
    /// Creates an empty record for a run with this tick interval.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self {
            shortest: (interval / 2).clamp(MIN_THRESHOLD, MAX_THRESHOLD),
            last_received: Moment::START,
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

    /// Notes that outcomes were received at `now`.
    pub fn outcomes_received(&mut self, now: Moment) {
        let gap = TimeSpan { from: self.last_received, until: now };
        if gap.length() >= self.shortest {
            if self.pauses.len() == MAX_PAUSES {
                self.pauses.remove(0);
            }
            self.pauses.push(OutcomePause { gap, requests: 0 });
        }
        self.last_received = now;
    }

    /// Counts a request, and checks whether it overlaps a stall or a pause that may turn out to be one.
    pub fn record(&mut self, outcome: &Outcome) {
        self.seen += 1;
        if self.pauses.is_empty() && self.confirmed.is_empty() {
            return;
        }
        let ran_through = |gap: &TimeSpan| outcome.due() <= gap.until && outcome.done() >= gap.from;
        if self.confirmed.iter().any(ran_through) {
            self.stalled += 1;
        }
        for pause in self.pauses.iter_mut().filter(|pause| ran_through(&pause.gap)) {
            pause.requests += 1;
        }
    }

    /// Evaluates the sampler's report of `now`; returns the length of the stall, if there was one.
    pub fn evaluate(&mut self, seen: SamplerReport, now: Moment) -> Option<Duration> {
        let open = OutcomePause { gap: TimeSpan { from: self.last_received, until: now }, requests: 0 };
        let pauses: Vec<OutcomePause> = std::mem::take(&mut self.pauses).into_iter().chain([open]).collect();
        self.confirmed.clear();
        if let Some((length, woke)) = seen.suspended.filter(|(length, _)| *length >= self.shortest) {
            self.confirmed.push(TimeSpan { from: woke, until: woke });
            self.total += length;
            return Some(length);
        }
        let slept = seen.gap?;
        let common = pauses.iter().map(|pause| (pause.gap.intersection(&slept), pause.requests));
        let (gap, requests) = common.max_by_key(|(gap, _)| gap.length())?;
        if gap.length() < self.shortest {
            return None;
        }
        self.stalled += requests;
        self.total += gap.length();
        // Outcomes from this span may still be waiting in the queue.
        self.confirmed.push(gap);
        Some(gap.length())
    }

    /// Whether so many requests overlap stalls that the numbers no longer describe the server.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.stalled as f64 > self.seen as f64 * MAX_STALLED_SHARE
    }

    /// Requests that overlap stalls, all requests, and the total length of the stalls.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64, Duration) {
        (self.stalled, self.seen, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{DueTime, Ending, Traffic};
    use crate::plan::endpoint::EndpointId;

    fn at(seconds: f64) -> Moment {
        Moment::at(Duration::from_secs_f64(seconds))
    }

    fn request(sent: f64, done: f64) -> Outcome {
        Outcome::new(EndpointId(0), DueTime::WhenSent, (at(sent), at(done)), Traffic::default(), Ending::Ok)
    }

    fn slept(from: f64, until: f64) -> SamplerReport {
        SamplerReport { gap: Some(TimeSpan { from: at(from), until: at(until) }), suspended: None }
    }

    fn stalls() -> Stalls {
        let mut stalls = Stalls::new(Duration::from_secs(3));
        for tenth in 1..=50 {
            stalls.outcomes_received(at(f64::from(tenth) / 10.0));
            stalls.record(&request(f64::from(tenth) / 10.0 - 0.05, f64::from(tenth) / 10.0));
        }
        stalls
    }

    #[test]
    fn what_sampler_and_aggregator_both_missed_is_a_stall() {
        let mut stalls = stalls();
        // Stopped from 5.0 to 8.0: three requests were in flight and are received together afterwards.
        stalls.outcomes_received(at(8.01));
        (0..3).for_each(|_| stalls.record(&request(4.9, 8.0)));
        let length = stalls.evaluate(slept(5.02, 8.02), at(8.02)).unwrap();
        assert_eq!(length, Duration::from_millis(2990));
        assert!(stalls.is_too_much());
        stalls.record(&request(4.9, 8.3));
        assert_eq!(stalls.counts(), (4, 54, length), "one that comes later counts too");
        assert_eq!(stalls.evaluate(SamplerReport::default(), at(9.0)), None);
        stalls.record(&request(8.5, 9.0));
        assert_eq!(stalls.counts().0, 4);
    }

    #[test]
    fn outcomes_still_in_the_queue_belong_to_it() {
        let mut stalls = stalls();
        assert!(stalls.evaluate(slept(5.0, 8.0), at(8.0)).is_some(), "the sampler woke first");
        stalls.outcomes_received(at(8.001));
        stalls.record(&request(4.95, 8.0));
        assert_eq!(stalls.counts().0, 1);
    }

    #[test]
    fn a_starved_sampler_is_not_a_stall_while_outcomes_arrive() {
        let mut stalls = stalls();
        assert_eq!(stalls.evaluate(slept(1.0, 4.9), at(5.0)), None);
    }

    #[test]
    fn a_silent_server_is_not_a_stall() {
        let mut stalls = stalls();
        stalls.outcomes_received(at(9.0));
        stalls.record(&request(4.0, 9.0));
        assert_eq!(stalls.evaluate(slept(8.9, 9.05), at(9.1)), None);
        assert_eq!(stalls.counts().0, 0);
    }

    #[test]
    fn a_suspended_machine_stalled_although_its_clock_does_not_show_it() {
        let mut stalls = stalls();
        let suspended = Some((Duration::from_secs(60), at(5.5)));
        assert_eq!(stalls.evaluate(SamplerReport { gap: None, suspended }, at(6.0)), Some(Duration::from_secs(60)));
        stalls.record(&request(5.4, 6.0));
        stalls.record(&request(5.6, 6.0));
        assert_eq!(stalls.counts().0, 1);
    }
}
