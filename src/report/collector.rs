//! What collects a run's report while its stream is written: exact, as it is shown every line, by the thread that writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::files::{FileSelection, ReportFiles};
use super::model::{ReportModel, RunData};
use crate::cli::MergeFlags;
use crate::error::{Error, Result};
use crate::files::distinct::{self, NamedFile};
use crate::plan::{Plan, Sink};
use crate::telemetry::reader::StreamReader;
use crate::telemetry::reader::facts::Fact;
use crate::telemetry::record::RecordBody;
use crate::telemetry::writer::LineTee;
use crate::vocabulary::LineKind;

/// Builds a model from lines.
#[derive(Debug)]
pub struct Collector {
    reading: StreamReader,
    run: RunData,
    /// Ticks that are complete.
    ticks: u64,
}

impl Collector {
    /// An empty collector. `name` is the stream's name, for messages.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { reading: StreamReader::new(name), run: RunData::default(), ticks: 0 }
    }

    /// Adds the next line.
    ///
    /// # Errors
    /// As [`StreamReader::take`].
    pub fn add_line(&mut self, line: &[u8]) -> Result<()> {
        if let Some(line) = self.reading.take(line)? {
            self.ticks += u64::from(matches!(line.fact, Fact::Health(_)));
            self.run.add_line(line, &mut self.reading);
        }
        Ok(())
    }

    /// Whether there is a line of a stream so far.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.reading.so_far().is_some()
    }

    /// How many ticks are complete so far.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// How long the requests in flight get at the end, as the plan of the stream says.
    #[must_use]
    pub fn stop_timeout(&self) -> Option<Duration> {
        let seconds = self.run.plan.setting("stop-timeout")?.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether the stream is at its end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.run.end.is_some()
    }

    /// Registers a line that the model does not need.
    pub fn skip_line(&mut self) {
        self.reading.pass();
    }

    /// Judges the run while it goes on, by the checks of its plan: see [`RunData::checks_so_far`].
    pub const fn judge_so_far(&mut self) {
        self.run.judges_so_far = true;
    }

    /// The model so far, of a stream that goes on; `None` before its first line. What its lines say of the run is in it;
    /// what is missing at its end is not known yet. Of a tick that is being written, it has the lines that were.
    ///
    /// The thread that adds the lines waits meanwhile: the points of the timelines are shared and not copied.
    #[must_use]
    pub fn snapshot(&self) -> Option<ReportModel> {
        Some(ReportModel::new(self.reading.so_far()?, self.run.clone()))
    }

    /// The model.
    ///
    /// # Errors
    /// As [`StreamReader::finish`].
    pub fn finish(self) -> Result<ReportModel> {
        Ok(ReportModel::new(self.reading.finish()?, self.run))
    }
}

/// A collector that a reader of the going run shares with the thread that fills it.
pub type SharedCollector = Arc<Mutex<Collector>>;

/// The collector, also after a panic: each line was added to it completely or not at all.
pub fn lock(collector: &Mutex<Collector>) -> MutexGuard<'_, Collector> {
    collector.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Collects what is written to a stream, and writes the requested reports from it.
pub struct ReportCollector {
    collector: SharedCollector,
    files: ReportFiles,
    /// Inputs, which must not be overwritten.
    inputs: Vec<NamedFile>,
    /// Outputs other than the reports.
    outputs: Vec<NamedFile>,
    /// Whether every line is read, also those that only a report file or a reader of the going run needs.
    reads_all: bool,
}

impl ReportCollector {
    /// A collector for a run.
    ///
    /// # Errors
    /// Exit 2 if an output is also an input or another output; checked before anything is opened.
    pub fn of_run(plan: &Plan) -> Result<Self> {
        let setting =
            |key: &str| plan.settings().iter().find(|known| known.key == key).map(|known| known.value.as_str());
        let files = ReportFiles::new(&plan.human_output().outputs).filled(setting);
        let people = plan.human_output().logfile.iter().map(|path| NamedFile::file("--logfile", path));
        let log = plan.request_log().map(|log| NamedFile::file("--log-requests", &log.path));
        let outputs: Vec<NamedFile> = [place(&plan.stream().sink)].into_iter().chain(log).chain(people).collect();
        let collector = Self { outputs, ..Self::new(files, plan.inputs().to_vec(), &plan.stream().sink) };
        distinct::require_distinct(
            &collector.inputs,
            &[&collector.outputs[..], &collector.files.named(FileSelection::All)].concat(),
        )?;
        Ok(collector)
    }

    /// A collector for the output of a merge.
    ///
    /// # Errors
    /// Exit 2 if an output is also an input or another output, or a report will not be writable at the end; checked
    /// before anything is opened.
    pub fn of_merge(flags: &MergeFlags, sink: &Sink) -> Result<Self> {
        let inputs = flags.streams.iter().map(|path| NamedFile::stream(path)).collect();
        let collector = Self::new(ReportFiles::new(&flags.outputs), inputs, sink);
        distinct::require_distinct(
            &collector.inputs,
            &[&collector.outputs[..], &collector.files.named(FileSelection::FinalNames)].concat(),
        )?;
        collector.files.check(FileSelection::FinalNames)?;
        Ok(collector)
    }

