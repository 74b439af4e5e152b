//! Shared by all tests: runs of the binary with a time limit, and its stream, parsed and validated.

mod first_byte;
mod intervals;
pub(crate) mod json;
pub(crate) mod lines;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use swarmline::server::Server;

use lines::Stream;

/// Maximum time for a process of a test; far longer than any needs, so that only a hang exceeds it.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The embedded target on a free port: it counts the requests independently.
pub(crate) fn target() -> Server {
    Server::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

/// The target's URL, for `--host`.
pub(crate) fn host(target: &Server) -> String {
    format!("http://{}", target.addr())
}

/// A URL whose port refuses connections.
pub(crate) fn dead_host() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// `swarmline run` against `target` with further arguments.
pub(crate) fn load<'a>(target: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(["run", "--host", &host(target)]).with(arguments)
}

/// A directory for one test, removed when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `name` must be unique to the test.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file in it and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // On an error the files stay in the build directory, which does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run of the binary, not started yet.
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
}

impl Run {
    /// The binary with these arguments, without the environment variables that it reads.
    pub(crate) fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(env!("CARGO_BIN_EXE_swarmline"), arguments)
    }

    /// Like [`Run::new`], started by a shell with `exec` after it ran `script`.
    pub(crate) fn in_shell<'a>(script: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let script = format!("{script}; exec \"$@\"");
        Self::of("sh", ["-c", &script, "sh", env!("CARGO_BIN_EXE_swarmline")]).with(arguments)
    }

    fn of<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("LOCUST_") || name.starts_with("SWARMLINE_")) {
                command.env_remove(name);
            }
        }
        Self { command, input: Vec::new() }
    }

    /// Appends these arguments.
    pub(crate) fn with<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets this environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the working directory.
    pub(crate) fn in_folder(mut self, path: &str) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Sets the content of standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.into();
        self
    }

    /// Redirects standard output.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    /// Redirects stderr.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// Starts the process.
    pub(crate) fn start(mut self) -> Running {
        let command_line = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap();
        // Dropping the command closes our copy of any pipe end passed to it.
        drop(self.command);
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // A process may exit without reading its input: the error is ignored.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Running { child, command_line, stdout, stderr, output: Vec::new(), deadline: Instant::now() + TIME_LIMIT }
    }

    /// Starts and waits for the exit, also by a signal (exit code -1) or not within the limit (-2).
    pub(crate) fn finish_any(self) -> Finished {
        self.start().finish_any()
    }

    /// Starts and waits for the exit.
    pub(crate) fn finish(self) -> Finished {
        self.start().finish()
    }
}

impl Running {
    /// Waits until the standard output so far satisfies `holds`, while the process runs.
    pub(crate) fn await_output(&mut self, holds: impl Fn(&str) -> bool) {
        while !holds(&String::from_utf8_lossy(&self.output)) {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(piece) => self.output.extend(piece),
                Err(why) => panic!("{why}: {}\nstdout: {}", self.command_line, String::from_utf8_lossy(&self.output)),
            }
        }
    }
}

/// A run that has started.
pub(crate) struct Running {
    pub(crate) child: Child,
    command_line: String,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    /// Standard output read so far.
    output: Vec<u8>,
    deadline: Instant,
}

impl Running {
    /// See [`Run::finish_any`].
    fn finish_any(mut self) -> Finished {
        let (stdout, out_ended) = read_until(&self.stdout, self.deadline);
        let (stderr, err_ended) = read_until(&self.stderr, self.deadline);
        if !(out_ended && err_ended) {
            self.child.kill().unwrap();
        }
        let status = self.child.wait().unwrap();
        let code = if out_ended && err_ended { status.code().unwrap_or(-1) } else { -2 };
        Finished {
            command_line: self.command_line,
            code,
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Waits for the exit; panics when it is killed by a signal or takes longer than the limit.
    pub(crate) fn finish(mut self) -> Finished {
        let (rest, out_ended) = read_until(&self.stdout, self.deadline);
        let stdout = [std::mem::take(&mut self.output), rest].concat();
        let (stderr, err_ended) = read_until(&self.stderr, self.deadline);
        let stderr = String::from_utf8(stderr).unwrap();
        if !(out_ended && err_ended) {
            self.child.kill().unwrap();
            let stdout = String::from_utf8_lossy(&stdout);
            panic!("over {TIME_LIMIT:?}: {}\nstderr: {stderr}\nstdout: {stdout}", self.command_line);
        }
        let status = self.child.wait().unwrap();
        let code = status.code().unwrap_or_else(|| panic!("{status}: {}\nstderr: {stderr}", self.command_line));
        Finished { command_line: self.command_line, code, stdout, stderr }
    }
}

/// Reads `source` on a thread; the channel is closed at the end of the input.
fn collect(source: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    if let Some(mut source) = source {
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = source.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// Everything received until the input ends or the deadline passes, and whether the input ended.
fn read_until(source: &Receiver<Vec<u8>>, deadline: Instant) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        match source.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => all.extend(piece),
            Err(why) => return (all, why == std::sync::mpsc::RecvTimeoutError::Disconnected),
        }
    }
}

/// A run that has ended.
pub(crate) struct Finished {
    command_line: String,
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// Asserts this exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of {}\nstderr: {}", self.command_line, self.stderr);
        self
    }

    /// Asserts exit 0, or exit 4 where the generator reports that it sent late, as it rightly does on a busy machine.
    pub(crate) fn exits_0_unless_late(self) -> Self {
        let is_late = self.code == 4 && self.stderr.contains("sent over 10 ms late");
        if is_late { self } else { self.exits(0) }
    }

    /// The stream on standard output, validated.
    pub(crate) fn stream(&self) -> Stream {
        let stream = Stream::parse(&self.stdout);
        assert_eq!(stream.run_end().count("exit_code"), u64::try_from(self.code).unwrap(), "{}", self.command_line);
        stream
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Asserts an empty standard output and one line `swarmline: …` on stderr; returns that line without the prefix.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.text(), "", "stdout of {}", self.command_line);
        assert_eq!(self.stderr.lines().count(), 1, "{}\nstderr: {}", self.command_line, self.stderr);
        let line = self.stderr.strip_suffix('\n').expect("a complete line");
        line.strip_prefix("swarmline: ").unwrap_or_else(|| panic!("{}: {line}", self.command_line))
    }
}
