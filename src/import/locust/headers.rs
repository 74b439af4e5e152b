//! Header fields of the client.

use super::calls::Arguments;
use super::evaluator::Evaluator;
use super::value::Value;

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
            ("clear", None) => self.state.headers.clear(),
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
    }
}
