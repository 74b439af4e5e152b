//! A run as described by its stream: what every report shows.
//!
//! Built line by line with bounded memory: at the end of a run from the lines as they are written, and later from the
//! file, by the same code from the same numbers.

pub mod traffic;
pub mod seen;
pub mod timeline;
pub mod failed;
pub mod causes;
pub mod comparison;
mod intervals;
mod lines;
mod pending;
pub mod processes;
mod remarks;
mod run_data;
pub mod samples;
mod so_far;
pub mod steady;
mod unfinished;
mod verdict;
pub mod warmup;

use std::path::Path;

pub use comparison::BuildComparison;
pub use remarks::StoppedBySignal;
pub use run_data::RunData;
pub use seen::{EndpointSeen, PhaseSeen};
pub use steady::Confidence;
pub use unfinished::Numbers;
pub use warmup::WarmupSeen;

use crate::error::{Error, Result};
use crate::plan::check::Check;
use crate::stats::check::CheckSet;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::troubles::StreamTroubles;
use crate::telemetry::reader::{StreamIdentity, StreamSummary, source};

/// A run as described by its stream.
#[derive(Clone, Debug)]
pub struct ReportModel {
    /// Identifies the stream.
    pub identity: StreamIdentity,
    /// Problems with the stream, which must be reported before anything else.
    pub troubles: StreamTroubles,
    /// The run itself.
    pub run: RunData,
    /// How certain its figures are; `None` while the run goes on.
    pub confidence: Option<Confidence>,
    /// How it compares with other runs, where that was asked for.
    pub comparison: Option<BuildComparison>,
}

impl ReportModel {
    /// Reads a stream from a file, or from standard input if the path is `-`.
    ///
    /// # Errors
    /// Exit 2: the file cannot be read, or holds more than one stream or none. Exit 130: a signal arrived before its
    /// end.
    pub fn read(path: &Path, interrupt: &Interrupt) -> Result<Self> {
        Self::judged_by(path, &[], interrupt)
    }

    /// As [`ReportModel::read`], but judges the run anew by these checks if there are any.
    ///
    /// # Errors
    /// As [`ReportModel::read`].
    pub fn judged_by(path: &Path, checks: &[Check], interrupt: &Interrupt) -> Result<Self> {
        let mut run = RunData { check_set: CheckSet::new(checks), ..RunData::default() };
        let read = source::read(path, interrupt, |line, reading| run.add_line(line, reading))?;
        let mut model = Self::new(read, run);
        if !checks.is_empty() {
            model.refuse_search(path, "--check", "whose checks are of its steps, so it cannot be judged again")?;
            model.run.judge(checks, &model.troubles);
        }
        Ok(model)
    }

    /// Refuses the stream of a search for capacity, for this reason.
    ///
    /// # Errors
    /// It is one.
    pub fn refuse_search(&self, path: &Path, flag: &str, why: &str) -> Result<()> {
        if self.run.is_search() {
            return Err(Error::usage(flag, format!("{} is a search for capacity, {why}", path.display())));
        }
        Ok(())
    }

    /// The model of a run that has not begun.
    #[must_use]
    pub fn waiting(testplan: &str) -> Self {
        let identity = StreamIdentity {
            run_id: String::new(),
            testplan: testplan.to_owned(),
            source: None,
            source_id: String::new(),
        };
        Self::new(StreamSummary { identity, troubles: StreamTroubles::default() }, RunData::default())
    }

    /// The model of what was read.
    pub(super) fn new(read: StreamSummary, mut run: RunData) -> Self {
        run.close_tick();
        run.place_unfinished();
        Self { identity: read.identity, troubles: read.troubles, run, confidence: None, comparison: None }
    }

    /// Computes how certain the figures are, of a run that is over.
    #[must_use]
    pub fn with_confidence(mut self) -> Self {
        // The steady phase of a search is many loads, one after another.
        if !self.run.is_search() {
            self.confidence = Some(self.run.confidence(&self.identity.run_id));
        }
        self
    }
}
