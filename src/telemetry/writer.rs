//! The only thread that writes the stream.
//!
//! It is not joined, but waited for with a time limit: a reader that stalls keeps it in a system call that cannot be
//! interrupted, and must not keep the process alive.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use super::line::Envelope;
use super::record::{Record, RecordBody};
use super::sink::OpenStream;
use crate::clock::Moment;
use crate::error::{Error, Result};

/// Batches queued for the writer: with a slow reader, this many ticks are queued before the next one has to wait.
const QUEUE: usize = 4;

/// Records that are written together: a tick, an event.
pub type Batch = Vec<Record>;

/// Callback for every line before it is written, with its content: a report at the end of a run is made from the same
/// lines as one made from the file. It still gets lines when the stream can no longer be written.
pub type LineTee = Box<dyn FnMut(&RecordBody, &[u8]) + Send>;

/// CPU time of the writer thread, which it updates after each batch.
#[derive(Clone, Debug, Default)]
pub struct CpuGauge(Arc<AtomicU64>);

impl CpuGauge {
    /// CPU time so far.
    #[must_use]
    pub fn read(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn update(&self) {
        let nanos = u64::try_from(thread_cpu_time().as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

/// CPU time of the calling thread.
#[must_use]
pub fn thread_cpu_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// A handle to the writer thread.
pub struct Writer {
    lines: Arc<AtomicU64>,
    cpu: CpuGauge,
    ended: Receiver<io::Result<()>>,
}

/// How writing the stream ended.
#[derive(Debug)]
pub enum Written {
    /// Every line was written.
    All,
    /// The reader closed its end.
    Closed,
    /// An error of the file or device, or a reader that stalled for too long.
    Broken(io::Error),
}

impl Writer {
    /// Starts the thread, which passes each line to `tee`, and calls `on_failure` once when writing fails.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        sink: OpenStream,
        envelope: Envelope,
        tee: LineTee,
        on_failure: impl Fn() + Send + 'static,
    ) -> Result<(Self, Sender<Batch>)> {
        let (batches, queue) = bounded(QUEUE);
        let (report, ended) = bounded(1);
        let lines = Arc::new(AtomicU64::new(0));
        let cpu = CpuGauge::default();
        let gauges = (Arc::clone(&lines), cpu.clone());
        let work = move || {
            let result = write_all(sink, &queue, LineMaker::new(envelope, tee), &gauges, on_failure);
            // Fails if the process has stopped waiting for it.
            let _ = report.send(result);
        };
        let started = Builder::new().name("writer".to_owned()).spawn(work);
        started.map_err(|why| Error::usage("threads", why))?;
        Ok((Self { lines, cpu, ended }, batches))
    }

    /// CPU time of its thread.
    #[must_use]
    pub fn cpu(&self) -> CpuGauge {
        self.cpu.clone()
    }

    /// Hands over a batch, waiting while the reader accepts at least one line within `patience`.
    ///
    /// # Errors
    /// How writing the stream ended; never [`Written::All`].
    pub fn hand_over(
        &self,
        batches: &Sender<Batch>,
        batch: Batch,
        patience: Duration,
    ) -> std::result::Result<(), Written> {
        let mut batch = batch;
        let mut idle = StallCheck::new(&self.lines);
        loop {
            batch = match batches.send_timeout(batch, patience / StallCheck::MAX_CHECKS) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(_)) if idle.is_over() => return Err(too_slow(patience)),
                Err(SendTimeoutError::Timeout(back)) => back,
                // The writer has failed, and reports the error before it ends.
                Err(SendTimeoutError::Disconnected(_)) => return Err(self.wait(patience)),
            };
        }
    }

    /// Waits for the last line, while the reader accepts at least one line within `patience`.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Written {
        let mut idle = StallCheck::new(&self.lines);
        loop {
            match self.ended.recv_timeout(patience / StallCheck::MAX_CHECKS) {
                Ok(Ok(())) => return Written::All,
                Ok(Err(error)) => return failed(error),
                Err(RecvTimeoutError::Timeout) if !idle.is_over() => {}
                Err(_) => return too_slow(patience),
            }
        }
    }
}

/// Checks several times within the patience, so that waiting ends at most one check late, counted from the last line
/// written.
struct StallCheck<'w> {
    lines: &'w AtomicU64,
    seen: u64,
    checks: u32,
}

impl<'w> StallCheck<'w> {
    /// Checks without progress after which waiting ends.
    const MAX_CHECKS: u32 = 10;

    fn new(lines: &'w AtomicU64) -> Self {
        Self { lines, seen: lines.load(Ordering::Relaxed), checks: 0 }
    }

    /// Whether the patience ends with this check.
    fn is_over(&mut self) -> bool {
        let seen = self.lines.load(Ordering::Relaxed);
        self.checks = if seen > self.seen { 0 } else { self.checks + 1 };
        self.seen = seen;
        self.checks >= Self::MAX_CHECKS
    }
}

fn failed(error: io::Error) -> Written {
    if error.kind() == io::ErrorKind::BrokenPipe { Written::Closed } else { Written::Broken(error) }
}

fn too_slow(patience: Duration) -> Written {
    let why = format!("the reader read nothing for {} s", patience.as_secs_f64());
    Written::Broken(io::Error::new(io::ErrorKind::TimedOut, why))
}

/// Makes lines from records, in their order.
struct LineMaker {
    envelope: Envelope,
    tee: LineTee,
    seq: u64,
    latest: Moment,
    line: Vec<u8>,
}

impl LineMaker {
    fn new(envelope: Envelope, tee: LineTee) -> Self {
        let line = Vec::with_capacity(super::line::MAX_LINE);
        Self { envelope, tee, seq: 0, latest: Moment::START, line }
    }

    /// Makes the next line and passes it to the tee.
    fn next_line(&mut self, mut record: Record) -> &[u8] {
        self.seq += 1;
        // A tick has the time of its sample, and an event may have been written since.
        self.latest = self.latest.max(record.at);
        record.at = self.latest;
        if let RecordBody::RunEnd(end) = &mut record.body {
            end.lines = self.seq;
        }
        self.envelope.write(&record, self.seq, &mut self.line);
        (self.tee)(&record.body, &self.line);
        &self.line
    }
}

fn write_all(
    mut sink: OpenStream,
    queue: &Receiver<Batch>,
    mut lines: LineMaker,
    (written, cpu): &(Arc<AtomicU64>, CpuGauge),
    on_failure: impl Fn(),
) -> io::Result<()> {
    let mut result = Ok(());
    while let Ok(batch) = queue.recv() {
        let was_whole = result.is_ok();
        for record in batch {
            let line = lines.next_line(record);
            // The tee also gets lines that can no longer be written.
            if result.is_ok() {
                result = sink.line(line);
                written.fetch_add(u64::from(result.is_ok()), Ordering::Relaxed);
            }
        }
        result = result.and_then(|()| sink.flush());
        if was_whole && result.is_err() {
            on_failure();
        }
        cpu.update();
    }
    result.and_then(|()| sink.finish())
}
