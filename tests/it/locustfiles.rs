//! `swarmline import locustfile.py`: a locustfile becomes a scenario that does what Locust does, and nothing of it is executed.

mod classes;
mod exceptions;
mod habits;
mod lasting;
mod python;
mod values;

use serde_json::Value;

use crate::support::{Run, Scratch};

/// The lines that most files begin with.
const HEAD: &str = "import random, time, uuid, json, os\nfrom locust import *\n";

/// What became of a locustfile.
struct Imported {
    code: i32,
    scenario: Value,
    stderr: String,
}

impl Imported {
    /// Imports a file with this content after [`HEAD`].
    fn of(name: &str, source: &str) -> Self {
        let scratch = Scratch::new(&format!("locustfile-{name}"));
        let file = scratch.write("locustfile.py", format!("{HEAD}{source}"));
        Self::from(&file)
    }

    /// Imports a user with this body, which has one task at least.
    fn user(name: &str, body: &str) -> Self {
        let lines: Vec<String> = body.lines().map(|line| format!("    {line}")).collect();
        Self::of(name, &format!("class U(HttpUser):\n    host = \"http://h.test\"\n{}\n", lines.join("\n")))
    }

    fn from(path: &str) -> Self {
        let finished = Run::new(["import", path]).finish();
        let scenario = serde_json::from_slice(&finished.stdout).unwrap_or(Value::Null);
        Self { code: finished.code, scenario, stderr: finished.stderr.clone() }
    }

    /// All of it was taken over.
    fn whole(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Something was left out, and each of these texts is said of it.
    fn in_part(self, said: &[&str]) -> Self {
        assert_eq!(self.code, 1, "{}", self.stderr);
        for said in said {
            assert!(self.stderr.contains(said), "{said}: {}", self.stderr);
        }
        self
    }

    /// The steps of the task with this number in the first class.
    fn task(&self, number: usize) -> &Value {
        &self.scenario["user_classes"][0]["tasks"][number]["requests"]
    }

    fn on_start(&self) -> &Value {
        &self.scenario["user_classes"][0]["on_start"]
    }
}

/// The steps of a task with these statements.
fn steps(name: &str, statements: &str) -> Value {
    let lines: Vec<String> = statements.lines().map(|line| format!("    {line}")).collect();
    let user = format!("@task\ndef t(self):\n{}\n", lines.join("\n"));
    Imported::user(name, &user).whole().task(0).clone()
}
