//! How certain the figures are, as text for a terminal.

use std::fmt::Write as _;

use super::model::steady::Confidence;
use super::table::ms;
use crate::stats::confidence::{Estimate, Figure, LEVEL, MIN_TICKS};

/// The intervals of all requests in the steady phase, or why there are none; and which figures were not steady.
#[must_use]
pub fn text(confidence: &Confidence) -> String {
    let Confidence { ticks, seconds, all, drifts, .. } = confidence;
    let mut text = format!("\nSteady phase, {seconds:.1} s: ");
    let intervals: Vec<String> =
        Figure::ALL.iter().filter_map(|figure| Some(interval(*figure, &all[figure.index()]?))).collect();
    if *ticks == 0 {
        return "\nThe run has no steady phase, so there are no intervals of confidence.\n".to_owned();
    }
    if intervals.is_empty() {
        let _ = writeln!(
            text,
            "{ticks} {}, too few for intervals of confidence ({MIN_TICKS} are needed): run longer, or use a \
             shorter --interval",
            if *ticks == 1 { "tick" } else { "ticks" }
        );
    } else {
        let _ = writeln!(text, "{}  ({:.0} % intervals)", intervals.join("  "), LEVEL * 100.0);
    }
    for drift in drifts {
        let (first, last) = (value(drift.figure, drift.first), value(drift.figure, drift.last));
        let (name, unit) = name(drift.figure);
        let _ = writeln!(
            text,
            "not steady: {name} went from {first} to {last}{unit} between the first and the last third of the steady phase"
        );
    }
    text
}

/// A figure with its interval.
#[must_use]
pub fn interval(figure: Figure, estimate: &Estimate) -> String {
    let (low, high) = estimate.interval(LEVEL);
    let (name, unit) = name(figure);
    let [middle, low, high] = [estimate.value(), low, high].map(|number| value(figure, number));
    format!("{name} {middle}{unit} [{low}, {high}]")
}

/// Name and unit of a figure.
#[must_use]
pub const fn name(figure: Figure) -> (&'static str, &'static str) {
    match figure {
        Figure::P50 => ("p50", " ms"),
        Figure::P95 => ("p95", " ms"),
        Figure::P99 => ("p99", " ms"),
        Figure::Mean => ("mean", " ms"),
        Figure::Rate => ("rate", "/s"),
    }
}

/// A value of a figure, without its unit.
#[must_use]
pub fn value(figure: Figure, value: f64) -> String {
    if figure == Figure::Rate { format!("{value:.1}") } else { ms(value / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::steadiness::Drift;

    #[test]
    fn a_figure_stands_with_its_interval_or_the_reason_why_it_has_none() {
        let estimate = Estimate { log: 10_000.0_f64.ln(), error: 0.01, freedom: 6.5 };
        let all = [Some(estimate), None, None, Some(estimate), None];
        let drifts = vec![Drift { figure: Figure::P50, first: 9_000.0, last: 12_000.0 }];
        let confidence = Confidence { ticks: 60, seconds: 60.0, all, endpoints: Vec::new(), drifts };
        assert_eq!(
            text(&confidence),
            "\nSteady phase, 60.0 s: p50 10.0 ms [9.76, 10.2]  mean 10.0 ms [9.76, 10.2]  (95 % intervals)\n\
             not steady: p50 went from 9.00 to 12.0 ms between the first and the last third of the steady phase\n"
        );
        let few = Confidence { ticks: 3, seconds: 9.0, all: [None; 5], endpoints: Vec::new(), drifts: Vec::new() };
        assert!(text(&few).contains("9.0 s: 3 ticks, too few for intervals of confidence (20 are needed)"));
        let none = Confidence { ticks: 0, ..few };
        assert!(text(&none).contains("no steady phase"));
    }
}
