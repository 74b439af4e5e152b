//! Writing the master's stream: numbers, and times that never go back.

use std::io;

use super::forward::{ForwardedLine, pass, time_of};
use super::run::RunIdentity;
use crate::clock::{Clock, Moment, rfc3339, unix_time};
use crate::telemetry::line::{Envelope, MAX_LINE, StreamSource};
use crate::telemetry::record::{Record, RecordBody};
use crate::telemetry::sink::OpenStream;

/// Is shown every line of the master's before it leaves, with what it says where it is not one that a worker wrote: a
/// report at the end of a merge reads the same stream as one made from the file.
pub type MasterLineObserver = Box<dyn FnMut(Option<&RecordBody>, &[u8])>;

/// A line of the master's stream that waits to be written.
pub(super) enum PendingLine {
    /// The master's own.
    Record(Box<Record>),
    /// A worker's.
    Passed(ForwardedLine),
}

/// The master's stream.
pub(super) struct Output {
    sink: OpenStream,
    tee: MasterLineObserver,
    begun: Option<(Envelope, Clock)>,
    seq: u64,
    latest: Moment,
    line: Vec<u8>,
}

impl Output {
    /// A stream that has no line yet.
    pub(super) fn new(sink: OpenStream, tee: MasterLineObserver) -> Self {
        Self { sink, tee, begun: None, seq: 0, latest: Moment::START, line: Vec::with_capacity(MAX_LINE) }
    }

    /// Writes lines.
    pub(super) fn write(&mut self, said: Vec<PendingLine>, run: Option<&RunIdentity>, clock: Clock) -> io::Result<()> {
        if said.is_empty() {
            return Ok(());
        }
        let (envelope, clock) = self.begun.get_or_insert_with(|| {
            let (run_id, testplan) = run.map_or(("", ""), |run| (&run.run_id, &run.testplan));
            (Envelope::new(StreamSource::Master, run_id, testplan, clock), clock)
        });
        for said in said {
            self.seq += 1;
            match said {
                PendingLine::Record(mut record) => {
                    self.latest = self.latest.max(record.at);
                    record.at = self.latest;
                    if let RecordBody::RunEnd(end) = &mut record.body {
                        end.lines = self.seq;
                    }
                    envelope.write(&record, self.seq, &mut self.line);
                    (self.tee)(Some(&record.body), &self.line);
                }
                PendingLine::Passed(raw) => {
                    let at = time_of(&raw).and_then(unix_time).unwrap_or_default();
                    self.latest = self.latest.max(Moment::at(at.saturating_sub(clock.unix(Moment::START))));
                    let time = rfc3339(clock.unix(self.latest));
                    if !pass(&raw, &time, self.seq, &mut self.line) {
                        self.seq -= 1;
                        continue;
                    }
                    (self.tee)(None, &self.line);
                }
            }
            self.sink.line(&self.line)?;
        }
        self.sink.flush()
    }

    /// Ends the stream.
    pub(super) fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}
