//! Queues whose capacity theory knows, loaded by simulation: Poisson arrivals, one line, one or several equal servers. The
//! study in `benches/capacity.rs` uses them too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use swarmline::capacity::search::{Answer, Next, Search, SearchSettings, Step};
use swarmline::capacity::step::{StepInput, StepResult};
use swarmline::plan::random::Random;

/// How long a request keeps a server busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Exponentially distributed, as in M/M/c.
    Exponential,
    /// Always the same, as in M/D/1.
    Constant,
}

/// A queue, and the check that it is held to. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    pub(crate) servers: u32,
    pub(crate) service: Service,
    /// Mean time of service.
    pub(crate) mean: f64,
    /// The check: this quantile of the response times is below this time.
    pub(crate) quantile: f64,
    pub(crate) below: f64,
}

/// How long the parts of a step are, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) settle: f64,
    pub(crate) measure: f64,
}

/// A search that was carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Searched {
    pub(crate) answer: Answer,
    pub(crate) steps: u32,
    /// Time under load, without the drains.
    pub(crate) seconds: f64,
}

impl Queue {
    /// The rate at which the quantile of the response times of an endless run is the limit.
    pub(crate) fn capacity(&self) -> f64 {
        let (mut low, mut high) = (0.0, f64::from(self.servers) / self.mean);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            let is_beyond = self.share_above_limit(middle) > 1.0 - self.quantile;
            *(if is_beyond { &mut high } else { &mut low }) = middle;
        }
        low
    }

    /// How many of the requests of an endless run take longer than the limit.
    fn share_above_limit(&self, rate: f64) -> f64 {
        let load = rate * self.mean;
        match self.service {
            Service::Exponential => self.exponential_above(load),
            Service::Constant => self.constant_above(rate, load),
        }
    }

    /// M/M/c: who waits (Erlang's C) waits for an exponential time, and then is served for another.
    fn exponential_above(&self, load: f64) -> f64 {
        let servers = f64::from(self.servers);
        // Erlang's B by its recursion, and C from it.
        let blocked = (1..=self.servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
        let waits = blocked / (1.0 - load / servers * (1.0 - blocked));
        let (time, spare) = (self.below / self.mean, servers - 1.0 - load);
        let added = if spare.abs() < 1e-9 { time } else { -(-time * spare).exp_m1() / spare };
        (-time).exp() * (1.0 + waits * added)
    }

    /// M/D/1: Erlang's sum for the share that waits no longer than a time.
    fn constant_above(&self, rate: f64, load: f64) -> f64 {
        assert_eq!(self.servers, 1, "with several servers the sum is another");
        let wait = self.below - self.mean;
        let mut sum = 0.0;
        for k in 0_u32.. {
            let left = f64::from(k) * self.mean - wait;
            if left > 0.0 {
                break;
            }
            sum += (1..=k).fold((-rate * left).exp(), |term, i| term * rate * left / f64::from(i));
        }
        1.0 - (1.0 - load) * sum
    }

    /// A step, judged: all requests end in its drain.
    pub(crate) fn step(&self, rate: f64, lengths: Lengths, random: &mut Random) -> StepResult {
        let (start, end) = (lengths.settle, lengths.settle + lengths.measure);
        let mut free_at: BinaryHeap<Reverse<u64>> = (0..self.servers).map(|_| Reverse(0)).collect();
        let mut input = StepInput::default();
        let mut times = Vec::new();
        let mut due = exponential(1.0 / rate, random);
        while due < end {
            let begins = free_at.pop().map_or(0, |Reverse(free)| free).max(nanoseconds(due));
            let service = match self.service {
                Service::Exponential => exponential(self.mean, random),
                Service::Constant => self.mean,
            };
            let done = begins + nanoseconds(service);
            free_at.push(Reverse(done));
            input.backlog_at_start += u64::from(due < start && done >= nanoseconds(start));
            input.backlog_at_end += u64::from(done >= nanoseconds(end));
            if due >= start {
                times.push(done - nanoseconds(due));
            }
            due += exponential(1.0 / rate, random);
        }
        input.due = times.len() as u64;
        let limit = nanoseconds(self.below);
        // As a percentile is of a histogram: the smallest time that so many do not exceed.
        let above = times.iter().filter(|time| **time >= limit).count();
        if times.is_empty() || above as f64 > times.len() as f64 * (1.0 - self.quantile) {
            input.missed.push(format!("{above} of {} took too long", times.len()));
        }
        StepResult::of(input)
    }

    /// The search for the capacity.
    pub(crate) fn search(&self, settings: SearchSettings, lengths: Lengths, random: &mut Random) -> Searched {
        let mut search = Search::new(settings);
        let (mut steps, mut seconds) = (0, 0.0);
        loop {
            match search.next() {
                Next::Step(Step { rate, kind }) => {
                    let measure = lengths.measure * f64::from(kind.length());
                    steps += 1;
                    seconds += lengths.settle + measure;
                    search.record(&self.step(rate, Lengths { measure, ..lengths }, random));
                }
                Next::Done(answer) => return Searched { answer, steps, seconds },
            }
        }
    }
}

/// An exponentially distributed time.
fn exponential(mean: f64, random: &mut Random) -> f64 {
    -mean * (1.0 - random.unit()).ln()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive times of some minutes")]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
