//! Lines of files, read ahead by threads that also parse their histograms, which is most of the work that a line makes.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::lines::{Lines, NextLine};
use crate::telemetry::hdr::ahead::ParsedHistograms;
use crate::telemetry::hdr::decode::HistogramParser;
use crate::telemetry::hdr::finder::HistogramFinder;

/// Bytes of lines that are read at once. Two batches a file are in memory, each with the counts of its histograms, which
/// are about five times as long as their texts.
const BATCH: usize = 32 * 1024;

/// Threads that read ahead: who joins their lines is busy with as many.
const MOST_THREADS: usize = 2;

/// Threads that read ahead. They end with the last input that they read.
pub struct ReadAhead {
    requests: Sender<Request>,
}

/// A batch to be filled.
struct Request {
    lines: Box<Lines>,
    batch: Batch,
    reply: Sender<(Box<Lines>, Batch)>,
}

/// Lines in their order.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Each with its end in `bytes`.
    lines: Vec<(NextLine, usize)>,
    histograms: ParsedHistograms,
}

impl ReadAhead {
    /// Starts the threads; `None` if the system has none left.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (requests, receiver) = unbounded::<Request>();
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for number in 0..(cores - 1).clamp(1, MOST_THREADS) {
            let receiver = receiver.clone();
            let started = thread::Builder::new().name("read-ahead".to_owned()).spawn(move || fill_all(&receiver));
            if started.is_err() && number == 0 {
                return None;
            }
        }
        Some(Self { requests })
    }

    /// Begins to read a file.
    #[must_use]
    pub fn read(&self, lines: Lines) -> LinesAhead {
        let name = lines.name().to_owned();
        let filled = request(&self.requests, Box::new(lines), Batch::default());
        LinesAhead {
            name,
            is_compressed: false,
            count: 0,
            requests: self.requests.clone(),
            filled,
            batch: Batch::default(),
            next: 0,
        }
    }
}

fn fill_all(requests: &Receiver<Request>) {
    let (mut finder, mut line) = (HistogramFinder::default(), Vec::new());
    for Request { mut lines, mut batch, reply } in requests {
        batch.fill(&mut lines, &mut line, &mut finder);
        // Who does not read on needs none.
        let _ = reply.send((lines, batch));
    }
}

impl Batch {
    fn fill(&mut self, lines: &mut Lines, line: &mut Vec<u8>, finder: &mut HistogramFinder) {
        self.bytes.clear();
        self.lines.clear();
        self.histograms.clear();
        while self.bytes.len() < BATCH {
            let next = lines.next(line);
            let is_line = matches!(next, NextLine::Line | NextLine::Tail);
            if is_line {
                finder.parse(line, &mut self.histograms);
                self.bytes.extend_from_slice(line);
            }
            self.lines.push((next, self.bytes.len()));
            if !is_line {
                return;
            }
        }
    }
}

/// The lines of a file that is read ahead.
pub struct LinesAhead {
    name: String,
    is_compressed: bool,
    count: u64,
    requests: Sender<Request>,
    filled: Receiver<(Box<Lines>, Batch)>,
    batch: Batch,
    /// The line of the batch that comes next.
    next: usize,
}

impl LinesAhead {
    /// As [`Lines::name`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As [`Lines::count`].
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// As [`Lines::is_compressed`].
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    /// Lends the histograms of the lines to come to `parser`, or takes them back. To be called before and after any number
    /// of calls of [`Self::next`].
    pub const fn swap_histograms(&mut self, parser: &mut HistogramParser) {
        parser.swap_ahead(&mut self.batch.histograms);
    }

    /// As [`Lines::next`].
    pub fn next(&mut self, line: &mut Vec<u8>, parser: &mut HistogramParser) -> NextLine {
        line.clear();
        if self.next == self.batch.lines.len() {
            self.swap_histograms(parser);
            let Ok((lines, filled)) = self.filled.recv() else {
                return NextLine::Damaged(io::Error::other("the thread that reads it has ended"));
            };
            let empty = std::mem::replace(&mut self.batch, filled);
            self.next = 0;
            self.is_compressed = lines.is_compressed();
            self.filled = request(&self.requests, lines, empty);
            self.swap_histograms(parser);
        }
        let start = self.next.checked_sub(1).map_or(0, |before| self.batch.lines[before].1);
        let (next, end) = &mut self.batch.lines[self.next];
        line.extend_from_slice(&self.batch.bytes[start..*end]);
        self.next += 1;
        self.count += u64::from(matches!(next, NextLine::Line | NextLine::Tail));
        // What is not a line comes once.
        std::mem::replace(next, NextLine::Over)
    }
}

/// Asks for the next lines, which come with the file that they are of.
fn request(requests: &Sender<Request>, lines: Box<Lines>, batch: Batch) -> Receiver<(Box<Lines>, Batch)> {
    let (reply, filled) = bounded(1);
    // Without a thread nothing comes, which is noticed when it is waited for.
    let _ = requests.send(Request { lines, batch, reply });
    filled
}
