//! Reports of a stream that is read back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stdio;
use crate::cli::{Outputs, ReportFlags, SettingSources};
use crate::error::{Error, Exit, Result};
use crate::files::distinct::{self, NamedFile};
use crate::plan::check::{self, Check};
use crate::report::files::{FileSelection, ReportFiles};
use crate::report::model::ReportModel;
use crate::report::model::comparison::{BuildComparison, ComparedRun};
use crate::report::{compare, comparison, screen, terminal};
use crate::run::signals;
use crate::telemetry::interrupt::Interrupt;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream or none; a report cannot be written; the runs of one side of
/// a comparison have different plans, or a run is compared twice. Exit 130: a signal arrived before the end of a stream.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let checks = check::of(&flags.checks, &SettingSources::default(), &[])?;
    let checks: Vec<Check> = checks.into_iter().map(|(check, _)| check).collect();
    let subject = Subject::of(flags);
    if subject == Subject::SideBySide && flags.outputs != Outputs::default() {
        return Err(Error::usage("--html", "is a report of one stream; give one STREAM"));
    }
    let inputs: Vec<NamedFile> =
        flags.baseline.iter().chain(&flags.streams).map(|path| NamedFile::stream(path)).collect();
    let files = ReportFiles::new(&flags.outputs);
    distinct::require_distinct(
        &inputs,
        &[&[NamedFile::stdout()][..], &files.named(FileSelection::FinalNames)].concat(),
    )?;
    let interrupt = Arc::new(Interrupt::new().map_err(|why| Error::usage("signals", why))?);
    signals::install_interrupt(&interrupt)?;
    let read = |path: &PathBuf| -> Result<TitledRun> {
        Ok((path.display().to_string(), ReportModel::judged_by(path, &checks, &interrupt)?))
    };
    // The baseline's own result does not count against the others, but what is compared has to be whole.
    let baseline = flags.baseline.iter().map(read).collect::<Result<Vec<_>>>()?;
    let mut runs = flags.streams.iter().map(read).collect::<Result<Vec<_>>>()?;
    let mut exit = runs.iter().map(|(_, model)| exit(model, &checks)).max().unwrap_or(Exit::Pass);
    if baseline.iter().any(|(_, model)| model.troubles.is_loss()) {
        exit = Exit::Invalid;
    }
    let mut text = String::new();
    if subject != Subject::One {
        text.extend(baseline.iter().chain(&runs).map(|(title, model)| terminal::troubles(title, model)));
    }
    match subject {
        Subject::One => {}
        Subject::SideBySide => text.push_str(&compare::compare(&runs)),
        Subject::Builds(repeats) => {
            refuse_searches(baseline.iter().chain(&runs))?;
            require_distinct_runs(&baseline, &runs)?;
            let (compared, worse) = compare_builds(&baseline, &mut runs, repeats, flags.tolerance)?;
            text.push_str(&compared);
            if worse {
                exit = exit.max(Exit::CheckFailed);
            }
        }
    }
    if subject != Subject::One && !checks.is_empty() {
        text.extend(runs.iter().map(|(title, model)| terminal::judgement(title, model)));
    }
    if let Some((_, model)) = (subject != Subject::SideBySide).then(|| runs.swap_remove(0)) {
        let model = model.with_confidence();
        if subject == Subject::One {
            text = terminal::exchanges(&model.run) + &terminal::summary(&model, screen::stdout_width());
        }
        let files = files.filled(|key| model.run.plan.setting(key));
        distinct::require_distinct(&inputs, &[&[NamedFile::stdout()][..], &files.named(FileSelection::All)].concat())?;
        text.push_str(&files.write(&model, Error::usage)?);
    }
    stdio::print(&text)?;
    Ok(exit)
}

/// A stream with the name of its file.
type TitledRun = (String, ReportModel);

/// The subject of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// One stream.
    One,
    /// Several streams, each in a column.
    SideBySide,
    /// Streams and a baseline.
    Builds(Repeats),
}

