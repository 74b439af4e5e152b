//! Makes records from numbers: which lines there are, in which order, at which times.

use std::time::Duration;

use super::config::config_pages;
use super::ending::RunEnding;
use super::health::{self, Intent};
use super::intervals::{self, Span};
use super::own_records::{RunEnvironment, Warning, WireSetting};
use super::record::{
    Cpu, EndpointError, EndpointStats, Gauge, Network, Record, RecordBody, Stats, TestStop, WireStatistics,
};
use super::text::{MAX_METHOD, MAX_NAME, clipped};
use super::tick::{PreviousSample, TickCounts, TickSample};
use super::{exchanges, samples, unfinished, warnings};
use crate::clock::{Clock, Moment, rfc3339};
use crate::event::{SwarmEvent, SwarmEventKind};
use crate::machine::sampler::Sample;
use crate::machine::usage;
use crate::plan::Plan;
use crate::plan::endpoint::Endpoint;
use crate::plan::schedule::stepped::SteppedArrivals;
use crate::stats::aggregate::{
    Aggregate, AggregateWarning, EndpointInterval, EndpointKey as StatsPlace, EndpointTally, ErrorKind,
};
use crate::stats::samples::choose;
use crate::stats::tally::{Statistics, Tally};
use crate::stats::unfinished::{Judged, Unfinished};
use crate::stats::warmup::WarmupCounts;
use crate::vocabulary::{Direction, Phase, StatsType, Status};

/// Makes the records of a run. It never reads the clock: every time is passed in.
#[derive(Debug)]
pub struct Recorder<'p> {
    plan: &'p Plan,
    /// The arrivals of a search for capacity.
    steps: Option<&'p SteppedArrivals>,
    clock: Clock,
    available_cpus: f64,
    process_age_at_start: Duration,
    before: Option<PreviousSample>,
}

impl<'p> Recorder<'p> {
    /// A recorder for a run of `plan`.
    #[must_use]
    pub const fn new(plan: &'p Plan, clock: Clock, available_cpus: f64, process_age_at_start: Duration) -> Self {
        Self { plan, steps: None, clock, available_cpus, process_age_at_start, before: None }
    }

    /// The same for a search for capacity, whose arrivals these are.
    #[must_use]
    pub fn with_steps(self, steps: Option<&'p SteppedArrivals>) -> Self {
        Self { steps, ..self }
    }

    /// The lines before the first tick.
    #[must_use]
    pub fn start(&self, place: RunEnvironment) -> Vec<Record> {
        let mut records = vec![record(Moment::START, RecordBody::TestStart {})];
        let settings = self.plan.settings().iter().map(|setting| WireSetting {
            key: setting.key.into(),
            value: setting.value.clone(),
            origin: setting.origin.as_str().into(),
        });
        let config = config_pages(settings, self.plan.hash(), place);
        records.extend(config.into_iter().map(|body| record(Moment::START, body)));
        records
    }

    /// The lines of a tick. `aggregate` was closed for it, which gave `count`.
    #[must_use]
    pub fn tick(&mut self, sample: TickSample, aggregate: &Aggregate, count: &TickCounts) -> Vec<Record> {
        let mut bodies = self.machine(sample, aggregate);
        let span = self.span(sample);
        for EndpointInterval { key: place, interval, .. } in &count.cuts {
            bodies.extend(intervals::lines(&span, &self.endpoint(*place), interval));
        }
        bodies.extend(self.samples(&count.cuts));
        let intent = Intent { users: self.wanted(sample), arrivals: self.intended(sample) };
        bodies.push(health::line(&span, (self.before.as_ref(), &sample), count, &intent));
        let exports_before = self.before.as_ref().and_then(|before| before.sample.exports);
        let loss = warnings::first_export_loss(exports_before, sample.exports)
            .map(|(kind, detail)| self::warning(kind, detail));
        self.before = Some(PreviousSample { sample, aggregator_cpu: count.aggregator_cpu });
        let of_tick = bodies.into_iter().map(|body| Record { at: sample.machine.at, tick: Some(sample.tick), body });
        // Behind the tick, whose lines stand together; a warning belongs to none.
        of_tick.chain(loss.map(|loss| record(sample.machine.at, loss))).collect()
    }

