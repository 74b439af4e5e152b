//! The source of what is published of a run: the report so far, for the live page, for scrapes and for exports, and alike for
//! a run of this process and for a stream that is watched.
//!
//! A reader asks when it wants to know; without readers nothing is copied. The report is copied at most once a tick for all
//! of them, and what it shares with the original it does not copy.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::merge::MasterLineObserver;
use crate::report::collector::{SharedCollector, lock};
use crate::report::model::ReportModel;
use crate::telemetry::record::RecordBody;
use crate::telemetry::writer::LineTee;
use crate::vocabulary::LineKind;

/// Where a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeedState {
    /// It goes on, or has not begun.
    #[default]
    Going,
    /// It is over: its report is complete, and there will not be another one.
    Over,
}

/// A run at a moment: cumulative, immutable, shared by an `Arc`.
#[derive(Debug)]
pub struct LiveReport {
    /// Grows with each tick.
    pub version: u64,
    /// Whether there will be more.
    pub state: FeedState,
    /// The report of the lines so far. While the run goes on, [`RunData`](crate::report::model::RunData) has the checks and
    /// the verdict so far in `checks_so_far` and `assessment_so_far`.
    pub model: ReportModel,
}

/// The source of what is published; a copy of it is the same source.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    collector: SharedCollector,
    progress: Mutex<Progress>,
    changed: Condvar,
    /// The latest copy, held while a copy is made: whoever asks meanwhile gets it too.
    latest: Mutex<Option<Arc<LiveReport>>>,
}

/// What has been announced.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    version: u64,
    state: FeedState,
}

impl Feed {
    /// A source that reads from a collector.
    #[must_use]
    pub fn new(collector: SharedCollector) -> Self {
        Self(Arc::new(Shared {
            collector,
            progress: Mutex::default(),
            changed: Condvar::new(),
            latest: Mutex::default(),
        }))
    }

    /// A callback for the writer that passes each line on and then announces each complete tick.
    #[must_use]
    pub fn tee(&self, mut collector: LineTee) -> LineTee {
        let feed = self.clone();
        Box::new(move |body, line| {
            collector(body, line);
            if ends_tick(body.kind()) {
                feed.advance();
            }
        })
    }

    /// The same for the lines of a merge; those that a worker wrote have no body.
    #[must_use]
    pub fn merge_tee(
        &self,
        mut collector: impl FnMut(Option<&RecordBody>, &[u8]) + Send + 'static,
    ) -> MasterLineObserver {
        let feed = self.clone();
        Box::new(move |body, line| {
            collector(body, line);
            if body.is_some_and(|body| ends_tick(body.kind())) {
                feed.advance();
            }
        })
    }

    /// Announces that the collector has another complete tick.
    pub fn advance(&self) {
        self.progress().version += 1;
        self.0.changed.notify_all();
    }

    /// Announces the end, with the complete report. Later calls change nothing.
    pub fn finish(&self, model: ReportModel) {
        let mut latest = self.0.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut progress = self.progress();
        if progress.state == FeedState::Going {
            *progress = Progress { version: progress.version + 1, state: FeedState::Over };
            *latest = Some(Arc::new(LiveReport { version: progress.version, state: FeedState::Over, model }));
        }
        drop(progress);
        self.0.changed.notify_all();
    }

    /// The run as of the last tick; `None` before its first line. Copies the report if there was a tick since the last
    /// copy. Not to be called by a thread of the load.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<LiveReport>> {
        let mut latest = self.0.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let Progress { version, state } = *self.progress();
        if state == FeedState::Going && latest.as_ref().is_none_or(|known| known.version < version) {
            let copy = lock(&self.0.collector).snapshot();
            // While the last lines are written, some endpoints have their final statistics and others have not: what was there
            // before is right, and the end follows.
            let is_ending = |model: &ReportModel| model.run.last.is_some() && latest.is_some();
            if let Some(model) = copy.filter(|model| !is_ending(model)) {
                *latest = Some(Arc::new(LiveReport { version, state, model }));
            }
        }
        latest.clone()
    }

    /// Waits until there is a later version than `known`, or the run is over, at most `limit`; returns where the run is.
    #[must_use]
    pub fn wait(&self, known: u64, limit: Duration) -> FeedState {
        let waits = |progress: &mut Progress| progress.version <= known && progress.state == FeedState::Going;
        let waited = self.0.changed.wait_timeout_while(self.progress(), limit, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.state
    }

    /// Waits until the run is over, at most `limit`; returns where it is.
    #[must_use]
    pub fn wait_for_end(&self, limit: Duration) -> FeedState {
        self.wait(u64::MAX, limit)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a line is the last of a tick, or of the stream.
const fn ends_tick(kind: LineKind) -> bool {
    matches!(kind, LineKind::Health | LineKind::RunEnd)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::report::collector::Collector;
    use crate::report::files::json;

    const STREAM: &str = include_str!("../../tests/corpus/streams/alone.ndjson");

    /// A feed whose collector has the first lines of a stream.
    fn feed(lines: usize) -> (Feed, SharedCollector) {
        let mut collector = Collector::new("the stream");
        collector.judge_so_far();
        STREAM.lines().take(lines).for_each(|line| collector.add_line(line.as_bytes()).unwrap());
        let collector = Arc::new(Mutex::new(collector));
        (Feed::new(Arc::clone(&collector)), collector)
    }

    #[test]
    fn the_report_is_copied_once_a_tick_and_then_shared() {
        let (feed, collector) = feed(0);
        assert!(feed.latest().is_none(), "nothing was written yet");
        STREAM.lines().take(40).for_each(|line| lock(&collector).add_line(line.as_bytes()).unwrap());
        feed.advance();
        let [first, again] = [(); 2].map(|()| feed.latest().unwrap());
        assert!(Arc::ptr_eq(&first, &again));
        feed.advance();
        assert!(!Arc::ptr_eq(&first, &feed.latest().unwrap()));
    }

    #[test]
    fn after_the_end_the_complete_report_stays() {
        let (feed, collector) = feed(usize::MAX);
        let whole = std::mem::replace(&mut *lock(&collector), Collector::new("the stream")).finish().unwrap();
        let wanted = json::document(&whole);
        let waiting = {
            let feed = feed.clone();
            thread::spawn(move || feed.wait(0, Duration::MAX))
        };
        feed.finish(whole);
        assert_eq!(waiting.join().unwrap(), FeedState::Over, "whoever waits for a tick learns of the end");
        let last = feed.latest().unwrap();
        assert_eq!((last.state, json::document(&last.model)), (FeedState::Over, wanted));
    }

    #[test]
    fn before_the_end_the_run_is_judged_by_what_is_there() {
        let has_verdict = |lines| feed(lines).0.latest().map(|live| live.model.run.assessment_so_far().is_some());
        assert_eq!(has_verdict(3), Some(false), "no request was answered");
        assert_eq!(has_verdict(usize::MAX), Some(false), "the stream has the verdict itself");
        let lines = STREAM.lines().count();
        assert_eq!(has_verdict(lines - 1), Some(true));
    }
}
