//! Writing the master's stream: numbers, and times that never go back.

use std::io;

use super::forward::{ForwardedLine, pass, time_of};
use crate::clock::{Clock, Moment, rfc3339, unix_time};
use crate::plan::endpoint::Endpoint;
use crate::stats::interval::Interval;
use crate::telemetry::intervals::{self, Span};
use crate::telemetry::line::{Envelope, MAX_LINE};
use crate::telemetry::record::{Record, RecordBody};
use crate::telemetry::sink::OpenStream;

/// Is shown every line of the master's before it leaves, with what it says where it is not one that a worker wrote: a
/// report at the end of a merge reads the same stream as one made from the file.
pub type MasterLineObserver = Box<dyn FnMut(Option<&RecordBody>, &[u8]) + Send>;

/// A line of the master's stream that waits to be written.
pub(super) enum PendingLine {
    /// The master's own.
    Record(Box<Record>),
    /// The master's own about an endpoint's interval: its lines are made when they are written.
    Interval(Box<PendingInterval>),
    /// A worker's.
    Passed(ForwardedLine),
}

/// What happened at one endpoint in a tick.
pub(super) struct PendingInterval {
    pub(super) at: Moment,
    pub(super) tick: u64,
    pub(super) span: Span,
    pub(super) endpoint: Endpoint,
    /// The number of the endpoint.
    pub(super) number: usize,
    pub(super) interval: Interval,
}

/// The master's stream.
pub(super) struct Output {
    sink: OpenStream,
    tee: MasterLineObserver,
    seq: u64,
    latest: Moment,
    line: Vec<u8>,
}

impl Output {
    /// A stream that has no line yet.
    pub(super) fn new(sink: OpenStream, tee: MasterLineObserver) -> Self {
        Self { sink, tee, seq: 0, latest: Moment::START, line: Vec::with_capacity(MAX_LINE) }
    }

    /// Writes lines; `spare` gets the intervals that they are about.
    pub(super) fn write(
        &mut self,
        said: Vec<PendingLine>,
        (envelope, clock): &(Envelope, Clock),
        mut spare: impl FnMut(usize, Interval),
    ) -> io::Result<()> {
        for said in said {
            match said {
                PendingLine::Record(record) => self.record(*record, envelope)?,
                PendingLine::Interval(pending) => {
                    let PendingInterval { at, tick, span, endpoint, number, interval } = *pending;
                    for body in intervals::lines(&span, &endpoint, &interval) {
                        self.record(Record { at, tick: Some(tick), body }, envelope)?;
                    }
                    spare(number, interval);
                }
                PendingLine::Passed(raw) => self.pass(&raw, *clock)?,
            }
        }
        self.sink.flush()
    }

    fn record(&mut self, mut record: Record, envelope: &Envelope) -> io::Result<()> {
        self.seq += 1;
        self.latest = self.latest.max(record.at);
        record.at = self.latest;
        if let RecordBody::RunEnd(end) = &mut record.body {
            end.lines = self.seq;
        }
        envelope.write(&record, self.seq, &mut self.line);
        (self.tee)(Some(&record.body), &self.line);
        self.sink.line(&self.line)
    }

    /// Writes a worker's line.
    fn pass(&mut self, raw: &[u8], clock: Clock) -> io::Result<()> {
        let at = time_of(raw).and_then(unix_time).unwrap_or_default();
        self.latest = self.latest.max(Moment::at(at.saturating_sub(clock.unix(Moment::START))));
        let time = rfc3339(clock.unix(self.latest));
        if !pass(raw, &time, self.seq + 1, &mut self.line) {
            return Ok(());
        }
        self.seq += 1;
        (self.tee)(None, &self.line);
        self.sink.line(&self.line)
    }

    /// Ends the stream.
    pub(super) fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}
