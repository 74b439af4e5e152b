//! The requests behind the tail, out of those that each tick tells of.

use std::cmp::Ordering;

use crate::telemetry::samples::SampleEvent;
use crate::vocabulary::SampleKind;

/// Maximum number of requests of each kind.
const MAX_SAMPLES: usize = 20;

/// Maximum number of slow requests of one endpoint, so that one slow endpoint does not hide the next.
const MAX_SLOW_PER_ENDPOINT: usize = 5;

/// The slowest requests of a run, and the first that failed.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// The slowest, slowest first; at most five of an endpoint.
    pub slowest: Vec<SampleEvent>,
    /// The same of those that were traced.
    pub traced: Vec<SampleEvent>,
    /// The first of each endpoint and error, in the order of time.
    pub failed: Vec<SampleEvent>,
}

impl Samples {
    /// Adds one of a tick.
    pub(super) fn add(&mut self, event: &SampleEvent) {
        add_slow(&mut self.slowest, event);
        if event.trace_id.is_some() {
            add_slow(&mut self.traced, event);
        }
        if event.kinds.contains(&SampleKind::FirstFailed) {
            self.add_failed(event);
        }
    }

    fn add_failed(&mut self, event: &SampleEvent) {
        let is_known = |known: &SampleEvent| is_of_endpoint(known, event) && known.error == event.error;
        if !self.failed.iter().any(is_known) && self.failed.len() < MAX_SAMPLES {
            let at = self.failed.partition_point(|known| known.done_ms <= event.done_ms);
            self.failed.insert(at, event.clone());
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slowest.is_empty() && self.failed.is_empty()
    }
}

/// Milliseconds from when a request was due until it was over.
#[must_use]
pub fn response_ms(event: &SampleEvent) -> f64 {
    // Both have three digits, which a difference of floats blurs.
    ((event.done_ms - event.due_ms) * 1000.0).round() / 1000.0
}

fn is_of_endpoint(one: &SampleEvent, other: &SampleEvent) -> bool {
    one.method == other.method && one.name == other.name
}

fn by_response(one: &SampleEvent, other: &SampleEvent) -> Ordering {
    response_ms(other).total_cmp(&response_ms(one))
}

/// Adds a request to the slowest ones. The fastest of its endpoint goes where that has too many, else the fastest of all:
/// what is left is the same in whichever order they come.
fn add_slow(slowest: &mut Vec<SampleEvent>, event: &SampleEvent) {
    let at = slowest.partition_point(|known| by_response(known, event) != Ordering::Greater);
    slowest.insert(at, event.clone());
    if slowest.iter().filter(|known| is_of_endpoint(known, event)).count() > MAX_SLOW_PER_ENDPOINT {
        let fastest = slowest.iter().rposition(|known| is_of_endpoint(known, event));
        fastest.map(|fastest| slowest.remove(fastest));
    }
    slowest.truncate(MAX_SAMPLES);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::RequestResult;

    fn event(name: &str, due_ms: f64, took_ms: f64, error: Option<&str>) -> SampleEvent {
        SampleEvent {
            kinds: vec![if error.is_some() { SampleKind::FirstFailed } else { SampleKind::Slowest }],
            method: "GET".to_owned(),
            name: name.to_owned(),
            due_ms,
            sent_ms: due_ms,
            first_byte_ms: None,
            done_ms: due_ms + took_ms,
            result: if error.is_some() { RequestResult::Failed } else { RequestResult::Ok },
            status_code: None,
            error: error.map(str::to_owned),
            trace_id: None,
        }
    }

    #[test]
    fn one_slow_endpoint_does_not_hide_the_others() {
        let mut samples = Samples::default();
        for number in 0..100_u32 {
            samples.add(&event("/slow", 0.0, 1000.0 + f64::from(number), None));
            samples.add(&event(&format!("/{number}"), 0.0, f64::from(number), None));
        }
        let told: Vec<(&str, f64)> = samples.slowest.iter().map(|event| (&*event.name, response_ms(event))).collect();
        assert_eq!(told.len(), 20);
        assert_eq!(
            told[..6],
            [1099.0, 1098.0, 1097.0, 1096.0, 1095.0]
                .map(|ms| ("/slow", ms))
                .iter()
                .copied()
                .chain([("/99", 99.0)])
                .collect::<Vec<_>>()[..]
        );
    }

    #[test]
    fn of_each_endpoint_and_error_the_first_failure_is_kept() {
        let mut samples = Samples::default();
        for (name, due_ms, error) in
            [("/a", 5.0, "x: 1"), ("/a", 7.0, "x: 1"), ("/a", 8.0, "x: 2"), ("/b", 2.0, "x: 1")]
        {
            samples.add(&event(name, due_ms, 1.0, Some(error)));
        }
        let told: Vec<(&str, f64)> = samples.failed.iter().map(|event| (&*event.name, event.due_ms)).collect();
        assert_eq!(told, [("/b", 2.0), ("/a", 5.0), ("/a", 8.0)]);
    }
}