/// How several streams that are compared with a baseline belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    /// Each is compared with the baseline by itself.
    Apart,
    /// They are runs of one build.
    Together,
}

impl Subject {
    fn of(flags: &ReportFlags) -> Self {
        match (flags.baseline.len(), flags.streams.len()) {
            (0, 1) => Self::One,
            (0, _) => Self::SideBySide,
            (1, _) => Self::Builds(Repeats::Apart),
            _ => Self::Builds(Repeats::Together),
        }
    }
}

/// Compares runs with the baseline; returns the text, and whether anything is worse. The first of the runs gets its
/// comparison.
fn compare_builds(
    baseline: &[TitledRun],
    runs: &mut [TitledRun],
    repeats: Repeats,
    tolerance: f64,
) -> Result<(String, bool)> {
    require_one_plan("--baseline", baseline)?;
    let at_once = match repeats {
        Repeats::Apart => 1,
        Repeats::Together => {
            require_one_plan("STREAM", runs)?;
            runs.len()
        }
    };
    let compared: Vec<BuildComparison> =
        runs.chunks(at_once).map(|runs| BuildComparison::new(&side(baseline), &side(runs), tolerance)).collect();
    let texts: Vec<String> = compared.iter().map(comparison::text).collect();
    let is_worse = compared.iter().any(|comparison| comparison.worse() > 0);
    if let (Some((_, model)), Some(comparison)) = (runs.first_mut(), compared.into_iter().next()) {
        model.comparison = Some(comparison);
    }
    Ok((texts.join("\n"), is_worse))
}

fn side(runs: &[TitledRun]) -> Vec<ComparedRun<'_>> {
    runs.iter().map(|(title, model)| ComparedRun { title, run_id: &model.identity.run_id, run: &model.run }).collect()
}

/// Checks that no run is a search for capacity.
fn refuse_searches<'r>(mut runs: impl Iterator<Item = &'r TitledRun>) -> Result<()> {
    let why = "whose figures are of many rates, so it cannot be compared";
    runs.try_for_each(|(title, model)| model.refuse_search(Path::new(title), "--baseline", why))
}

/// Checks that no run is there twice, which would count as a repetition without noise.
fn require_distinct_runs(baseline: &[TitledRun], runs: &[TitledRun]) -> Result<()> {
    let all: Vec<_> = baseline.iter().chain(runs).collect();
    for (at, (title, model)) in all.iter().enumerate() {
        let id = |model: &ReportModel| (model.identity.run_id.clone(), model.identity.source_id.clone());
        if let Some((first, _)) = all[..at].iter().find(|(_, earlier)| id(earlier) == id(model)) {
            let flag = if at < baseline.len() { "--baseline" } else { "STREAM" };
            return Err(Error::usage(flag, format!("{title} is the same run as {first}; each run counts once")));
        }
    }
    Ok(())
}

/// Checks that the runs of one side have one plan: otherwise their differences are not noise.
fn require_one_plan(side: &str, runs: &[TitledRun]) -> Result<()> {
    let Some(((first, model), others)) = runs.split_first() else { return Ok(()) };
    for (title, other) in others {
        if other.run.plan.hash != model.run.plan.hash {
            let setting = model.run.plan.difference(&other.run.plan).unwrap_or_else(|| "plan_hash".to_owned());
            let why = format!("{first} and {title} are not runs of one plan; they differ in {setting}");
            return Err(Error::usage(side, why));
        }
    }
    Ok(())
}

/// The exit code for a stream that was read back: by its verdict only if it was judged anew.
fn exit(model: &ReportModel, checks: &[Check]) -> Exit {
    match &model.run.end {
        _ if model.troubles.is_loss() => Exit::Invalid,
        Some(end) if !checks.is_empty() => Exit::from_code(end.exit_code),
        _ => Exit::Pass,
    }
}
