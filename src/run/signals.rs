//! SIGINT, SIGTERM and SIGHUP: the first ends the run in order, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, bounded};

use crate::error::{Error, Exit, Result};
use crate::files::replace;
use crate::load::stop::{Reason, Stop};
use crate::report::screen::whisper;
use crate::telemetry::interrupt::{Interrupt, Signal};

/// Signals that are heeded.
#[derive(Debug)]
pub struct Signals {
    first: Receiver<()>,
}

impl Signals {
    /// Heeds signals from now on, for the rest of the process. Where a line `is_drawn` on the terminal, the second one
    /// ends it, so that the prompt begins its own.
    ///
    /// # Errors
    /// The system refuses, or it was done before.
    pub fn install(stop: &Arc<Stop>, is_drawn: bool) -> Result<Self> {
        let hangup_was_ignored = is_ignored(SIGHUP);
        let (sender, first) = bounded(1);
        let stop = Arc::clone(stop);
        let came_before = AtomicBool::new(false);
        let handler = move || {
            if came_before.swap(true, Ordering::SeqCst) {
                if is_drawn {
                    // A terminal that stands still is not waited for.
                    whisper("\n".to_owned());
                }
                end();
            }
            stop.begin(Reason::Signal);
            // Room for one, and this is the only one.
            let _ = sender.try_send(());
        };
        ctrlc::set_handler(handler).map_err(|why| Error::usage("signals", why))?;
        if hangup_was_ignored {
            ignore_hangup();
        }
        Ok(Self { first })
    }

    /// Carries the first signal.
    #[must_use]
    pub const fn first(&self) -> &Receiver<()> {
        &self.first
    }
}

/// Tells a reader of streams of the first signal, which those who write what it reads got too; a second one, a second or
/// more after it, ends the process.
///
/// # Errors
/// The system refuses, or it was done before.
pub fn interrupts(interrupt: &Arc<Interrupt>) -> Result<()> {
    let hangup_was_ignored = is_ignored(SIGHUP);
    let interrupt = Arc::clone(interrupt);
    let handler = move || {
        if interrupt.signal() == Signal::Second {
            end();
        }
    };
    ctrlc::set_handler(handler).map_err(|why| Error::usage("signals", why))?;
    if hangup_was_ignored {
        ignore_hangup();
    }
    Ok(())
}

/// Ends the process at once, and leaves no half of a file behind.
fn end() -> ! {
    replace::give_up();
    std::process::exit(i32::from(Exit::Killed.code()))
}

const SIGHUP: u32 = 1;

/// Whether a signal was ignored when the process started, as `nohup` has it (proc(5), `SigIgn`).
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let mask = mask.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// ctrlc takes SIGHUP over whatever it was before; give it back.
#[allow(unsafe_code, reason = "ctrlc has no way to leave a signal out, and std none to set one")]
fn ignore_hangup() {
    // SAFETY: signal(2) with SIG_IGN installs no code of ours; the arguments are constants of the platform.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}
