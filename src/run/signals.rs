//! SIGINT, SIGTERM and SIGHUP: the first ends the run in the usual way, a second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::error::{Error, Exit, Result};
use crate::files::replace;
use crate::load::swarm::stop::Stop;
use crate::report::screen::write_stderr;
use crate::telemetry::interrupt::{Interrupt, Signal};
use crate::vocabulary::EndReason;

/// Signals within this time count as one: GNU timeout sends two within milliseconds, and so does a terminal whose shell
/// forwards Ctrl-C.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

/// How long the last lines and reports may take after a second signal.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Pause between two cuts: shutting down a socket that has not begun to connect has no effect.
const CUT_AGAIN: Duration = Duration::from_millis(50);

/// The signal handling of a run.
#[derive(Debug)]
pub struct Signals {
    first: Receiver<()>,
    came_again: Arc<AtomicBool>,
    after: AfterEnd,
}

/// Signals after the end of a run, while its page is still served and the last metrics are pushed: each ends the page, a
/// second one the push, and none changes the exit code.
#[derive(Clone, Debug)]
pub struct AfterEnd {
    is_over: Arc<AtomicBool>,
    arrived: Receiver<()>,
    second: Receiver<()>,
}

impl AfterEnd {
    /// From now on a signal ends the wait, also one that comes before it.
    pub fn begin(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Delivers the first signal after the end that is a second one: it arrived a second or more after the first.
    #[must_use]
    pub const fn second(&self) -> &Receiver<()> {
        &self.second
    }

    /// Waits for a signal, at most `limit`.
    pub fn wait(&self, limit: Duration) {
        let _ = self.arrived.recv_timeout(limit);
    }
}

impl Signals {
    /// Handles signals for the rest of the process. The first begins the stop; one that arrives a second or more later
    /// cuts off the requests in flight and ends the process as soon as the last lines and reports are written, at most
    /// a second later. If a progress line `is_drawn` on the terminal, it is ended first so that the prompt gets a line
    /// of its own.
    ///
    /// # Errors
    /// If the system refuses, or handlers were already installed.
    pub fn install(stop: &Arc<Stop>, is_drawn: bool) -> Result<Self> {
        let hangup_was_ignored = is_ignored(SIGHUP);
        let (sender, first) = bounded(1);
        let stop = Arc::clone(stop);
        let came_again = Arc::new(AtomicBool::new(false));
        let again = Arc::clone(&came_again);
        let began = OnceLock::new();
        let (later, arrived) = bounded(1);
        let (again_later, second) = bounded(1);
        let after = AfterEnd { is_over: Arc::default(), arrived, second };
        let is_over = Arc::clone(&after.is_over);
        let handler = move || {
            let since = began.get_or_init(Instant::now).elapsed();
            if is_over.load(Ordering::SeqCst) {
                let is_second = since >= ONE_SIGNAL && again_later.try_send(()).is_ok();
                // Further ones while nothing waits yet are as those of a run: its reports may be stuck.
                if later.try_send(()).is_ok() || is_second {
                    return;
                }
            }
            if since < ONE_SIGNAL {
                stop.begin(EndReason::Signal);
                // There is room for one message, and this is the only one.
                let _ = sender.try_send(());
                return;
            }
            again.store(true, Ordering::SeqCst);
            let end = Instant::now() + LAST_LINES;
            while Instant::now() < end {
                stop.cut();
                std::thread::sleep(CUT_AGAIN);
            }
            if is_drawn {
                // Does not wait long for a stalled terminal.
                write_stderr("\n".to_owned());
            }
            end_process();
        };
        ctrlc::set_handler(handler).map_err(|why| Error::usage("signals", why))?;
        if hangup_was_ignored {
            ignore_hangup();
        }
        Ok(Self { first, came_again, after })
    }

    /// Delivers the first signal.
    #[must_use]
    pub const fn first(&self) -> &Receiver<()> {
        &self.first
    }

    /// The signals that arrive after the end of the run.
    #[must_use]
    pub fn after_end(&self) -> AfterEnd {
        self.after.clone()
    }

    /// Whether a second signal arrived: the process then has an exit code of its own.
    #[must_use]
    pub fn came_again(&self) -> bool {
        self.came_again.load(Ordering::SeqCst)
    }
}

/// Reports the first signal to a reader of streams, because the writers of those streams got it too; a second signal, a
/// second or more later, ends the process.
///
/// # Errors
/// If the system refuses, or handlers were already installed.
pub fn install_interrupt(interrupt: &Arc<Interrupt>) -> Result<()> {
    let hangup_was_ignored = is_ignored(SIGHUP);
    let interrupt = Arc::clone(interrupt);
    let handler = move || {
        if interrupt.signal() == Signal::Second {
            end_process();
        }
    };
    ctrlc::set_handler(handler).map_err(|why| Error::usage("signals", why))?;
    if hangup_was_ignored {
        ignore_hangup();
    }
    Ok(())
}

/// Ends the process at once, without leaving half-written files behind.
fn end_process() -> ! {
    replace::remove_temporary_files();
    std::process::exit(i32::from(Exit::Killed.code()))
}

const SIGHUP: u32 = 1;

/// Whether a signal was ignored when the process started, as with `nohup` (proc(5), `SigIgn`).
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let mask = mask.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// ctrlc always installs its handler for SIGHUP; this restores that it is ignored.
#[allow(unsafe_code, reason = "ctrlc has no way to leave a signal out, and std none to set one")]
fn ignore_hangup() {
    // SAFETY: signal(2) with SIG_IGN installs no code of ours; the arguments are constants of the platform.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}
