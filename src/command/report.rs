//! Reports: of a stream that is read back, and of a run that has just ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::{MergeFlags, Origins, Outputs, ReportFlags};
use crate::error::{Error, Exit, Result};
use crate::merge;
use crate::plan::check::{self, Check};
use crate::plan::{Plan, Sink};
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
        text.push_str(&Pages::new(&flags.outputs).write(model, Error::usage)?);
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
#[derive(Clone)]
struct Page {
    flag: &'static str,
    path: PathBuf,
    /// What people are told that it is; nothing of the further files of a flag.
    title: &'static str,
    make: Make,
}

impl Pages {
    /// The files that were asked for.
    fn new(outputs: &Outputs) -> Self {
        let mut pages = Vec::new();
        let mut add = |flag, path: Option<PathBuf>, title, make| {
            pages.extend(path.map(|path| Page { flag, path, title, make }));
        };
        add("--html", outputs.html.clone(), "report", html::page);
        let tables: [(&str, &str, Make); 4] = [
            ("_stats.csv", "tables", csv::stats),
            ("_stats_history.csv", "", csv::history),
            ("_failures.csv", "", csv::failures),
            ("_exceptions.csv", "", csv::exceptions),
        ];
        for (ending, title, make) in tables {
            let path = outputs.csv.clone().map(|prefix| {
                let mut name = prefix.into_os_string();
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

    /// Demands that each whose name is known can be written: all, or those without marks, whose settings are not known yet.
    ///
    /// # Errors
    /// Names the flag and the file: exit 2.
    fn check(&self, knows_settings: bool) -> Result<()> {
        for page in self.0.iter().filter(|page| knows_settings || !page.has_marks()) {
            // What is in the file is lost only when there is something else to be written.
            let opened = File::options().append(true).create(true).open(&page.path);
            opened.map_err(|why| Error::usage(page.named(), why))?;
        }
        Ok(())
    }

    /// The same with names that have settings in place of their marks.
    fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> Self {
        let fill = |page: &Page| Page { path: page.filled(&setting), ..page.clone() };
        Self(self.0.iter().map(fill).collect())
    }

    /// Writes them; says in a line each where they are.
    fn write(&self, model: &Model, error: fn(String, std::io::Error) -> Error) -> Result<String> {
        let mut left = String::new();
        for page in &self.filled(|key| model.story.plan.setting(key)).0 {
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

    /// Whether something in its name stands for a setting: in Locust's two flags only.
    fn has_marks(&self) -> bool {
        let path = self.path.to_string_lossy();
        ["--html", "--csv"].contains(&self.flag) && MARKS.iter().any(|(mark, _)| path.contains(mark))
    }

    /// Its name with what Locust puts into it.
    fn filled<'s>(&self, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
        if self.has_marks() { filled(&self.path, setting) } else { self.path.clone() }
    }
}

/// What stands for settings in a name, as in Locust.
const MARKS: [(&str, &str); 3] = [("{u}", "users"), ("{r}", "spawn-rate"), ("{t}", "run-time")];

/// A file's name with what Locust puts into it; what nobody has set stays as it is.
fn filled<'s>(name: &Path, setting: impl Fn(&str) -> Option<&'s str>) -> PathBuf {
    let Some(mut name) = name.to_str().map(str::to_owned) else { return name.to_owned() };
    for (mark, key) in MARKS {
        if let Some(value) = setting(key) {
            name = name.replace(mark, value.trim_end_matches('s'));
        }
    }
    name.into()
}

/// What was seen of a stream while it was written, and what is to be made of it.
pub(super) struct Seen {
    collector: Arc<Mutex<Collector>>,
    pages: Pages,
}

impl Seen {
    /// Nothing yet of a run.
    ///
    /// # Errors
    /// A report could not be written at the end: exit 2, before anything is sent.
    pub(super) fn of_run(plan: &Plan) -> Result<Self> {
        let setting =
            |key: &str| plan.settings().iter().find(|known| known.key == key).map(|known| known.value.as_str());
        let pages = Pages::new(&plan.people().outputs).filled(setting);
        pages.check(true)?;
        Ok(Self::new(pages, &plan.stream().sink))
    }

    /// Nothing yet of what a merge writes.
    ///
    /// # Errors
    /// A report could not be written at the end: exit 2, before anything is read.
    pub(super) fn of_merge(flags: &MergeFlags, sink: &Sink) -> Result<Self> {
        let pages = Pages::new(&flags.outputs);
        pages.check(false)?;
        Ok(Self::new(pages, sink))
    }

    fn new(pages: Pages, sink: &Sink) -> Self {
        Self { collector: Arc::new(Mutex::new(Collector::new(&sink.to_string()))), pages }
    }

    /// Whether something is to be made of it beside the summary.
    pub(super) const fn is_asked_for(&self) -> bool {
        !self.pages.0.is_empty()
    }

    /// What the writer shows its lines to.
    pub(super) fn tee(&self) -> Tee {
        let mut show = self.show();
        Box::new(move |body, line| show(is_of_summary(body), line))
    }

    /// What a merge shows its lines to.
    pub(super) fn merge_tee(&self) -> merge::Tee {
        let mut show = self.show();
        Box::new(move |body, line| show(body.map_or_else(|| is_warning(line), is_of_summary), line))
    }

    /// Takes lines, and whether the summary needs them.
    fn show(&self) -> impl FnMut(bool, &[u8]) + Send + use<> {
        let collector = Arc::clone(&self.collector);
        let all = self.is_asked_for();
        move |is_of_summary, line| {
            let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
            if all || is_of_summary {
                // An error is about a file that holds two streams.
                let _ = collector.take(line);
            } else {
                collector.pass();
            }
        }
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

/// Whether a line that a worker wrote is a warning: its level stands right behind its time.
fn is_warning(line: &[u8]) -> bool {
    const LEVEL: &[u8] = b"\"level\":\"WARNING\"";
    line[..line.len().min(64)].windows(LEVEL.len()).any(|part| part == LEVEL)
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
