use super::*;

#[test]
fn phases_are_ordered_as_an_interval_prefers_them() {
    assert!(Phase::ALL.is_sorted());
    assert_eq!(Phase::ALL.map(Phase::as_str), ["drain", "warmup", "ramp", "down", "steady"]);
    let mut in_order_of_time = Phase::IN_ORDER_OF_TIME;
    in_order_of_time.sort();
    assert_eq!(in_order_of_time, Phase::ALL);
}

#[test]
fn failure_classes_are_in_alphabetical_order() {
    assert!(FailureClass::ALL.map(FailureClass::as_str).is_sorted());
}
