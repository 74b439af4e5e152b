//! Pushing the run so far to a backend: OTLP over HTTP, in protobuf.
//!
//! All values are cumulative, so nothing is queued: after a push that failed, the next one has what it had.

mod client;
mod exponential;
mod message;
mod metrics;
mod plugin;
mod proto;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, bounded, select};

use super::feed::{Feed, FeedState, LiveReport};
use crate::cli::LogLevel;
use crate::clock::{Clock, Moment};
use crate::error::{Error, Result};
use crate::plan::otlp::OtlpPlan;
use crate::telemetry::exports::{ExportCounter, ExportCounts};
use client::{Client, PushResult};

/// Minimum time between two pushes; ticks in between are skipped.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause after the first of several failures; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause, whatever the backend asks for: a run is short.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// How long the last push may take, all attempts together.
pub const LAST_PUSH: Duration = Duration::from_secs(5);

/// The pause after the first failure of the last push.
const LAST_RETRY: Duration = Duration::from_millis(200);

/// How long a thread waits for a tick before it looks again.
const LOOK: Duration = Duration::from_secs(60);

/// Pushes what a feed has, on a thread of its own, until the run is over.
pub struct Otlp {
    plan: Arc<OtlpPlan>,
    feed: Feed,
    counter: Arc<ExportCounter>,
    trouble: Arc<Trouble>,
}

/// Why the last failed push failed, and what a backend refused; empty where nothing went wrong.
#[derive(Debug, Default)]
struct Trouble(Mutex<String>);

/// How pushing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEnd {
    /// The URL for people.
    pub url: String,
    /// All pushes.
    pub counts: ExportCounts,
    /// Whether the backend has the complete run.
    pub is_complete: bool,
    /// Why something did not arrive; empty where nothing went wrong.
    pub why: String,
}

impl OtlpEnd {
    /// What people should know, and whether it is a warning.
    #[must_use]
    pub fn sentence(&self) -> (LogLevel, String) {
        let Self { url, counts: ExportCounts { pushes, failed, rejected }, is_complete, why } = self;
        let end = if *is_complete { "the last has the complete run" } else { "none has the complete run" };
        let loss = match (*failed, *rejected) {
            (0, 0) => String::new(),
            (failed, 0) => format!("; {failed} failed"),
            (failed, rejected) => format!("; {failed} failed, and {rejected} data points were refused"),
        };
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let level = if *is_complete && !self.counts.has_loss() { LogLevel::Info } else { LogLevel::Warning };
        (level, format!("metrics: {pushes} pushes to {url}, {end}{loss}{why}\n"))
    }
}

impl Otlp {
    /// Starts the thread. `counter` is for the stream's lines about health.
    ///
    /// # Errors
    /// Exit 2: the thread cannot be started.
    pub fn start(feed: &Feed, plan: OtlpPlan, counter: Arc<ExportCounter>) -> Result<Self> {
        let plan = Arc::new(plan);
        let trouble = Arc::new(Trouble::default());
        let pusher = Pusher { plan: Arc::clone(&plan), counter: Arc::clone(&counter), trouble: Arc::clone(&trouble) };
        let of_thread = feed.clone();
        // Not joined: a backend that hangs must not keep the process.
        let work = move || pusher.follow(&of_thread);
        Builder::new().name("otlp".to_owned()).spawn(work).map_err(|why| Error::usage("threads", why))?;
        Ok(Self { plan, feed: feed.clone(), counter, trouble })
    }

    /// Pushes the complete run, within [`LAST_PUSH`], whatever earlier pushes still wait for. To be called when the feed has the
    /// end. A message on `given_up` ends that at once.
    #[must_use]
    pub fn finish(&self, given_up: &Receiver<()>) -> OtlpEnd {
        let (sender, pushed) = bounded(1);
        let last = Pusher {
            plan: Arc::clone(&self.plan),
            counter: Arc::clone(&self.counter),
            trouble: Arc::clone(&self.trouble),
        };
        let live = self.feed.latest();
        let work = move || {
            let is_over = live.as_ref().is_some_and(|live| live.state == FeedState::Over);
            let is_complete = live.is_some_and(|live| last.push_last(&live)) && is_over;
            let _ = sender.send(is_complete);
        };
        let end = match Builder::new().name("otlp-last".to_owned()).spawn(work) {
            Ok(_) => LastPush::wait(&pushed, given_up),
            Err(_) => LastPush::Failed,
        };
        let is_complete = end == LastPush::Complete;
        let mut why = self.trouble.read();
        if end == LastPush::GivenUp {
            "a signal ended the last push".clone_into(&mut why);
        } else if !is_complete && why.is_empty() {
            why = format!("no answer within {} s", LAST_PUSH.as_secs());
        }
        OtlpEnd { url: self.plan.shown.clone(), counts: self.counter.read(), is_complete, why }
    }
}

