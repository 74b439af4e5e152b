use super::*;
use crate::clock::Moment;
use crate::stats::verdict::Assessment;
use crate::vocabulary::EndReason;
use std::sync::mpsc;
use std::time::Instant;

/// Says what it is told, and goes on when it is told to.
struct Told {
    heard: mpsc::Sender<Heard>,
    go_on: Receiver<()>,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Snapshot(u64),
    End(u64),
    Dropped,
}

impl Observer for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn wants(&self) -> Wants {
        Wants::default()
    }

    fn observe(&mut self, snapshot: &Arc<Snapshot>, _: Moment) {
        self.heard.send(Heard::Snapshot(snapshot.completed)).unwrap();
        // Until the test is over, where it does not send anything.
        let _ = self.go_on.recv();
    }

    fn finish(&mut self, last: &Arc<Snapshot>, _: &RunEnding) {
        self.heard.send(Heard::End(last.completed)).unwrap();
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.heard.send(Heard::Dropped);
    }
}

fn start() -> (Observers, mpsc::Receiver<Heard>, Sender<()>) {
    let (heard, told) = mpsc::channel();
    let (going, go_on) = bounded(10);
    let observers = Observers::start(vec![Box::new(Told { heard, go_on })], Clock::start_now()).unwrap();
    (observers, told, going)
}

fn snapshot(completed: u64) -> Snapshot {
    Snapshot { completed, ..Snapshot::default() }
}

fn ending() -> Arc<RunEnding> {
    Arc::new(RunEnding {
        at: Moment::START,
        stopped_at: Moment::START,
        reason: EndReason::RunTime,
        users: 1,
        load_end: Moment::START,
        unfinished: Vec::new(),
        assessment: Assessment::pass(),
        answer: None,
        exit_code: 0,
    })
}

#[test]
fn a_slow_observer_misses_snapshots_and_gets_the_latest_and_the_final_result() {
    let (observers, told, going) = start();
    observers.give(0, &Arc::new(snapshot(1)));
    assert_eq!(told.recv(), Ok(Heard::Snapshot(1)));
    // It is still at the first one.
    (2..=5).for_each(|completed| observers.give(0, &Arc::new(snapshot(completed))));
    going.send(()).unwrap();
    assert_eq!(told.recv(), Ok(Heard::Snapshot(5)));
    observers.give(0, &Arc::new(snapshot(6)));
    going.send(()).unwrap();
    assert_eq!(told.recv(), Ok(Heard::Snapshot(6)));
    going.send(()).unwrap();
    observers.finish(snapshot(7), &ending());
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Heard::End(7), Heard::Dropped], "before the run goes on");
}

#[test]
fn an_observer_that_never_returns_delays_neither_the_run_nor_its_end_beyond_the_limit() {
    let (observers, told, going) = start();
    observers.give(0, &Arc::new(snapshot(1)));
    assert_eq!(told.recv(), Ok(Heard::Snapshot(1)));
    let began = Instant::now();
    // Would never end if giving waited for the observer.
    (2..=100_000).for_each(|completed| observers.give(0, &Arc::new(snapshot(completed))));
    let gave = Instant::now();
    observers.finish(snapshot(7), &ending());
    let waited = gave.elapsed();
    assert!(waited >= LIMIT && waited < 3 * LIMIT, "waited {waited:?}, gave in {:?}", gave - began);
    assert!(told.try_recv().is_err(), "it has not returned");
    drop(going);
}

#[test]
fn all_stuck_observers_together_get_the_limit_once() {
    let (heard, told) = mpsc::channel();
    let (going, go_on) = bounded(0);
    let stuck = || Box::new(Told { heard: heard.clone(), go_on: go_on.clone() }) as Box<dyn Observer>;
    let observers = Observers::start((0..5).map(|_| stuck()).collect(), Clock::start_now()).unwrap();
    (0..5).for_each(|place| observers.give(place, &Arc::new(snapshot(1))));
    (0..5).for_each(|_| assert_eq!(told.recv(), Ok(Heard::Snapshot(1))));
    let began = Instant::now();
    observers.finish(snapshot(7), &ending());
    assert!(began.elapsed() < 3 * LIMIT, "waited {:?}", began.elapsed());
    drop(going);
}

#[test]
fn a_run_that_could_not_be_carried_out_drops_its_observers_without_a_result() {
    let (observers, told, _going) = start();
    drop(observers);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Heard::Dropped]);
}

/// Counts how often it is given the same snapshot.
struct Repeated(mpsc::Sender<u64>);

impl Observer for Repeated {
    fn name(&self) -> &'static str {
        "repeated"
    }

    fn wants(&self) -> Wants {
        Wants { repeat: Some(Duration::from_millis(1)), ..Wants::default() }
    }

    fn observe(&mut self, snapshot: &Arc<Snapshot>, _: Moment) {
        // The test may be over.
        let _ = self.0.send(snapshot.completed);
    }
}

#[test]
fn an_observer_that_wants_to_gets_the_latest_snapshot_again() {
    let (sender, seen) = mpsc::channel();
    let observers = Observers::start(vec![Box::new(Repeated(sender))], Clock::start_now()).unwrap();
    observers.give(0, &Arc::new(snapshot(3)));
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [3, 3, 3]);
}

/// Panics at its first snapshot.
struct Broken;

impl Observer for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn wants(&self) -> Wants {
        Wants::default()
    }

    fn observe(&mut self, _: &Arc<Snapshot>, _: Moment) {
        panic!("on purpose");
    }
}

#[test]
fn an_observer_that_panics_ends_alone() {
    let observers = Observers::start(vec![Box::new(Broken)], Clock::start_now()).unwrap();
    observers.give(0, &Arc::new(snapshot(1)));
    assert!(observers.0[0].ended.recv().is_err(), "its thread has ended");
    observers.give(0, &Arc::new(snapshot(2)));
    observers.finish(snapshot(3), &ending());
}