    fn new(files: ReportFiles, inputs: Vec<NamedFile>, sink: &Sink) -> Self {
        let collector = Arc::new(Mutex::new(Collector::new(&sink.to_string())));
        let reads_all = !files.is_empty();
        Self { collector, files, inputs, outputs: vec![place(sink)], reads_all }
    }

    /// Checks that each report can be written at the end.
    ///
    /// # Errors
    /// Exit 2, with the flag and the file; checked before anything is sent.
    pub fn check(&self) -> Result<()> {
        self.files.check(FileSelection::All)
    }

    /// Whether any report besides the summary was requested.
    #[must_use]
    pub const fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Reads every line from now on, and gives access to the model while it grows: for those who follow the run.
    #[must_use]
    pub fn follow(&mut self) -> SharedCollector {
        self.reads_all = true;
        lock(&self.collector).judge_so_far();
        Arc::clone(&self.collector)
    }

    /// Callback to which the writer passes its lines.
    #[must_use]
    pub fn tee(&self) -> LineTee {
        let mut show = self.line_callback();
        Box::new(move |body, line| show(is_of_summary(body), line))
    }

    /// What a merge shows its lines to; those that a worker wrote have no body.
    pub fn merge_tee(&self) -> impl FnMut(Option<&RecordBody>, &[u8]) + Send + use<> {
        let mut show = self.line_callback();
        move |body, line| show(body.map_or_else(|| is_worker_line_of_summary(line), is_of_summary), line)
    }

    /// Receives a line, and whether the summary needs it.
    fn line_callback(&self) -> impl FnMut(bool, &[u8]) + Send + use<> {
        let collector = Arc::clone(&self.collector);
        let all = self.reads_all;
        move |is_of_summary, line| {
            let mut collector = lock(&collector);
            if all || is_of_summary {
                // Its only error is a second stream in a file, which cannot happen here.
                let _ = collector.add_line(line);
            } else {
                collector.skip_line();
            }
        }
    }

    /// The run as described by the stream so far.
    ///
    /// # Errors
    /// If no line was written.
    pub fn model(&self) -> Result<ReportModel> {
        // The writer may still share this collector: do not wait for one that is stuck in a write.
        let model = std::mem::replace(&mut *lock(&self.collector), Collector::new("the stream")).finish()?;
        Ok(model.with_confidence())
    }

    /// Writes the requested reports; returns a line for each that says where it is.
    ///
    /// # Errors
    /// Exit 4: a report cannot be written.
    pub fn write(&self, model: &ReportModel) -> Result<String> {
        let files = self.files.filled(|key| model.run.plan.setting(key));
        distinct::require_distinct(&self.inputs, &[&self.outputs[..], &files.named(FileSelection::All)].concat())?;
        files.write(model, Error::invalid)
    }
}

/// Whether the summary needs a line.
const fn is_of_summary(body: &RecordBody) -> bool {
    match body.kind() {
        LineKind::Cpu | LineKind::Mem | LineKind::Network => false,
        // Intervals of confidence are made from the ticks of the steady phase.
        LineKind::Interval
        | LineKind::Histogram
        | LineKind::Health
        | LineKind::TestStart
        | LineKind::SpawnComplete
        | LineKind::TestStop
        | LineKind::RunEnd
        | LineKind::Stats
        | LineKind::Config
        | LineKind::Unfinished
        | LineKind::Step
        | LineKind::Check
        | LineKind::Sample
        | LineKind::Exchange
        | LineKind::CpuWarning
        | LineKind::Warning
        | LineKind::Shard => true,
    }
}

/// Whether the summary needs a line from a worker: a warning, whose level directly follows its time, or a failed
/// exchange, which its message names.
fn is_worker_line_of_summary(line: &[u8]) -> bool {
    const LEVEL: &str = "\"level\":\"WARNING\"";
    let begins_with = |text: &str, most: usize| {
        let begin = &line[..line.len().min(most)];
        begin.windows(text.len()).any(|part| part == text.as_bytes())
    };
    begins_with(LEVEL, 64) || begins_with(LineKind::Exchange.as_str(), 160)
}

/// The destination of a stream.
fn place(sink: &Sink) -> NamedFile {
    match sink {
        Sink::Stdout => NamedFile::stdout(),
        Sink::File(path) | Sink::Gzip(path) => NamedFile::file("--telemetry", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::files::json;

    #[test]
    fn the_model_so_far_is_that_of_the_lines_so_far() {
        let stream = include_str!("../../tests/corpus/streams/alone.ndjson");
        let mut collector = Collector::new("the stream");
        assert!(collector.snapshot().is_none());
        let mut before_the_end = None;
        for line in stream.lines() {
            collector.add_line(line.as_bytes()).unwrap();
            let so_far = collector.snapshot().unwrap();
            assert!(so_far.troubles.is_empty(), "that the stream goes on is not a trouble");
            before_the_end = if so_far.run.end.is_none() { Some(so_far.run.all_counts()) } else { before_the_end };
        }
        let (so_far, whole) = (collector.snapshot().unwrap(), collector.finish().unwrap());
        assert_eq!(json::document(&so_far), json::document(&whole));
        assert_eq!(before_the_end.unwrap(), whole.run.all_counts(), "as the intervals add up");
    }
}
