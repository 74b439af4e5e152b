//! A stream that grows: its page and its metrics.

use std::cell::RefCell;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::never;

use super::environment::environment;
use super::stdio::tell;
use crate::cli::WatchFlags;
use crate::error::{Error, Exit, Result};
use crate::plan::otlp::OtlpChoice;
use crate::plan::web::WebPlan;
use crate::publish::feed::Feed;
use crate::publish::publishers::{PublishPlan, Publishers};
use crate::report::collector::{Collector, SharedCollector, lock};
use crate::run::signals;
use crate::telemetry::interrupt::Interrupt;
use crate::telemetry::reader::lines::{Lines, NextLine, ready};

/// Pause between two looks at a file that has nothing new.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Looks without anything new, after which a file without a line of a stream is not waited for any longer: 3 s.
const QUIET_LOOKS: u32 = 15;

/// Bytes by which the form of a file is known.
const MAGIC: u64 = 4;

/// `swarmline watch`.
///
/// # Errors
/// Exit 2: the stream cannot be read, is compressed, or holds more than one run; the port cannot be taken.
pub fn watch(flags: &WatchFlags) -> Result<Exit> {
    let web = WebPlan::of_watch(&flags.publish)?;
    let linger = web.linger;
    let otlp = OtlpChoice::new(flags.publish.otlp.as_deref(), &environment())?.plan(tell);
    let interrupt = Arc::new(Interrupt::new().map_err(|why| Error::usage("signals", why))?);
    signals::install_interrupt(&interrupt)?;
    let mut watched = Watched::new(&flags.stream);
    let feed = Feed::new(Arc::clone(&watched.collector));
    let hold = |text: &str| watched.unsaid.borrow_mut().push(text.to_owned());
    let publishers = Publishers::start(&feed, &watched.name, PublishPlan { web: Some(web), otlp }, None, hold)?;
    let end = watched.follow(&interrupt, &feed)?;
    if end == WatchEnd::Signal {
        return Ok(Exit::Pass);
    }
    let empty = Collector::new(&watched.name);
    let model = std::mem::replace(&mut *lock(&watched.collector), empty).finish()?.with_confidence();
    let exit = if model.troubles.is_loss() { Exit::Invalid } else { Exit::Pass };
    for trouble in model.troubles.sentences() {
        tell(&format!("{}: {trouble}", watched.name));
    }
    feed.finish(model);
    publishers.finish_pages();
    // A second signal ends the process.
    if let Some((_, sentence)) = publishers.push_last(&never()).map(|end| end.sentence()) {
        tell(sentence.trim_end());
    }
    if !linger.is_zero() {
        tell(&format!("the run is over; the live page stays for {} s; a signal ends that", linger.as_secs_f64()));
        interrupt.wait(&[], Some(linger)).map_err(|why| Error::usage("signals", why))?;
    }
    Ok(exit)
}

/// Why a stream is not watched any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WatchEnd {
    /// It is at its end.
    Over,
    /// A signal came before.
    Signal,
}

/// A stream that is watched.
struct Watched<'p> {
    path: &'p Path,
    name: String,
    collector: SharedCollector,
    /// What is to be said once there may be a stream: where its page is.
    unsaid: RefCell<Vec<String>>,
}

impl<'p> Watched<'p> {
    fn new(path: &'p Path) -> Self {
        let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
        let collector = Arc::new(Mutex::new(following(&name)));
        Self { path, name, collector, unsaid: RefCell::default() }
    }

    /// Says where the page is, unless that has been said.
    fn announce(&self) {
        self.unsaid.take().iter().for_each(|text| tell(text));
    }

    /// Reads the stream to its end. A file that is replaced or truncated is read anew from its beginning.
    fn follow(&mut self, interrupt: &Interrupt, feed: &Feed) -> Result<WatchEnd> {
        loop {
            let file = if self.is_file() {
                match self.wait_for_file(interrupt)? {
                    Some(file) => Some(file),
                    None => return Ok(WatchEnd::Signal),
                }
            } else {
                self.announce();
                None
            };
            if let Some(end) = self.read(interrupt, feed, file)? {
                return Ok(end);
            }
            tell(&format!("{}: the file was replaced or truncated; reading it from its beginning", self.name));
            *lock(&self.collector) = following(&self.name);
            feed.advance();
        }
    }

    /// Whether it is a file, or will be: there is no other thing with its name.
    fn is_file(&self) -> bool {
        let is_other = |kind: Metadata| !kind.is_file() && (kind.file_type().is_fifo() || !kind.is_dir());
        self.path.as_os_str() != "-" && !fs::metadata(self.path).is_ok_and(is_other)
    }

