//! Reading a stream back, one line at a time, and saying what is wrong with it.
//!
//! A [`Reading`] takes lines as they are in the file, or as the writer hands them out: a report at the end of a run and
//! one of the file a week later read the same lines.

mod belief;
pub mod ending;
pub mod facts;
pub mod input;
mod sequence;
mod sums;
pub mod source;
pub mod troubles;

use facts::{Fact, Head};
use sequence::Sequence;
use sums::Sums;
use troubles::{Kind, Troubles};

use super::recorder::SCHEMA_VERSION;
use crate::clock::unix_time;
use crate::error::{Error, Result};
use crate::telemetry::claims::{self, Contradiction, Ticks, is_time};

/// One line of a stream.
#[derive(Clone, Debug)]
pub struct Line {
    /// Number in the file, from 1.
    pub number: u64,
    /// When it was made: RFC 3339 with milliseconds.
    pub time: String,
    /// Which process it is about; in a master's stream also one of its shards.
    pub source_id: String,
    /// The tick that it belongs to.
    pub tick: Option<u64>,
    /// Its content.
    pub fact: Fact,
}

/// Whose stream it is, as its first line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Id of the run.
    pub run_id: String,
    /// Name of the test plan.
    pub testplan: String,
    /// `LocalRunner`, `WorkerRunner` or `MasterRunner`.
    pub source: String,
    /// `local`, `worker-<index>` or `master`.
    pub source_id: String,
}

/// A stream that is being read.
#[derive(Debug)]
pub struct Reading {
    name: String,
    lines: u64,
    sequence: Sequence,
    troubles: Troubles,
    identity: Option<(u64, Identity)>,
    started: Option<u64>,
    ended: Option<u64>,
    /// A contract line without number: the Python plugin's.
    of_plugin: Option<u64>,
    ticks: Option<Ticks>,
    sums: Sums,
}

/// What is known of a stream when all its lines are read.
#[derive(Clone, Debug)]
pub struct Read {
    /// Identifies the stream.
    pub identity: Identity,
    /// What is wrong with it.
    pub troubles: Troubles,
}

