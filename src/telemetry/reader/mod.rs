//! Reads a stream back, one line at a time, and reports what is wrong with it.
//!
//! A [`StreamReader`] takes lines as they are in the file, or as the writer hands them out: a report at the end of a run and
//! one of the file a week later read the same lines.

pub mod ahead;
pub mod checks;
pub mod ending;
pub mod gauges;
pub mod facts;
pub mod failures;
pub mod form;
pub mod input;
pub mod line;
pub mod lines;
pub mod records;
pub mod required;
pub mod sample;
mod sequence;
pub mod shards;
mod sums;
pub mod source;
pub mod stream_input;
pub mod troubles;
pub mod value;
mod wrapping;

use checks::TimesExtent;
use facts::Fact;
use line::Unread;
use records::{Found, Records};
use sequence::Sequence;
use serde::de::IgnoredAny;
use sums::Sums;
use troubles::{StreamTrouble, StreamTroubles};

use super::config::SCHEMA_VERSION;
use super::hdr::decode::HistogramParser;
use crate::error::{Error, Result};
use crate::telemetry::claims::{Contradiction, Ticks};
use crate::vocabulary::{LineKind, SourceKind};

/// One line of a stream.
#[derive(Clone, Debug)]
pub struct StreamLine {
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
pub struct StreamIdentity {
    /// Id of the run.
    pub run_id: String,
    /// Name of the test plan.
    pub testplan: String,
    /// Who wrote it; `None` for a source of a later version.
    pub source: Option<SourceKind>,
    /// `local`, `worker-<index>` or `master`.
    pub source_id: String,
}

/// A stream that is being read.
#[derive(Debug)]
pub struct StreamReader {
    name: String,
    lines: u64,
    records: Records,
    sequence: Sequence,
    troubles: StreamTroubles,
    identity: Option<(u64, StreamIdentity)>,
    started: Option<u64>,
    ended: Option<u64>,
    /// A contract line without number: the Python plugin's.
    of_plugin: Option<u64>,
    ticks: Option<Ticks>,
    sums: Sums,
    /// Kept, as it costs more to make than most histograms to parse.
    histograms: HistogramParser,
}

/// What is known of a stream when all its lines are read.
#[derive(Clone, Debug)]
pub struct StreamSummary {
    /// Identifies the stream.
    pub identity: StreamIdentity,
    /// What is wrong with it.
    pub troubles: StreamTroubles,
}

impl StreamReader {
    /// A stream of which nothing is read yet. `name` is that of its file, for messages.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            lines: 0,
            records: Records::default(),
            sequence: Sequence::default(),
            troubles: StreamTroubles::default(),
            identity: None,
            started: None,
            ended: None,
            of_plugin: None,
            ticks: None,
            sums: Sums::default(),
            histograms: HistogramParser::default(),
        }
    }

    /// Takes the next line of the file; `None` where it says nothing, which is noted as a trouble unless it is empty.
    ///
    /// # Errors
    /// Exit 2: the file holds more than one stream, and the sentence names a line of both; or many lines in one.
    pub fn take(&mut self, raw: &[u8]) -> Result<Option<StreamLine>> {
        self.lines += 1;
        let record = match self.records.take(raw) {
            Found::Nothing => return Ok(None),
            Found::Record(record) => record,
            Found::Other => {
                self.note_other(raw, serde_json::from_slice::<IgnoredAny>(raw).is_ok());
                return Ok(None);
            }
            Found::Batch(cure) => {
                return Err(Error::usage(&self.name, format!("line {}: {cure}", self.lines)));
            }
        };
        let number = self.lines;
        let line = match line::Line::read(&record) {
            Ok((_, line)) => line,
            Err(unread) => {
                self.note_unread(&record, unread);
                return Ok(None);
            }
        };
        self.check_identity(&line)?;
        self.check_start(&line)?;
        let seq = line.telemetry.seq;
        if self.sequence.is_repeated(number, seq) {
            self.troubles.add_at(number, StreamTrouble::Repeated, format!("line {seq} of the stream was there before"));
            return Ok(None);
        }
        let fact = Fact::of(&line);
        if let Err(why) = self.check(&line, &fact) {
            self.contradict(number, why);
            return Ok(None);
        }
        self.note_place(&fact);
        let (time, source_id) = ((*line.time).to_owned(), (*line.telemetry.source_id).to_owned());
        Ok(Some(StreamLine { number, time, source_id, tick: line.telemetry.tick, fact }))
    }

    /// Takes note of a line that is not read.
    pub fn pass(&mut self) {
        self.lines += 1;
        self.sums.pass();
        self.sequence.is_repeated(self.lines, self.lines);
    }

    /// Takes note of an input that broke off within a line or a compressed block.
    pub fn broken(&mut self, why: &str) {
        self.troubles.add_at(self.lines + 1, StreamTrouble::CutOff, why);
    }

    /// Holds a line against itself, and against what the stream said before.
    fn check(&mut self, line: &line::Line<'_>, fact: &Fact) -> std::result::Result<(), Contradiction> {
        line.check(TimesExtent::Run)?;
        let telemetry = &line.telemetry;
        if telemetry.kind() == Some(LineKind::Config) {
            self.ticks = telemetry.ticks().or(self.ticks);
        }
        // A worker's line that merge passed on has the time of the master's.
        let is_own = self.identity.as_ref().is_some_and(|(_, known)| *known.source_id == *telemetry.source_id);
        if let (Some(ticks), Some(tick), true) = (self.ticks, telemetry.tick, is_own)
            && !ticks.may_be(tick, line.unix())
        {
            return Err("a tick that is not at its time");
        }
        self.sums.add(self.lines, fact)
    }

    /// For the histograms of its lines.
    pub const fn histograms(&mut self) -> &mut HistogramParser {
        &mut self.histograms
    }

    /// Number of the line that was taken last.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Takes note of a line that contradicts itself, or what was said before.
    pub fn contradict(&mut self, line: u64, what: &str) {
        self.troubles.add_at(line, StreamTrouble::Contradiction, what);
    }

    /// Takes note of something wrong in what the last line says.
    pub fn complain(&mut self, what: &str) {
        self.troubles.add_at(self.lines, StreamTrouble::Torn, what);
    }

    /// What is known so far of a stream that goes on; `None` before its first line. That it has no end yet is not a
    /// trouble.
    #[must_use]
    pub fn so_far(&self) -> Option<StreamSummary> {
        let (_, identity) = self.identity.as_ref()?;
        Some(StreamSummary { identity: identity.clone(), troubles: self.troubles.clone() })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// There is no line of a stream of ours in it: exit 2.
    pub fn finish(mut self) -> Result<StreamSummary> {
        let Some((_, identity)) = self.identity else {
            let why = match self.of_plugin {
                Some(line) => format!(
                    "line {line} is of the Python plugin locust-telemetry, and none is swarmline's: it holds no \
                     intervals to report on"
                ),
                None if self.lines == 0 => "line 1: the file is empty".to_owned(),
                None if self.lines == 1 => "line 1: no stream: its only line is not swarmline's".to_owned(),
                None => format!("line 1: no stream: none of {} lines is swarmline's", self.lines),
            };
            return Err(Error::usage(self.name, why));
        };
        if let Some(line) = self.of_plugin {
            self.troubles.add_at(line, StreamTrouble::Foreign, "without number: of the Python plugin locust-telemetry");
        }
        if self.ended.is_none() {
            let what = "the stream ends without swarmline.event.run.end: it was cut off here";
            self.troubles.add_at(self.lines, StreamTrouble::CutOff, what);
        }
        if let Some((torn, first)) = self.records.torn() {
            let what = if torn == 1 {
                "a line whose rest is missing".to_owned()
            } else {
                format!("{torn} lines whose rest is missing")
            };
            self.troubles.add_at(first, StreamTrouble::Torn, what);
        }
        self.sequence.finish(&mut self.troubles);
        self.sums.finish(&mut self.troubles);
        Ok(StreamSummary { identity, troubles: self.troubles })
    }

    /// Takes note of a record that cannot be read.
    fn note_unread(&mut self, record: &[u8], why: Unread) {
        match why {
            Unread::Plugin => drop(self.of_plugin.get_or_insert(self.lines)),
            Unread::Value(what) => self.troubles.add_at(self.lines, StreamTrouble::Torn, what),
            Unread::Foreign => self.note_other(record, true),
            Unread::Torn => self.note_other(record, false),
        }
    }

    /// Takes note of a line that says nothing: of something else, or torn, where it is not JSON as a whole.
    fn note_other(&mut self, line: &[u8], is_whole: bool) {
        // The middle of a line has a key of ours, and its end the end of one.
        let is_ours =
            ["{\"time\"", "\"telemetry\"", "\"telemetry_name\"", "\"seq\":", "\"swarmline", "\\\"telemetry\\"];
        let seems_ours = is_ours.iter().any(|key| line.windows(key.len()).any(|part| part == key.as_bytes()));
        if seems_ours && !is_whole {
            self.troubles.add_at(self.lines, StreamTrouble::Torn, "a line that is torn");
        } else {
            self.troubles.add_at(self.lines, StreamTrouble::Foreign, "not a line of the stream");
        }
    }

    fn check_identity(&mut self, line: &line::Line<'_>) -> Result<()> {
        let line = &line.telemetry;
        let Some((first, known)) = &self.identity else {
            let [run_id, testplan, source_id] =
                [&line.run_id, &line.testplan, &line.source_id].map(|text| (**text).to_owned());
            self.identity = Some((self.lines, StreamIdentity { run_id, testplan, source: line.source.0, source_id }));
            return Ok(());
        };
        let why = if *known.run_id != *line.run_id {
            format!("two runs: line {first} is of run {}, line {} of run {}", known.run_id, self.lines, &*line.run_id)
        } else if *known.source_id != *line.source_id && known.source != Some(SourceKind::Master) {
            let what = format!("line {first} is of {}, line {} of {}", known.source_id, self.lines, &*line.source_id);
            format!("streams of two processes: {what}")
        } else {
            return Ok(());
        };
        Err(Error::usage(&self.name, format!("{why}; give each a file of its own")))
    }

    fn check_start(&mut self, line: &line::Line<'_>) -> Result<()> {
        let begun = self.started.filter(|_| line.telemetry.kind() == Some(LineKind::TestStart));
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
                self.troubles.add_at(self.lines, StreamTrouble::Later, what);
            }
            _ => {}
        }
    }
}
