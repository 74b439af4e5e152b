//! The conditions of `if`, `while` and the like.

use super::condition::Condition;
use super::evaluator::{Evaluator, Known, Phase};
use super::syntax::{Expr, ExprKind};
use super::value::{JsonPlace, Missing, PickFrom, Problem, RunKind, Value};

impl Evaluator<'_> {
    /// The condition that an expression is.
    pub(super) fn condition(&mut self, expr: &Expr) -> Known<Condition> {
        match &expr.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let is_and = matches!(expr.kind, ExprKind::And(_));
                let mut conditions = Vec::new();
                for part in parts {
                    let condition = self.condition(part)?;
                    let decides = condition == Condition::Known(!is_and);
                    conditions.push(condition);
                    if decides {
                        break;
                    }
                }
                Ok(if is_and { Condition::all(conditions) } else { Condition::any(conditions) })
            }
            ExprKind::Unary(operator, of) if operator == "Not" => self.condition(of).map(Condition::not),
            ExprKind::Compare(left, others) => {
                let mut left = self.eval(left);
                let mut conditions = Vec::new();
                for (operator, right) in others {
                    let right = self.eval(right);
                    conditions.push(self.compare(left, operator, right.clone(), expr.line)?);
                    left = right;
                }
                Ok(Condition::all(conditions))
            }
            _ => {
                let value = self.eval(expr);
                self.truth(value, expr.line)
            }
        }
    }

    /// Whether a value is true.
    pub(super) fn truth(&mut self, value: Value, line: u32) -> Known<Condition> {
        if let Value::Match(request, pattern) = &value {
            let name = self.matched(*request, pattern, 1);
            return Ok(Condition::of_variable(&name, "is_empty").not());
        }
        if let Some(truth) = value.truth() {
            return Ok(Condition::Known(truth));
        }
        match value {
            Value::Unknown(problem) => Err(problem),
            Value::Test(condition) => Ok(*condition),
            Value::Response(request) => Ok(self.is_ok(request)),
            Value::RunList(name) => Ok(Condition::of_variable(&name, "is_empty").not()),
            Value::Json(place) => self.json_truth(place, line),
            Value::Body(request) => {
                let name = self.body_match(request, "(?s).");
                Ok(Condition::of_variable(&name, "is_empty").not())
            }
            Value::Run(run) if run.kind == RunKind::Bool => {
                Ok(Condition::test(&format!("${{{}}}", run.code), "==", "true"))
            }
            Value::Run(run) if run.kind == RunKind::Number => {
                Ok(Condition::test(&format!("${{{}}}", run.code), "!=", "0"))
            }
            Value::Run(run) if !run.is_new_each_time => {
                let filled = Condition::of_variable(&run.code, "is_empty").not();
                let word = run.code.to_ascii_lowercase();
                let is_key =
                    ["token", "id", "key", "session", "auth", "url", "name"].iter().any(|part| word.contains(part));
                if run.kind == RunKind::Text || is_key {
                    return Ok(filled);
                }
                let not = |word: &str| Condition::test(&format!("${{{}}}", run.code), "!=", word);
                Ok(Condition::all(vec![filled, not("false"), not("null")]))
            }
            Value::Text(text) => Ok(Condition::test(&text.template(), "!=", "")),
            _ => Err(Problem { line, why: "a condition on a value that is not known".to_owned() }),
        }
    }

    fn json_truth(&mut self, place: JsonPlace, line: u32) -> Known<Condition> {
        let place = JsonPlace { missing: Missing::Is(String::new()), ..place };
        let last = place.pointer.rsplit('/').next().unwrap_or_default().to_owned();
        let is_list = place.pointer.is_empty() || last.ends_with('s') && !last.ends_with("ss") && last != "status";
        if is_list && !place.pointer.contains('*') {
            let name = self.json_list(&JsonPlace { pointer: format!("{}/*", place.pointer), ..place })?;
            return Ok(Condition::of_variable(&name, "is_empty").not());
        }
        let run = self.extracted(&place, line)?;
        self.truth(Value::Run(run), line)
    }

    /// Whether the status of a response is that of a success.
    pub(super) fn is_ok(&mut self, request: usize) -> Condition {
        let status = self.status(request);
        Condition::all(vec![Condition::test(&status, "<", "400"), Condition::test(&status, ">", "0")])
    }

    fn compare(&mut self, left: Value, operator: &str, right: Value, line: u32) -> Known<Condition> {
        match operator {
            "NotEq" | "IsNot" => return Ok(self.equals(left, right, line)?.not()),
            "Eq" | "Is" => return self.equals(left, right, line),
            "In" => return self.contains(right, left, line),
            "NotIn" => return Ok(self.contains(right, left, line)?.not()),
            _ => {}
        }
        if let (Some(left), Some(right)) = (left.number(), right.number()) {
            return Ok(Condition::Known(match operator {
                "Lt" => left < right,
                "LtE" => left <= right,
                "Gt" => left > right,
                _ => left >= right,
            }));
        }
        if let Some(chance) = chance(&left, operator, &right).or_else(|| chance(&right, mirrored(operator), &left)) {
            return Ok(Condition::test(&format!("${{chance({chance})}}"), "==", "true"));
        }
        let (left, right) = (self.operand(left, line)?, self.operand(right, line)?);
        Ok(match operator {
            "Lt" => Condition::test(&left, "<", &right),
            "LtE" => Condition::test(&left, ">", &right).not(),
            "Gt" => Condition::test(&left, ">", &right),
            _ => Condition::test(&left, "<", &right).not(),
        })
    }

    fn equals(&mut self, left: Value, right: Value, line: u32) -> Known<Condition> {
        if let (Value::Unknown(problem), _) | (_, Value::Unknown(problem)) = (&left, &right) {
            return Err(problem.clone());
        }
        let is_known = |value: &Value| {
            !matches!(
                value,
                Value::Run(_) | Value::Json(_) | Value::RunList(_) | Value::Status(_) | Value::Body(_) | Value::Test(_)
            ) && value.known_text().is_some() | !matches!(value, Value::Text(_))
        };
        if is_known(&left) && is_known(&right) {
            let as_numbers = left.number().zip(right.number()).map(|(left, right)| left.total_cmp(&right).is_eq());
            return Ok(Condition::Known(as_numbers.unwrap_or(left == right)));
        }
        let (left, right) = if is_known(&left) { (right, left) } else { (left, right) };
        match (left, right) {
            (Value::Match(request, pattern), Value::None) => {
                let name = self.matched(request, &pattern, 1);
                Ok(Condition::of_variable(&name, "is_empty"))
            }
            (Value::Json(place), Value::None) => {
                let place = JsonPlace { missing: Missing::Is(String::new()), ..place };
                let run = self.extracted(&place, line)?;
                Ok(Condition::of_variable(&run.code, "is_empty"))
            }
            (Value::Run(run), Value::None) if !run.is_new_each_time => {
                Ok(Condition::of_variable(&run.code, "is_empty"))
            }
            (Value::RunList(name), Value::List(items)) if items.is_empty() => {
                Ok(Condition::of_variable(&name, "is_empty"))
            }
            (Value::Response(_) | Value::Status(_) | Value::Body(_) | Value::Text(_) | Value::Test(_), Value::None) => {
                Ok(Condition::Known(false))
            }
            (Value::Test(condition), Value::Bool(truth)) => Ok(if truth { *condition } else { condition.not() }),
            (left, right) => {
                self.say_equal_as_texts(&left, &right, line);
                let (left, right) = (self.operand(left, line)?, self.operand(right, line)?);
                Ok(Condition::test(&left, "==", &right))
            }
        }
    }

    /// Says that a text such as "7" equals the number 7 of an answer too; in Python it does not.
    fn say_equal_as_texts(&mut self, left: &Value, right: &Value, line: u32) {
        let is_of_answer =
            matches!(left, Value::Json(_)) || matches!(left, Value::Run(run) if run.kind == RunKind::Json);
        let looks_like = |text: String| text.parse::<f64>().is_ok() || ["true", "false", "null"].contains(&&*text);
        if is_of_answer && right.known_text().is_some_and(looks_like) {
            self.lost(
                line,
                "a value of a response is compared as a text: a number or truth value that is written so is equal too",
            );
        }
    }

    /// Whether a value is in `all`.
    fn contains(&mut self, all: Value, value: Value, line: u32) -> Known<Condition> {
        match (all, value) {
            (Value::Unknown(problem), _) | (_, Value::Unknown(problem)) => Err(problem),
            (Value::List(items) | Value::Tuple(items), value) => {
                let parts = items.into_iter().map(|item| self.equals(value.clone(), item, line));
                parts.collect::<Known<Vec<_>>>().map(Condition::any)
            }
            (Value::Range(from, to), value) => {
                let value = self.operand(value, line)?;
                let low = Condition::test(&value, "<", &from.to_string()).not();
                Ok(Condition::all(vec![low, Condition::test(&value, "<", &to.to_string())]))
            }
            (Value::Dict(members), value) => {
                let parts = members.into_iter().map(|(key, _)| self.equals(value.clone(), key, line));
                parts.collect::<Known<Vec<_>>>().map(Condition::any)
            }
            (Value::Json(place), Value::Text(key)) => {
                let key = key.known().ok_or_else(|| Problem { line, why: "a key that is not known".to_owned() })?;
                let place = super::texts::member_of(&place, &key, Missing::Is(String::new()));
                let run = self.extracted(&place, line)?;
                Ok(Condition::of_variable(&run.code, "is_empty").not())
            }
            (Value::Body(request), Value::Text(text)) => {
                let text = text.known().ok_or_else(|| Problem { line, why: "a text that is not known".to_owned() })?;
                let name = self.body_match(request, &escaped(&text));
                Ok(Condition::of_variable(&name, "is_empty").not())
            }
            (Value::RunList(name), value) => {
                let value = self.operand(value, line)?;
                Ok(Condition::test(&format!("${{{name}}}"), "contains", &value))
            }
            (Value::Text(all), Value::Text(part)) => match (all.known(), part.known()) {
                (Some(all), Some(part)) => Ok(Condition::Known(all.contains(&part))),
                _ => Ok(Condition::test(&all.template(), "contains", &part.template())),
            },
            (Value::Run(run), value) if !run.is_new_each_time => {
                let value = self.operand(value, line)?;
                Ok(Condition::test(&format!("${{{}}}", run.code), "contains", &value))
            }
            _ => Err(Problem { line, why: "a condition with `in` on a value that is not known".to_owned() }),
        }
    }

    /// A value as an operand of a condition.
    fn operand(&mut self, value: Value, line: u32) -> Known<String> {
        match value {
            Value::Status(request) => Ok(self.status(request)),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::None => Ok(String::new()),
            Value::Json(place) => {
                let run = self.extracted(&place, line)?;
                Ok(format!("${{{}}}", run.code))
            }
            Value::Elapsed(_) => Err(Problem { line, why: "a condition on how long a response took".to_owned() }),
            other => self.text(&other, line).map(|text| text.template()),
        }
    }

    /// The status of a response, as a scenario names it.
    pub(super) fn status(&mut self, request: usize) -> String {
        self.looks_at_failures |= self.phase == Phase::Start;
        if self.state.last == Some(request) {
            return "${status}".to_owned();
        }
        let name = self.names.of(&format!("request {request}"), "status_of_answer");
        self.extract(request, &name, ("from", "status"), None, None);
        format!("${{{name}}}")
    }

    /// A variable that is empty unless the body matches.
    pub(super) fn body_match(&mut self, request: usize, pattern: &str) -> String {
        let name = self.names.of(&format!("request {request} {pattern}"), "found");
        self.extract(request, &name, ("regex", pattern), None, Some(""));
        name
    }

    /// A list of all values at a place.
    pub(super) fn json_list(&mut self, place: &JsonPlace) -> Known<String> {
        if place.pick != PickFrom::First {
            return Err(Problem { line: 0, why: "a list within a random item".to_owned() });
        }
        let key = place.pointer.trim_end_matches("/*").rsplit('/').find(|part| *part != "*").unwrap_or_default();
        let key = if key.is_empty() { "items" } else { key };
        let key = if key.ends_with('s') { key.to_owned() } else { format!("{key}s") };
        let name = self.names.of(&format!("request {} all {}", place.request, place.pointer), &key);
        self.extract(place.request, &name, ("json", &place.pointer), Some("all"), None);
        Ok(name)
    }
}

/// The probability that `random.random() < 0.3` is true.
fn chance(left: &Value, operator: &str, right: &Value) -> Option<String> {
    let share = right.number().filter(|_| *left == Value::RandomUnit)?;
    let share = if operator.starts_with("Lt") { share } else { 1.0 - share };
    (0.0..=1.0).contains(&share).then(|| format!("{}", (share * 1e9).round() / 1e9))
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "Lt" => "Gt",
        "LtE" => "GtE",
        "Gt" => "Lt",
        _ => "LtE",
    }
}

/// A regular expression that matches just this text.
pub(super) fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for char in text.chars() {
        if "\\.+*?()|[]{}^$#&-~".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}
