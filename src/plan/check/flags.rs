//! The checks that a run is given, and whether they can be held to.

use super::metric::{METRICS, Metric, Unit};
use super::{Check, CheckScope, RELATIONS, Relation};
use crate::cli::{CheckFlags, SettingSource, SettingSources};
use crate::error::{Error, Result};
use crate::plan::endpoint::Endpoint;
use crate::secret::{MASK, masked_url};

/// Maximum number of checks of a run: each may keep a histogram of 184 KiB.
pub const MAX_CHECKS: usize = 100;

/// The checks from the flags, or otherwise from the scenario file, with their origin and in their order;
/// those of locust-plugins' options come last.
///
/// # Errors
/// Names the flag and the place in it.
pub fn of(flags: &CheckFlags, origins: &SettingSources, of_file: &[Check]) -> Result<Vec<(Check, SettingSource)>> {
    let (given, origin) = if flags.checks.is_empty() {
        (of_file.to_vec(), SettingSource::File)
    } else {
        (list("--check", &flags.checks)?, origins.of("checks"))
    };
    let mut checks: Vec<_> = given.into_iter().map(|check| (check, origin)).collect();
    // locust-plugins: missed if rps is below, or the ratio or mean time is above the value.
    let plugins = [
        (flags.check_rps, "check_rps", Metric::Rps, Relation::AtLeast),
        (flags.check_fail_ratio, "check_fail_ratio", Metric::FailRatio, Relation::AtMost),
        (flags.check_avg_response_time, "check_avg_response_time", Metric::Avg, Relation::AtMost),
    ];
    for (bound, flag, metric, relation) in plugins {
        checks.extend(bound.map(|bound| (over_all(metric, relation, bound), origins.of(flag))));
    }
    Ok(checks)
}

/// `metric relation bound` over the whole run, as in locust-plugins: times in milliseconds.
pub(super) fn over_all(metric: Metric, relation: Relation, bound: f64) -> Check {
    let word = METRICS.into_iter().find(|(_, known)| *known == metric).map_or("", |(word, _)| word);
    let sign = RELATIONS.into_iter().find(|(_, known)| *known == relation).map_or("", |(sign, _)| sign);
    let (unit, scale) = if metric.unit() == Unit::Time { ("ms", 1000.0) } else { ("", 1.0) };
    let text = format!("{word} {sign} {bound}{unit}");
    Check { text, scope: CheckScope::default(), metric, relation, bound: bound * scale, aborts: false }
}

/// Parses a list of checks; `what` names the flag that contained them.
///
/// # Errors
/// Names the flag and the place in it.
pub fn list(what: &str, texts: &[String]) -> Result<Vec<Check>> {
    if texts.len() > MAX_CHECKS {
        return Err(Error::usage(what, format!("at most {MAX_CHECKS} checks")));
    }
    let refused = |text: &str, why| Error::usage(format!("{what} '{}'", shown(text)), why);
    texts.iter().map(|text| Check::parse(text).map_err(|why| refused(text, why))).collect()
}

/// A text that is not a check, shortened at a colon that cannot be part of a check outside its endpoint.
fn shown(text: &str) -> String {
    match text.split_once(':') {
        Some((before, _)) if !before.contains('{') => format!("{before}:{MASK}"),
        _ => text.to_owned(),
    }
}

/// Requires that the plan requests every endpoint named in a check: a mistyped name would never have any
/// data.
///
/// # Errors
/// Names the check and the endpoint that was probably meant.
pub(in crate::plan) fn require_known_endpoints(
    checks: &[(Check, SettingSource)],
    endpoints: &[Endpoint],
) -> Result<()> {
    let names: Vec<String> = endpoints.iter().map(Endpoint::to_string).collect();
    for (check, _) in checks {
        let Some(wanted) = check.scope.endpoint.as_deref().filter(|wanted| !names.iter().any(|name| name == wanted))
        else {
            continue;
        };
        let told = masked_url(wanted);
        let hint = match nearest(wanted, &names) {
            Some(name) => format!("no endpoint '{told}'; did you mean '{name}'?"),
            None => format!("no endpoint '{told}'"),
        };
        return Err(Error::usage(format!("--check '{}'", check.text.replace(wanted, &told)), hint));
    }
    Ok(())
}

/// The most similar of the endpoints' names. A common mistake is to leave out the method, so it counts only where there is
/// one.
fn nearest<'n>(wanted: &str, names: &'n [String]) -> Option<&'n str> {
    let wanted_path = wanted.split_once(' ').map_or(wanted, |(_, path)| path);
    let likeness = |name: &str| {
        let path = name.split_once(' ').map_or(name, |(_, path)| path);
        let of_path = strsim::normalized_damerau_levenshtein(wanted_path, path);
        (of_path, strsim::normalized_damerau_levenshtein(wanted, name))
    };
    let rated = names.iter().map(|name| (likeness(name), name.as_str()));
    let best = rated.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, name)| name)
}

/// Rejects `abort` for a shard: it only knows its own share of the results, so it evaluates no check.
///
/// # Errors
/// Names the check that would end the run.
pub(in crate::plan) fn reject_abort(checks: &[(Check, SettingSource)]) -> Result<()> {
    match checks.iter().find(|(check, _)| check.aborts) {
        Some((check, _)) => {
            Err(Error::usage(format!("--check '{check}'"), "a shard does not evaluate checks: leave out abort"))
        }
        None => Ok(()),
    }
}
