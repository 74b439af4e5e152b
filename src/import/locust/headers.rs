//! Header fields of the client.

use super::calls::Arguments;
use super::evaluator::{Evaluator, Phase, State};
use super::value::{Text, Value};

impl Evaluator<'_> {
    /// A method of `self.client.headers`.
    pub(super) fn change_headers(
        &mut self,
        name: &str,
        first: Option<Value>,
        arguments: &Arguments,
        line: u32,
    ) -> Value {
        match (name, first) {
            ("update", Some(Value::Dict(members))) => {
                for (key, value) in members {
                    self.set_header(&key, value, line);
                }
            }
            ("update", None) => {
                for (key, value) in &arguments.by_name {
                    self.set_header(&Value::text(key), value.clone(), line);
                }
            }
            ("pop", Some(key)) => self.set_header(&key, Value::None, line),
            ("clear", None) => {
                self.state.headers.clear();
                self.say_lasting("headers", line);
            }
            (_, Some(Value::Unknown(problem))) => return Value::Unknown(problem),
            _ => return Value::unknown(line, "a change of the client's headers"),
        }
        Value::None
    }

    /// Sets a header field of all later requests.
    pub(super) fn set_header(&mut self, key: &Value, value: Value, line: u32) {
        let Some(name) = key.known_text() else {
            return self.lost(line, "a header field of a name that is not known is left out");
        };
        let value = match value {
            Value::None => None,
            value => {
                let value = self.kept(value, &name, line);
                match self.text(&value, line) {
                    Ok(text) => Some(text),
                    Err(problem) => {
                        return self.lost(line, format!("the header field {name} is left out: {}", problem.why));
                    }
                }
            }
        };
        let headers = &mut self.state.headers;
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        if value.is_some() {
            headers.push((name, value));
        }
        self.say_lasting("headers", line);
    }

    /// `self.client.auth = (name, password)`
    pub(super) fn set_auth(&mut self, value: &Value, line: u32) {
        if self.client.is_fast {
            return self.lost(line, "self.client.auth is left out: a FastHttpUser does not look at it");
        }
        self.say_lasting("auth", line);
        if *value == Value::None {
            self.state.auth = None;
        } else if let Value::Tuple(pair) | Value::List(pair) = value
            && let [Some(user), Some(password)] = &*pair.iter().map(Value::known_text).collect::<Vec<_>>()
        {
            self.state.auth = Some(Text::literal(&basic(user, password)));
        } else {
            self.lost(line, "self.client.auth is left out; use --basic-auth");
        }
    }

    /// Says that later requests have these header fields whichever branch of the condition in this line was taken.
    pub(super) fn say_one_sided(&mut self, names: &[String], line: u32) {
        for name in names {
            let what = format!(
                "self.client.headers: {name} is set in one branch of this condition only; later requests have it in both"
            );
            self.remark(line, what);
        }
    }

    /// Says that what a task sets in the client reaches less requests than in Locust, where all later ones of the user have
    /// it: those of other tasks, and those that the task sends before in its next round.
    pub(super) fn say_lasting(&mut self, what: &str, line: u32) {
        let is_exact = self.is_only_task && self.state.last.is_none() && self.out.is_empty();
        if self.phase == Phase::Task && !is_exact {
            let why = "a task changes it: Locust sends it with all later requests of the user, here only those of this task that follow have it";
            self.lost(line, format!("self.client.{what}: {why}"));
        }
    }
}

/// Names of the client's header fields that only one of two branches has.
pub(super) fn headers_of_one(one: &State, other: &State) -> Vec<String> {
    let has = |state: &State, name: &str| state.headers.iter().any(|(known, _)| known == name);
    let all = one.headers.iter().chain(&other.headers).map(|(name, _)| name);
    all.filter(|name| has(one, name) != has(other, name)).cloned().collect()
}

/// The value of `Authorization` for a name and a password.
pub(super) fn basic(name: &str, password: &str) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(format!("{name}:{password}"));
    format!("Basic {text}")
}
