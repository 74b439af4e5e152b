//! The binary, run with a bound on its time; its lines are there as they come.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::server::{PATIENCE, Server};

/// Begins `swarmline run` against `server`.
pub(crate) fn start(server: &Server, arguments: &[&str]) -> Process {
    Process::start(Command::new(BINARY).args(["run", "--host", &server.host()]).args(arguments).stdout(Stdio::piped()))
}

/// Runs `swarmline run` against `server` to its end.
pub(crate) fn run(server: &Server, arguments: &[&str]) -> Finished {
    start(server, arguments).finish()
}

/// Runs `swarmline run` with these arguments alone.
pub(crate) fn run_alone(arguments: &[&str]) -> Finished {
    Process::start(Command::new(BINARY).arg("run").args(arguments).stdout(Stdio::piped())).finish()
}

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_swarmline");

/// A process that may still run; killed when dropped.
pub(crate) struct Process {
    pub(crate) began: Instant,
    pid: Pid,
    stdout: Arc<Lines>,
    stderr: Receiver<String>,
    ended: Receiver<ExitStatus>,
    is_over: bool,
}

#[derive(Default)]
struct Lines {
    read: Mutex<(Vec<Value>, bool)>,
    changed: Condvar,
}

impl Process {
    /// Starts a command; its standard output is read as lines where it is a pipe of ours.
    pub(crate) fn start(command: &mut Command) -> Self {
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("LOCUST_") || name.starts_with("SWARMLINE_")) {
                command.env_remove(name);
            }
        }
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let stdout = Arc::new(Lines::default());
        match child.stdout.take() {
            Some(source) => {
                let lines = Arc::clone(&stdout);
                thread::spawn(move || lines.read_from(source));
            }
            None => stdout.read.lock().unwrap().1 = true,
        }
        let (sender, stderr) = channel();
        let mut source = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            source.read_to_string(&mut text).unwrap();
            let _ = sender.send(text);
        });
        let (sender, ended) = channel();
        thread::spawn(move || {
            let _ = sender.send(child.wait().unwrap());
        });
        Self { began, pid, stdout, stderr, ended, is_over: false }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits for a line with this `telemetry_name`.
    pub(crate) fn wait_for_line(&self, name: &str) {
        let read = self.stdout.read.lock().unwrap();
        let is_missing = |read: &mut (Vec<Value>, bool)| {
            !read.1 && !read.0.iter().any(|line| line["telemetry"]["telemetry_name"] == name)
        };
        let (read, waited) = self.stdout.changed.wait_timeout_while(read, PATIENCE, is_missing).unwrap();
        let is_over = read.1;
        drop(read);
        assert!(!waited.timed_out() && !is_over, "no line {name}");
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> Finished {
        let status = self.ended.recv_timeout(PATIENCE).expect("the process ends");
        let ended = Instant::now();
        self.is_over = true;
        let stderr = self.stderr.recv_timeout(PATIENCE).expect("stderr ends");
        let read = self.stdout.read.lock().unwrap();
        let (mut read, _) = self.stdout.changed.wait_timeout_while(read, PATIENCE, |read| !read.1).unwrap();
        Finished { code: status.code(), lines: std::mem::take(&mut read.0), stderr, ended }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_over && self.ended.try_recv().is_err() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

impl Lines {
    fn read_from(&self, source: impl Read) {
        for line in BufReader::new(source).lines() {
            let line = line.unwrap();
            let value = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"));
            self.read.lock().unwrap().0.push(value);
            self.changed.notify_all();
        }
        self.read.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
    pub(crate) ended: Instant,
}

impl Finished {
    /// Demands this exit code, and a whole stream that says the same.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{:?}", self.stderr, self.lines.last());
        for (line, seq) in self.lines.iter().zip(1..) {
            assert_eq!(line["telemetry"]["seq"], seq, "no line is missing: {line}");
        }
        assert_eq!(self.count("lines"), self.lines.len() as u64);
        assert_eq!(self.count("exit_code"), u64::try_from(code).unwrap());
        assert_eq!(self.count("completed"), self.count("ok") + self.count("failed"));
        assert_eq!(self.count("sent"), self.count("completed") + self.count("aborted"));
        assert_eq!(self.final_line()["num_requests"], self.count("completed"));
        self
    }

    /// A count of `run.end`.
    pub(crate) fn count(&self, key: &str) -> u64 {
        let end = &self.lines.last().expect("a stream")["telemetry"];
        assert_eq!(end["telemetry_name"], "swarmline.event.run.end", "the stream was cut off: {end}");
        end[key].as_u64().unwrap_or_else(|| panic!("{key} of {end}"))
    }

    /// A statistic of the final line.
    pub(crate) fn statistic(&self, key: &str) -> f64 {
        self.final_line()[key].as_f64().unwrap_or_else(|| panic!("{key}"))
    }

    /// Each error and how often it occurred.
    pub(crate) fn errors(&self) -> Vec<(&str, u64)> {
        let errors = self.telemetry().filter(|line| line["status"] == "error");
        errors.map(|line| (line["error"].as_str().unwrap(), line["occurrences"].as_u64().unwrap())).collect()
    }

    /// Why the run ended.
    pub(crate) fn reason(&self) -> &str {
        self.named("locust.tl.event.test.stop")["reason"].as_str().unwrap()
    }

    /// The first line with this `telemetry_name`.
    pub(crate) fn named(&self, name: &str) -> &Value {
        self.telemetry().find(|line| line["telemetry_name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// What each line says.
    pub(crate) fn telemetry(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().map(|line| &line["telemetry"])
    }

    fn final_line(&self) -> &Value {
        self.telemetry().find(|line| line["stats_type"] == "final").expect("a final line")
    }
}

/// `duration` in milliseconds, as the stream has it.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
