//! `JUnit` XML, for systems that display tests: a case for the run itself, one for failed requests, and one
//! per check.

use std::fmt::Write as _;

use crate::plan::check::Check;
use crate::report::comparison::row_text;
use crate::report::model::{BuildComparison, ReportModel, RunData};
use crate::report::plain::plain;
use crate::stats::build_comparison::Finding;
use crate::stats::check::unchecked_failures;
use crate::value::count::counted;
use crate::vocabulary::{ReasonKind, Verdict};

/// The result of a case.
enum CaseResult {
    Passed,
    /// It was evaluated and is not as expected: in a line, and what there is to know beside.
    Failed(String, String),
    /// It cannot be evaluated.
    Broken(String),
    /// Others decide: the reason.
    Skipped(String),
}

/// The complete document.
#[must_use]
pub fn document(model: &ReportModel) -> String {
    let suite = escaped(&model.identity.testplan);
    let cases = cases(model);
    let count = |is: fn(&CaseResult) -> bool| cases.iter().filter(|(_, case)| is(case)).count();
    let (failures, errors) =
        (count(|case| matches!(case, CaseResult::Failed(..))), count(|case| matches!(case, CaseResult::Broken(_))));
    let skipped = count(|case| matches!(case, CaseResult::Skipped(_)));
    let seconds = model.run.seconds();
    let totals = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"", cases.len());
    let started = model.run.plan.started_at.as_deref().unwrap_or_default();
    // The schema that most readers use allows neither a fraction nor a time zone.
    let started = escaped(started.split('.').next().unwrap_or_default());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"swarmline\" {totals}>\n  \
         <testsuite name=\"{suite}\" {totals} skipped=\"{skipped}\" timestamp=\"{started}\">\n"
    );
    text.push_str(&properties(model));
    for (name, case) in &cases {
        let _ = write!(
            text,
            "    <testcase classname=\"swarmline.{suite}\" name=\"{}\" time=\"{seconds:.3}\"",
            escaped(name)
        );
        let _ = match case {
            CaseResult::Passed => writeln!(text, "/>"),
            CaseResult::Failed(why, details) if details.is_empty() => {
                writeln!(text, "><failure message=\"{}\"/></testcase>", escaped(why))
            }
            CaseResult::Failed(why, details) => {
                let details: Vec<String> = details.lines().map(escaped).collect();
                let details = details.join("\n");
                writeln!(text, "><failure message=\"{}\">{details}</failure></testcase>", escaped(why))
            }
            CaseResult::Broken(why) => writeln!(text, "><error message=\"{}\"/></testcase>", escaped(why)),
            CaseResult::Skipped(why) => writeln!(text, "><skipped message=\"{}\"/></testcase>", escaped(why)),
        };
    }
    text + "  </testsuite>\n</testsuites>\n"
}

/// What the cases do not say of the run.
fn properties(model: &ReportModel) -> String {
    let run = &model.run;
    let notes = model.comparison.iter().flat_map(|comparison| &comparison.notes);
    let warmup = run.warmup().map(|warmup| ("warmup", warmup.sentence()));
    let properties: Vec<String> = warmup
        .into_iter()
        .chain(run.remarks())
        .chain(notes.map(|note| ("comparison_note", note.clone())))
        .map(|(name, sentence)| format!("<property name=\"{name}\" value=\"{}\"/>", escaped(&sentence)))
        .collect();
    if properties.is_empty() {
        return String::new();
    }
    format!("    <properties>{}</properties>\n", properties.concat())
}