    /// The lines about single requests of the interval.
    fn samples(&self, cuts: &[EndpointInterval]) -> impl Iterator<Item = RecordBody> {
        let samples = |cut: &EndpointInterval| {
            let samples = cut.samples.samples().into_iter().map(|sample| (cut.key, sample)).collect();
            (cut.samples.longest(), samples)
        };
        choose(cuts.iter().map(samples).collect()).into_iter().map(|(key, sample)| {
            RecordBody::Sample(Box::new(samples::event(self.plan, &self.clock, self.endpoint(key), sample)))
        })
    }

    /// Start of the interval that ends with the next sample.
    #[must_use]
    pub fn interval_start(&self) -> Moment {
        self.before.as_ref().map_or(Moment::START, |before| before.sample.machine.at)
    }

    /// The phase that covers most of the interval that ends with `sample`.
    #[must_use]
    pub fn phase(&self, sample: TickSample) -> Phase {
        let (start, end) = (self.interval_start(), sample.machine.at);
        let load_end = sample.stopped.map_or(end, |stopped| stopped.clamp(start, end));
        match self.steps {
            _ if end.since(load_end) > load_end.since(start) => Phase::Drain,
            None => self.plan.load().phase(start, load_end),
            Some(steps) => steps.phase_of(start.since_start(), load_end.since_start()),
        }
    }

    /// The interval that ends with `sample`.
    fn span(&self, sample: TickSample) -> Span {
        let start = self.interval_start();
        let end = sample.machine.at;
        let phase = self.phase(sample);
        let text = |moment| rfc3339(self.clock.unix(moment));
        Span { start: text(start), end: text(end), phase }
    }

    /// Users that should be running at `sample`, or that should have been when the load ended, if it ended in the interval
    /// that ends with `sample`; none in later ones.
    fn wanted(&self, sample: TickSample) -> u32 {
        let at = sample.stopped.map_or(sample.machine.at, |stopped| stopped.min(sample.machine.at));
        if sample.is_draining() && at <= self.interval_start() {
            return 0;
        }
        self.plan.load().users_wanted(at).unwrap_or(sample.users)
    }

    /// Arrivals due in the interval that ends with `sample`; `None` in the closed model.
    fn intended(&self, sample: TickSample) -> Option<f64> {
        let due = |at: Moment| match self.steps {
            None => self.plan.load().arrivals_due(at),
            Some(steps) => Some(steps.arrivals_due(at.since_start())),
        };
        Some(due(sample.machine.at)? - due(self.interval_start())?)
    }

    /// The lines about all requests and the machine.
    fn machine(&self, sample: TickSample, aggregate: &Aggregate) -> Vec<RecordBody> {
        let machine = sample.machine;
        let before = self.before.as_ref().map(|before| before.sample.machine);
        let statistics = aggregate.statistics(machine.at);
        let cpu = match &before {
            Some(before) => usage::cpu_percent(before, &machine),
            None => usage::first_cpu_percent(&machine, self.process_age_at_start),
        };
        let warning = before.and_then(|_| usage::cpu_warning(cpu, self.available_cpus));
        let delta = |now: u64, total: fn(&Sample) -> u64| now.saturating_sub(before.as_ref().map_or(now, total));
        let bodies = [
            current_stats(sample.users, &statistics),
            RecordBody::Cpu(Cpu { value: cpu, unit: "percent", available_cpus: self.available_cpus }),
            RecordBody::Mem(Gauge { value: mebibytes(machine.rss_bytes), unit: "MiB" }),
            RecordBody::Network(Network {
                value: machine.network_sent,
                unit: "bytes",
                direction: Direction::Sent,
                delta: delta(machine.network_sent, |before| before.network_sent),
            }),
            RecordBody::Network(Network {
                value: machine.network_received,
                unit: "bytes",
                direction: Direction::Recv,
                delta: delta(machine.network_received, |before| before.network_received),
            }),
        ];
        let warning = warning.map(|value| RecordBody::CpuWarning(Gauge { value, unit: "percent" }));
        bodies.into_iter().chain(warning).collect()
    }

