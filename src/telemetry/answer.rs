//! What a search for capacity has found, as the last line has it. The same type is written and read.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::vocabulary::SearchAnswer;

/// What a search has found: part of the last line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerEvent {
    /// Which kind of answer it is.
    #[serde(deserialize_with = "word")]
    pub answer: SearchAnswer,
    /// The rate that it is about, in arrivals per second; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The highest rate that passed, below all that failed; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<f64>,
    /// The lowest rate that failed; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<f64>,
    /// How many steps were done.
    pub steps: u32,
    /// Why no more is known; left out where the answer says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl AnswerEvent {
    /// The answer in a sentence, with its bounds.
    #[must_use]
    pub fn sentence(&self) -> String {
        let rate = rate_text(self.rate.unwrap_or(0.0));
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        match self.answer {
            SearchAnswer::Found => match self.failed {
                Some(failed) => format!("{rate}/s meets the checks, {}/s does not", rate_text(failed)),
                None => format!("{rate}/s meets the checks"),
            },
            SearchAnswer::ReachedTo => format!("at least {rate}/s, the highest rate that --to allows"),
            SearchAnswer::AtLeast => format!("at least {rate}/s{why}"),
            SearchAnswer::NotMeasured => format!("not known{why}"),
            SearchAnswer::NoRate => format!("no rate meets the checks: {rate}/s does not{why}"),
            SearchAnswer::NotStable => {
                let failed = self.failed.map_or_else(String::new, |failed| format!("; {}/s failed", rate_text(failed)));
                format!("not stable near {rate}/s: it passed once, and a longer step did not confirm it{failed}{why}")
            }
            SearchAnswer::Interrupted => format!("not known, the search was ended{why}: {}", self.bounds()),
        }
    }

    /// What is known, in words.
    #[must_use]
    pub fn bounds(&self) -> String {
        bounds_text(self.passed, self.failed)
    }
}

/// What a highest rate that passed and a lowest rate that failed say.
#[must_use]
pub fn bounds_text(passed: Option<f64>, failed: Option<f64>) -> String {
    match (passed.map(rate_text), failed.map(rate_text)) {
        (Some(passed), Some(failed)) => format!("{passed}/s passed, {failed}/s failed"),
        (Some(passed), None) => format!("{passed}/s passed"),
        (None, Some(failed)) => format!("{failed}/s failed"),
        (None, None) => "nothing is known yet".to_owned(),
    }
}

/// A rate with four significant digits.
#[must_use]
pub fn rate_text(rate: f64) -> String {
    let digits = if rate >= 1000.0 {
        0
    } else if rate >= 100.0 {
        1
    } else if rate >= 10.0 {
        2
    } else {
        3
    };
    let text = format!("{rate:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// Reads a word of the vocabulary.
pub(super) fn word<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    text.parse().map_err(|_| serde::de::Error::custom(format!("an unknown word: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_four_significant_digits() {
        for (rate, text) in [
            (0.5, "0.5"),
            (1.0, "1"),
            (10.0, "10"),
            (99.324, "99.32"),
            (103.72, "103.7"),
            (1234.5, "1234"),
            (1e6, "1000000"),
        ] {
            assert_eq!(rate_text(rate), text);
        }
    }

    #[test]
    fn an_answer_is_a_sentence_with_its_bounds() {
        let answer = |answer, rate, passed, failed, why: &str| {
            let why = Some(why.to_owned()).filter(|why| !why.is_empty());
            AnswerEvent { answer, rate, passed, failed, steps: 3, why }.sentence()
        };
        let (low, high) = (Some(99.32), Some(103.7));
        assert_eq!(answer(SearchAnswer::Found, low, low, high, ""), "99.32/s meets the checks, 103.7/s does not");
        let reason = "all users were busy; raise -u";
        assert_eq!(
            answer(SearchAnswer::AtLeast, low, low, None, reason),
            "at least 99.32/s: all users were busy; raise -u"
        );
        assert_eq!(
            answer(SearchAnswer::Interrupted, None, low, high, ""),
            "not known, the search was ended: 99.32/s passed, 103.7/s failed"
        );
        assert_eq!(
            answer(SearchAnswer::Interrupted, None, None, None, ""),
            "not known, the search was ended: nothing is known yet"
        );
    }
}
