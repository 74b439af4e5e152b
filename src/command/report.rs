//! Reports: of a stream that is read back, and of a run that has just ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::{Outputs, ReportFlags};
use crate::error::{Error, Exit, Result};
use crate::plan::Plan;
use crate::report::model::{Collector, Model};
use crate::report::{html, screen, terminal};
use crate::telemetry::record::Body;
use crate::telemetry::writer::Tee;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream, or none; a report cannot be written.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let many = flags.streams.len() > 1;
    if many && flags.outputs != Outputs::default() {
        return Err(Error::usage("--html", "is a report of one stream; give one STREAM"));
    }
    let mut exit = Exit::Pass;
    for (place, path) in flags.streams.iter().enumerate() {
        let model = Model::read(path)?;
        if model.troubles.is_loss() {
            exit = Exit::Invalid;
        }
        let gap = if place > 0 { "\n" } else { "" };
        let title = if many { format!("{gap}{}\n", path.display()) } else { String::new() };
        let pages = Pages::new(&flags.outputs, |key| model.story.plan.setting(key));
        let left = pages.write(&model, Error::usage)?;
        super::print(&format!("{title}{}{left}", terminal::summary(&model, screen::stdout_width())))?;
    }
    Ok(exit)
}

/// Reports that are files.
struct Pages {
    html: Option<PathBuf>,
}

impl Pages {
    /// The files that were asked for, their names filled in with settings.
    fn new<'s>(outputs: &Outputs, setting: impl Fn(&str) -> Option<&'s str>) -> Self {
        Self { html: outputs.html.as_deref().map(|name| filled(name, setting)) }
    }

    /// Writes them; says in a line each where they are.
    fn write(&self, model: &Model, error: fn(String, std::io::Error) -> Error) -> Result<String> {
        let Some(path) = &self.html else { return Ok(String::new()) };
        std::fs::write(path, html::page(model)).map_err(|why| error(flag(path), why))?;
        Ok(format!("report: {}\n", path.display()))
    }
}

fn flag(path: &Path) -> String {
    format!("--html {}", path.display())
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
        if let Some(path) = &pages.html {
            // What is in the file is lost only when there is something else to be written.
            let opened = File::options().append(true).create(true).open(path);
            opened.map_err(|why| Error::usage(flag(path), why))?;
        }
        let collector = Collector::new(&plan.stream().sink.to_string());
        Ok(Self { collector: Arc::new(Mutex::new(collector)), pages })
    }

    /// Whether something is to be made of it beside the summary.
    pub(super) const fn is_asked_for(&self) -> bool {
        self.pages.html.is_some()
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