    /// The lines about an event of the swarm: one, or as many as a text needs.
    #[must_use]
    pub fn swarm_event(&self, event: &SwarmEvent) -> Vec<Record> {
        let body = match &event.kind {
            SwarmEventKind::Exchange(exchange) => {
                let bodies = exchanges::lines(self.plan, exchange).into_iter();
                return bodies.map(|body| record(event.at, body)).collect();
            }
            SwarmEventKind::Explanation(explanation) => exchanges::explanation(self.plan, explanation),
            SwarmEventKind::Spawned { users } => RecordBody::SpawnComplete { user_count: *users },
            SwarmEventKind::SpawnFailed { users, why } => {
                let most = self.plan.load().max_users();
                warning("spawn_failed", &format!("only {users} of {most} users were started: {why}"))
            }
            SwarmEventKind::UsersExhausted { users: 1 } => {
                warning("users_exhausted", "the only user was busy when an arrival was due")
            }
            SwarmEventKind::UsersExhausted { users } => {
                warning("users_exhausted", &format!("all {users} users were busy when an arrival was due"))
            }
            SwarmEventKind::SetupFailed { why } => warning("setup_failed", &setup_failed(why)),
            SwarmEventKind::Notice(notice) => {
                let (kind, detail) = warnings::notice(self.plan, *notice);
                warning(kind, &detail)
            }
        };
        vec![record(event.at, body)]
    }

    /// The line about a fault of this machine.
    #[must_use]
    pub fn fault(&self, at: Moment, kind: &'static str, detail: &str) -> Record {
        record(at, warning(kind, detail))
    }

    /// The line about a warning of the aggregate.
    #[must_use]
    pub fn aggregate_warning(&self, at: Moment, remark: AggregateWarning) -> Record {
        let (kind, detail) = warnings::aggregate_warning(remark);
        record(at, warning(kind, &detail))
    }

    /// The lines after the last tick: test.stop, unfinished, final, errors, endpoints, run.end.
    pub fn finish<'a>(
        &'a self,
        ending: &RunEnding,
        aggregate: &'a Aggregate,
    ) -> impl Iterator<Item = Record> + use<'a, 'p> {
        let at = ending.at;
        let stopped = self.clock.unix(ending.stopped_at);
        let stop = RecordBody::TestStop(TestStop {
            end_time: rfc3339(self.clock.unix(at) + Duration::from_secs(1)),
            stopped_at: rfc3339(stopped),
            reason: ending.reason,
        });
        let load_end = ending.load_end;
        let total = aggregate.total();
        let total = final_stats(ending.users, total, total.warmup().copied(), &total.statistics(at, load_end));
        let errors = aggregate.endpoints().iter().flat_map(|endpoint| self.errors(endpoint));
        // Endpoints whose requests were all aborted have no statistics.
        let used = aggregate.endpoints().iter().filter(|endpoint| endpoint.tally.counts().completed() > 0);
        let endpoints = used.map(move |endpoint| {
            let statistics = endpoint.tally.statistics(at, load_end);
            endpoint_stats(self.endpoint(endpoint.key), &endpoint.tally, endpoint.tally.warmup().copied(), &statistics)
        });
        let tick = self.before.as_ref().map(|before| before.sample.tick);
        let unfinished = self.unfinished(ending, aggregate).map(move |body| Record { at, tick, body });
        let bodies = [total].into_iter().chain(errors).chain(endpoints).chain(ending.bodies(aggregate.total()));
        [record(at, stop)].into_iter().chain(unfinished).chain(bodies.map(move |body| record(at, body)))
    }

    /// The lines about unfinished requests.
    fn unfinished(&self, ending: &RunEnding, aggregate: &Aggregate) -> impl Iterator<Item = RecordBody> + use<> {
        let text = |moment| rfc3339(self.clock.unix(moment));
        let (start, end) = (text(Moment::START), text(ending.stopped_at));
        let span = Span { start, end, phase: Phase::Drain };
        let judged = |of: StatsPlace| {
            let parts = ending.unfinished.iter().filter(|(place, _)| *place == of).map(|(_, part)| part);
            let endpoint = aggregate.endpoints().iter().find(|endpoint| endpoint.key == of);
            endpoint.map(|endpoint| Judged::of(&endpoint.tally, parts)).unwrap_or_default()
        };
        let lines = |(place, part): &(StatsPlace, Unfinished)| {
            unfinished::lines(&span, &self.endpoint(*place), part, judged(*place))
        };
        ending.unfinished.iter().flat_map(lines).collect::<Vec<_>>().into_iter()
    }

    fn errors<'a>(&'a self, endpoint: &'a EndpointTally) -> impl Iterator<Item = RecordBody> + use<'a, 'p> {
        endpoint.errors.iter().map(|error| {
            let Endpoint { method, name } = self.endpoint(endpoint.key);
            let text = match error.kind {
                ErrorKind::Failure(failure) => failure.text(),
                ErrorKind::Other => "other errors".to_owned(),
            };
            RecordBody::EndpointError(EndpointError {
                stats_type: StatsType::Endpoint,
                status: Status::Error,
                method,
                name,
                error: clipped(&text, MAX_NAME).into_owned(),
                occurrences: error.occurrences,
                warmup_occurrences: (error.warmup > 0).then_some(error.warmup),
                first_seen: self.clock.unix(error.first_seen).as_secs_f64(),
                last_seen: self.clock.unix(error.last_seen).as_secs_f64(),
            })
        })
    }

    /// Method and name of an endpoint, cut to fit a line.
    fn endpoint(&self, place: StatsPlace) -> Endpoint {
        match place {
            StatsPlace::Endpoint(id) => {
                let Endpoint { method, name } = &self.plan.endpoints()[id.0 as usize];
                let method = clipped(method, MAX_METHOD).into_owned();
                Endpoint { method, name: clipped(name, MAX_NAME).into_owned() }
            }
            StatsPlace::Other => Endpoint { method: String::new(), name: "other".to_owned() },
        }
    }
}

