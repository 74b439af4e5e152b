//! Values of responses: what is extracted where.

use super::condition::Condition;
use super::evaluator::{Evaluator, Known, Phase};
use super::steps::Extract;
use super::syntax::{Expr, ExprKind};
use super::value::{JsonPlace, Missing, PickFrom, Problem, RunKind, RunValue, Text, Value};
use crate::plan::json::Json;

impl Evaluator<'_> {
    /// Adds an extraction to a request, unless it has it.
    pub(super) fn extract(
        &mut self,
        request: usize,
        variable: &str,
        (key, value): (&'static str, &str),
        pick: Option<&'static str>,
        default: Option<&str>,
    ) {
        let is_all = pick == Some("all");
        let default = default.map(|text| Json::Text(text.to_owned())).or(is_all.then(|| Json::List(Vec::new())));
        let wanted = Extract {
            variable: variable.to_owned(),
            from: (key, Json::Text(value.to_owned())),
            pick,
            group: None,
            default,
        };
        let extracts = &mut self.requests[request].extract;
        match extracts.iter_mut().find(|known| known.variable == variable) {
            Some(known) => *known = wanted,
            None => extracts.push(wanted),
        }
    }

    /// The variable that has the value of a place. Where it is missing, the steps of the exception follow.
    pub(super) fn extracted(&mut self, place: &JsonPlace, line: u32) -> Known<RunValue> {
        let key = format!("request {} {} {:?}", place.request, place.pointer, place.pick);
        let last = place.pointer.rsplit('/').find(|part| *part != "*" && part.parse::<u32>().is_err());
        let last = last.filter(|last| !last.is_empty()).unwrap_or("answer").to_owned();
        let name = self.names.of(&key, &last);
        self.extracted_as(place, &name, line)
    }

    /// As [`Self::extracted`], into this variable.
    pub(super) fn extracted_as(&mut self, place: &JsonPlace, name: &str, line: u32) -> Known<RunValue> {
        if place.pointer.contains('*') && place.pick == PickFrom::First && place.missing == Missing::Raises {
            return Err(Problem { line, why: "a list of a response as one value".to_owned() });
        }
        let pick = match place.pick {
            PickFrom::First => None,
            PickFrom::Last => Some("last"),
            PickFrom::Random => Some("random"),
        };
        let is_new = !self.requests[place.request].extract.iter().any(|known| known.variable == name);
        self.looks_at_failures |= self.phase == Phase::Start && place.missing != Missing::Raises;
        let default = if let Missing::Is(text) = &place.missing { text.as_str() } else { "" };
        self.extract(place.request, name, ("json", &place.pointer), pick, Some(default));
        if place.missing == Missing::Raises && (is_new || self.state.last == Some(place.request)) {
            self.abort_without(name);
        }
        Ok(RunValue::variable(name, RunKind::Json))
    }

    /// The steps of an exception where a variable is empty.
    fn abort_without(&mut self, name: &str) {
        let test = Condition::of_variable(name, "is_empty");
        let (steps, (), _) = self.branch(self.state.clone(), Self::abort);
        let outer: Vec<_> = self.out.iter().rev().take(4).cloned().collect();
        let before = self.out.len();
        self.emit_when(test, steps, Vec::new());
        if self.out[before..].iter().all(|step| outer.contains(step)) {
            self.out.truncate(before);
        }
    }

    /// `of[at]`
    pub(super) fn subscript_expr(&mut self, of: &Expr, at: &Expr, line: u32) -> Value {
        let of = self.eval(of);
        if let ExprKind::Slice(from, to, None) = &at.kind {
            let mut bound = |part: &Option<Box<Expr>>| part.as_ref().map(|part| self.eval(part));
            let (from, to) = (bound(from), bound(to));
            return slice(&of, from, to, line);
        }
        let at = self.eval(at);
        self.subscript(&of, &at, line)
    }

    /// A member or item.
    pub(super) fn subscript(&mut self, of: &Value, at: &Value, line: u32) -> Value {
        match (of, at) {
            (Value::Unknown(problem), _) | (_, Value::Unknown(problem)) => Value::Unknown(problem.clone()),
            (Value::Json(place), at) => json_subscript(place, at, line),
            (Value::Dict(members), key) => match members.iter().find(|(known, _)| known == key) {
                Some((_, value)) => value.clone(),
                None => Value::unknown(line, "a key that the dictionary does not have"),
            },
            (Value::List(items) | Value::Tuple(items), Value::Int(index)) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if *index < 0 { index + length } else { *index };
                let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                item.cloned().unwrap_or_else(|| Value::unknown(line, "an item that the list does not have"))
            }
            (Value::RunList(name), Value::Int(0)) => {
                Value::Run(RunValue { code: format!("first({name})"), kind: RunKind::Json, is_new_each_time: true })
            }
            (Value::Headers(request), Value::Text(name)) => self.header(*request, name, None, line),
            (Value::Cookies(Some(request)), Value::Text(name)) => self.cookie(*request, name, line),
            (Value::Row(source), Value::Text(column)) => match column.known() {
                Some(column) => Value::Run(RunValue::variable(&format!("{source}.{column}"), RunKind::Text)),
                None => Value::unknown(line, "a column that is not known"),
            },
            (Value::External(path), Value::Text(name)) if path == "os.environ" => {
                let name = name.known();
                name.map_or_else(
                    || Value::unknown(line, "a variable that is not known"),
                    |name| self.environment(&name, None),
                )
            }
            _ => Value::unknown(line, "an item of a value that is not known"),
        }
    }

    /// A header field of a response.
    pub(super) fn header(&mut self, request: usize, name: &Text, default: Option<&str>, line: u32) -> Value {
        let Some(name) = name.known() else { return Value::unknown(line, "a header field that is not known") };
        let variable =
            self.names.of(&format!("request {request} header"), &name.replace('-', "_").to_ascii_lowercase());
        self.extract(request, &variable, ("header", &name), None, Some(default.unwrap_or_default()));
        if default.is_none() {
            self.abort_without(&variable);
        }
        Value::Run(RunValue::variable(&variable, RunKind::Text))
    }

    /// A cookie of the user.
    pub(super) fn cookie(&mut self, request: usize, name: &Text, line: u32) -> Value {
        let Some(name) = name.known() else { return Value::unknown(line, "a cookie that is not known") };
        let variable = self.names.of(&format!("request {request} cookie"), &name);
        self.extract(request, &variable, ("cookie", &name), None, Some(""));
        Value::Run(RunValue::variable(&variable, RunKind::Text))
    }

    /// A variable of the environment.
    pub(super) fn environment(&mut self, name: &str, default: Option<String>) -> Value {
        let known = self.names.of("environment", name);
        self.variables.insert(known.clone(), (name.to_owned(), default));
        Value::Run(RunValue::variable(&known, RunKind::Text))
    }

    /// A value that is kept under a name: what is new each time is made once, now.
    pub(super) fn kept(&mut self, value: Value, name: &str, line: u32) -> Value {
        match value {
            Value::List(items) => Value::List(self.kept_items(items, name, line)),
            Value::Tuple(items) => Value::Tuple(self.kept_items(items, name, line)),
            Value::Dict(members) => {
                let keep = |(key, value): (Value, Value)| {
                    let inner = key.known_text().unwrap_or_else(|| name.to_owned());
                    let value = self.kept(value, &inner, line);
                    (key, value)
                };
                Value::Dict(members.into_iter().map(keep).collect())
            }
            Value::Time(_) | Value::Row(_) => value,
            value if value.is_new_each_time() => {
                let scope = self.scope();
                let variable = self.names.of(&scope, name);
                match self.assign_variable(&variable, &value, line) {
                    Ok(kind) => Value::Run(RunValue::variable(&variable, kind)),
                    Err(problem) => Value::Unknown(problem),
                }
            }
            value => value,
        }
    }

    fn kept_items(&mut self, items: Vec<Value>, name: &str, line: u32) -> Vec<Value> {
        let named = |(at, item)| self.kept(item, &format!("{name}_{at}"), line);
        items.into_iter().enumerate().map(named).collect()
    }

    /// Whether what is being evaluated may be done again by the same user.
    pub(super) fn is_repeated(&self) -> bool {
        self.phase == Phase::Task || self.depth > 0
    }
}

