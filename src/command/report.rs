//! Reports: of a stream that is read back, and of a run that has just ended.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::ReportFlags;
use crate::error::{Exit, Result};
use crate::plan::Sink;
use crate::report::model::{Collector, Model};
use crate::report::terminal;
use crate::telemetry::record::Body;
use crate::telemetry::writer::Tee;

/// `swarmline report`.
///
/// # Errors
/// Exit 2: a file cannot be read, or holds more than one stream, or none.
pub fn report(flags: &ReportFlags) -> Result<Exit> {
    let mut exit = Exit::Pass;
    for (place, path) in flags.streams.iter().enumerate() {
        let model = Model::read(path)?;
        if model.troubles.is_loss() {
            exit = Exit::Invalid;
        }
        let gap = if place > 0 { "\n" } else { "" };
        let title = if flags.streams.len() > 1 { format!("{gap}{}\n", path.display()) } else { String::new() };
        super::print(&format!("{title}{}", terminal::summary(&model)))?;
    }
    Ok(exit)
}

/// What was seen of a run's stream while it was written.
pub(super) struct Seen(Arc<Mutex<Collector>>);

impl Seen {
    /// Nothing yet.
    pub(super) fn new(sink: &Sink) -> Self {
        Self(Arc::new(Mutex::new(Collector::new(&sink.to_string()))))
    }

    /// What the writer shows its lines to.
    pub(super) fn tee(&self) -> Tee {
        let collector = Arc::clone(&self.0);
        Box::new(move |body, line| {
            let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
            if is_needed(body) {
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
        // The writer may still hold on to its end: one that is stuck in a write is not waited for.
        let mut collector = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *collector, Collector::new("the stream")).finish()
    }
}

/// Whether the summary needs a line: not those of the ticks, which are many.
const fn is_needed(body: &Body) -> bool {
    !matches!(
        body,
        Body::Interval(_) | Body::Histogram(_) | Body::Health(_) | Body::Cpu(_) | Body::Mem(_) | Body::Network(_)
    )
}
