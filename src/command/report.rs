//! Reports on a stream that is read back, and on a run that has just ended.

use std::sync::{Arc, Mutex, PoisonError};

use super::pages::{Names, Pages};
use crate::cli::{MergeFlags, Origins, Outputs, ReportFlags};
use crate::error::{Error, Exit, Result};
use crate::files::apart::{self, Named};
use crate::merge;
use crate::plan::check::{self, Check};
use crate::plan::{Plan, Sink};
use crate::report::model::{Collector, Model};
use crate::report::{compare, screen, terminal};
use crate::run::signals;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::record::Body;
use crate::telemetry::writer::Tee;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream or none; a report cannot be written. Exit 130: a signal
/// arrived before the end of a stream.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let checks = check::of(&flags.held_to, &Origins::default(), &[])?;
    let checks: Vec<Check> = checks.into_iter().map(|(check, _)| check).collect();
    let many = flags.streams.len() > 1;
    if many && flags.outputs != Outputs::default() {
        return Err(Error::usage("--html", "is a report of one stream; give one STREAM"));
    }
    let inputs: Vec<Named> = flags.baseline.iter().chain(&flags.streams).map(|path| Named::stream(path)).collect();
    let pages = Pages::new(&flags.outputs);
    apart::check(&inputs, &[&[Named::stdout()][..], &pages.places(Names::Known)].concat())?;
    let interrupt = Arc::new(Interrupt::new().map_err(|why| Error::usage("signals", why))?);
    signals::interrupts(&interrupt)?;
    let mut runs = Vec::new();
    for path in flags.baseline.iter().chain(&flags.streams) {
        runs.push((path.display().to_string(), Model::held_to(path, &checks, &interrupt)?));
    }
    // The baseline's own result does not count against the others.
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
        let pages = pages.filled(|key| model.story.plan.setting(key));
        apart::check(&inputs, &[&[Named::stdout()][..], &pages.places(Names::All)].concat())?;
        text.push_str(&pages.write(model, Error::usage)?);
    }
    super::print(&text)?;
    Ok(exit)
}

/// The exit code for a stream that was read back: by its verdict only if it was judged anew.
fn exit(model: &Model, checks: &[Check]) -> Exit {
    match &model.story.end {
        _ if model.troubles.is_loss() => Exit::Invalid,
        Some(end) if !checks.is_empty() => Exit::of_code(end.exit_code),
        _ => Exit::Pass,
    }
}

/// Collects what is written to a stream, and writes the requested reports from it.
pub(super) struct Seen {
    collector: Arc<Mutex<Collector>>,
    pages: Pages,
    /// Inputs, which must not be overwritten.
    inputs: Vec<Named>,
    /// Outputs other than the reports.
    outputs: Vec<Named>,
}

impl Seen {
    /// A collector for a run.
    ///
    /// # Errors
    /// Exit 2 if an output is also an input or another output; checked before anything is opened.
    pub(super) fn of_run(plan: &Plan) -> Result<Self> {
        let setting =
            |key: &str| plan.settings().iter().find(|known| known.key == key).map(|known| known.value.as_str());
        let pages = Pages::new(&plan.people().outputs).filled(setting);
        let people = plan.people().logfile.iter().map(|path| Named::file("--logfile", path));
        let outputs: Vec<Named> = [place(&plan.stream().sink)].into_iter().chain(people).collect();
        let seen = Self { outputs, ..Self::new(pages, plan.inputs().to_vec(), &plan.stream().sink) };
        apart::check(&seen.inputs, &[&seen.outputs[..], &seen.pages.places(Names::All)].concat())?;
        Ok(seen)
    }

    /// A collector for the output of a merge.
    ///
    /// # Errors
    /// Exit 2 if an output is also an input or another output, or a report will not be writable at the end; checked
    /// before anything is opened.
    pub(super) fn of_merge(flags: &MergeFlags, sink: &Sink) -> Result<Self> {
        let inputs = flags.streams.iter().map(|path| Named::stream(path)).collect();
        let seen = Self::new(Pages::new(&flags.outputs), inputs, sink);
        apart::check(&seen.inputs, &[&seen.outputs[..], &seen.pages.places(Names::Known)].concat())?;
        seen.pages.check(Names::Known)?;
        Ok(seen)
    }

    fn new(pages: Pages, inputs: Vec<Named>, sink: &Sink) -> Self {
        let collector = Arc::new(Mutex::new(Collector::new(&sink.to_string())));
        Self { collector, pages, inputs, outputs: vec![place(sink)] }
    }

    /// Checks that each report can be written at the end.
    ///
    /// # Errors
    /// Exit 2, with the flag and the file; checked before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        self.pages.check(Names::All)
    }

    /// Whether any report besides the summary was requested.
    pub(super) const fn is_asked_for(&self) -> bool {
        !self.pages.is_empty()
    }

    /// Callback to which the writer passes its lines.
    pub(super) fn tee(&self) -> Tee {
        let mut show = self.show();
        Box::new(move |body, line| show(is_of_summary(body), line))
    }

    /// Callback to which a merge passes its lines.
    pub(super) fn merge_tee(&self) -> merge::Tee {
        let mut show = self.show();
        Box::new(move |body, line| show(body.map_or_else(|| is_warning(line), is_of_summary), line))
    }

    /// Receives a line, and whether the summary needs it.
    fn show(&self) -> impl FnMut(bool, &[u8]) + Send + use<> {
        let collector = Arc::clone(&self.collector);
        let all = self.is_asked_for();
        move |is_of_summary, line| {
            let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
            if all || is_of_summary {
                // Its only error is a second stream in a file, which cannot happen here.
                let _ = collector.take(line);
            } else {
                collector.pass();
            }
        }
    }

    /// The run as described by the stream so far.
    ///
    /// # Errors
    /// If no line was written.
    pub(super) fn model(&self) -> Result<Model> {
        // The writer may still share this collector: do not wait for one that is stuck in a write.
        let mut collector = self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *collector, Collector::new("the stream")).finish()
    }

    /// Writes the requested reports; returns a line for each that says where it is.
    ///
    /// # Errors
    /// Exit 4: a report cannot be written.
    pub(super) fn write(&self, model: &Model) -> Result<String> {
        let pages = self.pages.filled(|key| model.story.plan.setting(key));
        apart::check(&self.inputs, &[&self.outputs[..], &pages.places(Names::All)].concat())?;
        pages.write(model, Error::invalid)
    }
}

/// Whether the summary needs a line: not those of the ticks, of which there are many.
const fn is_of_summary(body: &Body) -> bool {
    !matches!(
        body,
        Body::Interval(_) | Body::Histogram(_) | Body::Health(_) | Body::Cpu(_) | Body::Mem(_) | Body::Network(_)
    )
}

/// Whether a line from a worker is a warning: its level directly follows its time.
fn is_warning(line: &[u8]) -> bool {
    const LEVEL: &[u8] = b"\"level\":\"WARNING\"";
    line[..line.len().min(64)].windows(LEVEL.len()).any(|part| part == LEVEL)
}

/// The destination of a stream.
fn place(sink: &Sink) -> Named {
    match sink {
        Sink::Stdout => Named::stdout(),
        Sink::File(path) | Sink::Gzip(path) => Named::file("--telemetry", path),
    }
}
