//! A search for capacity for people: its answer, and a row for each step.

use super::model::RunData;
use super::plain::{columns, cut, plain};
use super::table::ms;
use crate::telemetry::answer::{bounds_text, rate_text};
use crate::telemetry::steps::StepEvent;
use crate::vocabulary::{StepPurpose, StepVerdict};

/// Checks that have a column of their own.
const MAX_COLUMNS: usize = 4;

/// The answer, or what is known so far, in a sentence; `None` where the run is not a search.
#[must_use]
pub fn answer(run: &RunData) -> Option<String> {
    let answer = run.end.as_ref().and_then(|end| end.capacity.as_ref());
    match answer {
        Some(answer) => Some(answer.sentence()),
        None if run.is_search() => Some(format!("not known yet: {}", bounds_so_far(&run.steps))),
        None => None,
    }
}

/// What the steps so far say.
fn bounds_so_far(steps: &[StepEvent]) -> String {
    let rates = |result| steps.iter().filter(move |step| step.result == result).map(|step| step.rate);
    let failed = rates(StepVerdict::Failed).reduce(f64::min);
    let passed = rates(StepVerdict::Passed).filter(|rate| failed.is_none_or(|failed| *rate < failed)).reduce(f64::max);
    bounds_text(passed, failed)
}

/// Titles of the columns of [`cells`].
#[must_use]
pub fn titles(run: &RunData) -> Vec<String> {
    let checks = run.steps.first().map(|step| &step.checks[..]).unwrap_or_default();
    let checks = checks.iter().take(MAX_COLUMNS).map(|check| metric(&check.check).to_owned());
    ["step", "rate/s", "due", "completed", "p50"].map(str::to_owned).into_iter().chain(checks).collect()
}

/// What a check measures: what stands before its operator.
fn metric(check: &str) -> &str {
    // Behind the name of an endpoint, which may contain anything.
    let from = check.rfind('}').unwrap_or(0);
    let operator = check[from..].find(['<', '>', '=', '!']).map_or(check.len(), |at| from + at);
    check[..operator].trim_end()
}

/// The numbers of a step.
#[must_use]
pub fn cells(step: &StepEvent) -> Vec<String> {
    let number = match step.purpose {
        StepPurpose::Search => step.number.to_string(),
        StepPurpose::Confirm | StepPurpose::Recheck => format!("{} {}", step.number, step.purpose.as_str()),
    };
    let p50 = format!("{}ms", ms(step.judged.p50_us as f64 / 1000.0));
    let checks = step.checks.iter().take(MAX_COLUMNS).map(|check| check.value_text().unwrap_or_else(|| "–".to_owned()));
    let own = [number, rate_text(step.rate), step.due.to_string(), step.completed.to_string(), p50];
    own.into_iter().chain(checks).collect()
}

/// What a step came to, and why.
#[must_use]
pub fn result(step: &StepEvent) -> String {
    if step.reasons.is_empty() {
        return step.result.as_str().to_owned();
    }
    format!("{}: {}", step.result.as_str(), step.reasons.join("; "))
}

/// The steps as a table, and the answer, for a terminal of this width; empty where the run is not a search.
#[must_use]
pub fn text(run: &RunData, width: Option<usize>) -> String {
    let Some(answer) = answer(run) else { return String::new() };
    let answer = format!("\ncapacity: {}\n", plain(&answer));
    if run.steps.is_empty() {
        return answer;
    }
    let rows: Vec<Vec<String>> = [titles(run)].into_iter().chain(run.steps.iter().map(cells)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell)).max().unwrap_or(0))
        .collect();
    let results = ["result".to_owned()].into_iter().chain(run.steps.iter().map(result));
    let mut text = String::from("\nSteps\n");
    for (row, result) in rows.iter().zip(results) {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width.saturating_sub(columns(cell)));
            // The number of a step is on the left, because of the word beside it.
            let [first, second] = if at == 0 { [cell.as_str(), &gap] } else { [&gap, cell.as_str()] };
            line.extend([if at == 0 { "" } else { "  " }, first, second]);
        }
        line = format!("{line}  {}", plain(&result));
        text += &width.map_or(line.clone(), |width| cut(&line, width));
        text.push('\n');
    }
    text + &answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_titled_by_what_its_check_measures() {
        assert_eq!(metric("p99 < 50ms"), "p99");
        assert_eq!(metric("fail_ratio<=1%"), "fail_ratio");
        assert_eq!(metric("p95{GET /a?b=<c>} < 1s"), "p95{GET /a?b=<c>}");
    }
}
