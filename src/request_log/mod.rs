//! The log of single requests: a thread that writes them out of what is counted, over a queue that never makes the load
//! wait.
//!
//! ```text
//! counting threads ─► queue of 65,536 ─► request-log thread ─► file
//!       └─ helping, when it is half full ─► chunks ─┘
//! ```
//! A scheduler that is fair to threads gives this one no more CPU than any of the users, which on a busy machine is too little
//! to format what all of them send. So a thread that finds the queue half full formats some of it; the file is written by
//! one thread alone.
//!
//! Whoever counts an outcome hands it over, the aggregator or a user that helps it, so each is handed over once. Where the
//! disk is slower than the load, the queue is full: records are lost, and counted. The thread is not joined, but waited for
//! with a time limit, as a write may never end.

pub mod ending;
mod endpoints;
mod file;
mod jtl;
mod ndjson;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::load::swarm::roster::Roster;
use crate::outcome::{Ending, Outcome};
use crate::plan::Plan;
use crate::plan::request_log::{LogFormat, RequestLogPlan};
use crate::telemetry::sink::open_file;
use ending::{LogEnd, LogWarning};
use endpoints::Endpoints;
use file::{LogFile, WriteFailure};
use jtl::Jtl;
use ndjson::Ndjson;

/// Records that wait, half of them as they are and half formatted by helping threads; at 100,000 requests a second, those of
/// two thirds of a second.
const QUEUE: usize = 65_536 / 2;

/// Records that a helping thread formats at a time, and how often that fits.
const HELP: usize = 128;
const CHUNKS: usize = QUEUE / HELP;

/// Bytes of records that are written together.
const CHUNK: usize = 64 * 1024;

/// Pause of the thread after it was woken, in which further records arrive: each wake-up costs the thread that sends one.
const PAUSE: Duration = Duration::from_millis(5);

/// How often what is compressed is flushed.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How long the end of a run waits while no record is written, and at most: long enough for a full queue on a slow disk.
const PATIENCE: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A log that is being written.
pub struct RequestLog {
    plan: RequestLogPlan,
    records: Sender<Outcome>,
    queue: Receiver<Outcome>,
    chunks: Sender<Chunk>,
    format: Arc<Format>,
    close: Sender<()>,
    ended: Receiver<()>,
    counts: Arc<LogCounts>,
    has_warned: AtomicBool,
}

/// What became of the records.
#[derive(Debug, Default)]
struct LogCounts {
    /// Records that were to be written.
    offered: AtomicU64,
    /// Records for which the queue had no room.
    rejected: AtomicU64,
    /// Records that the thread took from the queue: that it makes progress.
    taken: AtomicU64,
    /// Records in the file.
    written: AtomicU64,
    /// Why nothing more is written.
    failure: Mutex<Option<String>>,
    /// Whether that is so.
    has_failed: AtomicBool,
}

impl LogCounts {
    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fail(&self, why: &str) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
        self.has_failed.store(true, Ordering::Relaxed);
    }
}