    /// Waits until the file is there and has its first bytes; `None` after a signal.
    fn wait_for_file(&self, interrupt: &Interrupt) -> Result<Option<Metadata>> {
        let mut is_said = false;
        let mut looks = 0;
        loop {
            let why = match fs::metadata(self.path) {
                Ok(file) if file.is_dir() => return Err(Error::usage(&self.name, io::ErrorKind::IsADirectory)),
                Ok(file) if file.len() >= MAGIC => return Ok(Some(file)),
                Ok(file) if file.len() > 0 && looks >= QUIET_LOOKS => return Ok(Some(file)),
                Ok(file) if file.len() > 0 => {
                    looks += 1;
                    if self.pause(interrupt)? {
                        return Ok(None);
                    }
                    continue;
                }
                Ok(_) => "is empty",
                Err(why) if why.kind() == io::ErrorKind::NotFound => "does not exist yet",
                Err(why) => return Err(Error::usage(&self.name, why)),
            };
            if !std::mem::replace(&mut is_said, true) {
                self.announce();
                tell(&format!("{}: {why}; waiting for it", self.name));
            }
            if self.pause(interrupt)? {
                return Ok(None);
            }
        }
    }

    /// Waits a little; returns whether a signal came.
    fn pause(&self, interrupt: &Interrupt) -> Result<bool> {
        interrupt.wait(&[], Some(LOOK_AGAIN)).map_err(|why| Error::usage(&self.name, why))?;
        Ok(interrupt.has_come())
    }

    /// Reads to the end of the stream; `None` if the file is another one than `file`, or shorter than it was.
    fn read(&self, interrupt: &Interrupt, feed: &Feed, file: Option<Metadata>) -> Result<Option<WatchEnd>> {
        let mut lines = Lines::open(self.path)?;
        let cannot = |why: io::Error| Error::usage(&self.name, why);
        let (mut raw, mut begun) = (Vec::new(), Vec::new());
        let mut seen = file;
        let mut quiet_looks = 0;
        loop {
            if interrupt.has_come() && (seen.is_some() || lines.is_given_up(interrupt, self.stop_timeout())) {
                return Ok(Some(WatchEnd::Signal));
            }
            let next = lines.next(&mut raw);
            if lines.is_compressed() {
                return Err(Error::usage(
                    &self.name,
                    "a compressed stream cannot be watched; swarmline report reads it",
                ));
            }
            match next {
                NextLine::Line => {
                    begun.append(&mut raw);
                    if self.add(&begun, feed)? {
                        return Ok(Some(WatchEnd::Over));
                    }
                    begun.clear();
                }
                NextLine::NotYet => {
                    let left = lines.left(interrupt, self.stop_timeout());
                    ready(&[&lines], interrupt, left).map_err(cannot)?;
                }
                NextLine::Damaged(why) => return Err(cannot(why)),
                NextLine::Tail | NextLine::Over => {
                    begun.append(&mut raw);
                    let Some(before) = &seen else {
                        self.add(&begun, feed)?;
                        return Ok(Some(WatchEnd::Over));
                    };
                    match fs::metadata(self.path) {
                        Ok(now) if is_grown(before, &now) => {
                            quiet_looks = if now.len() > before.len() { 0 } else { quiet_looks + 1 };
                            seen = Some(now);
                        }
                        _ => return Ok(None),
                    }
                    if quiet_looks == QUIET_LOOKS {
                        self.require_stream(&begun)?;
                    }
                    if self.pause(interrupt)? {
                        return Ok(Some(WatchEnd::Signal));
                    }
                }
            }
        }
    }

    /// Refuses a file that has lines, and none of a stream; the last may be without its end.
    fn require_stream(&self, begun: &[u8]) -> Result<()> {
        let mut collector = lock(&self.collector);
        if collector.has_begun() {
            return Ok(());
        }
        let mut other = std::mem::replace(&mut *collector, following(&self.name));
        drop(collector);
        if !begun.is_empty() {
            other.add_line(begun)?;
        }
        other.finish().map(|_| ())
    }

    /// How long the run that is watched gives its requests after a signal, which it may have got, too.
    fn stop_timeout(&self) -> Duration {
        lock(&self.collector).stop_timeout().unwrap_or_default()
    }

    /// Adds a line; returns whether it is the last of the stream.
    fn add(&self, line: &[u8], feed: &Feed) -> Result<bool> {
        let mut collector = lock(&self.collector);
        let before = collector.ticks();
        collector.add_line(line)?;
        let (after, is_over, has_begun) = (collector.ticks(), collector.is_over(), collector.has_begun());
        drop(collector);
        if has_begun {
            self.announce();
        }
        if after > before || is_over {
            feed.advance();
        }
        Ok(is_over)
    }
}

fn following(name: &str) -> Collector {
    let mut collector = Collector::new(name);
    collector.judge_so_far();
    collector
}

/// Whether it is the same file, and not shorter.
fn is_grown(before: &Metadata, now: &Metadata) -> bool {
    (before.dev(), before.ino()) == (now.dev(), now.ino()) && now.len() >= before.len()
}
