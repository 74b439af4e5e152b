//! Many streams → the master's stream: what Locust's master does, out of files and pipes.
//!
//! ```text
//! inputs ─► Records ─► Join (shards, ticks, totals) ─► Master ─► Output
//! ```
//! Files are read ahead and the output is written by threads of their own, so that a merge uses three cores where there
//! are. What comes out does not depend on them: lines are taken in the same order, and all that decides is in the middle.
//!
//! All but the inputs and the output is pure. Memory goes with shards and endpoints, never with the length of the run: a
//! tick is kept until all shards have told of it or are two ticks behind, and endpoints are kept once, not once a shard.

mod admit;
mod config;
mod counted;
mod counting;
mod ending;
mod forward;
mod exchanges;
mod join;
mod master;
mod missing;
mod output;
mod output_thread;
mod policy;
mod run;
mod samples;
mod shard;
mod shard_lines;
mod slots;
mod take;
mod ticks;
mod totals;
mod troubles;
mod unfinished;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::plan::Sink as Destination;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::lines::{Lines, NextLine, ready};
use crate::telemetry::reader::records::{Found, Records};
use crate::telemetry::reader::stream_input::StreamInput;
use crate::telemetry::sink::OpenStream;
pub use ending::MergeResult;
use join::Join;
use master::Master;
pub use output::MasterLineObserver;
use output::{Output, PendingLine};
use output_thread::OutputThread;
pub use policy::MergePolicy;
use take::LineUse;

/// The outcome of a merge.
#[derive(Debug)]
pub enum Merged {
    /// The stream was written to its end.
    Whole(MergeResult),
    /// Its reader went away.
    Closed,
}

/// Merges streams into the master's. `tee` is shown its lines. After a signal, files are read no further, and pipes as
/// long as their writers may take to end.
///
/// # Errors
/// Exit 2: an input cannot be opened. Exit 4: no shard is in it, or the stream cannot be written.
pub fn merge(
    streams: &[PathBuf],
    destination: &Destination,
    rules: MergePolicy,
    tee: MasterLineObserver,
    interrupt: &Interrupt,
) -> Result<Merged> {
    let inputs = StreamInput::open_all(streams)?;
    let wait = |pause| interrupt.wait(&[], Some(pause)).is_ok() && !interrupt.has_come();
    let output = Output::new(OpenStream::open(destination, &wait)?, tee);
    let output = OutputThread::start(output).map_err(|why| Error::invalid("threads", why))?;
    let mut work = Work::new(inputs, output, Master::new(rules), interrupt);
    match work.read_all().and_then(|()| work.end()) {
        Ok(outcome) => Ok(Merged::Whole(outcome)),
        Err(MergeError::Closed) => Ok(Merged::Closed),
        Err(MergeError::Waiting(why)) => Err(Error::invalid("poll", why)),
        Err(MergeError::Output(why)) => Err(Error::invalid(destination.to_string(), why)),
        Err(MergeError::Empty(why)) => Err(Error::invalid("merge", why)),
    }
}

/// What ends a merge before its end.
enum MergeError {
    Closed,
    Waiting(io::Error),
    Output(io::Error),
    Empty(String),
}

impl MergeError {
    fn output(why: io::Error) -> Self {
        if why.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(why) }
    }
}

struct Work<'i> {
    inputs: Vec<StreamInput>,
    interrupt: &'i Interrupt,
    /// Inputs that were not read to their end, as a signal came.
    given_up: Vec<String>,
    records: Vec<Records>,
    join: Join,
    master: Master,
    output: OutputThread,
    line: Vec<u8>,
}

impl<'i> Work<'i> {
    fn new(inputs: Vec<StreamInput>, output: OutputThread, master: Master, interrupt: &'i Interrupt) -> Self {
        let names = inputs.iter().map(|input| input.name().to_owned()).collect();
        let records = inputs.iter().map(|_| Records::default()).collect();
        let join = Join::new(names);
        let (given_up, line) = (Vec::new(), Vec::new());
        Self { inputs, interrupt, given_up, records, join, master, output, line }
    }

    /// Reads every input to its end, the one that is furthest behind first, so that files come out as if they were live.
    fn read_all(&mut self) -> std::result::Result<(), MergeError> {
        // By one more than the last tick that was told of.
        let mut runnable: BTreeSet<(u64, usize)> = (0..self.inputs.len()).map(|input| (0, input)).collect();
        let mut waiting: Vec<(u64, usize)> = Vec::new();
        let mut round = 0;
        loop {
            let first = runnable.first().copied();
            if !waiting.is_empty() && first.is_none_or(|(told, _)| told > round) {
                self.wake(&mut waiting, &mut runnable, first.is_none())?;
            }
            let Some((told, input)) = runnable.pop_first() else {
                if waiting.is_empty() {
                    return Ok(());
                }
                continue;
            };
            round = told;
            match self.read(input) {
                ReadPause::Told(tick) => drop(runnable.insert((tick, input))),
                ReadPause::NotYet => waiting.push((told, input)),
                ReadPause::Over => self.join.end_input(input),
                ReadPause::GivenUp => self.give_up(input),
            }
            self.say()?;
        }
    }