const fn record(at: Moment, body: RecordBody) -> Record {
    Record { at, tick: None, body }
}

/// The line about all requests so far.
#[must_use]
pub fn current_stats(user_count: u32, statistics: &Statistics) -> RecordBody {
    let statistics = WireStatistics::new(String::new(), "Aggregated".to_owned(), statistics);
    RecordBody::Stats(Stats {
        stats_type: StatsType::Current,
        user_count,
        statistics,
        first_byte: None,
        timings: None,
        warmup: None,
    })
}

/// The line about all requests at the end, with these statistics.
#[must_use]
pub fn final_stats(
    user_count: u32,
    tally: &Tally,
    warmup: Option<WarmupCounts>,
    statistics: &Statistics,
) -> RecordBody {
    RecordBody::Stats(Stats {
        stats_type: StatsType::Final,
        user_count,
        statistics: WireStatistics::new(String::new(), "Aggregated".to_owned(), statistics),
        first_byte: tally.first_byte().map(Into::into),
        timings: tally.timings().map(Into::into),
        warmup: warmup.as_ref().map(Into::into),
    })
}

/// The line about one endpoint at the end, with these statistics.
#[must_use]
pub fn endpoint_stats(
    endpoint: Endpoint,
    tally: &Tally,
    warmup: Option<WarmupCounts>,
    statistics: &Statistics,
) -> RecordBody {
    RecordBody::EndpointStats(EndpointStats {
        stats_type: StatsType::Endpoint,
        status: Status::Success,
        statistics: WireStatistics::new(endpoint.method, endpoint.name, statistics),
        first_byte: tally.first_byte().map(Into::into),
        timings: tally.timings().map(Into::into),
        warmup: warmup.as_ref().map(Into::into),
    })
}

/// The sentence about a setup that failed.
#[must_use]
pub fn setup_failed(why: &str) -> String {
    format!("setup failed: {why}")
}

/// The line of a warning.
#[must_use]
pub fn warning(kind: &'static str, detail: &str) -> RecordBody {
    RecordBody::Warning(Warning { kind, detail: clipped(detail, MAX_NAME).into_owned(), cause: None })
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
