//! Why requests failed, as a stream has it: explanations of errors, and failed exchanges.

use std::collections::HashMap;

use crate::telemetry::reader::failures::{ErrorName, ExchangeFact};
use crate::vocabulary::FailureClass;

/// Maximum exchanges: as many as a run shows.
const MAX_EXCHANGES: usize = 200;

/// Maximum bytes of an exchange; one of swarmline's has half as many.
const MAX_TEXT: usize = 8 * 1024;

/// Maximum errors that are explained.
const MAX_EXPLAINED: usize = 2000;

/// A failed exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeSeen {
    /// When it ended, RFC 3339.
    pub time: String,
    /// The process whose user it was.
    pub source_id: String,
    /// The error that it ended with.
    pub error: ErrorName,
    /// What was sent, received, expected and found.
    pub text: String,
    number: u32,
    parts: usize,
}

/// Why requests failed.
#[derive(Clone, Debug, Default)]
pub struct FailureCauses {
    exchanges: Vec<ExchangeSeen>,
    explanations: HashMap<ErrorName, String>,
}

impl FailureCauses {
    /// Failed exchanges in the order of the stream.
    #[must_use]
    pub fn exchanges(&self) -> &[ExchangeSeen] {
        &self.exchanges
    }

    /// What a response of this error had beside what was wanted, the first time.
    #[must_use]
    pub fn explanation(&self, method: &str, name: &str, error: &str) -> Option<&str> {
        let key = ErrorName { method: method.to_owned(), name: name.to_owned(), error: error.to_owned() };
        self.explanations.get(&key).map(String::as_str)
    }

    /// What explains the errors of a class at an endpoint; of several explanations the first in alphabetical order, so that
    /// it stays the same.
    #[must_use]
    pub fn explanation_of_class(&self, method: &str, name: &str, class: FailureClass) -> Option<&str> {
        let is_of_class = |error: &str| {
            error.strip_prefix(class.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let of_class = self
            .explanations
            .iter()
            .filter(|(error, _)| error.method == method && error.name == name && is_of_class(&error.error));
        of_class.map(|(_, explanation)| explanation.as_str()).min()
    }

    /// Adds what explains an error; only the first explanation of an error is kept.
    pub(super) fn explain(&mut self, error: ErrorName, detail: String) {
        if self.explanations.len() < MAX_EXPLAINED {
            self.explanations.entry(error).or_insert(detail);
        }
    }

    /// Adds a part of an exchange; one that does not follow the part before it is left out.
    pub(super) fn add(&mut self, time: String, source_id: String, fact: ExchangeFact) {
        let ExchangeFact { error, exchange: number, part, text } = fact;
        if part == 1 {
            if self.exchanges.len() < MAX_EXCHANGES {
                self.exchanges.push(ExchangeSeen { time, source_id, error, text, number, parts: 1 });
            }
            return;
        }
        let is_same = |seen: &&mut ExchangeSeen| seen.number == number && seen.source_id == source_id;
        let begun = self.exchanges.iter_mut().rev().find(is_same);
        if let Some(begun) = begun.filter(|begun| begun.parts + 1 == part && begun.text.len() + text.len() <= MAX_TEXT)
        {
            begun.text.push_str(&text);
            begun.parts = part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u32, part: usize, text: &str) -> ExchangeFact {
        let error = ErrorName { method: "GET".to_owned(), name: "/".to_owned(), error: "http_4xx: 404".to_owned() };
        ExchangeFact { error, exchange: number, part, text: text.to_owned() }
    }

    #[test]
    fn parts_are_joined_by_shard_and_number() {
        let mut seen = FailureCauses::default();
        for (source, fact) in [
            ("worker-0", part(1, 1, "a")),
            ("worker-1", part(1, 1, "x")),
            ("worker-0", part(1, 2, "b")),
            ("worker-1", part(1, 2, "y")),
            ("worker-1", part(1, 4, "lost its third")),
            ("worker-2", part(9, 2, "lost its first")),
        ] {
            seen.add(String::new(), source.to_owned(), fact);
        }
        assert_eq!(seen.exchanges().iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["ab", "xy"]);
        (0..500).for_each(|number| seen.add(String::new(), String::new(), part(number, 1, "")));
        assert_eq!(seen.exchanges().len(), MAX_EXCHANGES);
    }
}
