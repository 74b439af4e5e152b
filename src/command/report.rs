//! Reports: of a stream that is read back, and of a run that has just ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::{Origins, Outputs, ReportFlags};
use crate::error::{Error, Exit, Result};
use crate::plan::Plan;
use crate::plan::check::{self, Check};
use crate::report::model::{Collector, Model};
use crate::report::{compare, csv, hgrm, html, json, junit, screen, terminal};
use crate::telemetry::record::Body;
use crate::telemetry::writer::Tee;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream, or none; a report cannot be written.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let checks = check::of(&flags.held_to, &Origins::default(), &[])?;
    let checks: Vec<Check> = checks.into_iter().map(|(check, _)| check).collect();
    let many = flags.streams.len() > 1;
    if many && flags.outputs != Outputs::default() {
        return Err(Error::usage("--html", "is a report of one stream; give one STREAM"));
    }
    let mut runs = Vec::new();
    for path in flags.baseline.iter().chain(&flags.streams) {
        runs.push((path.display().to_string(), Model::held_to(path, &checks)?));
    }
    // What the baseline comes to is no fault of the others.
    let judged = runs.iter().skip(usize::from(flags.baseline.is_some()));
    let mut exit = judged.map(|(_, model)| exit(model, &checks)).max().unwrap_or(Exit::Pass);
    let mut text = String::new();
    if let [(_, model)] = runs.as_slice() {
        text = terminal::summary(model, screen::stdout_width());
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
        let pages = Pages::new(&flags.outputs, |key| model.story.plan.setting(key));
        text.push_str(&pages.write(model, Error::usage)?);
    }
    super::print(&text)?;
    Ok(exit)
}

/// What a stream that was read back comes to: by its own verdict only where it is judged anew.
fn exit(model: &Model, checks: &[Check]) -> Exit {
    match &model.story.end {
        _ if model.troubles.is_loss() => Exit::Invalid,
        Some(end) if !checks.is_empty() => Exit::of_code(end.exit_code),
        _ => Exit::Pass,
    }
}

/// Reports that are files.
struct Pages(Vec<Page>);

/// What is in a file, made of the numbers alone.
type Make = fn(&Model) -> String;

/// One of them.
struct Page {
    flag: &'static str,
    path: PathBuf,
    /// What people are told that it is; nothing of the further files of a flag.
    title: &'static str,
    make: Make,
}

impl Pages {
    /// The files that were asked for, their names filled in with settings.
    fn new<'s>(outputs: &Outputs, setting: impl Fn(&str) -> Option<&'s str>) -> Self {
        let mut pages = Vec::new();
        let mut add = |flag, path: Option<PathBuf>, title, make| {
            pages.extend(path.map(|path| Page { flag, path, title, make }));
        };
        add("--html", outputs.html.as_deref().map(|name| filled(name, &setting)), "report", html::page);
        let tables: [(&str, &str, Make); 4] = [
            ("_stats.csv", "tables", csv::stats),
            ("_stats_history.csv", "", csv::history),
            ("_failures.csv", "", csv::failures),
            ("_exceptions.csv", "", csv::exceptions),
        ];
        for (ending, title, make) in tables {
            let path = outputs.csv.as_deref().map(|prefix| {
                let mut name = filled(prefix, &setting).into_os_string();
                name.push(ending);
                name.into()
            });
            add("--csv", path, title, make);
        }
        add("--json-file", outputs.json_file.clone(), "summary", json::document);
        add("--junit", outputs.junit.clone(), "tests", junit::document);
        add("--hgrm", outputs.hgrm.clone(), "percentiles", hgrm::distribution);
        Self(pages)
    }

    /// Writes them; says in a line each where they are.
    fn write(&self, model: &Model, error: fn(String, std::io::Error) -> Error) -> Result<String> {
        let mut left = String::new();
        for page in &self.0 {
            std::fs::write(&page.path, (page.make)(model)).map_err(|why| error(page.named(), why))?;
            if !page.title.is_empty() {
                left = format!("{left}{}: {}\n", page.title, page.path.display());
            }
        }
        Ok(left)
    }
}

impl Page {
    /// As the flag is written.
    fn named(&self) -> String {
        format!("{} {}", self.flag, self.path.display())
    }
}

/// A file's name with what Locust puts into it; what nobody has set stays as it is.
fn filled<'s>(name: &Path, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
    let Some(mut name) = name.to_str().map(str::to_owned) else { return name.to_owned() };
    for (mark, key) in [("{u}", "users"), ("{r}", "spawn-rate"), ("{t}", "run-time")] {
        if let Some(value) = setting(key) {
            name = name.replace(mark, value.trim_end_matches('s'));
        }
    }
    name.into()
}

/// What was seen of a run's stream while it was written, and what is to be made of it.
pub(super) struct Seen {
    collector: Arc<Mutex<Collector>>,
    pages: Pages,
}

impl Seen {
    /// Nothing yet.
    ///
    /// # Errors
    /// A report could not be written at the end: exit 2, before anything is sent.
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let setting =
            |key: &str| plan.settings().iter().find(|known| known.key == key).map(|known| known.value.as_str());
        let pages = Pages::new(&plan.people().outputs, setting);
        for page in &pages.0 {
            // What is in the file is lost only when there is something else to be written.
            let opened = File::options().append(true).create(true).open(&page.path);
            opened.map_err(|why| Error::usage(page.named(), why))?;
        }
        let collector = Collector::new(&plan.stream().sink.to_string());
        Ok(Self { collector: Arc::new(Mutex::new(collector)), pages })
    }

    /// Whether something is to be made of it beside the summary.
    pub(super) const fn is_asked_for(&self) -> bool {
        !self.pages.0.is_empty()
    }

    /// What the writer shows its lines to.
    pub(super) fn tee(&self) -> Tee {
        let collector = Arc::clone(&self.collector);
        let all = self.is_asked_for();
        Box::new(move |body, line| {
            let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
            if all || is_of_summary(body) {
                // An error is about a file that holds two streams.
                let _ = collector.take(line);
            } else {
                collector.pass();
            }
        })
    }

    /// The run as its stream tells it so far.
    ///
    /// # Errors
    /// Not a line was written.
    pub(super) fn model(&self) -> Result<Model> {
        // The writer may still have its end of this: one that is stuck in a write is not waited for.
        let mut collector = self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *collector, Collector::new("the stream")).finish()
    }

    /// Writes the reports that were asked for; says in a line each where they are.
    ///
    /// # Errors
    /// Exit 4: one cannot be written.
    pub(super) fn write(&self, model: &Model) -> Result<String> {
        self.pages.write(model, Error::invalid)
    }
}

/// Whether the summary needs a line: not those of the ticks, which are many.
const fn is_of_summary(body: &Body) -> bool {
    !matches!(
        body,
        Body::Interval(_) | Body::Histogram(_) | Body::Health(_) | Body::Cpu(_) | Body::Mem(_) | Body::Network(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_as_locust_does() {
        let setting = |key: &str| match key {
            "users" => Some("100"),
            "run-time" => Some("60s"),
            _ => None,
        };
        let name = filled(Path::new("reports/u{u}_r{r}_t{t}.html"), setting);
        assert_eq!(name, Path::new("reports/u100_r{r}_t60.html"));
    }
}
