use super::*;
use crate::cli::{self, Command, Invocation, Variables};
use crate::machine::sampler::Sampler;
use crate::outcome::{DueTime, Ending, Failure, Outcome, Traffic};
use crate::plan::ProcessContext;
use crate::plan::endpoint::EndpointId;
use crate::publish::observer::{EndpointSelection, Observer};
use crate::stats::aggregate::EndpointInterval;
use crate::stats::check::CheckInput;
use crate::stats::stalls::SamplerReport;
use crate::stats::tally::Counts;
use crate::stats::verdict::Assessment;
use crate::vocabulary::EndReason;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::mpsc::{Receiver, Sender, channel};

fn plan() -> Plan {
    let line = ["swarmline", "run", "--host", "http://localhost", "--check", "max < 1s", "/a", "/b", "/c"];
    let parsed = cli::parse(line.map(OsString::from), Variables::Ignored).unwrap();
    let Invocation::Command(Command::Run(flags), origins) = parsed else { unreachable!("a run") };
    let surroundings = ProcessContext { stdout_is_terminal: false, entropy: 1, environment: &BTreeMap::new() };
    Plan::from_flags(&flags, &origins, surroundings).unwrap()
}

/// Passes on what it is given.
struct Kept(Wants, Sender<Arc<Snapshot>>);

impl Observer for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn wants(&self) -> Wants {
        self.0
    }

    fn observe(&mut self, snapshot: &Arc<Snapshot>, _: Moment) {
        self.1.send(Arc::clone(snapshot)).unwrap();
    }
}

fn kept(wants: Wants) -> (Observers, Receiver<Arc<Snapshot>>) {
    let (sender, seen) = channel();
    (Observers::start(vec![Box::new(Kept(wants, sender))], Clock::start_now()).unwrap(), seen)
}

fn at(millis: u64) -> Moment {
    Moment::from_nanos(millis * 1_000_000)
}

fn outcome(endpoint: u32, millis: u64, ending: Ending) -> Outcome {
    Outcome::new(EndpointId(endpoint), DueTime::WhenSent, (at(millis), at(millis + 7)), Traffic::default(), ending)
}

fn tick_sample(tick: u64, sampler: &mut Sampler) -> TickSample {
    let mut sample = sampler.sample(at(tick * 1000));
    sample.at = at(tick * 1000);
    TickSample {
        tick,
        due: at(tick * 1000),
        users: 3,
        flight: Flight { sent: 10, in_flight: 2, oldest: Duration::ZERO },
        stopped: None,
        machine: sample,
        writer_cpu: Duration::ZERO,
        open_files_limit: 0,
        overslept: SamplerReport::default(),
        exports: None,
    }
}

/// A tick as the aggregator makes one.
fn tick(
    snapshots: &mut Snapshots<'_>,
    (aggregate, check_set): (&mut Aggregate, &mut CheckSet),
    sample: TickSample,
) -> Vec<EndpointInterval> {
    let cuts = aggregate.close_interval(Phase::Steady);
    for EndpointInterval { key: place, interval, .. } in &cuts {
        check_set.add(&CheckInput::from_interval(
            &endpoint(snapshots.plan, *place).to_string(),
            Phase::Steady,
            interval,
        ));
    }
    let (sends, aggregator_cpu) = (aggregate.take_sends(), Duration::ZERO);
    let count = TickCounts { cuts, sends, queue: 0, joined: 0, aggregator_cpu };
    snapshots.tick((sample, Phase::Steady), (aggregate, check_set), &count, &[]);
    count.cuts
}

fn add(sum: &mut Counts, cut: &EndpointInterval) {
    sum.ok += cut.interval.ok;
    sum.failed += cut.interval.failures();
    sum.aborted += cut.interval.aborted;
}

#[test]
fn a_snapshot_of_a_tick_has_the_sums_of_the_intervals_up_to_it() {
    let (plan, roster, mut sampler) = (plan(), Roster::default(), Sampler::new());
    let (observers, seen) = kept(Wants { endpoints: EndpointSelection::All, checks: true, ..Wants::default() });
    let mut snapshots = Snapshots::new(&plan, &roster, Clock::start_now(), &observers);
    let (mut aggregate, mut check_set) = (Aggregate::new(plan.endpoints().len()), CheckSet::new(plan.checks()));
    let mut sums: Vec<(String, Counts)> = Vec::new();
    let endings = [Ending::Ok, Ending::Failed(Failure::Reset), Ending::Ok, Ending::Aborted];
    for number in 1..=4 {
        for (endpoint, ending) in (0..number).zip(endings) {
            // Of the third endpoint nothing happens in the first interval.
            aggregate.record(&outcome(endpoint % 3, u64::from(number) * 1000 - 500, ending));
        }
        let sample = tick_sample(u64::from(number), &mut sampler);
        for cut in tick(&mut snapshots, (&mut aggregate, &mut check_set), sample) {
            let name = endpoint(&plan, cut.key).to_string();
            let place = sums.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                sums.push((name, Counts::default()));
                sums.len() - 1
            });
            add(&mut sums[place].1, &cut);
        }
        let snapshot = seen.recv().unwrap();
        let told: Vec<_> = snapshot.tick.endpoints.iter().map(|one| (one.endpoint.to_string(), one.counts)).collect();
        assert_eq!(told, sums, "tick {number}");
        let all = sums.iter().fold(Counts::default(), |all, (_, counts)| all.and(counts));
        assert_eq!(snapshot.tick.counts, all);
        assert_eq!((snapshot.completed, snapshot.failed), (all.completed(), all.failed));
        assert_eq!(snapshot.tick.statistics.num_requests, all.completed());
        assert_eq!((snapshot.tick.number, snapshot.at), (sample.tick, sample.machine.at));
        assert_eq!((snapshot.tick.users, snapshot.tick.flight, snapshot.tick.phase), (3, sample.flight, Phase::Steady));
        let [check] = snapshot.tick.checks.as_slice() else { panic!("one check") };
        assert_eq!((check.met, check.value.map(|value| value.number)), (true, Some(7000.0)));
    }
}

