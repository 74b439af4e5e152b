//! Where people read: stderr, or the log file.
//!
//! Texts before and after a run go through a thread of the screen's own; what shows how a run goes is drawn by an observer
//! on its thread, with the same [`TerminalWriter`]. A terminal that stands still, or a pipe that is not read, keeps those threads and
//! never the load. At the end it gets a moment.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use crate::cli::LogLevel;
use crate::clock::{Clock, Moment};
use crate::error::{Error, Result};
use crate::plan::{HumanOutput, Verbosity};

/// How long a write may take at the end before the rest is left unsaid.
const PATIENCE: Duration = Duration::from_secs(1);

/// Maximum queued texts: a few notes at the start, a few parts of the summary.
const TEXTS: usize = 64;

/// Bytes per write: progress within a long text shows that it is being read.
const CHUNK: usize = 4096;

/// Output for people during a run: stderr or the log file.
pub struct Screen {
    min_level: LogLevel,
    texts: Option<Sender<String>>,
    progress: Option<ProgressOutput>,
    writing: Arc<Writing>,
    ended: Receiver<()>,
    width: Option<usize>,
    /// The log file; `None` where stderr is written.
    logfile: Option<PathBuf>,
}

/// How a run is shown while it goes on, and with what.
#[derive(Clone)]
pub struct ProgressOutput {
    /// How.
    pub kind: ProgressKind,
    /// Whether it may have colours.
    pub colour: Colour,
    /// With this.
    pub pen: SharedPen,
}

/// How the progress of a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressKind {
    /// A line that is redrawn again and again.
    Line,
    /// A table every now and then.
    Tables,
}

/// Whether a line may contain colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Colours of a terminal.
    Some,
    /// No colours (`NO_COLOR`, or no terminal).
    None,
}

/// Terminal settings from the environment.
#[derive(Clone, Copy, Debug)]
pub struct TerminalInfo<'e> {
    /// `TERM`.
    pub kind: Option<&'e str>,
    /// `NO_COLOR`; any non-empty value turns colours off (no-color.org).
    pub no_colour: Option<&'e str>,
}

impl Screen {
    /// Opens stderr or the log file, and starts the thread.
    ///
    /// # Errors
    /// Exit 2 if the log file cannot be opened or the thread cannot be started.
    pub fn open(people: &HumanOutput, terminal: TerminalInfo<'_>) -> Result<Self> {
        let stderr_is_terminal = people.logfile.is_none() && io::stderr().is_terminal();
        let out: Box<dyn Write + Send> = match &people.logfile {
            None => Box::new(io::stderr()),
            Some(path) => {
                let named = |why| Error::usage(format!("--logfile {}", path.display()), why);
                Box::new(File::options().append(true).create(true).open(path).map_err(named)?)
            }
        };
        let can_redraw = stderr_is_terminal && terminal.kind.is_none_or(|kind| kind != "dumb");
        let kind = if can_redraw { ProgressKind::Line } else { ProgressKind::Tables };
        let no_colour = terminal.no_colour.is_some_and(|text| !text.is_empty());
        let colour = if can_redraw && !no_colour { Colour::Some } else { Colour::None };

        let mut screen = Self::start(out)?;
        let is_shown = people.verbosity == Verbosity::All && LogLevel::Info >= people.loglevel;
        screen.min_level = people.loglevel;
        screen.logfile.clone_from(&people.logfile);
        screen.progress =
            screen.progress.take().filter(|_| is_shown).map(|progress| ProgressOutput { kind, colour, ..progress });
        screen.texts = screen.texts.take().filter(|_| people.verbosity != Verbosity::ErrorsOnly);
        screen.width = stderr_is_terminal.then(stderr_width).flatten();
        Ok(screen)
    }

