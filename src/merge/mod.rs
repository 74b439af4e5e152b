//! Many streams → the master's stream: what Locust's master does, out of files and pipes.
//!
//! ```text
//! inputs ─► Pieces ─► Join (shards, ticks, totals) ─► Master ─► Output
//! ```
//! All but the inputs and the output is pure. Memory goes with shards and endpoints, never with the length of the run: a
//! tick is kept until all shards have told of it or are two ticks behind, and endpoints are kept once, not once a shard.

mod ending;
mod input;
mod join;
mod master;
mod output;
mod pieces;
mod run;
mod shard;
mod ticks;
mod totals;
mod troubles;
mod unfinished;
mod wire;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::plan::Sink as Destination;
use crate::telemetry::sink::Sink;
pub use ending::{Outcome, Rules};
use input::{Input, Next};
use join::{Join, Taken};
use master::{Master, Said};
use output::Output;
pub use output::Tee;
use pieces::Pieces;

/// What came of a merge.
#[derive(Debug)]
pub enum Merged {
    /// The stream was written to its end.
    Whole(Outcome),
    /// Its reader went away.
    Closed,
}

/// Merges streams into the master's. `tee` is shown its lines.
///
/// # Errors
/// Exit 2: an input cannot be opened. Exit 4: it cannot be read, no shard is in it, or the stream cannot be written.
pub fn merge(streams: &[PathBuf], destination: &Destination, rules: Rules, tee: Tee) -> Result<Merged> {
    let inputs = streams.iter().map(|path| Input::open(path)).collect::<Result<Vec<_>>>()?;
    let output = Output::new(Sink::open(destination)?, tee);
    let mut work = Work::new(inputs, output, Master::new(rules));
    match work.read_all().and_then(|()| work.end()) {
        Ok(outcome) => Ok(Merged::Whole(outcome)),
        Err(Trouble::Closed) => Ok(Merged::Closed),
        Err(Trouble::Input(name, why)) => Err(Error::invalid(name, why)),
        Err(Trouble::Output(why)) => Err(Error::invalid(destination.to_string(), why)),
        Err(Trouble::Empty(why)) => Err(Error::invalid("merge", why)),
    }
}

/// What ends a merge before its end.
enum Trouble {
    Closed,
    Input(String, io::Error),
    Output(io::Error),
    Empty(String),
}

impl Trouble {
    fn output(why: io::Error) -> Self {
        if why.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(why) }
    }
}

struct Work {
    inputs: Vec<Input>,
    pieces: Vec<Pieces>,
    join: Join,
    master: Master,
    output: Option<Output>,
    line: Vec<u8>,
}

impl Work {
    fn new(inputs: Vec<Input>, output: Output, master: Master) -> Self {
        let names = inputs.iter().map(|input| input.name.clone()).collect();
        let pieces = inputs.iter().map(|_| Pieces::default()).collect();
        let join = Join::new(names);
        Self { inputs, pieces, join, master, output: Some(output), line: Vec::new() }
    }

    /// Reads every input to its end, the one that is furthest behind first, so that files come out as if they were live.
    fn read_all(&mut self) -> std::result::Result<(), Trouble> {
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
            match self.read(input)? {
                Pause::Told(tick) => drop(runnable.insert((tick, input))),
                Pause::NotYet => waiting.push((told, input)),
                Pause::Over => self.join.end_input(input),
            }
            self.say()?;
        }
    }

    /// Moves inputs that have something to read to those that are read; waits for one if there is nothing else to do.
    fn wake(
        &self,
        waiting: &mut Vec<(u64, usize)>,
        runnable: &mut BTreeSet<(u64, usize)>,
        is_idle: bool,
    ) -> std::result::Result<(), Trouble> {
        let asked: Vec<&Input> = waiting.iter().map(|(_, input)| &self.inputs[*input]).collect();
        let ready = input::ready(&asked, is_idle).map_err(|why| Trouble::Input("poll".to_owned(), why))?;
        let mut ready = ready.into_iter();
        waiting.retain(|entry| {
            let is_ready = ready.next() == Some(true);
            if is_ready {
                runnable.insert(*entry);
            }
            !is_ready
        });
        Ok(())
    }

    /// Reads an input until a tick or a stream is complete.
    fn read(&mut self, input: usize) -> std::result::Result<Pause, Trouble> {
        let mut line = std::mem::take(&mut self.line);
        let pause = loop {
            let next = self.inputs[input].next(&mut line);
            let next = next.map_err(|why| Trouble::Input(self.inputs[input].name.clone(), why))?;
            match next {
                Next::NotYet => break Pause::NotYet,
                Next::Over => break Pause::Over,
                Next::Line | Next::Tail => {}
            }
            let Some(record) = self.pieces[input].take(&line) else { continue };
            match self.join.take(input, &record) {
                Taken::Torn if next == Next::Line => self.pieces[input].note_torn(),
                Taken::Torn | Taken::Read => {}
                Taken::Progress => break Pause::Told(self.join.told().map_or(0, |tick| tick + 1)),
            }
        };
        self.line = line;
        Ok(pause)
    }

    fn say(&mut self) -> std::result::Result<(), Trouble> {
        let said = self.master.ready(&mut self.join);
        self.write(said)
    }

    fn write(&mut self, said: Vec<Said>) -> std::result::Result<(), Trouble> {
        let Some(output) = &mut self.output else { return Ok(()) };
        output.write(said, self.join.run.as_ref(), &self.master).map_err(Trouble::output)
    }

    fn end(&mut self) -> std::result::Result<Outcome, Trouble> {
        if self.join.shards.is_empty() {
            let all: Vec<String> = self.join.troubles.all().map(|(_, sentence)| sentence).collect();
            let why = if all.is_empty() { "there is no line of a shard in it".to_owned() } else { all.join("; ") };
            return Err(Trouble::Empty(why));
        }
        let torn = self.pieces.iter().map(Pieces::torn).sum();
        let (said, outcome) = ending::end(&mut self.join, &mut self.master, torn);
        self.write(said)?;
        self.output.take().map_or(Ok(()), Output::finish).map_err(Trouble::output)?;
        Ok(outcome)
    }
}

/// Why the reading of an input pauses.
enum Pause {
    /// A tick is complete: one more than its number.
    Told(u64),
    /// Nothing is there to be read.
    NotYet,
    /// Nothing more will be.
    Over,
}
