//! Users that run journeys: what the server sees of them decides.

mod responses;
mod data;
mod digits;
mod life;
mod open;
mod tasks;

use serde_json::{Value, json};

use crate::process::{Finished, Process, prepare};
use crate::server::{Request, Server};
use crate::support::Scratch;

/// A scenario file in a folder of its own, with what else a test puts there.
struct Scenario {
    folder: Scratch,
    path: String,
}

impl Scenario {
    /// `name` is the test's own.
    fn new(name: &str, content: &Value) -> Self {
        let folder = Scratch::new(name);
        let path = folder.write("scenario.json", content.to_string());
        Self { folder, path }
    }

    /// One class of users with these keys.
    fn of_class(name: &str, class: &Value) -> Self {
        Self::new(name, &json!({ "user_classes": [class] }))
    }

    /// With a file beside it.
    fn with(self, name: &str, content: &str) -> Self {
        self.folder.write(name, content);
        self
    }

    /// Begins a run of it.
    fn start(&self, server: &Server, arguments: &[&str]) -> Process {
        Process::start(prepare(server, &[&["-f", &self.path], arguments].concat()))
    }

    /// Runs it to its end.
    fn run(&self, server: &Server, arguments: &[&str]) -> Finished {
        self.start(server, arguments).finish()
    }
}

/// An answer with a JSON body, and these lines in its head.
fn json_answer(lines: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer of this status without a body.
fn empty(status: u16) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")
}

/// What each connection asked, in order; the connections in the order they were made.
fn by_connection(server: &Server) -> Vec<Vec<Request>> {
    let mut all = vec![Vec::new(); server.connections()];
    for request in server.requests() {
        all[request.connection].push(request);
    }
    all
}

/// How many requests were asked so.
fn count(server: &Server, asked: &str) -> usize {
    server.request_lines().iter().filter(|line| *line == asked).count()
}