    /// A screen that says everything, and shows how a run goes by tables.
    fn start(out: Box<dyn Write + Send>) -> Result<Self> {
        let (texts, spoken) = bounded::<String>(TEXTS);
        let (end, ended) = bounded(1);
        let writing =
            Arc::new(Writing { clock: Clock::start_now(), since: AtomicU64::new(0), failure: OnceLock::new() });
        let pen = TerminalWriter { out, writing: Arc::clone(&writing), drawn: 0 };
        let pen = Arc::new(Mutex::new(pen));
        let shared = Arc::clone(&pen);
        let work = move || {
            for text in spoken {
                let mut pen = lock(&shared);
                pen.clear();
                pen.write(&text);
            }
            // The process may have lost its patience by now, and waits no longer.
            let _ = end.send(());
        };
        Builder::new().name("screen".to_owned()).spawn(work).map_err(|why| Error::usage("threads", why))?;
        let progress = Some(ProgressOutput { kind: ProgressKind::Tables, colour: Colour::None, pen });
        Ok(Self {
            min_level: LogLevel::Debug,
            texts: Some(texts),
            progress,
            writing,
            ended,
            width: None,
            logfile: None,
        })
    }

    /// How a run is to be shown while it goes on; `None` where it is not to be.
    #[must_use]
    pub fn progress(&self) -> Option<ProgressOutput> {
        self.progress.clone()
    }