#[test]
fn what_no_observer_wants_is_not_made() {
    let (plan, roster, mut sampler) = (plan(), Roster::default(), Sampler::new());
    let pause = Duration::from_secs(2);
    let (observers, seen) = kept(Wants { endpoints: EndpointSelection::First(1), pause, ..Wants::default() });
    let mut snapshots = Snapshots::new(&plan, &roster, Clock::start_now(), &observers);
    let (mut aggregate, mut check_set) = (Aggregate::new(plan.endpoints().len()), CheckSet::new(plan.checks()));
    (0..3).for_each(|endpoint| aggregate.record(&outcome(endpoint, 500, Ending::Ok)));
    for number in 1..=4 {
        tick(&mut snapshots, (&mut aggregate, &mut check_set), tick_sample(number, &mut sampler));
        snapshots.pulse(at(number * 1000 + 900), || -> &Aggregate { unreachable!("not wanted") }, false);
        if number % 2 == 0 {
            let snapshot = seen.recv().unwrap();
            assert_eq!((snapshot.tick.endpoints.len(), snapshot.tick.further_endpoints), (1, 2));
            assert_eq!((snapshot.tick.number, snapshot.tick.checks.len()), (number, 0));
        }
        assert!(seen.try_recv().is_err(), "not due at tick {number}");
    }
}

#[test]
fn between_two_ticks_the_totals_go_on_and_the_tick_stays() {
    let (plan, roster, mut sampler) = (plan(), Roster::default(), Sampler::new());
    let (observers, seen) = kept(Wants { between_ticks: true, ..Wants::default() });
    let mut snapshots = Snapshots::new(&plan, &roster, Clock::start_now(), &observers);
    let (mut aggregate, mut check_set) = (Aggregate::new(plan.endpoints().len()), CheckSet::default());
    aggregate.record(&outcome(0, 500, Ending::Ok));
    tick(&mut snapshots, (&mut aggregate, &mut check_set), tick_sample(1, &mut sampler));
    assert_eq!(seen.recv().unwrap().completed, 1);
    aggregate.record(&outcome(0, 1100, Ending::Failed(Failure::Reset)));
    snapshots.pulse(at(1400), || &aggregate, false);
    assert!(seen.try_recv().is_err(), "half a second after the tick at the soonest");
    snapshots.pulse(at(1500), || &aggregate, true);
    let snapshot = seen.recv().unwrap();
    assert_eq!((snapshot.completed, snapshot.failed, snapshot.at, snapshot.is_stopping), (2, 1, at(1500), true));
    assert_eq!((snapshot.tick.counts.completed(), snapshot.tick.number), (1, 1));
}

#[test]
fn the_last_snapshot_has_all_that_was_counted_and_the_statistics_of_the_last_lines() {
    let (plan, roster) = (plan(), Roster::default());
    let (observers, _seen) = kept(Wants { endpoints: EndpointSelection::All, ..Wants::default() });
    let mut snapshots = Snapshots::new(&plan, &roster, Clock::start_now(), &observers);
    let mut aggregate = Aggregate::new(plan.endpoints().len());
    (0..6).for_each(|number| aggregate.record(&outcome(number % 2, 100, Ending::Ok)));
    aggregate.close_interval(Phase::Steady);
    let ending = RunEnding {
        at: at(5000),
        stopped_at: at(2000),
        reason: EndReason::RunTime,
        users: 4,
        load_end: at(2000),
        unfinished: Vec::new(),
        assessment: Assessment::pass(),
        answer: None,
        exit_code: 0,
    };
    let last = snapshots.last(&ending, &aggregate, Some((5, Phase::Drain)));
    assert_eq!((last.completed, last.users, last.at, last.tick.number), (6, 4, at(5000), 5));
    assert_eq!(last.tick.statistics, aggregate.total().statistics(at(5000), at(2000)));
    assert_eq!(last.tick.endpoints.iter().map(|one| one.counts.ok).collect::<Vec<_>>(), [3, 3]);
}
