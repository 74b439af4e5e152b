//! The only thread that writes to stderr or the log file during a run.
//!
//! No thread waits for it. It is given the latest state, which replaces an older one that has not been shown yet, so a
//! stalled terminal or a pipe that is not read never slows down the load. At the end it gets a moment to finish.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError, bounded, select};

use super::progress::{self, Colour, Goal, Snapshot};
use crate::cli::LogLevel;
use crate::clock::{Clock, Moment};
use crate::error::{Error, Result};
use crate::plan::{People, Talk};

/// The line is redrawn this often, because the clock advances between two snapshots.
const REDRAW: Duration = Duration::from_millis(500);

/// How long at the end the output may make no progress before the rest is dropped.
const PATIENCE: Duration = Duration::from_secs(1);

/// Maximum queued texts: a few notes at the start, a few parts of the summary.
const TEXTS: usize = 64;

/// Bytes per write: progress within a long text shows that it is being read.
const CHUNK: usize = 4096;

/// Output for people during a run: stderr or the log file.
pub struct Screen {
    least: LogLevel,
    texts: Option<Sender<String>>,
    show: Option<Show>,
    taken: Arc<AtomicU64>,
    ended: Receiver<()>,
    width: Option<usize>,
}

/// Where a run shows its progress.
#[derive(Clone, Debug)]
pub struct Show {
    kind: Kind,
    latest: Sender<Snapshot>,
    shown: Receiver<Snapshot>,
}

/// How the progress of a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line that is redrawn again and again.
    Line,
    /// A table every now and then.
    Tables,
}

/// Terminal settings from the environment.
#[derive(Clone, Copy, Debug)]
pub struct Terminal<'e> {
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
    pub fn open(people: &People, goal: Goal, terminal: Terminal<'_>) -> Result<Self> {
        let stderr_is_terminal = people.logfile.is_none() && io::stderr().is_terminal();
        let out: Box<dyn Write + Send> = match &people.logfile {
            None => Box::new(io::stderr()),
            Some(path) => {
                let named = |why| Error::usage(format!("--logfile {}", path.display()), why);
                Box::new(File::options().append(true).create(true).open(path).map_err(named)?)
            }
        };
        let can_redraw = stderr_is_terminal && terminal.kind.is_none_or(|kind| kind != "dumb");
        let kind = if can_redraw { Kind::Line } else { Kind::Tables };
        let no_colour = terminal.no_colour.is_some_and(|text| !text.is_empty());
        let colour = if can_redraw && !no_colour { Colour::Some } else { Colour::None };

        let (texts, spoken) = bounded(TEXTS);
        let (latest, snapshots) = bounded(1);
        let (end, ended) = bounded(1);
        let taken = Arc::new(AtomicU64::new(0));
        let pen = Pen { out, taken: Arc::clone(&taken), is_broken: false, drawn: 0 };
        let easel = Easel { pen, kind, goal, colour, latest: None };
        let shown = snapshots.clone();
        let work = move || {
            easel.work(&spoken, &snapshots);
            // Fails if the process has stopped waiting for it.
            let _ = end.send(());
        };
        Builder::new().name("screen".to_owned()).spawn(work).map_err(|why| Error::usage("threads", why))?;
        let is_shown = people.talk == Talk::All && LogLevel::Info >= people.loglevel;
        let show = is_shown.then_some(Show { kind, latest, shown });
        let texts = (people.talk != Talk::Nothing).then_some(texts);
        let width = stderr_is_terminal.then(stderr_width).flatten();
        Ok(Self { least: people.loglevel, texts, show, taken, ended, width })
    }

    /// Where the run shows its progress; `None` if it is not wanted.
    #[must_use]
    pub fn show(&self) -> Option<Show> {
        self.show.clone()
    }

    /// Columns of the terminal; `None` without one.
    #[must_use]
    pub const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Prints a text if its level is high enough, while the output makes progress.
    pub fn say(&self, level: LogLevel, text: &str) {
        let Some(texts) = self.texts.as_ref().filter(|_| level >= self.least) else { return };
        let mut text = text.to_owned();
        let mut seen = self.taken.load(Ordering::Relaxed);
        while let Err(SendTimeoutError::Timeout(back)) = texts.send_timeout(text, PATIENCE) {
            if !self.goes_on(&mut seen) {
                return;
            }
            text = back;
        }
    }

    fn goes_on(&self, seen: &mut u64) -> bool {
        let taken = self.taken.load(Ordering::Relaxed);
        std::mem::replace(seen, taken) != taken
    }
}

