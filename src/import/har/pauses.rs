//! Think times from the gaps of a recording.

use super::exchange::RecordedExchange;

/// Shortest gap in seconds before a page that is a pause; below it the page was loaded by a script.
const MIN_BEFORE_PAGE: f64 = 0.1;

/// Shortest gap in seconds before any other request. What a page loads by itself follows at once; what comes a second
/// after the last response waited for the user, or for a timer.
const MIN_BEFORE_OTHER: f64 = 1.0;

/// Maximum pause in seconds: whoever left for longer was not thinking about the page.
pub(super) const MAX_PAUSE: f64 = 60.0;

/// The gap in seconds before each exchange in which a user thought, and which request ended it; `None` without one. The
/// exchanges are all of the recording, in the order of their start: also while an image is loaded no user thinks.
pub(super) fn gaps(exchanges: &[RecordedExchange]) -> Vec<Option<f64>> {
    let mut ends: Vec<f64> = exchanges.iter().filter_map(RecordedExchange::end).collect();
    ends.sort_by(f64::total_cmp);
    let mut ended = ends.into_iter().peekable();
    let mut last = None;
    let mut page: Option<&str> = None;
    let mut gaps = Vec::with_capacity(exchanges.len());
    for exchange in exchanges {
        let is_new_page = exchange.page.is_some() && page.is_some() && exchange.page.as_deref() != page;
        page = exchange.page.as_deref().or(page);
        let Some(started) = exchange.started else {
            gaps.push(None);
            continue;
        };
        // What is still being answered, such as a stream of events, does not keep the user from thinking.
        while let Some(end) = ended.next_if(|end| *end <= started) {
            last = longer(last, Some(end));
        }
        let minimum = if exchange.is_page || is_new_page { MIN_BEFORE_PAGE } else { MIN_BEFORE_OTHER };
        gaps.push(last.map(|last| started - last).filter(|gap| *gap >= minimum));
        last = longer(last, Some(started));
    }
    gaps
}

/// The greater of two times.
pub(super) fn longer(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).max_by(f64::total_cmp)
}

/// The median of pauses; `None` without any.
pub(super) fn median(pauses: impl Iterator<Item = f64>) -> Option<f64> {
    let mut pauses: Vec<f64> = pauses.collect();
    pauses.sort_by(f64::total_cmp);
    pauses.get(pauses.len() / 2).copied()
}

/// A think time of this mean: from half to one and a half times of it, as people are not regular, and as users that
/// start together would otherwise stay together.
pub(super) fn think_time(seconds: f64) -> String {
    let tenths = |seconds: f64| format!("{:.1}s", seconds.max(0.1));
    let seconds = seconds.min(MAX_PAUSE);
    format!("{}..{}", tenths(seconds / 2.0), tenths(seconds * 1.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_think_time_has_the_mean_of_the_gap_and_is_bounded() {
        assert_eq!(think_time(2.0), "1.0s..3.0s");
        assert_eq!(think_time(0.1), "0.1s..0.2s");
        assert_eq!(think_time(3600.0), "30.0s..90.0s");
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median(std::iter::empty()), None);
    }
}
