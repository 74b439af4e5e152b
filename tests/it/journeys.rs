//! Users that run journeys, checked by the requests that the server receives.

mod responses;
mod data;
mod digits;
mod life;
mod once;
mod open;
mod quickstart;
mod steps;
mod tasks;
mod values;

use serde_json::{Value, json};

use crate::process::{Finished, Process, prepare};
use crate::server::{Request, Server};
use crate::support::Scratch;

/// A scenario file in a folder of its own, with the other files that a test writes there.
struct Scenario {
    folder: Scratch,
    path: String,
}

impl Scenario {
    /// `name` must be unique to the test.
    fn new(name: &str, content: &Value) -> Self {
        let folder = Scratch::new(name);
        let path = folder.write("scenario.json", content.to_string());
        Self { folder, path }
    }

    /// A scenario with one user class.
    fn of_class(name: &str, class: &Value) -> Self {
        Self::new(name, &json!({ "user_classes": [class] }))
    }

    /// Writes a file beside it.
    fn with(self, name: &str, content: &str) -> Self {
        self.folder.write(name, content);
        self
    }

    /// Starts a run of it.
    fn start(&self, server: &Server, arguments: &[&str]) -> Process {
        Process::start(prepare(server, &[&["-f", &self.path], arguments].concat()))
    }

    /// Runs it to its end.
    fn run(&self, server: &Server, arguments: &[&str]) -> Finished {
        self.start(server, arguments).finish()
    }
}

/// A response with a JSON body and these header lines.
fn json_response(lines: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A response of this status without a body.
fn empty_response(status: u16) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")
}

/// The requests of each connection in order; connections in the order accepted.
fn by_connection(server: &Server) -> Vec<Vec<Request>> {
    let mut all = vec![Vec::new(); server.connections()];
    for request in server.requests() {
        all[request.connection].push(request);
    }
    all
}

/// Number of requests with this request line.
fn count(server: &Server, request_line: &str) -> usize {
    server.request_lines().iter().filter(|line| *line == request_line).count()
}
