//! What all tests share: the binary, run with a bound on its time, and its stream, held to its promises.

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

/// Longest time a process of a test may take; far beyond what any needs, so that only a hang meets it.
const LIMIT: Duration = Duration::from_secs(30);

/// The embedded target on a free port: it counts on its own what was asked.
pub(crate) fn target() -> Server {
    Server::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

/// The target as `--host` takes it.
pub(crate) fn host(target: &Server) -> String {
    format!("http://{}", target.addr())
}

/// A URL that nobody listens at.
pub(crate) fn dead_host() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// `swarmline run` against `target` with further arguments.
pub(crate) fn load<'a>(target: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(["run", "--host", &host(target)]).with(arguments)
}

/// A directory of a test, removed with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `name` is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// A file in it with this content; says its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is in the build directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run of the binary, not begun.
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
}

impl Run {
    /// The binary with these arguments and none of the environment variables that it heeds.
    pub(crate) fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(env!("CARGO_BIN_EXE_swarmline"), arguments)
    }

    /// The same in the place of a shell that has done this before.
    pub(crate) fn after<'a>(script: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
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

    /// With these arguments after the others.
    pub(crate) fn with<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    /// With this environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// In this folder.
    pub(crate) fn in_folder(mut self, path: &str) -> Self {
        self.command.current_dir(path);
        self
    }

    /// With this on standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.into();
        self
    }

    /// With standard output going elsewhere.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    /// With stderr going elsewhere.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// Begins.
    pub(crate) fn start(mut self) -> Running {
        let named = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap();
        // Dropping the command closes our copy of a pipe's end that was given to it.
        drop(self.command);
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // A process that does not read its input is no fault.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Running { child, named, stdout, stderr, seen: Vec::new(), end: Instant::now() + LIMIT }
    }

    /// Begins and waits for the end, whatever it is: one by a signal is -1, one that never comes -2.
    pub(crate) fn ended(self) -> Finished {
        self.start().ended()
    }

    /// Begins and waits for the end.
    pub(crate) fn finish(self) -> Finished {
        self.start().finish()
    }
}

impl Running {
    /// Waits until standard output holds something, which is written while the process goes on.
    pub(crate) fn await_output(&mut self, holds: impl Fn(&str) -> bool) {
        while !holds(&String::from_utf8_lossy(&self.seen)) {
            let left = self.end.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(piece) => self.seen.extend(piece),
                Err(why) => panic!("{why}: {}\nstdout: {}", self.named, String::from_utf8_lossy(&self.seen)),
            }
        }
    }
}

/// A run that has begun.
pub(crate) struct Running {
    pub(crate) child: Child,
    named: String,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    /// What was read of standard output by now.
    seen: Vec<u8>,
    end: Instant,
}

impl Running {
    /// Waits for the end, as [`Run::ended`] says.
    fn ended(mut self) -> Finished {
        let (stdout, out_ended) = take_until(&self.stdout, self.end);
        let (stderr, err_ended) = take_until(&self.stderr, self.end);
        if !(out_ended && err_ended) {
            self.child.kill().unwrap();
        }
        let status = self.child.wait().unwrap();
        let code = if out_ended && err_ended { status.code().unwrap_or(-1) } else { -2 };
        Finished { named: self.named, code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
    }

    /// Waits for the end, at most as long as a test may take.
    pub(crate) fn finish(mut self) -> Finished {
        let (rest, out_ended) = take_until(&self.stdout, self.end);
        let stdout = [std::mem::take(&mut self.seen), rest].concat();
        let (stderr, err_ended) = take_until(&self.stderr, self.end);
        let stderr = String::from_utf8(stderr).unwrap();
        if !(out_ended && err_ended) {
            self.child.kill().unwrap();
            let stdout = String::from_utf8_lossy(&stdout);
            panic!("over {LIMIT:?}: {}\nstderr: {stderr}\nstdout: {stdout}", self.named);
        }
        let status = self.child.wait().unwrap();
        let code = status.code().unwrap_or_else(|| panic!("{status}: {}\nstderr: {stderr}", self.named));
        Finished { named: self.named, code, stdout, stderr }
    }
}

/// Sends what is read, until the end of the input, and then hangs up.
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

/// What came until the end of the input or of the time, and whether it was that of the input.
fn take_until(source: &Receiver<Vec<u8>>, end: Instant) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        match source.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(piece) => all.extend(piece),
            Err(why) => return (all, why == std::sync::mpsc::RecvTimeoutError::Disconnected),
        }
    }
}

/// A run that has ended.
pub(crate) struct Finished {
    named: String,
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// Demands this exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of {}\nstderr: {}", self.named, self.stderr);
        self
    }

    /// Demands exit 0; or exit 4 and the generator saying that it was late, which on a machine that is busy with other
    /// work is the truth.
    pub(crate) fn exits_or_says_that_it_was_late(self) -> Self {
        let is_late = self.code == 4 && self.stderr.contains("sent over 10 ms late");
        if is_late { self } else { self.exits(0) }
    }

    /// The stream from standard output, all its promises checked.
    pub(crate) fn stream(&self) -> Stream {
        let stream = Stream::parse(&self.stdout);
        assert_eq!(stream.run_end().count("exit_code"), u64::try_from(self.code).unwrap(), "{}", self.named);
        stream
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Demands nothing on standard output and one line on stderr, `swarmline: …`; gives that line.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.text(), "", "stdout of {}", self.named);
        assert_eq!(self.stderr.lines().count(), 1, "{}\nstderr: {}", self.named, self.stderr);
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        line.strip_prefix("swarmline: ").unwrap_or_else(|| panic!("{}: {line}", self.named))
    }
}