impl Reading {
    /// A stream of which nothing is read yet. `name` is that of its file, for messages.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            lines: 0,
            sequence: Sequence::default(),
            troubles: Troubles::default(),
            identity: None,
            started: None,
            ended: None,
            of_plugin: None,
            ticks: None,
            sums: Sums::default(),
        }
    }

    /// Takes the next line of the file; `None` where it says nothing, which is noted as a trouble unless it is empty.
    ///
    /// # Errors
    /// The file holds more than one stream: exit 2, one line that names both lines.
    pub fn take(&mut self, raw: &[u8]) -> Result<Option<Line>> {
        self.lines += 1;
        if raw.trim_ascii().is_empty() {
            return Ok(None);
        }
        let Some((head, time, text)) = self.head(raw) else { return Ok(None) };
        let number = self.lines;
        let Some(seq) = head.seq else {
            self.of_plugin.get_or_insert(number);
            return Ok(None);
        };
        let fact = match facts::fact(&head, text) {
            Ok(fact) => fact,
            Err(why) => {
                self.troubles.add(Kind::Torn, number, format!("{} cannot be read: {why}", head.telemetry_name));
                return Ok(None);
            }
        };
        self.check_identity(&head)?;
        self.check_start(&fact)?;
        if self.sequence.is_repeated(number, seq) {
            self.troubles.add(Kind::Repeated, number, format!("line {seq} of the stream was there before"));
            return Ok(None);
        }
        if let Err(why) = self.check(&fact, &head, &time) {
            self.contradict(number, why);
            return Ok(None);
        }
        self.note_place(&fact);
        Ok(Some(Line { number, time, source_id: head.source_id, tick: head.tick, fact }))
    }

    /// Takes note of a line that nobody needs to read.
    pub fn pass(&mut self) {
        self.lines += 1;
        self.sums.pass();
        self.sequence.is_repeated(self.lines, self.lines);
    }

    /// Takes note of an input that broke off within a line or a compressed block.
    pub fn broken(&mut self, why: &str) {
        self.troubles.add(Kind::CutOff, self.lines + 1, why);
    }

    /// Holds a line against itself, and against what the stream said before.
    fn check(&mut self, fact: &Fact, head: &Head, time: &str) -> std::result::Result<(), Contradiction> {
        claims::identity(&head.run_id, &head.testplan)?;
        if !is_time(time) {
            return Err("a line without its time");
        }
        belief::check(fact)?;
        if let Fact::Config(config) = fact {
            self.ticks = belief::ticks(&head.source, config).or(self.ticks);
        }
        // A worker's line that merge passed on has the time of the master's.
        let is_own = self.identity.as_ref().is_some_and(|(_, known)| known.source_id == head.source_id);
        if let (Some(ticks), Some(tick), true) = (self.ticks, head.tick, is_own)
            && !ticks.may_be(tick, unix_time(time).unwrap_or_default())
        {
            return Err("a tick that is not at its time");
        }
        self.sums.add(self.lines, fact)
    }

    /// Number of the line that was taken last.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Takes note of a line that contradicts itself, or what was said before.
    pub fn contradict(&mut self, line: u64, what: &str) {
        self.troubles.add(Kind::Contradiction, line, what);
    }

    /// Takes note of something wrong in what the last line says.
    pub fn complain(&mut self, what: &str) {
        self.troubles.add(Kind::Torn, self.lines, what);
    }

    /// What is known so far of a stream that goes on; `None` before its first line. That it has no end yet is not a
    /// trouble.
    #[must_use]
    pub fn so_far(&self) -> Option<Read> {
        let (_, identity) = self.identity.as_ref()?;
        Some(Read { identity: identity.clone(), troubles: self.troubles.clone() })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// There is no line of a stream of ours in it: exit 2.
    pub fn finish(mut self) -> Result<Read> {
        let Some((_, identity)) = self.identity else {
            let why = match self.of_plugin {
                Some(line) => format!(
                    "line {line} is of the Python plugin locust-telemetry, and none is swarmline's: it holds no \
                     intervals to report on"
                ),
                None if self.lines == 0 => "line 1: the file is empty".to_owned(),
                None => format!("line 1: no stream: none of {} lines is swarmline's", self.lines),
            };
            return Err(Error::usage(self.name, why));
        };
        if let Some(line) = self.of_plugin {
            self.troubles.add(Kind::Foreign, line, "without number: of the Python plugin locust-telemetry");
        }
        if self.ended.is_none() {
            let what = "the stream ends without swarmline.event.run.end: it was cut off here";
            self.troubles.add(Kind::CutOff, self.lines, what);
        }
        self.sequence.finish(&mut self.troubles);
        self.sums.finish(&mut self.troubles);
        Ok(Read { identity, troubles: self.troubles })
    }

    /// Head, time and text of a line of telemetry; anything else is noted.
    fn head<'t>(&mut self, raw: &'t [u8]) -> Option<(Head, String, &'t str)> {
        let text = std::str::from_utf8(raw).ok().map(str::trim_end);
        // Transports put labels in front: `kubectl logs --prefix`, `srun -l`.
        let start = text.and_then(|text| text.find("{\"time\"").or_else(|| text.find('{')));
        let parsed = start.zip(text).map(|(start, text)| (&text[start..], serde_json::from_str(&text[start..])));
        if let Some((text, Ok(facts::Line { time, telemetry }))) = parsed {
            return Some((telemetry, time, text));
        }
        // The middle of a line has a key of ours, and its end the end of one.
        let is_ours = ["{\"time\"", "\"telemetry\"", "\"telemetry_name\"", "\"seq\":", "\"swarmline"];
        let seems_ours = is_ours.iter().any(|key| raw.windows(key.len()).any(|part| part == key.as_bytes()));
        let is_whole = matches!(&parsed, Some((_, Err(why))) if why.is_data());
        if seems_ours && !is_whole {
            self.troubles.add(Kind::Torn, self.lines, "a line that is torn");
        } else {
            self.troubles.add(Kind::Foreign, self.lines, "not a line of the stream");
        }
        None
    }

    fn check_identity(&mut self, head: &Head) -> Result<()> {
        let Head { run_id, testplan, source, source_id, .. } = head;
        let Some((first, known)) = &self.identity else {
            let [run_id, testplan] = [run_id, testplan].map(Clone::clone);
            let [source, source_id] = [source, source_id].map(Clone::clone);
            self.identity = Some((self.lines, Identity { run_id, testplan, source, source_id }));
            return Ok(());
        };
        let why = if known.run_id != *run_id {
            format!("two runs: line {first} is of run {}, line {} of run {run_id}", known.run_id, self.lines)
        } else if known.source_id != *source_id && known.source_id != "master" {
            let what = format!("line {first} is of {}, line {} of {source_id}", known.source_id, self.lines);
            format!("streams of two processes: {what}")
        } else {
            return Ok(());
        };
        Err(Error::usage(&self.name, format!("{why}; give each a file of its own")))
    }

    fn check_start(&mut self, fact: &Fact) -> Result<()> {
        let begun = self.started.filter(|_| matches!(fact, Fact::TestStart));
        let Some(first) = begun else { return Ok(()) };
        let why = format!("two runs: line {first} begins one, line {} another", self.lines);
        Err(Error::usage(&self.name, format!("{why}; give each a file of its own")))
    }

    fn note_place(&mut self, fact: &Fact) {
        match fact {
            Fact::TestStart => self.started = Some(self.lines),
            Fact::RunEnd(_) => self.ended = Some(self.lines),
            Fact::Config(config) if config.schema_version > SCHEMA_VERSION => {
                let version = config.schema_version;
                let what = format!("version {version} of the format; {SCHEMA_VERSION} is the last that is known here");
                self.troubles.add(Kind::Later, self.lines, what);
            }
            _ => {}
        }
    }
}