/// How the last push ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastPush {
    /// The backend has the complete run.
    Complete,
    /// It does not.
    Failed,
    /// It was not waited for any longer.
    GivenUp,
}

impl LastPush {
    fn wait(pushed: &Receiver<bool>, given_up: &Receiver<()>) -> Self {
        // A little longer than the push itself, which has limits of its own but for name lookups.
        let limit = after(LAST_PUSH + Duration::from_millis(200));
        select! {
            recv(pushed) -> is_complete => if is_complete == Ok(true) { Self::Complete } else { Self::Failed },
            recv(given_up) -> _ => Self::GivenUp,
            recv(limit) -> _ => Self::Failed,
        }
    }
}

impl Trouble {
    fn note(&self, why: &str) {
        why.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What both threads push with.
struct Pusher {
    plan: Arc<OtlpPlan>,
    counter: Arc<ExportCounter>,
    trouble: Arc<Trouble>,
}

impl Pusher {
    /// Pushes after each tick, until the run is over.
    fn follow(&self, feed: &Feed) {
        let client = Client::new(&self.plan);
        let mut known = 0;
        let mut pause = Backoff::new(FIRST_RETRY, MAX_RETRY);
        while feed.wait(known, LOOK) == FeedState::Going {
            let Some(live) = feed.latest().filter(|live| live.version > known) else { continue };
            known = live.version;
            let wait = match self.push(&client, &live, self.plan.timeout) {
                PushResult::Retry { after, .. } => pause.next(after).max(PAUSE),
                PushResult::Taken { .. } | PushResult::Refused(_) => {
                    pause = Backoff::new(FIRST_RETRY, MAX_RETRY);
                    PAUSE
                }
            };
            // No version is as late as this one: only the end of the run ends the wait.
            if feed.wait(u64::MAX, wait) == FeedState::Over {
                return;
            }
        }
    }

    /// Pushes the complete run, with as many attempts as there is time for; returns whether the backend has it.
    fn push_last(&self, live: &LiveReport) -> bool {
        let client = Client::new(&self.plan);
        let end = Instant::now() + LAST_PUSH;
        let mut pause = Backoff::new(LAST_RETRY, LAST_PUSH);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.push(&client, live, left) {
                PushResult::Taken { rejected, .. } => return rejected == 0,
                PushResult::Refused(_) => return false,
                PushResult::Retry { after, .. } => {
                    let wait = pause.next(after);
                    if wait >= end.saturating_duration_since(Instant::now()) {
                        return false;
                    }
                    std::thread::sleep(wait);
                }
            }
        }
    }

    fn push(&self, client: &Client<'_>, live: &LiveReport, limit: Duration) -> PushResult {
        let now = Clock::start_now().unix(Moment::START);
        let message = metrics::message(&live.model, &self.plan.resource, now);
        let result = client.push(&message, limit);
        match &result {
            PushResult::Taken { rejected, why } => {
                self.counter.note_pushed(*rejected);
                if *rejected > 0 {
                    self.trouble.note(&format!("the backend refused data points: {why}"));
                }
            }
            PushResult::Retry { why, .. } | PushResult::Refused(why) => {
                self.counter.note_failed();
                self.trouble.note(why);
            }
        }
        result
    }
}

/// Pauses between attempts: each twice as long as the one before.
struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    const fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    /// The next pause: what the backend asked for, if anything.
    fn next(&mut self, asked: Option<Duration>) -> Duration {
        let own = self.next;
        self.next = (own * 2).min(self.most);
        asked.unwrap_or(own).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_obey_the_backend_within_bounds() {
        let mut pause = Backoff::new(Duration::from_secs(1), Duration::from_secs(6));
        let seconds = [None, None, Some(2), None, Some(3600), Some(0)];
        let pauses = seconds.map(|asked| pause.next(asked.map(Duration::from_secs)).as_secs());
        assert_eq!(pauses, [1, 2, 2, 6, 6, 0]);
    }
}
