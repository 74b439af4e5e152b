//! Reports of a stream that is read back.

use std::sync::Arc;

use super::stdio;
use crate::cli::{Outputs, ReportFlags, SettingSources};
use crate::error::{Error, Exit, Result};
use crate::files::distinct::{self, NamedFile};
use crate::plan::check::{self, Check};
use crate::report::files::{FileSelection, ReportFiles};
use crate::report::model::ReportModel;
use crate::report::{compare, screen, terminal};
use crate::run::signals;
use crate::telemetry::interrupt::Interrupt;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream or none; a report cannot be written. Exit 130: a signal
/// arrived before the end of a stream.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let checks = check::of(&flags.checks, &SettingSources::default(), &[])?;
    let checks: Vec<Check> = checks.into_iter().map(|(check, _)| check).collect();
    let many = flags.streams.len() > 1;
    if many && flags.outputs != Outputs::default() {
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
    let mut runs = Vec::new();
    for path in flags.baseline.iter().chain(&flags.streams) {
        runs.push((path.display().to_string(), ReportModel::judged_by(path, &checks, &interrupt)?));
    }
    // The baseline's own result does not count against the others.
    let judged = runs.iter().skip(usize::from(flags.baseline.is_some()));
    let mut exit = judged.map(|(_, model)| exit(model, &checks)).max().unwrap_or(Exit::Pass);
    let mut text = String::new();
    if let [(_, model)] = runs.as_slice() {
        text = terminal::exchanges(&model.run) + &terminal::summary(model, screen::stdout_width());
    } else {
        for (title, model) in &runs {
            text.push_str(&terminal::troubles(title, model));
        }
        let compared = compare::compare(&runs, flags.baseline.as_ref().map(|_| flags.tolerance));
        text.push_str(&compared.text);
        if compared.worse > 0 {
            text = format!("{text}{} figures got worse by over {}%\n", compared.worse, flags.tolerance * 100.0);
            exit = exit.max(Exit::CheckFailed);
        }
    }
    if let Some((_, model)) = runs.last() {
        let files = files.filled(|key| model.run.plan.setting(key));
        distinct::require_distinct(&inputs, &[&[NamedFile::stdout()][..], &files.named(FileSelection::All)].concat())?;
        text.push_str(&files.write(model, Error::usage)?);
    }
    stdio::print(&text)?;
    Ok(exit)
}

/// The exit code for a stream that was read back: by its verdict only if it was judged anew.
fn exit(model: &ReportModel, checks: &[Check]) -> Exit {
    match &model.run.end {
        _ if model.troubles.is_loss() => Exit::Invalid,
        Some(end) if !checks.is_empty() => Exit::from_code(end.exit_code),
        _ => Exit::Pass,
    }
}