impl Drop for Screen {
    /// Waits until all texts are printed and the line is cleared, while the output makes progress.
    fn drop(&mut self) {
        self.texts = None;
        let mut seen = self.taken.load(Ordering::Relaxed);
        while matches!(self.ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout)) && self.goes_on(&mut seen) {}
    }
}

impl Show {
    /// How the progress is shown.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Shows this state instead of one that was not shown yet. Does not wait.
    pub fn show(&self, snapshot: Snapshot) {
        if let Err(TrySendError::Full(snapshot)) = self.latest.try_send(snapshot) {
            let _ = self.shown.try_recv();
            // This is the only sender, so there is room now.
            let _ = self.latest.try_send(snapshot);
        }
    }
}

/// Draws the progress.
struct Easel {
    pen: Pen,
    kind: Kind,
    goal: Goal,
    colour: Colour,
    /// The latest state, with a clock for its age.
    latest: Option<(Snapshot, Clock)>,
}

impl Easel {
    fn work(mut self, texts: &Receiver<String>, snapshots: &Receiver<Snapshot>) {
        loop {
            select! {
                recv(texts) -> text => match text {
                    Ok(text) => {
                        self.pen.clear();
                        self.pen.write(&text);
                    }
                    Err(_) => break,
                },
                recv(snapshots) -> snapshot => if let Ok(snapshot) = snapshot {
                    self.take(snapshot);
                } else {
                    // No more states will come; the remaining texts end the loop.
                    texts.iter().for_each(|text| self.pen.write(&text));
                    break;
                },
                default(REDRAW) => self.redraw(),
            }
        }
        self.pen.clear();
    }

    fn take(&mut self, snapshot: Snapshot) {
        match self.kind {
            Kind::Tables => self.pen.write(&progress::statistics(&snapshot, None)),
            Kind::Line => {
                self.latest = Some((snapshot, Clock::start_now()));
                self.redraw();
            }
        }
    }

    fn redraw(&mut self) {
        if let Some((snapshot, age)) = &self.latest {
            let now = Moment::at(snapshot.at.since_start() + age.now().since_start());
            let width = stderr_width().unwrap_or(80);
            let line = progress::line(snapshot, self.goal, now, width, self.colour);
            self.pen.draw(&line, width);
        }
    }
}

/// Writes until the output fails.
struct Pen {
    out: Box<dyn Write + Send>,
    taken: Arc<AtomicU64>,
    is_broken: bool,
    /// Columns of the line on the screen; 0 without one.
    drawn: usize,
}

impl Pen {
    fn write(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(CHUNK) {
            if self.is_broken {
                return;
            }
            // There is no other place to report that the output failed.
            self.is_broken = self.out.write_all(chunk).and_then(|()| self.out.flush()).is_err();
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn draw(&mut self, line: &str, width: usize) {
        // A terminal that became narrower has wrapped the line: it begins that many rows further up.
        let rows_up = self.drawn.saturating_sub(1) / width.max(1);
        let up = if rows_up > 0 { format!("\x1b[{rows_up}A") } else { String::new() };
        self.write(&format!("\r{up}\x1b[J{line}"));
        self.drawn = seen_columns(line);
    }

    fn clear(&mut self) {
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
pub fn whisper(text: String) {
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

    fn show() -> Show {
        let (latest, shown) = bounded(1);
        Show { kind: Kind::Line, latest, shown }
    }

    #[test]
    fn the_latest_state_wins_and_the_sender_never_waits() {
        let show = show();
        (1..=5).for_each(|completed| show.show(Snapshot { completed, ..Snapshot::default() }));
        assert_eq!(show.shown.try_recv().unwrap().completed, 5);
        assert!(show.shown.try_recv().is_err());
    }

    struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

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
        let written = Arc::new(std::sync::Mutex::new(Vec::new()));
        let out = Box::new(Shared(Arc::clone(&written)));
        let mut pen = Pen { out, taken: Arc::default(), is_broken: false, drawn: 0 };
        pen.draw("\x1b[31mabc\x1b[0mdefgh", 80);
        assert_eq!(pen.drawn, 8);
        pen.draw("xyz", 4);
        pen.draw("", 4);
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "\r\x1b[J\x1b[31mabc\x1b[0mdefgh\r\x1b[1A\x1b[Jxyz\r\x1b[J");
    }
}