    /// Moves inputs that have something to read to those that are read; waits for one if there is nothing else to do.
    fn wake(
        &mut self,
        waiting: &mut Vec<(u64, usize)>,
        runnable: &mut BTreeSet<(u64, usize)>,
        is_idle: bool,
    ) -> std::result::Result<(), MergeError> {
        if is_idle {
            // That its reader is gone is to be noticed now, and not with the next line.
            self.output.settle().map_err(MergeError::output)?;
        }
        let asked: Vec<&Lines> = waiting.iter().filter_map(|(_, input)| self.inputs[*input].waits()).collect();
        let left = asked.iter().filter_map(|input| input.left(self.interrupt, self.stop_timeout())).min();
        let most = if is_idle { left } else { Some(Duration::ZERO) };
        let ready = ready(&asked, self.interrupt, most).map_err(MergeError::Waiting)?;
        let mut ready = ready.into_iter();
        let mut given_up = Vec::new();
        waiting.retain(|entry| {
            if ready.next() == Some(true) {
                runnable.insert(*entry);
                return false;
            }
            let is_given_up = self.is_given_up(entry.1);
            if is_given_up {
                given_up.push(entry.1);
            }
            !is_given_up
        });
        for input in given_up {
            self.give_up(input);
        }
        Ok(())
    }

    /// How long a shard may take to end after a signal, as far as one has told.
    fn stop_timeout(&self) -> Duration {
        let plan = self.join.run.as_ref().and_then(|run| run.plan.as_ref());
        plan.and_then(|plan| plan.duration("stop-timeout")).unwrap_or_default()
    }

    /// Whether a signal came and an input's writer does not come to its end.
    fn is_given_up(&self, input: usize) -> bool {
        self.inputs[input].is_given_up(self.interrupt, self.stop_timeout())
    }

    fn give_up(&mut self, input: usize) {
        self.given_up.push(self.inputs[input].name().to_owned());
        self.join.end_input(input);
    }

    /// Reads an input until a tick or a stream is complete.
    fn read(&mut self, input: usize) -> ReadPause {
        let mut line = std::mem::take(&mut self.line);
        self.inputs[input].swap_histograms(&mut self.join.tools.decoder);
        let pause = loop {
            if self.is_given_up(input) {
                break ReadPause::GivenUp;
            }
            let next = self.inputs[input].next(&mut line, &mut self.join.tools.decoder);
            let number = self.inputs[input].count();
            match &next {
                NextLine::NotYet => break ReadPause::NotYet,
                NextLine::Over => break ReadPause::Over,
                // A compressed stream whose writer was killed.
                NextLine::Damaged(why) if why.kind() == io::ErrorKind::UnexpectedEof => break ReadPause::Over,
                NextLine::Damaged(why) => break self.damaged(input, number + 1, &why.to_string()),
                NextLine::Line | NextLine::Tail => {}
            }
            let record = match self.records[input].take(&line) {
                Found::Nothing | Found::Other => continue,
                Found::Record(record) => record,
                Found::Batch(cure) => break self.damaged(input, number, cure),
            };
            match self.join.take(input, number, &record) {
                LineUse::Torn if matches!(next, NextLine::Line) => self.records[input].note_torn(),
                LineUse::Torn | LineUse::Read => {}
                LineUse::Progress => break ReadPause::Told(self.join.told().map_or(0, |tick| tick + 1)),
            }
        };
        self.inputs[input].swap_histograms(&mut self.join.tools.decoder);
        self.line = line;
        pause
    }

    /// An input cannot be read further, at this line.
    fn damaged(&mut self, input: usize, line: u64, why: &str) -> ReadPause {
        self.join.note_damage(input, &format!("line {line}: cannot be read further: {why}"));
        self.records[input].forgive_torn();
        ReadPause::Over
    }

    fn say(&mut self) -> std::result::Result<(), MergeError> {
        self.output.written().for_each(|(number, interval)| self.join.tools.keep(number, interval));
        let said = self.master.ready(&mut self.join);
        self.write(said)
    }

    fn write(&mut self, said: Vec<PendingLine>) -> std::result::Result<(), MergeError> {
        self.output.write(said, self.join.run.as_ref(), self.master.clock()).map_err(MergeError::output)
    }

    fn end(&mut self) -> std::result::Result<MergeResult, MergeError> {
        self.join.note_given_up(&self.given_up);
        self.join.note_unnamed();
        self.join.name_other_plans();
        if self.join.shards.is_empty() {
            let all = self.join.troubles.sentences();
            let why = if all.is_empty() { "there is no line of a shard in it".to_owned() } else { all.join("; ") };
            return Err(MergeError::Empty(why));
        }
        let torn = self.inputs.iter().zip(&self.records).filter_map(|(input, records)| {
            let (torn, first) = records.torn()?;
            Some((torn, format!("{}: line {first}", input.name())))
        });
        let torn: Vec<(u64, String)> = torn.collect();
        let (said, outcome) = ending::end(&mut self.join, &mut self.master, &torn);
        self.write(said)?;
        self.output.finish().map_err(MergeError::output)?;
        Ok(outcome)
    }
}

/// Why the reading of an input pauses.
enum ReadPause {
    /// A tick is complete: one more than its number.
    Told(u64),
    /// Nothing is there to be read.
    NotYet,
    /// Nothing more will be.
    Over,
    /// A signal came, and nothing more is waited for.
    GivenUp,
}
