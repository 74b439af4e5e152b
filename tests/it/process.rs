//! `swarmline run` against a scripted server; the process may be signalled while it runs.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::Server;
use crate::support::lines::Stream;
use crate::support::{self, Run, Running};

/// `swarmline run` against `server`, not started yet.
pub(crate) fn prepare(server: &Server, arguments: &[&str]) -> Run {
    Run::new(["run", "--host", &server.host()]).with(arguments.iter().copied())
}

/// Starts `swarmline run` against `server`.
pub(crate) fn start(server: &Server, arguments: &[&str]) -> Process {
    Process::start(prepare(server, arguments))
}

/// Runs `swarmline run` against `server` to its end.
pub(crate) fn run(server: &Server, arguments: &[&str]) -> Finished {
    start(server, arguments).finish()
}

/// Runs `swarmline run` with only these arguments to its end.
pub(crate) fn run_alone(arguments: &[&str]) -> Finished {
    Process::start(Run::new(["run"]).with(arguments.iter().copied())).finish()
}

/// A process that may still be running; killed when dropped.
pub(crate) struct Process {
    /// Taken just before it started.
    pub(crate) began: Instant,
    running: Option<Running>,
}

impl Process {
    pub(crate) fn start(run: Run) -> Self {
        Self { began: Instant::now(), running: Some(run.start()) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("not finished");
        kill_process(Pid::from_child(&running.child), signal).unwrap();
    }

    /// Waits until the stream on standard output holds this tick or, as a busy machine may skip it, a later one.
    pub(crate) fn await_tick(&mut self, tick: u64) {
        self.await_output(|text| {
            let ticks = text.split("\"tick\":").skip(1).filter_map(|rest| rest.split_once(',')?.0.parse::<u64>().ok());
            ticks.max().is_some_and(|last| last >= tick)
        });
    }

    /// Waits until the standard output so far satisfies `holds`.
    pub(crate) fn await_output(&mut self, holds: impl Fn(&str) -> bool) {
        self.running.as_mut().expect("not finished").await_output(holds);
    }

    /// Waits for it to exit.
    pub(crate) fn finish(mut self) -> Finished {
        let process = self.running.take().expect("not finished").finish();
        Finished { process, ended: Instant::now(), stream: None }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            let _ = running.child.kill();
        }
    }
}

/// A run that has ended.
pub(crate) struct Finished {
    process: support::Finished,
    /// Taken just after it exited.
    pub(crate) ended: Instant,
    stream: Option<Stream>,
}

impl Finished {
    /// Asserts this exit code, and that standard output holds a complete, valid stream.
    pub(crate) fn exits(mut self, code: i32) -> Self {
        self.process = self.process.exits(code);
        self.stream = Some(self.process.stream());
        self
    }

    pub(crate) fn code(&self) -> i32 {
        self.process.code
    }

    pub(crate) fn stderr(&self) -> &str {
        &self.process.stderr
    }

    /// Standard output.
    pub(crate) fn text(&self) -> &str {
        self.process.text()
    }

    pub(crate) fn stream(&self) -> &Stream {
        self.stream.as_ref().expect("exits() comes first")
    }

    /// A count of `run.end`.
    pub(crate) fn count(&self, key: &str) -> u64 {
        self.stream().run_end().count(key)
    }

    /// A statistic of the final line.
    pub(crate) fn statistic(&self, key: &str) -> f64 {
        self.stream().last().float(key)
    }

    /// Each error and how often it occurred.
    pub(crate) fn errors(&self) -> Vec<(&str, u64)> {
        self.stream().errors()
    }

    /// Why the run ended.
    pub(crate) fn reason(&self) -> &str {
        self.stream().only("test.stop").text("reason")
    }
}

/// `duration` in milliseconds, as the stream has it.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
