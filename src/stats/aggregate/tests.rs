use super::*;
use crate::outcome::{DueTime, Traffic};

fn outcome(endpoint: usize, ending: Ending) -> Outcome {
    let at = Moment::from_nanos(1_000_000);
    let id = EndpointId(u32::try_from(endpoint).unwrap());
    Outcome::new(id, DueTime::WhenSent, (at, at), Traffic::default(), ending)
}

#[test]
fn sent_is_ok_and_failed_and_aborted() {
    let mut aggregate = Aggregate::new(2);
    for ending in [Ending::Ok, Ending::Failed(Failure::Reset), Ending::Aborted, Ending::Ok] {
        aggregate.record(&outcome(1, ending));
    }
    let open = aggregate.progress(Moment::START);
    assert_eq!((open.completed, open.failed), (3, 1), "the interval that is still open");
    assert_eq!(aggregate.close_interval(Phase::Steady).len(), 1);
    assert_eq!(aggregate.progress(Moment::START), open, "unchanged after the cut");
    assert!(aggregate.close_interval(Phase::Steady).is_empty(), "each outcome is in one interval");
    let counts = aggregate.counts();
    assert_eq!((counts.ok, counts.failed, counts.aborted), (2, 1, 1));
    assert_eq!((counts.sent(), counts.completed()), (4, 3));
    let statistics = aggregate.statistics(Moment::START);
    assert_eq!((statistics.num_requests, statistics.num_failures), (3, 1));
}

#[test]
fn endpoints_beyond_the_limit_are_counted_together_with_a_warning() {
    let many = MAX_ENDPOINTS + 5;
    let mut aggregate = Aggregate::new(many);
    (0..many).chain(0..many).for_each(|id| aggregate.record(&outcome(id, Ending::Ok)));
    assert_eq!(aggregate.endpoints().len(), MAX_ENDPOINTS + 1);
    aggregate.close_interval(Phase::Steady);
    let other = aggregate.endpoints().last().unwrap();
    assert_eq!((other.key, other.tally.counts().ok), (EndpointKey::Other, 10));
    assert_eq!(aggregate.take_warnings(), [AggregateWarning::CoarseEndpoints, AggregateWarning::OtherEndpoints]);
    assert_eq!(aggregate.take_warnings(), []);
}

#[test]
fn errors_beyond_the_limit_are_counted_together() {
    let mut aggregate = Aggregate::new(1);
    for status in (400..400 + MAX_ERRORS_PER_ENDPOINT + 3).chain([400, 600]) {
        let failure = Failure::Status(u16::try_from(status).unwrap());
        aggregate.record(&outcome(0, Ending::Failed(failure)));
    }
    let errors = &aggregate.endpoints()[0].errors;
    assert_eq!(errors.len(), MAX_ERRORS_PER_ENDPOINT + 1);
    assert_eq!(errors[0].occurrences, 2);
    assert_eq!(
        (errors[MAX_ERRORS_PER_ENDPOINT].kind, errors[MAX_ERRORS_PER_ENDPOINT].occurrences),
        (ErrorKind::Other, 4)
    );
    assert_eq!(aggregate.take_warnings(), [AggregateWarning::OtherErrors]);
}
