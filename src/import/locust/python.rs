//! Lets Python parse a file: its own `ast` knows every version of its syntax. Nothing of the file is executed.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::parse;
use super::syntax::Stmt;
use crate::bounded::{self, SizeLimit};
use crate::error::{Error, Result};

/// Maximum size of a Python file. Larger ones are data.
const MAX_SOURCE: SizeLimit = SizeLimit::mib("a Python file", 64);

/// Maximum size of a syntax tree, which takes about 20 times the bytes of its file.
const MAX_TREE: SizeLimit = SizeLimit::mib("the syntax tree of a Python file", 256);

/// How long Python may take to parse a file.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The program that prints the syntax tree of its standard input.
const PROGRAM: &str = include_str!("dump.py");

/// Parses a file.
///
/// # Errors
/// The file cannot be read or is not Python, or Python is missing, too old or takes too long.
pub(super) fn parse(path: &Path) -> Result<Vec<Stmt>> {
    let name = path.display().to_string();
    let refused = |why: String| Error::usage(&name, why);
    let source = bounded::read_file(path, MAX_SOURCE).map_err(refused)?;
    drop(source);
    let file = File::open(path).map_err(|why| refused(why.to_string()))?;
    let tree = run(file).map_err(refused)?;
    let table: Value = serde_json::from_slice(&tree)
        .map_err(|_| refused("python3 could not parse it: it ended without a syntax tree".to_owned()))?;
    let why = table["why"].as_str().unwrap_or_default();
    match table["error"].as_str() {
        Some("version") => {
            Err(refused(format!("python3 is Python {why}; locustfiles are parsed by Python 3.8 or later")))
        }
        Some("syntax") => Err(refused(format!("line {}: not Python: {why}", table["line"]))),
        Some(_) => Err(refused(format!("python3 could not parse it: {why}"))),
        None => parse::module(&table).ok_or_else(|| refused("python3 gave an unknown syntax tree".to_owned())),
    }
}

/// Runs the program on an open file; returns what it prints.
fn run(file: File) -> std::result::Result<Vec<u8>, String> {
    // -I and -S: neither the working directory nor the environment can put a module in the place of `ast`.
    let mut command = Command::new("python3");
    command.args(["-I", "-S", "-c", PROGRAM]).stdin(file).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut python = command.spawn().map_err(|why| match why.kind() {
        ErrorKind::NotFound => "python3 was not found; locustfiles are parsed by Python 3.8 or later".to_owned(),
        _ => format!("python3 cannot be started: {why}"),
    })?;
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = python.stdout.take() {
        // Joined by nothing: a child of Python could hold the pipe open.
        std::thread::spawn(move || {
            let mut tree = Vec::new();
            let read = output.take(MAX_TREE.bytes() + 1).read_to_end(&mut tree);
            let _ = sender.send(read.map(|_| tree));
        });
    }
    let printed = receiver.recv_timeout(TIME_LIMIT);
    // It has ended, or is of no more use.
    let _ = python.kill();
    let _ = python.wait();
    match printed {
        Ok(Ok(tree)) if tree.len() as u64 > MAX_TREE.bytes() => Err(format!("its syntax tree {MAX_TREE}")),
        Ok(Ok(tree)) => Ok(tree),
        Ok(Err(why)) => Err(format!("python3: {why}")),
        Err(_) => Err(format!("python3 took over {} s to parse it", TIME_LIMIT.as_secs())),
    }
}