fn slice(of: &Value, from: Option<Value>, to: Option<Value>, line: u32) -> Value {
    let at = |bound: Option<Value>, usual: usize, length: usize| match bound {
        None | Some(Value::None) => Some(usual),
        Some(Value::Int(at)) if at >= 0 => Some(usize::try_from(at).unwrap_or(length).min(length)),
        Some(Value::Int(at)) => Some(length.saturating_sub(usize::try_from(-at).unwrap_or(length))),
        Some(_) => None,
    };
    let unknown = || Value::unknown(line, "a slice of a value of the run");
    match of {
        Value::List(items) => {
            let (from, to) = (at(from, 0, items.len()), at(to, items.len(), items.len()));
            from.zip(to)
                .map_or_else(unknown, |(from, to)| Value::List(items.get(from..to).unwrap_or_default().to_vec()))
        }
        Value::Text(text) => {
            if let Some(known) = text.known() {
                let chars: Vec<char> = known.chars().collect();
                let (from, to) = (at(from, 0, chars.len()), at(to, chars.len(), chars.len()));
                return from.zip(to).map_or_else(unknown, |(from, to)| {
                    Value::text(&chars.get(from..to).unwrap_or_default().iter().collect::<String>())
                });
            }
            unknown()
        }
        // The first eight characters of a UUID are random.
        Value::Run(run) if run.code == "uuid" || run.code == "hex(32)" => match (from, to) {
            (None, Some(Value::Int(length @ 1..=8))) => {
                Value::Run(RunValue::made(format!("hex({length})"), RunKind::Text))
            }
            (None, Some(Value::Int(length @ 9..=32))) if run.code == "hex(32)" => {
                Value::Run(RunValue::made(format!("hex({length})"), RunKind::Text))
            }
            _ => unknown(),
        },
        Value::Unknown(problem) => Value::Unknown(problem.clone()),
        _ => unknown(),
    }
}

/// A place with a subscript or key.
pub(super) fn json_subscript(place: &JsonPlace, at: &Value, line: u32) -> Value {
    match at {
        Value::Text(key) => match key.known() {
            Some(key) => Value::Json(super::texts::member_of(place, &key, Missing::Raises)),
            None => Value::unknown(line, "a key of a response that is not known"),
        },
        Value::Int(index @ 0..) => Value::Json(JsonPlace {
            pointer: format!("{}/{index}", place.pointer),
            missing: Missing::Raises,
            ..place.clone()
        }),
        Value::Int(-1) if place.pick == PickFrom::First => Value::Json(JsonPlace {
            pointer: format!("{}/*", place.pointer),
            pick: PickFrom::Last,
            missing: Missing::Raises,
            ..place.clone()
        }),
        _ => Value::unknown(line, "an item of a response that is not known"),
    }
}