    /// Columns of the terminal; `None` without one.
    #[must_use]
    pub const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Waits until all was written, as long as somebody reads.
    ///
    /// # Errors
    /// Exit 4: the log file does not have all of it. A reader that closes it early is not an error. Errors of stderr are
    /// ignored, because they could only be reported on stderr.
    pub fn finish(mut self) -> Result<()> {
        self.wait_until_written();
        match (&self.logfile, self.writing.failure.get()) {
            (Some(path), Some(why)) if why.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::invalid(format!("--logfile {}", path.display()), why))
            }
            _ => Ok(()),
        }
    }

    fn wait_until_written(&mut self) {
        self.texts = None;
        let wait = || self.ended.recv_timeout(self.writing.patience());
        while matches!(wait(), Err(RecvTimeoutError::Timeout)) && !self.writing.is_stuck() {}
    }

    /// Prints a text if its level is high enough, while the output makes progress.
    pub fn print(&self, level: LogLevel, text: &str) {
        let Some(texts) = self.texts.as_ref().filter(|_| level >= self.min_level) else { return };
        let mut text = text.to_owned();
        loop {
            match texts.send_timeout(text, self.writing.patience()) {
                Err(SendTimeoutError::Timeout(back)) if !self.writing.is_stuck() => text = back,
                _ => return,
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.wait_until_written();
    }
}

/// The write under way, as those see it who wait for its end.
struct Writing {
    clock: Clock,
    /// When it began, in nanoseconds since the start of the clock and one more; 0 where there is none.
    since: AtomicU64,
    /// Why a write failed; none follows it.
    failure: OnceLock<io::Error>,
}

impl Writing {
    fn begin(&self) {
        self.since.store(self.clock.now().nanos() + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// How much longer it may take.
    fn patience(&self) -> Duration {
        let began = self.since.load(Ordering::Relaxed).checked_sub(1).map(Moment::from_nanos);
        began.map_or(PATIENCE, |began| PATIENCE.saturating_sub(self.clock.now().since(began)))
    }

    fn is_stuck(&self) -> bool {
        self.patience().is_zero()
    }
}

/// A pen that the screen's thread and an observer share.
pub type SharedPen = Arc<Mutex<TerminalWriter>>;

/// Takes the pen; whoever has it may be stuck in a write.
pub fn lock(pen: &SharedPen) -> MutexGuard<'_, TerminalWriter> {
    pen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes until the output fails.
pub struct TerminalWriter {
    out: Box<dyn Write + Send>,
    writing: Arc<Writing>,
    /// Columns of the line on the screen; 0 without one.
    drawn: usize,
}

impl TerminalWriter {
    /// Writes a text.
    pub fn write(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(CHUNK) {
            if self.writing.failure.get().is_some() {
                return;
            }
            self.writing.begin();
            if let Err(why) = self.out.write_all(chunk).and_then(|()| self.out.flush()) {
                let _ = self.writing.failure.set(why);
            }
            self.writing.end();
        }
    }

    /// Draws a line in place of the one that stands there; the terminal has `width` columns.
    pub fn draw(&mut self, line: &str, width: usize) {
        // A terminal that became narrower has wrapped the line: it begins that many rows further up.
        let rows_up = self.drawn.saturating_sub(1) / width.max(1);
        let up = if rows_up > 0 { format!("\x1b[{rows_up}A") } else { String::new() };
        self.write(&format!("\r{up}\x1b[J{line}"));
        self.drawn = seen_columns(line);
    }

    /// Takes the line away, where one stands there.
    pub fn clear(&mut self) {
        if self.drawn > 0 {
            self.draw("", stderr_width().unwrap_or(usize::MAX));
        }
    }
}

/// Columns of a line, not counting its colours.
fn seen_columns(line: &str) -> usize {
    let mut pieces = line.split('\x1b');
    let first = pieces.next().unwrap_or_default().chars().count();
    first + pieces.filter_map(|piece| piece.split_once('m')).map(|(_, text)| text.chars().count()).sum::<usize>()
}

/// Columns of standard output's terminal; `None` if it is not a terminal.
#[must_use]
pub fn stdout_width() -> Option<usize> {
    io::stdout().is_terminal().then(|| width(io::stdout())).flatten()
}

/// Columns of stderr's terminal; `None` if it is not a terminal.
#[must_use]
pub fn stderr_width() -> Option<usize> {
    io::stderr().is_terminal().then(|| width(io::stderr())).flatten()
}

fn width(of: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    // A terminal that does not know its width reports 0.
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Writes a text to stderr, but waits only a moment for it to be read.
pub fn write_stderr(text: String) {
    let (end, ended) = bounded(1);
    let work = move || {
        // There is no other place to report that the output failed.
        let _ = io::stderr().write_all(text.as_bytes());
        let _ = end.send(());
    };
    if Builder::new().name("whisper".to_owned()).spawn(work).is_ok() {
        let _ = ended.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_cleared_even_when_the_terminal_became_narrower() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let screen = Screen::start(Box::new(Shared(Arc::clone(&written)))).unwrap();
        let shared = screen.progress().unwrap().pen;
        let mut pen = lock(&shared);
        pen.draw("\x1b[31mabc\x1b[0mdefgh", 80);
        assert_eq!(pen.drawn, 8);
        pen.draw("xyz", 4);
        pen.draw("", 4);
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "\r\x1b[J\x1b[31mabc\x1b[0mdefgh\r\x1b[1A\x1b[Jxyz\r\x1b[J");
    }

    #[test]
    fn what_is_said_takes_the_place_of_the_line() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let screen = Screen::start(Box::new(Shared(Arc::clone(&written)))).unwrap();
        lock(&screen.progress().unwrap().pen).draw("line", 80);
        screen.print(LogLevel::Info, "text\n");
        drop(screen);
        assert_eq!(String::from_utf8(written.lock().unwrap().clone()).unwrap(), "\r\x1b[Jline\r\x1b[Jtext\n");
    }

    /// Takes nothing until its channel is closed.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_that_was_stuck_for_the_patience_before_gets_no_more_of_it() {
        let (release, stuck) = bounded(0);
        let screen = Screen::start(Box::new(Stuck(stuck))).unwrap();
        let began = Instant::now();
        screen.print(LogLevel::Info, "never taken");
        let pen = screen.progress().unwrap().pen;
        // As a run that waits for its observers at the end.
        while !screen.writing.is_stuck() {
            let _ = screen.ended.recv_timeout(screen.writing.patience());
        }
        let waited = Instant::now();
        assert!(waited - began >= PATIENCE);
        screen.print(LogLevel::Info, "not waited for");
        drop(screen);
        assert!(waited.elapsed() < PATIENCE, "{:?}", waited.elapsed());
        drop((release, pen));
    }
}