fn cases(model: &ReportModel) -> Vec<(String, CaseResult)> {
    let run = &model.run;
    let reasons = || run.end.as_ref().map_or_else(|| "the stream has no end".to_owned(), |end| end.texts().join("; "));
    let valid = match run.end.as_ref().map(|end| end.verdict) {
        Some(Verdict::Invalid) | None => CaseResult::Broken(reasons()),
        Some(_) if model.troubles.is_loss() => CaseResult::Broken(model.troubles.sentences().join("; ")),
        Some(_) => CaseResult::Passed,
    };
    let checks: Vec<Check> = run.checks.iter().filter_map(|check| Check::parse(&check.check).ok()).collect();
    let titles = run.failed_by_endpoint();
    let failed = unchecked_failures(&checks, titles.iter().map(|(title, failed)| (title.as_str(), *failed)));
    let (all, completed) = (run.counts().failed, run.counts().completed());
    let unanswered = || {
        let reasons = run.end.iter().flat_map(|end| &end.reasons);
        reasons.filter(|reason| reason.kind == Some(ReasonKind::NoAnswer)).map(|reason| reason.text.clone()).next()
    };
    let requests = counted(completed, "request");
    let is_accepted = run.end.as_ref().is_some_and(|end| end.exit_code == 0);
    let clean = match failed {
        _ if run.is_search() => CaseResult::Skipped("failed requests make a step of the search fail".to_owned()),
        // No request could fail. Where that makes the run invalid, the reason says it; a shard may have had none to send.
        _ if completed == 0 => CaseResult::Skipped(unanswered().unwrap_or_else(|| "no request completed".to_owned())),
        _ if all == 0 => CaseResult::Passed,
        // As the exit code of the run: failures that are accepted are neither a pass nor a failure of this case.
        0 => CaseResult::Skipped(format!("{all} of {requests} failed; a check decides about them")),
        _ if is_accepted => CaseResult::Skipped(format!("{all} of {requests} failed, which the run accepts")),
        _ => CaseResult::Failed(format!("{failed} of {requests} failed"), details(run)),
    };
    let of_checks = run.checks.iter().map(|check| {
        let case = match (check.met, check.value_text()) {
            (true, _) => CaseResult::Passed,
            (false, Some(value)) => CaseResult::Failed(format!("it is {value}"), String::new()),
            (false, None) => CaseResult::Failed("without data".to_owned(), String::new()),
        };
        (check.check.clone(), case)
    });
    let found = run.is_search().then(|| {
        let case = match run.end.as_ref().map(|end| end.verdict) {
            Some(Verdict::Pass) => CaseResult::Passed,
            Some(Verdict::CheckFailed) => CaseResult::Failed(reasons(), String::new()),
            _ => CaseResult::Skipped("the run is not valid".to_owned()),
        };
        ("capacity".to_owned(), case)
    });
    let own = [("the run is valid".to_owned(), valid), ("no failed requests".to_owned(), clean)];
    own.into_iter().chain(found).chain(of_checks).chain(model.comparison.iter().flat_map(compared)).collect()
}

/// A case for each figure that is judged: one that cannot be told does not fail.
fn compared(comparison: &BuildComparison) -> Vec<(String, CaseResult)> {
    let mut cases = Vec::new();
    for endpoint in &comparison.endpoints {
        for row in endpoint.rows.iter().filter(|row| row.measure.is_judged()) {
            let text = row_text(row, comparison.tolerance);
            let change = format!("{} in the baseline, {} now ({})", text.baseline, text.value, text.change);
            let case = match row.finding {
                Finding::Worse => CaseResult::Failed(change, comparison.notes.join("\n")),
                Finding::CannotTell | Finding::TooFew => CaseResult::Skipped(text.finding),
                Finding::Better | Finding::Same | Finding::NotJudged => CaseResult::Passed,
            };
            cases.push((format!("{} {}: not worse than the baseline", endpoint.title, text.measure), case));
        }
    }
    cases
}

/// The errors with what explains them, and the failed exchanges that the stream has.
fn details(run: &RunData) -> String {
    /// Errors that are listed; the stream has them all.
    const MOST: usize = 100;
    let mut text = String::new();
    for (occurrences, what, explanation) in run.failures().iter().take(MOST) {
        let _ = writeln!(text, "{occurrences} {what}{}", explanation.map(|why| format!(": {why}")).unwrap_or_default());
    }
    for exchange in run.causes.exchanges() {
        let _ = write!(text, "\n{}", exchange.text);
    }
    text
}

/// Escapes text for an attribute or an element (XML 1.0 section 2.3); characters that are not allowed in XML are written
/// out.
fn escaped(text: &str) -> String {
    let plain = plain(text);
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_the_document() {
        assert_eq!(
            escaped("p95{GET /a?b&c} < \"1s\"\u{0}\u{1b}\u{ffff}"),
            "p95{GET /a?b&amp;c} &lt; &quot;1s&quot;\\u{0}\\u{1b}\u{fffd}"
        );
    }
}