impl RequestLog {
    /// Opens the log and starts its thread; `wait` is as in [`OpenStream::open`](crate::telemetry::sink::OpenStream::open).
    ///
    /// # Errors
    /// Exit 2: the file cannot be opened, or the thread not started. Exit 130: waiting for a reader was interrupted.
    pub fn open(
        plan: &Plan,
        log: &RequestLogPlan,
        clock: Clock,
        roster: &Arc<Roster>,
        wait: &dyn Fn(Duration) -> bool,
    ) -> Result<Self> {
        let name = || format!("--log-requests {}", log.path.display());
        let file = match open_file(&log.path, wait) {
            Ok(Some(file)) => LogFile::new(file, log.is_compressed),
            Ok(None) => return Err(Error::interrupted(name())),
            Err(why) => return Err(Error::usage(name(), why)),
        };
        let (records, queue) = bounded(QUEUE);
        let (chunks, formatted) = bounded(CHUNKS);
        let (close, closing) = bounded(1);
        let (end, ended) = bounded(1);
        let counts = Arc::new(LogCounts::default());
        let endpoints = Endpoints::of(plan);
        let format = Arc::new(match log.format {
            LogFormat::Ndjson => {
                Format::Ndjson(Ndjson { endpoints, clock, tracing: plan.tracing().copied(), share: log.share })
            }
            LogFormat::Jtl => Format::Jtl(Jtl::new(&endpoints, clock, Arc::clone(roster))),
        });
        let writer = LogWriter {
            file,
            format: Arc::clone(&format),
            counts: Arc::clone(&counts),
            chunk: Vec::new(),
            unwritten: 0,
            unflushed: 0,
            flushed: Instant::now(),
        };
        let input = LogInput { queue: queue.clone(), chunks: formatted, closing };
        let work = move || {
            writer.run(&input);
            // Fails if the process has stopped waiting for it.
            let _ = end.send(());
        };
        Builder::new().name("request-log".to_owned()).spawn(work).map_err(|why| Error::usage("threads", why))?;
        let (plan, has_warned) = (log.clone(), AtomicBool::new(false));
        Ok(Self { plan, records, queue, chunks, format, close, ended, counts, has_warned })
    }

    /// Hands over a request, if it is among those that are logged; never waits.
    pub fn offer(&self, outcome: &Outcome) {
        if !self.takes(outcome) {
            return;
        }
        self.counts.offered.fetch_add(1, Ordering::Relaxed);
        if self.records.len() > QUEUE / 2 {
            self.help();
        }
        if self.counts.has_failed.load(Ordering::Relaxed) || self.records.try_send(*outcome).is_err() {
            self.counts.rejected.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Formats some of the queue, unless there is no room for what comes of it: then it is the disk that is slow.
    fn help(&self) {
        if self.chunks.is_full() {
            return;
        }
        let mut chunk = Chunk::default();
        for outcome in self.queue.try_iter().take(HELP) {
            self.format.write(&outcome, &mut chunk.bytes);
            chunk.records += 1;
        }
        // There is room, as only one thread counts at a time; unless the log has ended.
        if let Err(lost) = self.chunks.try_send(chunk) {
            self.counts.rejected.fetch_add(lost.into_inner().records, Ordering::Relaxed);
        }
    }

    fn takes(&self, outcome: &Outcome) -> bool {
        match (self.plan.format, outcome.ending()) {
            (LogFormat::Ndjson, Ending::Failed(_) | Ending::Aborted) => true,
            // JMeter's readers know requests that passed or failed, no others: these are in neither count.
            (LogFormat::Jtl, Ending::Aborted) => false,
            (LogFormat::Ndjson, Ending::Ok) | (LogFormat::Jtl, Ending::Ok | Ending::Failed(_)) => {
                self.plan.takes(outcome.id())
            }
        }
    }

    /// What a reader must know of while the run goes on, once: that records are lost, or that the log ended.
    #[must_use]
    pub fn take_warning(&self) -> Option<LogWarning> {
        let failure = self.counts.failure();
        let is_losing = failure.is_some() || self.counts.rejected.load(Ordering::Relaxed) > 0;
        if !is_losing || self.has_warned.swap(true, Ordering::Relaxed) {
            return None;
        }
        let lost = "the disk of the log of requests is slower than the load: records are lost, the load goes on";
        let lost = || ("request_log_lost", lost.to_owned());
        let failed = |why| ("request_log_failed", format!("the log of requests ended early: {why}; the load goes on"));
        Some(failure.map_or_else(lost, failed))
    }

    /// Ends the log when everything was offered: waits for what is in the queue, as long as it is being written.
    #[must_use]
    pub fn finish(&self) -> LogEnd {
        // There is room: it is sent once.
        let _ = self.close.try_send(());
        let begun = Instant::now();
        let mut seen = self.counts.taken.load(Ordering::Relaxed);
        while self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let taken = self.counts.taken.load(Ordering::Relaxed);
            if taken == seen || begun.elapsed() >= MAX_WAIT {
                self.counts.fail("the file accepts no more data");
                break;
            }
            seen = taken;
        }
        let offered = self.counts.offered.load(Ordering::Relaxed);
        let written = self.counts.written.load(Ordering::Relaxed);
        LogEnd { written, lost: offered - written, failure: self.counts.failure() }
    }
}

/// Records that a helping thread formatted.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    records: u64,
}

