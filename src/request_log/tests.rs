use super::*;
use crate::clock::Moment;
use crate::outcome::{DueTime, Failure, Traffic};
use crate::plan::endpoint::EndpointId;
use crate::plan::trace::RequestId;
use crossbeam_channel::unbounded;
use std::path::Path;

/// A log without a thread behind it, and what it was offered.
fn log(name: &str, share: &str, room: usize) -> (RequestLog, Receiver<Outcome>) {
    let (records, queue) = bounded(room);
    let ((chunks, _), (close, _), (_, ended)) = (bounded(1), bounded(1), unbounded());
    let format = Arc::new(Format::Jtl(Jtl::new(&Endpoints::default(), Clock::start_now(), Arc::default())));
    let plan = RequestLogPlan::new(Path::new(name), share.parse().unwrap(), 1).unwrap();
    let counts = Arc::new(LogCounts::default());
    let (has_warned, own) = (AtomicBool::new(false), queue.clone());
    (RequestLog { plan, records, queue: own, chunks, format, close, ended, counts, has_warned }, queue)
}

fn outcome(number: u64, ending: Ending) -> Outcome {
    let at = Moment::from_nanos(number);
    let outcome = Outcome::new(EndpointId(0), DueTime::WhenSent, (at, at), Traffic::default(), ending);
    outcome.of_request(RequestId::new(0, number), false)
}

#[test]
fn a_share_holds_every_failed_request_as_json_and_none_more_often_than_others_in_jmeters_csv() {
    let failed = Ending::Failed(Failure::Reset);
    for (name, expected_failed, expected_aborted) in [("r.ndjson", 1000, 1000), ("r.jtl", 100, 0)] {
        let (log, queue) = log(name, "10%", 10_000);
        for number in 1..=1000 {
            for ending in [Ending::Ok, failed, Ending::Aborted] {
                log.offer(&outcome(number, ending));
            }
        }
        let taken: Vec<Outcome> = queue.try_iter().collect();
        let count = |ending| taken.iter().filter(|outcome| outcome.ending() == ending).count();
        // Within 4 sigma of 10 % of 1,000: sigma = sqrt(1000 * 0.1 * 0.9) = 9.5.
        assert!(count(Ending::Ok).abs_diff(100) < 38, "{name}: {}", count(Ending::Ok));
        assert!(count(failed).abs_diff(expected_failed) < 38, "{name}: {}", count(failed));
        assert_eq!(count(Ending::Aborted), expected_aborted, "{name}");
    }
}

#[test]
fn a_queue_without_room_loses_records_which_are_counted_and_said_once() {
    let (log, _queue) = log("r.ndjson", "1", 10);
    (1..=10).for_each(|number| log.offer(&outcome(number, Ending::Ok)));
    assert_eq!(log.take_warning(), None);
    (11..=15).for_each(|number| log.offer(&outcome(number, Ending::Ok)));
    assert_eq!(log.counts.rejected.load(Ordering::Relaxed), 5);
    assert_eq!(log.take_warning().map(|(kind, _)| kind), Some("request_log_lost"));
    assert_eq!(log.take_warning(), None, "once is enough");
}

#[test]
fn the_end_says_how_many_records_are_missing_and_why() {
    let end =
        |written, lost, failure: Option<&str>| LogEnd { written, lost, failure: failure.map(str::to_owned) }.warning();
    assert_eq!(end(10, 0, None), None);
    let detail = "3 of 10 records are not in the log of requests: its disk was too slow".to_owned();
    assert_eq!(end(7, 3, None), Some(("request_log_lost", detail)));
    let detail = "the log of requests ended early: no space; 3 of 10 records are not in it".to_owned();
    assert_eq!(end(7, 3, Some("no space")), Some(("request_log_failed", detail)));
}