/// How records are written.
#[derive(Debug)]
enum Format {
    Ndjson(Ndjson),
    Jtl(Jtl),
}

impl Format {
    fn write(&self, outcome: &Outcome, into: &mut Vec<u8>) {
        match self {
            Self::Ndjson(ndjson) => ndjson.write(outcome, into),
            Self::Jtl(jtl) => jtl.write(outcome, into),
        }
    }
}

/// What the thread reads from.
struct LogInput {
    queue: Receiver<Outcome>,
    chunks: Receiver<Chunk>,
    closing: Receiver<()>,
}

/// What the thread works with.
struct LogWriter {
    file: LogFile,
    format: Arc<Format>,
    counts: Arc<LogCounts>,
    /// Records that are not written yet, and how many.
    chunk: Vec<u8>,
    unwritten: u64,
    /// Records that were written and may be in a buffer.
    unflushed: u64,
    /// When there was none in it.
    flushed: Instant,
}

impl LogWriter {
    fn run(mut self, input: &LogInput) {
        let counts = Arc::clone(&self.counts);
        if let Err(why) = self.write_all(input).and_then(|()| self.finish()) {
            counts.fail(&why.to_string());
        }
    }

    /// Writes records until the log is closed and nothing waits.
    fn write_all(&mut self, input: &LogInput) -> io::Result<()> {
        if matches!(*self.format, Format::Jtl(_)) {
            Jtl::write_head(&mut self.chunk);
            self.write_chunk()?;
        }
        let mut is_closing = false;
        loop {
            self.write_waiting(input)?;
            if is_closing {
                return Ok(());
            }
            select! {
                recv(input.queue) -> outcome => {
                    if let Ok(outcome) = outcome {
                        self.add(&outcome);
                    }
                    std::thread::sleep(PAUSE);
                }
                recv(input.closing) -> _ => is_closing = true,
            }
        }
    }

    /// Writes what waits by now.
    fn write_waiting(&mut self, input: &LogInput) -> io::Result<()> {
        loop {
            if let Ok(Chunk { bytes, records }) = input.chunks.try_recv() {
                self.chunk.extend_from_slice(&bytes);
                self.unwritten += records;
                self.counts.taken.fetch_add(records, Ordering::Relaxed);
            } else if let Ok(outcome) = input.queue.try_recv() {
                self.add(&outcome);
            } else {
                return self.write_chunk();
            }
            if self.chunk.len() >= CHUNK {
                self.write_chunk()?;
            }
        }
    }

    fn add(&mut self, outcome: &Outcome) {
        self.format.write(outcome, &mut self.chunk);
        self.unwritten += 1;
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
    }

    fn write_chunk(&mut self) -> io::Result<()> {
        let result = self.file.write(&self.chunk);
        let written = match &result {
            Ok(()) => self.unwritten,
            Err(WriteFailure { written, .. }) => records(&self.chunk[..*written]).min(self.unwritten),
        };
        self.chunk.clear();
        self.unwritten = 0;
        if self.file.is_buffered() {
            self.unflushed += written;
        } else {
            self.counts.written.fetch_add(written, Ordering::Relaxed);
        }
        result.map_err(|failure| failure.why)?;
        if self.flushed.elapsed() >= FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.flushed = Instant::now();
        self.counts.written.fetch_add(std::mem::take(&mut self.unflushed), Ordering::Relaxed);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.file.finish()
    }
}

/// The number of whole records.
fn records(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
